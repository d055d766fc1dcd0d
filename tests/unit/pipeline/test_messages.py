"""What a run tells at its end is of that run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schooltrial.pipeline.messages import logs_written, made, refusals, unlinked

REFUSED = "Refused: 1 error was found.\n"


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "results" / "trial" / "logs"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return folder


def _write(path: Path, text: str, when: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(when, when))


def test_refusals_are_found_in_the_logs_and_other_words_are_not(logs: Path) -> None:
    _write(logs / "a.log", REFUSED, 1)
    _write(logs / "b.log", "read x, 3 bytes\n", 1)
    _write(logs / "c.log", "a warning\nRefused: after a warning.\n", 1)
    assert refusals(["trial"], {}) == [REFUSED, "Refused: after a warning.\n"]


def test_a_refusal_of_an_earlier_run_is_not_told_again(logs: Path) -> None:
    _write(logs / "draw_assignment.log", "Refused: it is there already.\n", 1)
    before = logs_written(["trial"])
    _write(logs / "clean_sample.log", REFUSED, 2)
    assert refusals(["trial"], before) == [REFUSED]


def test_the_same_refusal_is_told_once_more_where_this_run_wrote_it_again(logs: Path) -> None:
    _write(logs / "a.log", REFUSED, 1)
    before = logs_written(["trial"])
    _write(logs / "a.log", REFUSED, 2)
    assert refusals(["trial"], before) == [REFUSED]


def test_the_refusal_of_a_fetched_file_in_a_folder_is_told(logs: Path) -> None:
    _write(Path("data/downloads") / "abc" / "sub" / "a.csv.log", REFUSED, 1)
    _write(Path("data/downloads") / "abc" / "b.csv.log", "Refused: another.\n", 1)
    assert sorted(refusals(["trial"], {})) == [REFUSED, "Refused: another.\n"]


@pytest.mark.parametrize("targets", [[], ["all"], ["results/trial/report/report.html"]])
def test_a_report_is_told_where_it_was_asked_for_and_is_there(
    logs: Path, targets: list[str]
) -> None:
    assert list(made(["trial"], targets)) == []
    report = logs.parent / "report" / "report.html"
    _write(report, "", 1)
    told = ["The report of trial is results/trial/report/report.html"]
    assert list(made(["trial"], targets)) == told


def test_a_report_is_not_told_where_something_else_was_asked_for(logs: Path) -> None:
    _write(logs.parent / "report" / "report.html", "", 1)
    _write(logs.parent / "checks" / "plan.json", "", 1)
    told = list(made(["trial"], ["results/trial/checks/plan.json"]))
    assert told == ["Made: results/trial/checks/plan.json"]


def test_a_draw_is_told_in_its_own_words(logs: Path) -> None:
    words = "trial: 36 units of assignment (school) were drawn\n  the list  list.csv\n"
    _write(logs.parent / "checks" / "assignment_drawn.txt", words, 1)
    assert list(made(["trial"], ["assignments"])) == [words.rstrip()]
    assert list(made(["trial"], [])) == []


LINKING = """table,identifier,year,outcome,looked_up_in,n,n_found,n_left_out,rows_not_found,files,\
column,not_found,likely_meant
scores,pupil,2020,,pupils,160,100,0,120,scores_2020.csv,id,,
scores,pupil,2020,maths,pupils,160,100,0,60,scores_2020.csv,id,,
pupils,school,2019,,assignment,12,8,0,240,roster_2019.csv,code,"[""1"", ""2"", ""3"", ""101O""]",\
"{""101O"": ""1010""}"
pupils,school,2020,,assignment,8,8,0,0,roster_2020.csv,code,,
pupils,teacher,2020,,teachers,11,8,0,30,roster_2020.csv,t,,
""".replace("\\\n", "")


UNLISTED = """table,identifier,year,outcome,looked_up_in,rows_not_found,files,column,not_found,\
likely_meant
pupils,school,2020,,assignment,{count},roster.csv,code,"{schools}",
""".replace("\\\n", "")


FLOW = """step,reason,level,year,arm,entered,left,remained
assigned schools,school is missing,pupil,2020,not assigned,{count},{count},0
assigned schools,school is missing,pupil,2020,control,9,0,9
assigned schools,school is not in the allocation list,pupil,2020,not assigned,5,5,0
"""


def _checks(logs: Path, **tables: str) -> None:
    checks = logs.parent / "checks"
    checks.mkdir()
    for name, text in tables.items():
        (checks / f"{name}.csv").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("targets", [[], ["results/trial/report/report.html"]])
def test_rows_without_a_match_are_told_with_their_files_and_with_a_fix(
    logs: Path, targets: list[str]
) -> None:
    assert list(unlinked(["trial"], targets)) == []
    _checks(logs, linking=LINKING)
    assert list(unlinked(["trial"], targets)) == [
        "trial: 120 scores of 60 pupils without an enrolment record (scores_2020.csv). "
        "See results/trial/checks/linking.csv",
        "trial: 240 pupils in 4 schools that are not in the allocation list (such as '101O', '1' "
        "and '2' in roster_2019.csv) are left out. '101O': did you mean '1010'? If so, write under "
        '`tables.pupils`, for roster_2019.csv: `school: {column: code, respell: {"101O": "1010"}}`.'
        " If the others were randomised, correct the codes in roster_2019.csv or the allocation "
        "list; otherwise nothing is needed. See results/trial/checks/linking.csv",
    ]
    assert list(unlinked(["trial"], ["assignments"])) == []


@pytest.mark.parametrize(
    ("count", "schools", "told"),
    [
        (1, '[""9999""]', "1 pupil in 1 school that is not in the allocation list ('9999' in "
         "roster.csv) is left out. If it was randomised, correct the code in roster.csv"),
        (3, '[""9999""]', "3 pupils in 1 school that is not in the allocation list ('9999' in "
         "roster.csv) are left out. If it was randomised, correct the code in roster.csv"),
        (3, '[""8"", ""9""]', "3 pupils in 2 schools that are not in the allocation list ('8' and "
         "'9' in roster.csv) are left out. If they were randomised, correct the codes in "
         "roster.csv"),
    ],
)  # fmt: skip
def test_those_in_no_listed_school_are_counted_in_agreement(
    logs: Path, count: int, schools: str, told: str
) -> None:
    _checks(logs, linking=UNLISTED.format(count=count, schools=schools))
    (text,) = unlinked(["trial"], [])
    assert text == (
        f"trial: {told} or the allocation list; otherwise nothing is needed. "
        "See results/trial/checks/linking.csv"
    )


def test_a_school_of_the_list_without_results_and_results_of_no_school_of_it_are_told(
    logs: Path,
) -> None:
    head, _ = UNLISTED.split("\n", 1)
    rows = [
        f"{head},files_looked_up_in",
        'school_scores,school,2020,,assignment,2,rates.csv,code,"[""021655""]",'
        '"{""021655"": ""021565""}",list.csv',
        'assignment,school,,,school_scores,1,list.csv,school,"[""021565""]",'
        '"{""021565"": ""021655""}",rates.csv',
        "school_scores,school,2021,,assignment,900,state.csv,code,,,list.csv",
    ]
    _checks(logs, linking="\n".join(rows) + "\n")
    results, unseen = unlinked(["trial"], [])
    assert results.startswith("trial: 2 results in 1 school that is not in the allocation list")
    assert "'021655': did you mean '021565'? If so, write under `tables.school_scores`" in results
    assert unseen == (
        "trial: 1 school of the allocation list is not in rates.csv ('021565'), and counts as "
        "lost. '021565': did you mean '021655'? See results/trial/checks/linking.csv"
    )


@pytest.mark.parametrize(("count", "who"), [(1, "1 pupil"), (2, "2 pupils")])
def test_those_whose_school_is_blank_are_told_as_left_out(logs: Path, count: int, who: str) -> None:
    nothing = LINKING.replace("120,", "0,").replace(",240,", ",0,").replace(",30,", ",0,")
    _checks(logs, linking=nothing, flow=FLOW.format(count=count))
    assert list(unlinked(["trial"], [])) == [
        f"trial: {who} without a school (blank in roster_2020.csv) "
        f"{'is' if count == 1 else 'are'} left out. Fill in the school, or ask who keeps the file. "
        "See results/trial/checks/flow.csv"
    ]


def test_nothing_is_told_where_all_is_linked(logs: Path) -> None:
    all_found = LINKING.replace("120,", "0,").replace(",240,", ",0,").replace(",30,", ",0,")
    _checks(logs, linking=all_found, flow=FLOW.format(count=0))
    assert list(unlinked(["trial"], [])) == []
