"""Claims about the protocol that is proposed from the files of a trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from schooltrial.proposal.proposed import Proposal
from schooltrial.proposal.proposing import propose
from schooltrial.proposal.roles import year_of
from schooltrial.proposal.seen import see
from schooltrial.proposal.writing import GUESS, protocol_text
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import UserError
from support.small_trial import schema

SCHOOLS = [f"{number:03d}" for number in range(1, 13)]
ARMS = dict(zip(SCHOOLS, ["C", "T"] * 6, strict=True))


def _write(path: Path, header: str, rows: Sequence[Sequence[Any]], delimiter: str = ",") -> Path:
    lines = [header, *(delimiter.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _pupils() -> list[tuple[str, str, int]]:
    return [(f"{s}-{at:02d}", s, 100 + 7 * at + int(s)) for s in SCHOOLS for at in range(8)]


def _proposed(
    folder: Path, files: Sequence[Path], named: Mapping[str, str] | None = None, **answers: str
) -> tuple[Proposal, Any, str]:
    """Return what is proposed, its protocol as a run reads it, and the text."""

    def ask(question: str, possible: Sequence[str], likely: str) -> str:
        return next((text for key, text in answers.items() if key in question), likely)

    seen = [one for file in files for one in see(file)]
    found = propose("my_trial", seen, folder, ask, 2025, named)
    text = protocol_text(found)
    (folder / "my_trial.yaml").write_text(text, encoding="utf-8")
    return found, read_protocol(folder / "my_trial.yaml", schema()).content, text


def _schools(folder: Path) -> Path:
    return _write(folder / "schools.csv", "school,arm", list(ARMS.items()))


def test_a_list_of_schools_and_a_file_a_year_give_a_whole_protocol(tmp_path: Path) -> None:
    files = [_schools(tmp_path)]
    for year in (2024, 2025):
        rows = [(p, s, score + year % 7) for p, s, score in _pupils()]
        files.append(_write(tmp_path / f"pupils_{year}.csv", "pupil,school,reading", rows))
    _, content, text = _proposed(tmp_path, files)
    assert content["years"]["baseline"] == [2024]
    assert content["years"]["programme"] == [2025]
    assert [arm["name"] for arm in content["design"]["arms"]] == ["control", "programme"]
    assert content["tables"]["assignment"][0]["columns"]["arm"]["codes"] == {
        "C": "control", "T": "programme"
    }  # fmt: skip
    assert content["tables"]["scores"][0]["file"] == "pupils_{year}.csv"
    assert content["outcomes"]["reading"]["primary"]
    assert content["models"]["itt"]["covariates"] == ["baseline"]
    assert f"years: {{baseline: [2024], programme: [2025]}}{GUESS}" in text


def test_years_in_a_column_are_found(tmp_path: Path) -> None:
    rows = [(p, s, y, score + y % 7) for y in (2023, 2024, 2025) for p, s, score in _pupils()]
    pupils = _write(tmp_path / "pupils.csv", "student_id,school_id,year,maths", rows)
    files = [_schools(tmp_path), pupils]
    _, content, _ = _proposed(tmp_path, files, begin="2024")
    assert content["years"]["baseline"] == [2023]
    assert content["years"]["programme"] == [2024, 2025]
    assert content["tables"]["scores"][0]["columns"]["year"]["type"] == "integer"


def test_a_pre_test_in_the_same_row_is_a_covariate(tmp_path: Path) -> None:
    rows = [(p, s, "FM"[at % 2], score, score + at % 9)
            for at, (p, s, score) in enumerate(_pupils())]  # fmt: skip
    header = "pupil,school,sex,pretest,posttest"
    files = [_schools(tmp_path), _write(tmp_path / "tests.csv", header, rows)]
    _, content, text = _proposed(tmp_path, files)
    assert content["years"]["programme"] == [2025]
    assert content["models"]["itt"]["covariates"] == ["pretest"]
    assert content["outcomes"]["posttest"]["baseline_measures"] == ["pretest"]
    assert content["balance"]["pupil_variables"] == ["pretest", "sex"]
    assert "no file says a year" in text


def test_codes_of_missing_values_are_listed_and_marked_as_guesses(tmp_path: Path) -> None:
    rows: list[Sequence[Any]] = [list(one) for one in _pupils()]
    for at, text in ((0, "NA"), (1, "-99"), (2, "ill")):
        rows[at] = [*rows[at][:2], text]
    files = [_schools(tmp_path), _write(tmp_path / "p.csv", "pupil,school,reading", rows)]
    _, content, text = _proposed(tmp_path, files)
    reading = content["tables"]["scores"][0]
    assert set(reading["outcomes"]["reading"]["missing"]) == {"NA", "-99", "ill"}
    assert reading["missing"] == [""]  # a pupil may have the number 99
    (line,) = [line for line in text.splitlines() if "missing:" in line]
    assert GUESS in line


def test_a_semicolon_between_columns_is_found(tmp_path: Path) -> None:
    pupils = _write(tmp_path / "p.csv", "pupil;school;reading", _pupils(), ";")
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["tables"]["pupils"][0]["delimiter"] == ";"


def test_arms_in_the_table_of_pupils_are_of_schools_or_of_pupils(tmp_path: Path) -> None:
    by_school = [(p, s, ARMS[s], score) for p, s, score in _pupils()]
    file = _write(tmp_path / "p.csv", "pupil,school,group,reading", by_school)
    _, content, _ = _proposed(tmp_path, [file])
    assert content["design"]["unit"] == "school"
    assert content["tables"]["assignment"][0]["collapse_repeats"]
    mixed = [(p, s, "CT"[at % 2], score) for at, (p, s, score) in enumerate(_pupils())]
    file = _write(tmp_path / "p.csv", "pupil,school,group,reading", mixed)
    _, content, _ = _proposed(tmp_path, [file])
    assert content["design"]["unit"] == "pupil"
    assert content["tables"]["assignment"][0]["columns"]["block"]["column"] == "school"


def test_pairs_of_schools_make_a_paired_design(tmp_path: Path) -> None:
    rows = [(s, 1 + at // 2, arm) for at, (s, arm) in enumerate(ARMS.items())]
    schools = _write(tmp_path / "schools.csv", "school,pair,arm", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    _, content, _ = _proposed(tmp_path, [schools, pupils])
    assert content["design"]["kind"] == "paired"


def test_the_control_arm_and_the_primary_outcome_are_asked_for(tmp_path: Path) -> None:
    schools = _write(tmp_path / "schools.csv", "school,arm",
                     [(s, {"C": "red", "T": "blue"}[arm]) for s, arm in ARMS.items()])  # fmt: skip
    rows = [(p, s, score, 2 * score) for p, s, score in _pupils()]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading,maths", rows)
    found, content, _ = _proposed(tmp_path, [schools, pupils], control="red", primary="maths")
    assert [arm["name"] for arm in content["design"]["arms"]] == ["red", "blue"]
    assert list(found.outcomes) == ["maths", "reading"]
    assert not content["outcomes"]["reading"]["primary"]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("pupil,school,reading", "no file says which group each school"),
        ("pupil,arm,reading", "no file has a column for the pupil and one for the school"),
        ("pupil,school,arm", "looks like a test score"),
    ],
)
def test_what_no_protocol_can_do_without_is_told_with_the_columns_that_are_there(
    tmp_path: Path, header: str, told: str
) -> None:
    width = header.count(",")
    rows = [(p, s if "school" in header else ARMS[s], ARMS[s] if "arm" in header else score)
            for p, s, score in _pupils()]  # fmt: skip
    file = _write(tmp_path / "p.csv", header, [row[: width + 1] for row in rows])
    with pytest.raises(UserError, match=told):
        _proposed(tmp_path, [file])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("KS1 reading", "KS2 reading"), ("y5_maths", "y6_maths"), ("Maths autumn", "Maths summer"),
        ("baseline_score", "endline_score"), ("reading_baseline", "reading_follow_up"),
        ("score_t0", "score_t1"), ("wave 1 score", "wave 2 score"), ("pre_score", "score"),
        ("Reading Sept 2024", "Reading July 2025"), ("July 2024 reading", "Oct 2024 reading"),
        ("Reading (September)", "Reading (July)"), ("Score 2023/24", "Score 2024/25"),
        ("score 23/24", "score 24/25"), ("2024 maths", "2025 maths"),
        ("maths_2024_09", "maths_2025_06"),
        ("Maths Spring 2024", "Maths Autumn 2024"), ("reading_2024", "reading"),
        ("Entry score", "Exit score"), ("reading_boy", "reading_eoy"),
        ("Mathe Sept 2024", "Mathe Juni 2025"), ("maths_baseline", "maths_2025"),
        ("pre_reading", "reading_2025"), ("maths_pretest", "maths_posttest_2025"),
    ],
)  # fmt: skip
def test_the_earlier_of_two_tests_that_differ_in_a_word_of_time_is_the_pre_test(
    tmp_path: Path, before: str, after: str
) -> None:
    rows = [(p, s, score, score + at % 9) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", f"pupil,school,{before},{after}", rows)
    found, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    ((name, column),) = found.pretests.values()
    assert column == before
    assert [one.name for one in found.outcomes.values()] == [after]
    assert content["models"]["itt"]["covariates"] == [name]
    assert f"{GUESS}taken for the test before {after!r}" in text


def test_the_last_of_three_tests_is_primary_and_the_first_is_the_test_before_both(
    tmp_path: Path,
) -> None:
    rows = [(p, s, n, n + at % 9, n + at % 8) for at, (p, s, n) in enumerate(_pupils())]
    header = "pupil,school,maths_autumn,maths_spring,maths_summer"
    pupils = _write(tmp_path / "p.csv", header, rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert list(content["outcomes"]) == ["maths_summer", "maths_spring"]
    assert [one["baseline_measures"] for one in content["outcomes"].values()] == [
        ["maths_autumn"], ["maths_autumn"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    "control",
    [
        "Waitlist", "waiting list", "Wait-list control", "Delayed start", "Teaching as usual",
        "Standard practice", "No offer", "not offered", "Wartegruppe", "Business as usual",
    ],
)  # fmt: skip
def test_the_control_group_is_known_by_many_names(tmp_path: Path, control: str) -> None:
    words = {"C": control, "T": "Coaching"}
    rows = [(s, words[arm]) for s, arm in ARMS.items()]
    schools = _write(tmp_path / "schools.csv", "school,arm", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    found, _, _ = _proposed(tmp_path, [schools, pupils])
    assert found.arms[0][2] == control


def test_labels_are_read_for_categories_and_columns_and_those_that_say_no_answer_are_missing(
    tmp_path: Path,
) -> None:
    rows = [(p, int(s), at % 2 + 1, -9 if at % 13 == 0 else n + at % 9, int(ARMS[s] == "T"))
            for at, (p, s, n) in enumerate(_pupils())]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["pupil", "school", "sex", "reading", "group"])
    labels: dict[str, dict[int | float, str]]
    labels = {"sex": {1: "boy", 2: "girl"}, "reading": {-9: "Refused", 100: "lowest"},
              "group": {0: "Control", 1: "Coaching"}}  # fmt: skip
    titles: list[str | None] = [
        "Pupil",
        "School",
        "Sex of pupil",
        "Reading test, June 2025",
        "Group",
    ]
    pyreadstat.write_sav(
        frame, tmp_path / "p.sav", column_labels=titles, variable_value_labels=labels
    )
    _, content, _ = _proposed(tmp_path, [tmp_path / "p.sav"])
    assert content["outcomes"]["reading"]["label"] == "Reading test, June 2025"
    assert content["years"]["programme"] == [2025]
    assert content["tables"]["pupils"][0]["columns"]["sex"]["label"] == "Sex of pupil"
    assert content["tables"]["pupils"][0]["value_labels"]
    assert [arm["label"] for arm in content["design"]["arms"]] == ["Control", "Coaching"]
    assert content["tables"]["pupils"][0]["columns"]["sex"]["type"] == "category"
    assert content["tables"]["scores"][0]["outcomes"]["reading"]["missing"] == ["-9"]


def test_a_row_for_each_subject_gives_an_outcome_for_each(tmp_path: Path) -> None:
    rows = [(p, s, year, subject, n + at % 9 + (year % 7))
            for at, (p, s, n) in enumerate(_pupils())
            for year in (2024, 2025) for subject in ("Reading", "Maths")]  # fmt: skip
    scores = _write(tmp_path / "scores.csv", "pupil,school,year,Subject,Score", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), scores])
    assert list(content["outcomes"]) == ["reading", "maths"]
    columns = content["tables"]["scores"][0]["columns"]
    assert columns["outcome"]["codes"] == {"Reading": "reading", "Maths": "maths"}
    assert columns["value"]["column"] == "Score"
    assert content["tables"]["pupils"][0]["duplicate_keys"]["keep"] == "first"
    assert f"{GUESS}each row was taken for a score in the subject that it names" in text
    assert "subject" not in content["balance"]["pupil_variables"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Treatment school?", ("No", "Yes")), ("in_programme", ("0", "1")),
        ("randomised_to", ("control", "books")), ("Allocated to", ("control", "books")),
        ("status", ("Control", "Coaching")), ("wave", ("Delayed", "Immediate")),
    ],
)  # fmt: skip
def test_the_column_of_groups_is_known_by_its_name_or_by_its_control_group(
    tmp_path: Path, header: str, words: tuple[str, str]
) -> None:
    of = dict(zip("CT", words, strict=True))
    rows = [(s, of[arm], s) for s, arm in ARMS.items()]
    schools = _write(tmp_path / "schools.csv", f"school,{header},order", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    found, _, _ = _proposed(tmp_path, [schools, pupils])
    assert (found.arm_column, found.arms[0][2]) == (header, words[0])


def test_two_subjects_are_two_outcomes_until_one_is_named_as_the_test_before(
    tmp_path: Path,
) -> None:
    rows = [(p, s, score, score + at % 9) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading,maths", rows)
    files = [_schools(tmp_path), pupils]
    found, _, _ = _proposed(tmp_path, files)
    assert list(found.outcomes) == ["reading", "maths"]
    found, _, _ = _proposed(tmp_path, files, primary="maths", before="reading")
    assert list(found.outcomes) == ["maths"]
    assert found.pretests == {"maths": ("reading", "reading")}


def test_a_pre_test_that_is_none_is_an_outcome(tmp_path: Path) -> None:
    rows = [(p, s, score, score + at % 9) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,ks1,ks2", rows)
    found, _, _ = _proposed(tmp_path, [_schools(tmp_path), pupils], before="none")
    assert list(found.outcomes) == ["ks2", "ks1"]
    assert not found.pretests


def test_decimal_commas_are_found_and_marked_as_a_guess(tmp_path: Path) -> None:
    rows = [(p, s, f"{score},5") for p, s, score in _pupils()]
    pupils = _write(tmp_path / "p.csv", "pupil;school;reading", rows, ";")
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["tables"]["scores"][0]["decimal"] == ","
    assert content["tables"]["assignment"][0]["decimal"] == "."
    assert f'decimal: ","{GUESS}' in text


def test_a_comma_between_thousands_is_no_decimal_comma(tmp_path: Path) -> None:
    rows = [(p, s, f"1,{score}") for p, s, score in _pupils()]
    pupils = _write(tmp_path / "p.csv", "pupil;school;income", rows, ";")
    (seen,) = see(pupils)
    assert (seen.decimal, seen.thousands) == (".", ",")


def test_a_school_of_another_name_is_known_by_its_values(tmp_path: Path) -> None:
    schools = _write(tmp_path / "schools.csv", "Anstalt,arm", list(ARMS.items()))
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    _, content, text = _proposed(tmp_path, [schools, pupils])
    assert content["tables"]["assignment"][0]["columns"]["school"]["column"] == "Anstalt"
    assert f"{{column: Anstalt}}{GUESS}its values are those of 'school' in p.csv" in text
    pupils = _write(tmp_path / "p.csv", "pupil,Anstalt,reading", _pupils())
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["tables"]["pupils"][0]["columns"]["school"]["column"] == "Anstalt"
    assert f"{{column: Anstalt}}{GUESS}" in text


def test_of_names_and_numbers_of_schools_that_is_taken_which_the_other_file_has(
    tmp_path: Path,
) -> None:
    listed = [(f"{name} School", 4000 + int(s), arm)
              for name, (s, arm) in zip("ABCDEFGHIJKL", ARMS.items(), strict=True)]  # fmt: skip
    schools = _write(tmp_path / "schools.csv", "School Name,URN,Group", listed)
    rows = [(p, 4000 + int(s), score) for p, s, score in _pupils()]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", rows)
    _, content, text = _proposed(tmp_path, [schools, pupils])
    assert content["tables"]["assignment"][0]["columns"]["school"]["column"] == "URN"
    assert f"{{column: URN}}{GUESS}its values are those of 'school' in p.csv" in text

    schools = _write(tmp_path / "schools.csv", "School Name,Group", [(n, g) for n, _, g in listed])
    named = {number: name for name, number, _ in listed}
    rows_of_both = [(p, s, named[s], score) for p, s, score in rows]
    pupils = _write(tmp_path / "p.csv", "pupil,school,school name,reading", rows_of_both)
    _, content, text = _proposed(tmp_path, [schools, pupils])
    assert content["tables"]["pupils"][0]["columns"]["school"]["column"] == "school name"
    assert f"{GUESS}its values are those of 'School Name' in schools.csv" in text


def test_scores_are_linked_to_pupils_by_the_identifier_that_both_files_have(
    tmp_path: Path,
) -> None:
    both = [(f"A{at}", p, s) for at, (p, s, _) in enumerate(_pupils())]
    roster = _write(tmp_path / "roster.csv", "pupil_no,UPN,school", both)
    scores = _write(tmp_path / "scores.csv", "student,reading", [(p, n) for p, _, n in _pupils()])
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), roster, scores])
    assert content["tables"]["pupils"][0]["columns"]["pupil"]["column"] == "UPN"
    assert content["tables"]["scores"][0]["columns"]["pupil"]["column"] == "student"
    assert f"{{column: UPN}}{GUESS}its values are those of 'student' in scores.csv" in text


def test_a_group_is_called_what_the_file_calls_it(tmp_path: Path) -> None:
    words = dict(zip("CT", ("business as usual", "coaching+books"), strict=True))
    rows = [(s, words[arm]) for s, arm in ARMS.items()]
    schools = _write(tmp_path / "schools.csv", "school,arm", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    _, content, _ = _proposed(tmp_path, [schools, pupils])
    assert [(arm["name"], arm["label"]) for arm in content["design"]["arms"]] == [
        ("business_as_usual", "Business as usual"), ("coaching_books", "Coaching+books")
    ]  # fmt: skip


def test_all_that_is_lacking_is_reported_at_once(tmp_path: Path) -> None:
    file = _write(tmp_path / "p.csv", "pupil,reading", [(p, score) for p, _, score in _pupils()])
    with pytest.raises(UserError) as error:
        _proposed(tmp_path, [file])
    assert "one for the school" in str(error.value)
    assert "which group each school" in str(error.value)
    assert str(error.value).count("p.csv: pupil, reading") == 1


def test_a_column_that_balances_the_arms_is_asked_for_as_the_block(tmp_path: Path) -> None:
    rows = [
        (s, "north" if at < 6 else "south", at, arm) for at, (s, arm) in enumerate(ARMS.items())
    ]
    schools = _write(tmp_path / "schools.csv", "school,Local authority,intake,arm", rows)
    files = [schools, _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())]
    found, content, text = _proposed(tmp_path, files)
    assert content["design"]["kind"] == "blocked"
    assert content["design"]["block_label"] == "Local authority"
    numbers = "the groups are in about equal numbers in each Local authority (3/3, 3/3)"
    assert f"kind: blocked{GUESS}{numbers}" in text
    assert found.said[0].startswith(f"Blocks: {numbers}")
    assert "run `new` again with --block none" in found.said[0]
    found, content, _ = _proposed(tmp_path, files, {"block": "none"})
    assert (content["design"]["kind"], found.said) == ("complete", [])
    found, content, _ = _proposed(tmp_path, files, Within="none")
    assert content["design"]["kind"] == "complete"
    assert "not used: 'Local authority' and 'intake'" in found.lacking[0]


def test_numbers_of_groups_that_differ_by_one_are_told_as_they_are(tmp_path: Path) -> None:
    regions = ["a"] * 5 + ["b"] * 7
    rows = [(s, region, arm) for region, (s, arm) in zip(regions, ARMS.items(), strict=True)]
    schools = _write(tmp_path / "schools.csv", "school,region,arm", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    _, _, text = _proposed(tmp_path, [schools, pupils])
    assert "in about equal numbers in each region (3/2, 3/4)" in text


def test_what_a_person_answered_is_no_guess(tmp_path: Path) -> None:
    rows = [(s, "north" if int(s) <= 6 else "south", arm) for s, arm in ARMS.items()]
    schools = _write(
        tmp_path / "schools.csv", "school,region,group",
        [(s, region, {"C": "red", "T": "blue"}[arm]) for s, region, arm in rows],
    )  # fmt: skip
    scores = [(p, s, score, score + 1, score + 2) for p, s, score in _pupils()]
    header = "pupil,school,Maths Sept 2024,Maths June 2025,Reading June 2025"
    pupils = _write(tmp_path / "p.csv", header, scores)
    asked: dict[str, Sequence[str]] = {}

    def ask(question: str, possible: Sequence[str], likely: str) -> str:
        asked[question.rsplit("\n", maxsplit=1)[-1]] = possible
        return likely

    seen = [one for file in (schools, pupils) for one in see(file)]
    text = protocol_text(propose("t", seen, tmp_path, ask, 2025, by_person=True))
    guesses = [line.split(GUESS)[1] for line in text.splitlines() if GUESS in line]
    assert all("year" in guess for guess in guesses)
    assert len(asked) == 4
    (before,) = [names for question, names in asked.items() if "before the programme" in question]
    assert before == ["Maths Sept 2024", "none"]


@pytest.mark.parametrize(
    ("answer", "year"),
    [
        ("2025", 2025), ("summer 2025", 2025), ("2024/25", 2025), ("2024-2025", 2025),
        ("2024/27", None), ("last year", None), ("2019, 2021", None),
    ],
)  # fmt: skip
def test_a_year_may_be_answered_as_people_write_it(answer: str, year: int | None) -> None:
    assert year_of(answer) == year


def test_an_answer_that_is_no_year_is_asked_for_again(tmp_path: Path) -> None:
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    _, content, _ = _proposed(
        tmp_path, [_schools(tmp_path), pupils], tested="last summer", digits="2023/24"
    )
    assert content["years"]["programme"] == [2024]


def test_a_bare_pre_is_the_test_before_a_bare_post(tmp_path: Path) -> None:
    rows = [(p, s, score, score + at % 9) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,pre,post", rows)
    found, _, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert list(found.outcomes) == ["post"]
    assert found.pretests == {"post": ("pre", "pre")}


def test_the_year_of_the_test_is_that_in_the_name_of_its_column(tmp_path: Path) -> None:
    rows = [(p, s, score, score + at % 9) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading_2022,reading_2023", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["years"]["programme"] == [2023]
    assert content["outcomes"]["reading_2023"]["baseline_measures"] == ["reading_2022"]
    assert (
        f"{GUESS}the year was taken from the name of the file, of its sheet or of a column" in text
    )


def test_a_year_that_is_a_date_is_no_year_but_dates_say_the_year(tmp_path: Path) -> None:
    rows = [(p, s, f"{1 + at % 28:02d}.06.2023", f"2012-01-{1 + at % 28:02d}", score)
            for at, (p, s, score) in enumerate(_pupils())]  # fmt: skip
    pupils = _write(tmp_path / "p.csv", "pupil,school,year,date of birth,score", rows)
    found, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["years"]["programme"] == [2023]
    assert "year" not in found.columns
    assert f"{GUESS}the year was taken from the dates in the file" in text


@pytest.mark.parametrize("waves", [("pre", "post"), ("1", "2"), ("t0", "t1"), ("autumn", "summer")])
def test_rows_before_and_after_in_one_file_are_two_years(
    tmp_path: Path, waves: tuple[str, str]
) -> None:
    rows = [(p, s, wave, score + 3 * at) for at, wave in enumerate(waves)
            for p, s, score in _pupils()]  # fmt: skip
    pupils = _write(tmp_path / "p.csv", "pupil,school,wave,score", rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["years"] | {"baseline": [2024], "programme": [2025]} == content["years"]
    codes = content["tables"]["scores"][0]["columns"]["year"]["codes"]
    assert codes == {waves[0]: 2024, waves[1]: 2025}


def test_school_years_in_a_column_are_the_years_in_which_they_end(tmp_path: Path) -> None:
    rows = [(p, s, year, score) for year in ("2022/23", "2023/24") for p, s, score in _pupils()]
    pupils = _write(tmp_path / "p.csv", "pupil,school,school year,score", rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert (content["years"]["baseline"], content["years"]["programme"]) == ([2023], [2024])
    codes = content["tables"]["pupils"][0]["columns"]["year"]["codes"]
    assert codes == {"2022/23": 2023, "2023/24": 2024}


def test_two_files_of_the_same_columns_before_and_after_are_two_years(tmp_path: Path) -> None:
    files = [_schools(tmp_path)]
    for name in ("posttest.csv", "pretest.csv"):
        files.append(_write(tmp_path / name, "pupil,school,score", _pupils()))
    _, content, _ = _proposed(tmp_path, files)
    for table in ("pupils", "scores"):
        read = {reading["file"]: reading["year"] for reading in content["tables"][table]}
        assert read == {"pretest.csv": 2024, "posttest.csv": 2025}


def test_a_list_of_pupils_without_a_year_is_read_for_each_year_of_tests(tmp_path: Path) -> None:
    roster = _write(tmp_path / "roster.csv", "pupil,school", [(p, s) for p, s, _ in _pupils()])
    rows = [(p, year, score) for year in (2024, 2025) for p, _, score in _pupils()]
    tests = _write(tmp_path / "tests.csv", "pupil,year,score", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), roster, tests])
    assert [reading["year"] for reading in content["tables"]["pupils"]] == [2024, 2025]
    assert f"year: 2024{GUESS}this list says no year" in text


def test_a_pre_test_in_the_file_of_scores_is_joined_to_the_list_of_pupils(tmp_path: Path) -> None:
    roster = _write(tmp_path / "roster.csv", "pupil,school", [(p, s) for p, s, _ in _pupils()])
    rows = [(p, score, score + at % 9) for at, (p, _, score) in enumerate(_pupils())]
    tests = _write(tmp_path / "tests.csv", "pupil,pre,post", rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), roster, tests])
    (joined,) = content["tables"]["pupils"][0]["join"]
    assert (joined["file"], joined["on"]) == ("tests.csv", ["pupil"])
    assert joined["columns"]["pre"]["column"] == "pre"


def test_pairs_are_called_by_the_name_of_their_column_without_its_id(tmp_path: Path) -> None:
    rows = [(s, 1 + at // 2, arm) for at, (s, arm) in enumerate(ARMS.items())]
    schools = _write(tmp_path / "schools.csv", "school,pair_id,arm", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    _, content, _ = _proposed(tmp_path, [schools, pupils])
    assert content["design"]["block_label"] == "pair"
    assert content["tables"]["assignment"][0]["columns"]["block"]["column"] == "pair_id"


def test_columns_with_other_names_are_those_that_the_user_names(tmp_path: Path) -> None:
    schools = _write(tmp_path / "a.csv", "unit,lot", list(ARMS.items()))
    pupils = _write(tmp_path / "b.csv", "no,unit,points", _pupils())
    with pytest.raises(UserError, match="add --pupil COLUMN --school COLUMN"):
        _proposed(tmp_path, [schools, pupils])
    named = {"school": "unit", "pupil": "no", "arm": "lot"}
    _, content, _ = _proposed(tmp_path, [schools, pupils], named)
    asked = _proposed(
        tmp_path, [schools, pupils], None,
        **{"of each pupil?": "no", "of each school?": "unit", "says the group": "lot"},
    )[1]  # fmt: skip
    assert content["tables"] == asked["tables"]
    assert content["tables"]["assignment"][0]["columns"]["arm"]["column"] == "lot"
    with pytest.raises(UserError, match=r"no file has a column 'lots' \(--arm\)"):
        _proposed(tmp_path, [schools, pupils], {**named, "arm": "lots"})


def test_names_of_german_files_are_known(tmp_path: Path) -> None:
    schools = _write(tmp_path / "Schulen.csv", "Schul-Nr.;Gruppe",
                     [(s, {"C": "Kontrollgruppe", "T": "Versuchsgruppe"}[arm])
                      for s, arm in ARMS.items()], ";")  # fmt: skip
    rows = [(p, s, score, f"{score},5") for p, s, score in _pupils()]
    header = "Schüler-ID;Schul-Nr.;Punkte Vortest;Punkte Nachtest"
    pupils = _write(tmp_path / "Schüler.csv", header, rows, ";")
    found, _, _ = _proposed(tmp_path, [schools, pupils])
    assert [arm for arm, _, _ in found.arms] == ["kontrollgruppe", "versuchsgruppe"]
    assert found.pretests == {"punkte_nachtest": ("punkte_vortest", "Punkte Vortest")}


def test_signs_between_thousands_are_found(tmp_path: Path) -> None:
    rows = [(p, s, f"1.{score},5") for p, s, score in _pupils()]
    pupils = _write(tmp_path / "p.csv", "pupil;school;income", rows, ";")
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    reading = content["tables"]["scores"][0]
    assert (reading["decimal"], reading["thousands"]) == (",", ".")
    assert f'thousands: "."{GUESS}' in text


def test_lines_above_and_below_a_table_are_left_out_and_marked_as_guesses(tmp_path: Path) -> None:
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    text = pupils.read_text("utf-8")
    pupils.write_text(f"Reading trial\n\n{text}\nTotal,,99\nSource: the district\n", "utf-8")
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    reading = content["tables"]["scores"][0]
    assert (reading["header_row"], reading["notes_below"]) == (3, True)


def test_each_sheet_of_a_workbook_is_a_file(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    first.title = "Read me"
    first.append(["Reading trial"])
    for name, header, rows in (
        ("Schools", ("school", "arm"), list(ARMS.items())),
        ("Tests", ("pupil", "school", "reading"), _pupils()),
    ):  # fmt: skip
        sheet = book.create_sheet(name)
        for row in [header, *rows]:
            sheet.append(row)
    book.save(tmp_path / "trial.xlsx")
    _, content, _ = _proposed(tmp_path, [tmp_path / "trial.xlsx"])
    tables = content["tables"]
    assert {name: tables[name][0]["sheet"] for name in tables} == {
        "assignment": "Schools", "pupils": "Tests", "scores": "Tests"
    }  # fmt: skip


def test_leading_zeros_that_one_file_lost_are_restored(tmp_path: Path) -> None:
    rows = [(p, str(int(s)), score) for p, s, score in _pupils()]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    school = content["tables"]["pupils"][0]["columns"]["school"]
    assert (school["width"], school["pad"]) == (3, True)
    assert f"{GUESS}leading zeros were lost" in text
    assert not content["tables"]["assignment"][0]["columns"]["school"]["pad"]


def test_capital_and_small_letters_are_one_arm_and_one_category(tmp_path: Path) -> None:
    arms = [(s, arm.lower() if at % 3 else arm) for at, (s, arm) in enumerate(ARMS.items())]
    schools = _write(tmp_path / "schools.csv", "school,arm", arms)
    rows = [(p, s, "FMfm "[at % 5], score) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,sex,reading", rows)
    _, content, _ = _proposed(tmp_path, [schools, pupils])
    assert [arm["name"] for arm in content["design"]["arms"]] == ["control", "programme"]
    assert content["tables"]["assignment"][0]["columns"]["arm"]["ignore_case"]
    sex = content["tables"]["pupils"][0]["columns"]["sex"]
    assert sex["ignore_case"]
    assert len(sex["codes"]) == 2


def test_withheld_numbers_are_no_missing_codes(tmp_path: Path) -> None:
    rows = [(p, s, "<5" if at % 20 == 3 else score) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    column = content["tables"]["scores"][0]["outcomes"]["reading"]
    assert (column["suppressed"], column["missing"]) == ("missing", [])
    assert f"{GUESS}'<5' mean" in text


def test_a_file_of_schools_alone_makes_schools_the_rows(tmp_path: Path) -> None:
    more = {f"{number:03d}": "CT"[number % 2] for number in range(24)}
    rows = [(s, arm, 30 + at, 40 + at, 41 + at * 1.5)
            for at, (s, arm) in enumerate(more.items())]  # fmt: skip
    header = "school,arm,pupils,mean_2024,mean_2025"
    _, content, text = _proposed(tmp_path, [_write(tmp_path / "s.csv", header, rows)])
    outcome = content["outcomes"]["mean"]
    assert (outcome["measured_on"], outcome["baseline_year"]) == ("school", 2024)
    read = {r["year"]: r["outcomes"]["mean"]["column"] for r in content["tables"]["school_scores"]}
    assert read == {2024: "mean_2024", 2025: "mean_2025"}
    assert content["models"]["itt"]["estimator"] == "cluster_robust"
    assert f"{GUESS}no file has rows of pupils, so each school is a row" in text


def test_a_file_of_teachers_makes_teachers_the_rows(tmp_path: Path) -> None:
    rows = [(f"T{p}", s, score, score + at % 9) for at, (p, s, score) in enumerate(_pupils())]
    teachers = _write(tmp_path / "t.csv", "teacher,school,rubric_pre,rubric_post", rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), teachers])
    outcome = content["outcomes"]["rubric_post"]
    assert (outcome["measured_on"], outcome["baseline_measures"]) == ("teacher", ["rubric_pre"])
    assert content["balance"]["teacher_variables"] == ["rubric_pre"]


def test_a_number_that_is_no_score_and_no_identifier_describes_people(tmp_path: Path) -> None:
    rows = [(f"T{p}", s, at % 31, 7000 + at, 40000 + at % 20, score)
            for at, (p, s, score) in enumerate(_pupils())]  # fmt: skip
    header = "teacher,school,years of experience,payroll,postcode,rubric"
    teachers = _write(tmp_path / "t.csv", header, rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), teachers])
    assert content["outcomes"]["rubric"]["family"] == "teachers"
    assert content["balance"]["teacher_variables"] == ["years_of_experience"]


def test_leading_zeros_that_pupils_lost_in_one_year_are_restored_in_every_file(
    tmp_path: Path,
) -> None:
    files = [_schools(tmp_path)]
    for year in (2024, 2025):
        rows = [
            (f"{at:05d}" if year == 2024 else str(at), s, score)
            for at, (_, s, score) in enumerate(_pupils())
        ]
        files.append(_write(tmp_path / f"p_{year}.csv", "pupil,school,reading", rows))
    _, content, text = _proposed(tmp_path, files)
    for table in ("pupils", "scores"):
        pupil = content["tables"][table][0]["columns"]["pupil"]
        assert (pupil["width"], pupil["pad"]) == (5, True)
    assert f"{GUESS}leading zeros were lost, and are restored up to 5 digits" in text


@pytest.mark.parametrize("alike", [False, True])
def test_classes_of_one_school_in_different_groups_are_what_was_assigned(
    tmp_path: Path, alike: bool
) -> None:
    """Schools may call their classes by the same names."""
    rows = [(s, f"{'' if alike else s}{name}", arm) for s in SCHOOLS for name, arm in ("aC", "bT")]
    classes = _write(tmp_path / "classes.csv", "school,class,arm", rows)
    people = [
        (p, s, f"{'' if alike else s}{'ab'[at % 2]}", score)
        for at, (p, s, score) in enumerate(_pupils())
    ]
    pupils = _write(tmp_path / "p.csv", "pupil,school,class,reading", people)
    found, content, _ = _proposed(tmp_path, [classes, pupils])
    assert (found.unit, found.kind, found.block) == ("class", "blocked", "school")
    for table in ("assignment", "pupils"):
        read = content["tables"][table][0]["columns"]["class"]
        assert (read["parts"] if alike else read["column"]) == (
            ["school", "class"] if alike else "class"
        )


def test_a_name_over_two_lines_with_an_explanation_in_brackets_is_known(tmp_path: Path) -> None:
    rows = [(p, s, "01"[ARMS[s] == "T"], score) for p, s, score in _pupils()]
    names = '"PUPIL ID ","SCHOOL\nNAME","GROUP\n(1=treatment, 0=control)",SCORE'
    file = _write(tmp_path / "data.csv", names, rows)
    _, content, text = _proposed(tmp_path, [file])
    assert "GROUP" in content["tables"]["assignment"][0]["columns"]["arm"]["column"]
    assert "standardise: control gives effects in SDs of the control group" in text


@pytest.mark.parametrize("others", ["expérimental", "Accompagnement"])
def test_a_control_group_with_accents_is_known(tmp_path: Path, others: str) -> None:
    rows = [(s, {"C": "témoin", "T": others}[arm]) for s, arm in ARMS.items()]
    schools = _write(tmp_path / "s.csv", "school,arm", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,score", _pupils())
    found, _, _ = _proposed(tmp_path, [schools, pupils])
    assert found.arms[0][2] == "témoin"


def test_rows_of_pupils_whose_identifier_is_not_known_are_not_taken_for_schools(
    tmp_path: Path,
) -> None:
    rows = [(at % 8, s, ARMS[s], score) for at, (_, s, score) in enumerate(_pupils())]
    file = _write(tmp_path / "d.csv", "laufend,Schule,Gruppe,Punkte", rows)
    with pytest.raises(UserError, match=r"96 rows of 12 schools.*--pupil COLUMN"):
        _proposed(tmp_path, [file])
    file = _write(tmp_path / "e.csv", "Schülernummer,Schule,Gruppe,Punkte", rows)
    found, _, _ = _proposed(tmp_path, [file])
    assert found.measured == "pupil"


def test_a_total_with_a_cell_for_each_column_is_left_out_by_its_first_word(tmp_path: Path) -> None:
    rows = [(p, s, ARMS[s], score) for p, s, score in _pupils()]
    file = _write(tmp_path / "d.csv", "pupil,school,arm,score", [*rows, ("Total", "", "", 9999)])
    _, content, text = _proposed(tmp_path, [file])
    assert content["tables"]["scores"][0]["notes_below"] == "Total"
    assert f'notes_below: "Total"{GUESS}' in text


def test_a_column_with_another_value_in_each_row_tells_the_pupils_of_a_school_apart(
    tmp_path: Path,
) -> None:
    rows = [(f"{at:04d}", s, ARMS[s], score) for at, (_, s, score) in enumerate(_pupils())]
    file = _write(tmp_path / "d.csv", "laufend,Schule,Gruppe,Punkte", rows)
    found, content, text = _proposed(tmp_path, [file])
    assert found.measured == "pupil"
    assert content["tables"]["pupils"][0]["columns"]["pupil"]["column"] == "laufend"
    assert f"{{column: laufend}}{GUESS}each row has another value" in text


def test_a_test_before_and_one_after_with_years_in_their_names_are_two_waves(
    tmp_path: Path,
) -> None:
    before = [(p, s, n, "f", 40 + at % 7) for at, (p, s, n) in enumerate(_pupils())]
    after = [(p, s, n + at % 9, -99 if at % 20 == 0 else 3 + at % 17)
             for at, (p, s, n) in enumerate(_pupils())]  # fmt: skip
    files = [
        _schools(tmp_path),
        _write(tmp_path / "pupils_before_2024.csv", "pupil,school,reading,sex,age", before),
        _write(tmp_path / "pupils_after_2025.csv", "pupil,school,reading,maths", after),
    ]
    found, content, _ = _proposed(tmp_path, files)
    assert (content["years"]["baseline"], content["years"]["programme"]) == ([2024], [2025])
    first, last = content["tables"]["pupils"]
    assert (first["file"], first["year"]) == ("pupils_before_2024.csv", 2024)
    assert (last["file"], last["year"]) == ("pupils_after_2025.csv", 2025)
    assert "age" in first["columns"]
    assert "age" not in last["columns"]
    assert [list(one["outcomes"]) for one in content["tables"]["scores"]] == [
        ["reading"], ["reading", "maths"]
    ]  # fmt: skip
    assert content["tables"]["scores"][1]["outcomes"]["maths"]["missing"] == ["-99"]
    assert found.lacking[-1:] != ["only one table of scores is proposed."]


def test_tests_of_other_pupils_in_an_earlier_year_are_not_the_test_before(tmp_path: Path) -> None:
    rows = [(f"{year}-{p}", s, year, n, n + at % 9) for at, (p, s, n) in enumerate(_pupils())
            for year in (2024, 2025)]  # fmt: skip
    header = "pupil,school,year,Reading Fall,Reading Spring"
    pupils = _write(tmp_path / "p.csv", header, rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert (content["years"]["baseline"], content["years"]["programme"]) == ([], [2025])
    assert content["tables"]["scores"][0]["where"] == {"year": [2025]}
    assert content["outcomes"]["reading_spring"]["baseline_measures"] == ["reading_fall"]
    assert "those tested in 2024 are others, and their rows are not read" in text


def test_what_the_programme_may_have_changed_is_not_compared_at_baseline(tmp_path: Path) -> None:
    rows = [(p, s, n, at % 20, at % 3, at % 40 / 2) for at, (p, s, n) in enumerate(_pupils())]
    header = "pupil,school,reading,days absent,attended,hours"
    pupils = _write(tmp_path / "p.csv", header, rows)
    found, content, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert list(content["outcomes"]) == ["reading"]
    assert not found.attributes


def test_a_column_that_is_named_as_the_block_is_no_guess(tmp_path: Path) -> None:
    rows = [(s, arm, "North" if int(s) <= 6 else "South") for s, arm in ARMS.items()]
    schools = _write(tmp_path / "schools.csv", "school,arm,home town", rows)
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    found, content, text = _proposed(tmp_path, [schools, pupils], {"block": "home town"})
    assert (content["design"]["kind"], found.block) == ("blocked", "home town")
    assert f"kind: blocked{GUESS}" not in text


@pytest.mark.parametrize(
    ("before", "after", "years"),
    [
        ("results_2024", "results_endline", (2024, 2025)),
        ("scores_2024", "scores", (2024, 2025)),
        ("pupils_pre_2024", "pupils_post_2025", (2024, 2025)),
        ("pupils_pre", "pupils_post", (2024, 2025)),
        ("scores_2023-24", "scores_2024-25", (2024, 2025)),
    ],
)  # fmt: skip
def test_files_of_two_times_are_read_in_the_order_of_time(
    tmp_path: Path, before: str, after: str, years: tuple[int, int]
) -> None:
    files = [
        _write(tmp_path / f"{name}.csv", "pupil,school,reading",
               [(p, s, n + more) for p, s, n in _pupils()])
        for name, more in ((after, 9), (before, 0))
    ]  # fmt: skip
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), *files])
    assert (content["years"]["baseline"], content["years"]["programme"]) == (
        [years[0]], [years[1]]
    )  # fmt: skip
    for table in ("pupils", "scores"):
        assert [(one["file"], one["year"]) for one in content["tables"][table]] == [
            (f"{before}.csv", years[0]), (f"{after}.csv", years[1])
        ]  # fmt: skip


def test_rows_before_and_after_in_a_column_of_any_name_are_two_years(tmp_path: Path) -> None:
    rows = [(p, s, when, n + 9 * (when == "posttest")) for p, s, n in _pupils()
            for when in ("pretest", "posttest")]  # fmt: skip
    scores = _write(tmp_path / "scores.csv", "pupil,school,test,score", rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), scores])
    assert list(content["outcomes"]) == ["score"]
    assert content["tables"]["scores"][0]["columns"]["year"]["codes"] == {
        "pretest": 2024, "posttest": 2025
    }  # fmt: skip


def test_files_of_a_year_whose_identifier_has_another_name_are_no_crash(tmp_path: Path) -> None:
    files = [
        _write(tmp_path / f"pupils_{year}.csv", f"{key},school,reading", _pupils())
        for year, key in ((2024, "student_id"), (2025, "pupil_id"))
    ]
    found, _, _ = _proposed(tmp_path, [_schools(tmp_path), *files])
    assert found.measured == "pupil"


@pytest.mark.parametrize(
    ("before", "after"),
    [("maths_2024", "maths_2025"), ("maths_baseline", "maths_2025"),
     ("maths_sept_2024", "maths_july_2025"), ("maths_jan_2025", "maths_july_2025")],
)  # fmt: skip
def test_columns_of_a_list_of_schools_are_read_by_the_names_that_they_have(
    tmp_path: Path, before: str, after: str
) -> None:
    rows = [(s, arm, 50 + int(s) * 1.5, 60 + int(s) * 1.25) for s, arm in ARMS.items()]
    rows += [(f"{int(s) + 50:03d}", arm, 51 + int(s), 61.5 + int(s)) for s, arm in ARMS.items()]
    schools = _write(tmp_path / "schools.csv", f"school,arm,{before},{after}", rows)
    _, content, _ = _proposed(tmp_path, [schools])
    read = {
        (one["year"], column["column"])
        for one in content["tables"]["school_scores"] for column in one["outcomes"].values()
    }  # fmt: skip
    assert read == {(2024, before), (2025, after)}
    (model,) = content["models"].values()
    assert model["covariates"] == ["baseline"]


def test_items_of_a_questionnaire_are_to_be_made_one_number(tmp_path: Path) -> None:
    answers = ["Disagree", "Neither", "Agree"]
    rows = [
        (f"{s}{n}", s, "CT"[int(s) % 2], *(answers[(n + int(s) * at) % 3] for at in range(4)))
        for s in SCHOOLS for n in range(4)
    ]  # fmt: skip
    file = _write(tmp_path / "survey.csv", "teacher,school,group,q1,q2,q3,q4", rows)
    with pytest.raises(UserError, match=r"the same answers \('q1' to 'q4'\), as items of a quest"):
        _proposed(tmp_path, [file])


def _roll_out(tmp_path: Path, began: Callable[[str], object], header: str = "first_year") -> Path:
    return _write(tmp_path / "rollout.csv", f"school_id,{header}", [(s, began(s)) for s in SCHOOLS])


def _rates(tmp_path: Path) -> Path:
    cells = [(s, y, 40 + int(s) + y % 7 / 2) for s in SCHOOLS for y in range(2019, 2024)]
    return _write(tmp_path / "rates.csv", "school_id,year,pass_rate", cells)


@pytest.mark.parametrize("never", ["", "Never", "control", "not yet"])
def test_a_list_that_says_when_each_school_began_is_a_staggered_design(
    tmp_path: Path, never: str
) -> None:
    began = {0: "2021", 1: "2022", 2: never, 3: "2031"}
    listed = _roll_out(tmp_path, lambda school: began[int(school) % 4])
    _, content, text = _proposed(tmp_path, [listed, _rates(tmp_path)])
    design, years = content["design"], content["years"]
    assert (design["kind"], design["randomised"]) == ("staggered", False)
    assert (years["baseline"], years["programme"]) == ([2019, 2020], [2021, 2022, 2023])
    columns = content["tables"]["assignment"][0]["columns"]
    assert columns["arm"]["codes"] == {
        never: "control", "2031": "control", "2021": "programme", "2022": "programme"
    }  # fmt: skip
    assert set(columns["cohort"]["missing"]) == {"", never, "2031"}
    (model,) = content["models"].values()
    assert (model["estimator"], model["covariates"]) == ("staggered_adoption", [])
    assert f"{GUESS}the column 'first_year' says in which year each school began" in text
    assert f"{GUESS}schools that begin after 2023 count as not beginning" in text


def test_groups_go_with_the_years_in_which_schools_began_or_all_began_together(
    tmp_path: Path,
) -> None:
    def proposed(last_group: str) -> Any:
        rows = [(s, "" if int(s) % 3 == 0 else 2021 + int(s) % 2,
                 "comparison" if int(s) % 3 == 0 else "programme") for s in SCHOOLS]  # fmt: skip
        rows[-1] = (*rows[-1][:2], last_group)
        listed = _write(tmp_path / "rollout.csv", "school_id,first_year,group", rows)
        _, content, text = _proposed(tmp_path, [listed, _rates(tmp_path)])
        return content, text

    group = "comparison" if int(SCHOOLS[-1]) % 3 == 0 else "programme"
    content, _ = proposed(group)
    assert content["design"]["kind"] == "staggered"
    columns = content["tables"]["assignment"][0]["columns"]
    assert (columns["arm"]["column"], columns["cohort"]["column"]) == ("group", "first_year")
    content, text = proposed("programme" if group == "comparison" else "comparison")
    assert content["design"]["kind"] != "staggered"
    assert "It does not go with the groups" in text


def test_a_roll_out_without_schools_that_do_not_begin_or_years_before_is_refused(
    tmp_path: Path,
) -> None:
    every = _roll_out(tmp_path, lambda school: 2021 + int(school) % 3, "rollout_wave")
    with pytest.raises(UserError, match="leaves none that did not begin in these years"):
        _proposed(tmp_path, [every, _rates(tmp_path)])
    early = _roll_out(tmp_path, lambda school: 2019 if int(school) % 2 else "")
    with pytest.raises(UserError, match="from before the first school began"):
        _proposed(tmp_path, [early, _rates(tmp_path)])


@pytest.mark.parametrize("name", ["Year group", "year_group", "Yr group", "class year", "Form"])
def test_the_year_group_of_pupils_is_their_grade(tmp_path: Path, name: str) -> None:
    rows = [(p, s, score, 7 + at % 2) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", f"pupil,school,reading,{name}", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    grade = content["tables"]["pupils"][0]["columns"]["grade"]
    assert (grade["column"], grade["type"]) == (name, "integer")
    assert "grade" in content["balance"]["pupil_variables"]
    assert f"{GUESS}taken for the grade: scores are standardised within it" in text


def test_a_form_that_is_no_small_number_is_a_class(tmp_path: Path) -> None:
    rows = [(p, s, score, f"{7 + at % 2}{'AB'[at % 3 > 1]}") for at, (p, s, score) in
            enumerate(_pupils())]  # fmt: skip
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading,form", rows)
    _, content, _ = _proposed(tmp_path, [_schools(tmp_path), pupils])
    columns = content["tables"]["pupils"][0]["columns"]
    assert "grade" not in columns
    assert columns["class"]["column"] == "form"


def test_a_sex_in_numbers_is_a_category_and_its_codes_are_to_be_explained(tmp_path: Path) -> None:
    rows = [(p, s, score, 1 + at % 2) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading,sex", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["tables"]["pupils"][0]["columns"]["sex"]["type"] == "category"
    assert "1 and 2 were taken for codes of categories: say what they mean under `codes`" in text


def test_a_code_of_a_missing_value_is_named_with_the_cells_that_have_it(tmp_path: Path) -> None:
    rows = [(p, s, 999 if at < 3 else score) for at, (p, s, score) in enumerate(_pupils())]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", rows)
    _, _, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert f"{GUESS}taken to mean that nothing was observed: '999' in 3 cells" in text


def _two_files(tmp_path: Path, first: str, last: str, after: str) -> list[Path]:
    """Write a test before and one after, whose files call pupils by other names."""
    before = [(p, s, score - 3, "F") for p, s, score in _pupils()]
    return [
        _schools(tmp_path),
        _write(tmp_path / f"{first}.csv", "Pupil No.,school,reading_pre,sex", before),
        _write(tmp_path / f"{last}.csv", f"school,pupil_no,{after}",
               [(s, p, score) for p, s, score in _pupils()]),
    ]  # fmt: skip


@pytest.mark.parametrize("after", ["reading_post", "reading"])
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_files_with_scores_the_later_one_has_the_outcome_and_the_other_the_pre_test(
    tmp_path: Path, after: str, turned: bool
) -> None:
    files = _two_files(tmp_path, "autumn_2024", "summer_2025", after)
    found, content, text = _proposed(tmp_path, files[::-1] if turned else files)
    (outcome,) = content["outcomes"].values()
    assert outcome["baseline_measures"] == ["reading_pre"]
    assert content["models"]["itt"]["covariates"] == ["reading_pre"]
    assert [one["year"] for one in content["tables"]["pupils"]] == [2025]
    assert next(iter(content["tables"]["scores"][0]["outcomes"].values()))["column"] == after
    assert not [words for words in found.lacking if "pre-test" in words]
    assert f"{GUESS}taken for the test before {after!r}" in text


def test_one_test_that_each_file_calls_after_its_time_is_one_outcome(tmp_path: Path) -> None:
    files = [_schools(tmp_path)]
    for year, name in ((2024, "Score Sept 24"), (2025, "Score June 25")):
        rows = [(p, s, score + year % 5) for p, s, score in _pupils()]
        files.append(_write(tmp_path / f"tests_{year}.csv", f"pupil,school,{name}", rows))
    _, content, _ = _proposed(tmp_path, files)
    ((outcome, declared),) = content["outcomes"].items()
    assert declared["baseline_year"] == 2024
    read = {one["file"]: one["outcomes"][outcome]["column"] for one in content["tables"]["scores"]}
    assert read == {"tests_2024.csv": "Score Sept 24", "tests_2025.csv": "Score June 25"}


def test_rows_that_are_the_same_in_every_cell_are_read_once_and_counted(tmp_path: Path) -> None:
    rows = [*_pupils(), _pupils()[3]]
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", rows)
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["tables"]["scores"][0]["duplicate_rows"] == "keep_one"
    assert f"{GUESS}1 row is the same as another row" in text


def test_percentages_of_schools_that_lost_their_zeros_are_read_and_named_as_per_cent(
    tmp_path: Path,
) -> None:
    listed = _roll_out(tmp_path, lambda school: 2021 if int(school) % 2 else "never", "Started in")
    cells = [(int(s), y, f"{40 + int(s) + y % 7 / 2}%") for s in SCHOOLS for y in range(2019, 2024)]
    rates = _write(tmp_path / "rates.csv", "SCHOOL_NO,Year,Pct proficient", cells)
    _, content, text = _proposed(tmp_path, [listed, rates])
    (scores,) = content["tables"]["school_scores"]
    assert (scores["columns"]["school"]["width"], scores["columns"]["school"]["pad"]) == (3, True)
    ((name, column),) = scores["outcomes"].items()
    assert column["percent"]
    assert content["outcomes"][name]["units_label"] == "%"
    assert f"{GUESS}leading zeros were lost, and are restored up to 3 digits" in text
