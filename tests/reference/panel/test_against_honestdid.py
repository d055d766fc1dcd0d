"""Robust intervals against HonestDiD 0.2.6.

R accepts or rejects effects on a grid, and finds the critical value under least favourable
expectations from 1,000 draws; ours has neither error. Its interval of fixed length rests on a conic
solver and on a million draws of a folded normal. Its interval for BCdata at Mbar = 2 ends where its
grid does (it warns of an open end), so that ours goes beyond.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference.gold import entry
from schooltrial.models.parallel_trends.event_coefficients import EventCoefficients
from schooltrial.models.parallel_trends.relative_magnitudes import relative_magnitudes_interval
from schooltrial.models.parallel_trends.smoothness import smoothness_interval

STEPS = {"honestdid.panel": 0.004002, "honestdid.bcdata": 0.00076}
"""Steps of R's grids; its average of four years was tried on one of .007."""
GRID_END = {("honestdid.bcdata", "deltaRM_CLF", 2.0)}


def _coefficients(name: str, averaged: bool = False) -> EventCoefficients:
    values = entry(name)["values"]
    weights = np.full(values["numPost"], 1 / values["numPost"]) if averaged else None
    return EventCoefficients.of(values["betahat"], values["sigma"], values["numPre"], weights)


def _stored(kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (name, block, row)
        for name in STEPS
        for block, rows in entry(name)["values"]["results"].items()
        for row in rows
        if kind in block
    ]


@pytest.mark.parametrize("name", STEPS)
def test_the_estimate_with_its_usual_interval_is_r_s(name: str) -> None:
    coefficients = _coefficients(name)
    (stored,) = entry(name)["values"]["results"]["original"]
    half = 1.959963984540054 * coefficients.std_error
    found = [coefficients.estimate - half, coefficients.estimate + half]
    assert found == pytest.approx([stored["lb"][0][0], stored["ub"][0][0]], abs=1e-8)


@pytest.mark.parametrize(("name", "block", "row"), _stored("FLCI"))
def test_the_interval_of_fixed_length_is_r_s_to_a_thousandth(
    name: str, block: str, row: dict[str, Any]
) -> None:
    found = smoothness_interval(_coefficients(name), row["M"])
    assert [found.low, found.high] == pytest.approx([row["lb"], row["ub"]], abs=1e-3)


@pytest.mark.parametrize(("name", "block", "row"), _stored("deltaSD_CLF"))
def test_the_hybrid_test_of_smoothness_is_r_s_to_a_step_of_its_grid(
    name: str, block: str, row: dict[str, Any]
) -> None:
    found = smoothness_interval(_coefficients(name), row["M"], method="hybrid")
    assert [found.low, found.high] == pytest.approx([row["lb"], row["ub"]], abs=1.1 * STEPS[name])


@pytest.mark.parametrize(("name", "block", "row"), _stored("deltaRM"))
def test_relative_magnitudes_are_r_s_to_a_step_of_its_grid(
    name: str, block: str, row: dict[str, Any]
) -> None:
    averaged = "avg" in block
    found = relative_magnitudes_interval(
        _coefficients(name, averaged), row["Mbar"], hybrid="Conditional" not in block
    )
    # A critical value from 1,000 draws has a standard error of 7%, which moves ends by .01 here.
    step = 0.007 + 0.01 if averaged else 1.1 * STEPS[name]
    assert found.low == pytest.approx(row["lb"], abs=step)
    if (name, block, row["Mbar"]) in GRID_END:
        assert row["ub"] == pytest.approx(20 * _coefficients(name).std_error, rel=1e-6)
        assert found.high > row["ub"]
    else:
        assert found.high == pytest.approx(row["ub"], abs=step)
