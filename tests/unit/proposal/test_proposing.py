"""Claims about the protocol that is proposed from the files of a trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from schooltrial.proposal.proposing import Proposal, propose
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


def _proposed(folder: Path, files: Sequence[Path], **answers: str) -> tuple[Proposal, Any, str]:
    """Return what is proposed, its protocol as a run reads it, and the text."""

    def ask(question: str, possible: Sequence[str], likely: str) -> str:
        return next((text for key, text in answers.items() if key in question), likely)

    found = propose("my_trial", [see(file) for file in files], folder, ask, 2025)
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
    assert set(content["tables"]["scores"][0]["missing"]) == {"", "NA", "-99", "ill"}
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
        ("pupil,school,reading", "no file says which arm each school"),
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
    assert see(pupils).decimal == "."


def test_a_school_of_another_name_is_known_by_its_values(tmp_path: Path) -> None:
    schools = _write(tmp_path / "schools.csv", "Schulnr,arm", list(ARMS.items()))
    pupils = _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())
    _, content, text = _proposed(tmp_path, [schools, pupils])
    assert content["tables"]["assignment"][0]["columns"]["school"]["column"] == "Schulnr"
    assert f"{{column: Schulnr}}{GUESS}its values are those of 'school' in p.csv" in text
    pupils = _write(tmp_path / "p.csv", "pupil,Schulnr,reading", _pupils())
    _, content, text = _proposed(tmp_path, [_schools(tmp_path), pupils])
    assert content["tables"]["pupils"][0]["columns"]["school"]["column"] == "Schulnr"
    assert f"{{column: Schulnr}}{GUESS}" in text


def test_all_that_is_lacking_is_reported_at_once(tmp_path: Path) -> None:
    file = _write(tmp_path / "p.csv", "pupil,reading", [(p, score) for p, _, score in _pupils()])
    with pytest.raises(UserError) as error:
        _proposed(tmp_path, [file])
    assert "one for the school" in str(error.value)
    assert "which arm each school" in str(error.value)
    assert str(error.value).count("p.csv: pupil, reading") == 1


def test_a_column_that_balances_the_arms_is_asked_for_as_the_block(tmp_path: Path) -> None:
    rows = [
        (s, "north" if at < 6 else "south", at, arm) for at, (s, arm) in enumerate(ARMS.items())
    ]
    schools = _write(tmp_path / "schools.csv", "school,Local authority,intake,arm", rows)
    files = [schools, _write(tmp_path / "p.csv", "pupil,school,reading", _pupils())]
    found, content, _ = _proposed(tmp_path, files)
    assert content["design"]["kind"] == "complete"
    assert "It may be 'Local authority'" in found.lacking[0]
    assert "not used: 'Local authority' and 'intake'" in found.lacking[0]
    _, content, text = _proposed(tmp_path, files, Within="Local authority")
    assert content["design"]["kind"] == "blocked"
    assert content["design"]["block_label"] == "Local authority"
    assert f"kind: blocked{GUESS}6 schools in each Local authority" in text


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
