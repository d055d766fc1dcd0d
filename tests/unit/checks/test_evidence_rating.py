"""Claims about the ratings of the evidence."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import pytest

from schooltrial.checks.evidence_rating import (
    NOT,
    UNRATED,
    WITH,
    WITHOUT,
    LevelAttrition,
    RatingInputs,
    clearinghouse_rating,
    security_rating,
)

LOW = LevelAttrition("schools", 0.05, 0.01, 0.06, "low")
HIGH = LevelAttrition("pupils in schools that stay", 0.30, 0.09, 0.041, "high")
BEST = RatingInputs(
    outcome="maths", randomised=True, assignment_verdict="reproduced from its seed",
    compromised=False, attrition=(LOW, replace(LOW, level="pupils in schools that stay")),
    people_attrition=0.08, baseline_difference=0.01, baseline_measure="maths, 2018",
    adjusted=True, mdes=0.18, satisfied=0.05, adjustable=0.25,
)  # fmt: skip


def _with(**keys: Any) -> RatingInputs:
    return replace(BEST, **keys)


def test_randomised_with_low_attrition_meets_without_reservations_whatever_the_baseline() -> None:
    for difference in (0.01, 0.2, 0.6, nan):
        assert clearinghouse_rating(_with(baseline_difference=difference)).rating == WITHOUT


@pytest.mark.parametrize(
    ("difference", "adjusted", "rating"),
    [
        (0.05, False, WITH), (-0.05, False, WITH), (0.06, True, WITH), (0.06, False, NOT),
        (0.25, True, WITH), (0.26, True, NOT), (nan, True, UNRATED),
    ],
)  # fmt: skip
def test_high_attrition_leaves_the_rating_to_equivalence_at_baseline(
    difference: float, adjusted: bool, rating: str
) -> None:
    inputs = _with(attrition=(LOW, HIGH), baseline_difference=difference, adjusted=adjusted)
    found = clearinghouse_rating(inputs)
    assert found.rating == rating
    assert "attrition is high for pupils in schools that stay" in found.rule
    assert "4.1 points" in found.would_change


def test_without_a_lot_nothing_meets_without_reservations() -> None:
    for inputs in (_with(randomised=False), _with(compromised=True)):
        assert clearinghouse_rating(inputs).rating == WITH


def test_attrition_that_is_not_known_at_a_level_is_not_taken_as_low() -> None:
    unknown = replace(HIGH, verdict="not measured")
    assert clearinghouse_rating(_with(attrition=(LOW, unknown))).rating == WITH
    assert clearinghouse_rating(_with(attrition=())).rating == WITH


def test_the_padlocks_are_the_lowest_of_design_size_and_attrition() -> None:
    assert security_rating(BEST).rating == "5 of 5"
    found = security_rating(_with(mdes=0.33, people_attrition=0.15))
    assert found.rating == "3 of 5"
    assert "size (MDES 0.33" in found.rule
    assert "at most 0.3" in found.would_change


@pytest.mark.parametrize(
    ("share", "padlocks"), [(0.10, 5), (0.1001, 4), (0.2, 4), (0.3, 3), (0.5, 1), (0.51, 0)]
)
def test_the_limit_of_a_padlock_itself_counts(share: float, padlocks: int) -> None:
    assert security_rating(_with(people_attrition=share)).rating == f"{padlocks} of 5"


def test_imbalance_takes_padlocks_away_but_never_below_none() -> None:
    assert security_rating(_with(baseline_difference=-0.08)).rating == "4 of 5"
    assert security_rating(_with(baseline_difference=0.3)).rating == "3 of 5"
    worst = _with(baseline_difference=0.3, people_attrition=0.9)
    assert security_rating(worst).rating == "0 of 5"


def test_what_is_not_known_is_said_and_does_not_lower() -> None:
    found = security_rating(_with(mdes=nan))
    assert found.rating == "5 of 5"
    assert "not known: mdes" in found.rule
