"""Placebos as drawn: how they spread, where the observed effect lies, and placebo years."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.exhibits.figures.placebos import drawn, placebos_plot
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import labelled, points, segments, tick_words, words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES: Any = {
    "ela": {"label": "English", "units_label": "points", "primary": True},
    "attendance": {"label": "Attendance", "units_label": "points", "primary": False},
}
MODELS: Any = {"staggered": {"label": "Cohorts"}, "staggered__north": {"label": "Cohorts: north"}}
FOLDER = Path(__file__).parents[3] / "support" / "parallel_trends"
CHECKS = pd.read_csv(FOLDER / "parallel_trends.csv")
DRAWS = pd.read_csv(FOLDER / "parallel_trends_placebos.csv")


def _drawn(checks: pd.DataFrame = CHECKS, draws: pd.DataFrame = DRAWS) -> pd.DataFrame:
    return drawn(draws, checks, MODELS, OUTCOMES)


def test_draw_0_is_the_observed_effect_and_the_others_are_placebos() -> None:
    data = _drawn()
    observed = data[data["part"] == "observed"]
    assert observed["estimate"].tolist() == [4.9]
    assert (data["part"] == "draw").sum() == 200
    distribution, _ = placebos_plot(data, STUDY).axes
    assert points(labelled(distribution, "observed effect"))[0][0] == 4.9
    heights = [bar.get_height() for bar in distribution.patches]  # type: ignore[attr-defined]
    assert sum(heights) == 200


def test_the_share_as_large_is_the_checks_p_or_else_counted_with_the_effect_among_the_draws() -> (
    None
):
    assert set(_drawn()["share_as_large"]) == {0.001}
    counted = _drawn(CHECKS[CHECKS["check"] != "placebo cohort"])
    larger = int((DRAWS["estimate"].abs() >= 4.9).sum())
    assert set(counted["share_as_large"]) == {larger / 201}
    distribution, _ = placebos_plot(counted, STUDY).axes
    assert distribution.get_xlabel().endswith(f"at least as large: {100 * larger / 201:.1f}%")


def test_placebo_years_and_outcomes_are_points_with_intervals_beside() -> None:
    _, beside = placebos_plot(_drawn(), STUDY).axes
    assert tick_words(beside.yaxis) == [
        "begun 1 year early", "begun 2 years early", "begun 3 years early", "Attendance",
    ]  # fmt: skip
    assert segments(beside)[0] == [(-2.1, 0.0), (2.7, 0.0)]


def test_an_outcome_of_another_unit_has_no_place_on_the_axis() -> None:
    others: Any = {**OUTCOMES, "attendance": {**OUTCOMES["attendance"], "units_label": "days"}}
    data = drawn(DRAWS, CHECKS, MODELS, others)
    assert "Attendance" not in set(data["placebo"])


def test_without_placebo_years_the_place_beside_is_empty() -> None:
    _, beside = placebos_plot(_drawn(CHECKS[:0]), STUDY).axes
    assert not beside.axison


@pytest.mark.parametrize("count", [1, 5, 2000])
def test_any_number_of_draws_is_drawn(count: int) -> None:
    values = np.random.default_rng(1).normal(size=count)
    draws = pd.DataFrame(
        {"model": "staggered", "outcome": "ela", "replication": range(count), "estimate": values}
    )
    distribution, _ = placebos_plot(_drawn(CHECKS[:0], draws), STUDY).axes
    assert f"{count - 1:,} placebos" in distribution.get_xlabel()


def test_subgroups_are_not_drawn_and_without_draws_the_figure_says_so() -> None:
    figure = placebos_plot(_drawn(draws=DRAWS.assign(model="staggered__north")), STUDY)
    assert words(figure)[0] == "No placebo was drawn for a primary outcome."
