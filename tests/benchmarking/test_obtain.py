"""The benchmark of obtain and clean runs the scripts of the rules as they are today."""

from pathlib import Path

import pytest
from benchmarks.obtain_runs import CLEAN, OBTAIN, measured
from benchmarks.obtain_trial import write_trial

PUPILS, YEARS = 1200, 2


@pytest.mark.parametrize("task", [OBTAIN, pytest.param(CLEAN, marks=pytest.mark.slow)])
def test_a_timed_task_reads_every_pupil_of_every_year(tmp_path: Path, task: str) -> None:
    write_trial(tmp_path, PUPILS, YEARS)
    found = measured(task, tmp_path, tmp_path / "out")
    assert found["rows"] == PUPILS * YEARS
    assert (tmp_path / "out" / "sample.parquet").is_file() == (task == CLEAN)
