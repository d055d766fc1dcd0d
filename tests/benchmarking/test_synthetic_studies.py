"""What the tables of the synthetic studies say of their runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.synthetic_runs import Effect, SeedRun
from benchmarks.synthetic_table import coverage_of, ends_of, ends_table, estimates_table
from benchmarks.validate import PAGE, write_studies


def _run(seed: int, estimate: float, truth: float = 1.0) -> SeedRun:
    effect = Effect(
        "itt", "maths", "ITT", "treated", estimate, 0.5, estimate - 1, estimate + 1, truth
    )
    return SeedRun("trial", seed, verdict="consistent", effects=(effect,))


RUNS = [_run(1, 1.5), _run(2, 0.5), _run(3, 3.0), _run(4, 1.0, truth=2.5)]
"""The intervals of seeds 3 and 4 miss the truth of their run; those of seeds 2 and 4 hold 0."""


def test_bias_and_coverage_are_about_the_truth_of_each_run() -> None:
    (row,) = coverage_of(RUNS).to_dict("records")
    errors = [0.5, -0.5, 2.0, -1.5]
    assert row["runs"] == 4
    assert row["bias"] == pytest.approx(np.mean(errors))
    assert row["bias_error"] == pytest.approx(np.std(errors, ddof=1) / 2)
    assert row["coverage"] == 0.5
    assert row["coverage_error"] == pytest.approx(0.25)
    assert row["coverage_low"] < 0.5 < row["coverage_high"]
    assert row["se_over_sd"] == pytest.approx(0.5 / np.std(errors, ddof=1))
    assert row["excludes_zero"] == pytest.approx(0.5)


def test_a_coverage_that_cannot_be_that_of_the_level_is_bold() -> None:
    runs = [_run(seed, 5.0) for seed in range(3)] + [_run(seed, 5.1) for seed in range(3, 6)]
    assert "**.000" in estimates_table(coverage_of(runs))
    assert "**" not in estimates_table(coverage_of(RUNS[:2]))


def test_refused_runs_are_counted_with_what_was_said() -> None:
    ends = ends_of([*RUNS, SeedRun("trial", 5, refused="Refused: 1 fault.\n  - a file")])
    assert ends.set_index("verdict")["refused"].to_dict() == {"consistent": 0, "not reached": 1}
    assert ends["first"].tolist()[-1] == "Refused: 1 fault. - a file"
    assert "| trial | 5 | 4 | 1 | consistent: 4; not reached: 1 |" in ends_table(ends)


def test_the_page_has_a_place_for_both_tables(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "benchmarks" / PAGE).read_text("utf-8")
    write_studies(RUNS, tmp_path, page)
    written = (tmp_path / PAGE).read_text("utf-8")
    assert "| trial | 4 | 4 | 0 | consistent: 4 |" in written
    assert {path.name for path in tmp_path.iterdir()} == {
        PAGE, "synthetic_runs.csv", "synthetic_coverage.csv",
    }  # fmt: skip
