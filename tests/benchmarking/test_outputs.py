"""The benchmark of outputs adds up the jobs that readers get something from, and no others."""

import sys
from pathlib import Path

import pytest
from benchmarks.machine import Machine
from benchmarks.outputs import (
    ASKED,
    KINDS,
    NAME,
    PRELOAD,
    TOGETHER,
    Row,
    by_kind,
    of_jobs,
    table,
)
from benchmarks.stored_results import marks, write_table
from benchmarks.workflow import used_by

from support.small_trial import ROOT

BEGIN, END = marks(NAME)

MACHINE = Machine("a machine", "3.11", "2", "")


def test_seconds_of_a_job_are_those_of_the_processor(tmp_path: Path) -> None:
    (tmp_path / "draw_flow.tsv").write_text("s\tcpu_time\n9.0\t0.25\n", encoding="utf-8")
    assert of_jobs(tmp_path) == {"draw_flow": 0.25}


def test_models_checks_and_notebooks_are_no_outputs() -> None:
    jobs = {
        "draw_flow": 0.25, "draw_effects": 0.5, "tabulate_results": 1.0, "write_report": 2.0,
        "write_monitoring": 4.0, "fit_multilevel.itt": 8.0, "check_flow": 16.0,
        "execute_notebooks": 32.0, "verify_results": 64.0, "draw_assignment.x": 128.0,
    }  # fmt: skip
    assert list(by_kind(jobs).values()) == [[0.25, 0.5], [1.0], [2.0], [4.0]]


def test_every_rule_that_draws_tabulates_or_writes_pages_of_a_study_is_counted() -> None:
    scripts = [path.stem for path in (ROOT / "workflow/scripts").glob("*.py")]
    shown = {name for name in scripts if name.startswith(("draw_", "tabulate_", "write_"))}
    counted = {name for name in shown for rule in KINDS.values() if rule.fullmatch(name)}
    assert shown - counted == {"write_overview"}, "which is of all studies"


@pytest.mark.slow
def test_imports_of_all_jobs_take_processor_time(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("src", "workflow"):
        (folder / name).symlink_to(ROOT / name)
    assert used_by([sys.executable, "-c", PRELOAD], folder).cpu > 0.2


@pytest.mark.parametrize(("most", "word"), [(ASKED, "met"), (ASKED + 1, "missed")])
def test_the_table_says_whether_the_limit_is_met_in_every_round(
    tmp_path: Path, most: float, word: str
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    rows = [Row("figures", 11, 2.0, 1.5, 2.5, 3), Row(TOGETHER, 15, 6.0, 5.5, most, 3)]
    write_table(table(rows, MACHINE), readme, NAME)
    text = readme.read_text("utf-8")
    assert "| figures | 11 | 2.00 (1.50–2.50) |  |" in text
    assert f"| at most 8: {word} |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
