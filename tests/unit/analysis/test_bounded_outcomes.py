"""Cells near the ends of a scale are counted on both sides of the comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.analysis.bounded_outcomes import describe_bounds
from support.sections import planned_outcome

PER_CENT = planned_outcome(range=[0, 100], measured_on="school")


def _cells(treated: list[float], others: list[float]) -> pd.DataFrame:
    return pd.DataFrame({
        "treated": [1.0] * len(treated) + [0.0] * len(others), "mean": [*treated, *others],
    })  # fmt: skip


def test_shares_near_either_end_are_told_for_both_groups() -> None:
    cells = _cells([97, 2, 50, 96], [50, 60, 99, 40, 30, 20, 10, 55])
    told = describe_bounds(cells, PER_CENT)
    assert "75.0% of the cells of treated schools and 12.5% of the cells of other" in told
    assert "within 5 of an end of the scale (0 to 100)" in told


def test_where_few_cells_lie_near_an_end_nothing_is_said() -> None:
    assert describe_bounds(_cells([50] * 20, [*[60] * 19, 97]), PER_CENT) == ""


def test_shares_of_pupils_have_the_scale_of_a_flag_and_scores_without_a_range_have_none() -> None:
    cells = _cells([0.99, 0.5], [0.4, 0.5])
    told = describe_bounds(cells, planned_outcome(scale="binary"))
    assert "within 0.05 of an end of the scale (0 to 1)" in told
    assert describe_bounds(cells, planned_outcome()) == ""


def test_values_at_the_margin_itself_are_not_near() -> None:
    assert describe_bounds(_cells([95.0, 5.0], [50.0]), PER_CENT) == ""
    assert describe_bounds(_cells([np.nextafter(95, 96)], [50.0]), PER_CENT) != ""
