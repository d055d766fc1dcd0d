"""The benchmark of the workflow counts what a command and its children use."""

import sys
from pathlib import Path

import pytest
from benchmarks.machine import Machine
from benchmarks.stored_results import marks, write_table
from benchmarks.workflow import NAME, ROOT, Row, not_run, table, used_by

BEGIN, END = marks(NAME)

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"


@pytest.mark.slow
def test_processor_time_is_that_of_the_command_and_of_what_it_waited_for(tmp_path: Path) -> None:
    text = f"import subprocess, sys\n{BURN}subprocess.run([sys.executable, '-c', {BURN!r}])"
    used = used_by([sys.executable, "-c", text], tmp_path)
    assert used.cpu >= 0.6
    assert used.wall >= 0.6


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3:\nwhy"):
        used_by([sys.executable, "-c", "print('why'); raise SystemExit(3)"], tmp_path)


def test_of_the_project_all_that_a_run_reads_is_copied() -> None:
    assert not_run(str(ROOT / "tests"), ["unit", "results", "conftest.py"]) == {
        "unit",
        "conftest.py",
    }
    left = not_run(str(ROOT), [".venv", ".git", "results", "workflow", "data", "profiles"])
    assert {"workflow", "data", "profiles"}.isdisjoint(left)
    assert {".venv", ".git", "results"} <= left


def test_ratios_stand_in_the_table_between_its_marks(tmp_path: Path) -> None:
    row = Row("nothing to do", 1, 0, 3.0, 2.5, 4.0, 2.0, 1.5, 1.0, 2.0, 2.25, 3)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_table(table([row], Machine("a machine", "3.11", "2", "")), readme, NAME)
    text = readme.read_text("utf-8")
    assert "| nothing to do | 1 | 0 | 3.0 (2.5–4.0) | 2.0 | 2.0 | 2.2 |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
