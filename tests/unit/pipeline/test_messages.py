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


LINKING = """table,identifier,year,outcome,looked_up_in,n,n_found,n_left_out,rows_not_found,files
scores,pupil,2020,,pupils,160,100,0,120,scores_2020.csv
scores,pupil,2020,maths,pupils,160,100,0,60,scores_2020.csv
pupils,school,2019,,assignment,11,8,0,240,roster_2019.csv
pupils,school,2020,,assignment,8,8,0,0,roster_2020.csv
pupils,teacher,2020,,teachers,11,8,0,30,roster_2020.csv
"""


@pytest.mark.parametrize("targets", [[], ["results/trial/report/report.html"]])
def test_rows_without_a_match_are_told_with_their_files(logs: Path, targets: list[str]) -> None:
    assert list(unlinked(["trial"], targets)) == []
    checks = logs.parent / "checks"
    checks.mkdir()
    (checks / "linking.csv").write_text(LINKING, encoding="utf-8")
    assert list(unlinked(["trial"], targets)) == [
        "trial: 120 scores of 60 pupils without an enrolment record (scores_2020.csv); "
        "240 pupils in 3 schools that are not in the allocation list (roster_2019.csv). "
        "See results/trial/checks/linking.csv"
    ]
    assert list(unlinked(["trial"], ["assignments"])) == []


def test_nothing_is_told_where_all_is_linked(logs: Path) -> None:
    checks = logs.parent / "checks"
    checks.mkdir()
    all_found = LINKING.replace("120,", "0,").replace(",240,", ",0,").replace(",30,", ",0,")
    (checks / "linking.csv").write_text(all_found, encoding="utf-8")
    assert list(unlinked(["trial"], [])) == []
