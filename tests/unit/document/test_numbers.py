"""How numbers are written beside limits."""

from __future__ import annotations

import pytest

from schooltrial.document.numbers import effect_decimals, size_beside_limits


@pytest.mark.parametrize(
    ("size", "written"),
    [(0.05, "0.050"), (0.0504, "0.0504"), (-0.05004, "−0.05004"), (0.0496, "0.050"),
     (0.2, "0.200"), (float("nan"), "not known")],
)  # fmt: skip
def test_a_size_just_above_a_limit_does_not_read_as_the_limit(size: float, written: str) -> None:
    assert size_beside_limits(size, (0.05, 0.25)) == written


@pytest.mark.parametrize(
    ("value", "low", "high", "decimals"),
    [(0.00005, -0.0743, 0.07439, 2), (0.05, 0.003, 0.1, 3), (0.05, -0.0004, 0.1, 4),
     (0.0004, float("nan"), float("nan"), 4), (0.5, float("nan"), float("nan"), 2)],
)  # fmt: skip
def test_only_an_end_that_would_be_zero_asks_for_more_decimals_or_an_effect_without_interval(
    value: float, low: float, high: float, decimals: int
) -> None:
    assert effect_decimals(2, value, low, high) == decimals
