"""Sensitivity to parallel trends as drawn: intervals by bound, as fitted at left, breakdown."""

from __future__ import annotations

from math import nan
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.exhibits.figures.parallel_trends import (
    MAGNITUDES,
    SMOOTHNESS,
    drawn,
    parallel_trends_plot,
)
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import labelled, points, segments, words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES: Any = {
    "ela": {"label": "English", "units_label": "points", "primary": True},
    "attendance": {"label": "Attendance", "units_label": "points", "primary": False},
}
MODELS: Any = {"staggered": {"label": "Cohorts"}, "staggered__north": {"label": "Cohorts: north"}}
CHECKS = pd.read_csv(
    Path(__file__).parents[3] / "support" / "parallel_trends" / "parallel_trends.csv"
)


def test_each_bound_has_its_intervals_the_fitted_one_and_the_breakdown_value() -> None:
    data = drawn(CHECKS, MODELS, OUTCOMES)
    assert data.groupby("kind")["breakdown"].unique().map(list).to_dict() == {
        MAGNITUDES: [0.86], SMOOTHNESS: [0.29],
    }  # fmt: skip
    curve = data[(data["kind"] == MAGNITUDES) & (data["check"] == MAGNITUDES)]
    assert curve["setting"].tolist() == [0, 0.5, 1, 1.5, 2]
    assert (data["check"] == "as fitted").sum() == 2


def test_the_fitted_interval_is_left_of_the_bounds_and_the_breakdown_is_marked() -> None:
    relative, smooth = parallel_trends_plot(drawn(CHECKS, MODELS, OUTCOMES), STUDY).axes
    *bounds, fitted = segments(relative)
    assert [ends[0][0] for ends in bounds] == [0, 0.5, 1, 1.5, 2]
    assert fitted == [(-0.2, 2.1), (-0.2, 7.7)]  # as much left of 0 wherever the bounds begin
    assert points(labelled(relative, "breakdown value: zero enters"))[0][0] == 0.86
    assert relative.get_xlabel().endswith("zero is inside from 0.86 on")
    assert "change of slope" in smooth.get_xlabel()


@pytest.mark.parametrize(
    ("low", "told"), [(0.5, "zero is outside under every bound drawn"), (-0.5, "zero is inside")]
)
def test_without_a_breakdown_value_the_bounds_drawn_are_told_of(low: float, told: str) -> None:
    rows = CHECKS[CHECKS["check"] != "breakdown"].assign(conf_low=low)
    panel = parallel_trends_plot(drawn(rows, MODELS, OUTCOMES), STUDY).axes[0]
    assert panel.get_xlabel().endswith(told)
    assert all(line.get_label() != "breakdown value: zero enters" for line in panel.lines)


@pytest.mark.parametrize(("at", "marked"), [(0.1, True), (2.9, True), (3.1, False)])
def test_a_breakdown_value_beside_the_bounds_drawn_is_marked_if_it_is_near(
    at: float, marked: bool
) -> None:
    rows = CHECKS[CHECKS["setting"] != 0].copy()
    rows.loc[rows["check"] == "breakdown", "estimate"] = at
    panel = parallel_trends_plot(drawn(rows, MODELS, OUTCOMES), STUDY).axes[0]
    assert segments(panel)[-1][0][0] < 0
    found = [line for line in panel.lines if line.get_label() == "breakdown value: zero enters"]
    assert [points(line)[0][0] for line in found] == ([at] if marked else [])
    assert panel.get_xlabel().endswith(f"zero is inside from {at} on")
    assert panel.get_xlim()[1] > (at if marked else 2)


def test_subgroups_other_outcomes_and_bounds_without_an_interval_are_not_drawn() -> None:
    others = [
        CHECKS.assign(model="staggered__north"), CHECKS.assign(outcome="attendance"),
        CHECKS.assign(conf_low=nan),
    ]  # fmt: skip
    assert drawn(pd.concat(others), MODELS, OUTCOMES).empty
    figure = parallel_trends_plot(drawn(CHECKS[:0], MODELS, OUTCOMES), STUDY)
    assert words(figure)[0] == "No effect was bounded against differences in trend."
