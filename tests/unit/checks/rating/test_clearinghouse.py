"""The thresholds of the design rating: at each, and just beyond.

What Works Clearinghouse, Standards Handbook 4.1, baseline equivalence of the analysed sample: a
difference of at most 0.05 SD satisfies it; one of at most 0.25 SD only where the model adjusts for
it; a larger one never does.
"""

from __future__ import annotations

from typing import Any

import pytest

from schooltrial.checks.rating.clearinghouse import (
    NOT,
    WITH,
    WITHOUT,
    clearinghouse_lifts,
    clearinghouse_rating,
)
from schooltrial.checks.rating.terms import BaselineDifference, LevelAttrition, RatingInputs
from support.small_trial import schema

SATISFIED, ADJUSTABLE = 0.05, 0.25
BEYOND = 1e-9
HIGH = LevelAttrition("pupils", 0.30, 0.09, 0.041, "high")
LOW = LevelAttrition("pupils", 0.30, 0.04, 0.041, "low")
EQUIVALENCE = [
    (0.0, False, WITH),
    (SATISFIED, False, WITH),
    (SATISFIED, True, WITH),
    (SATISFIED + BEYOND, False, NOT),
    (SATISFIED + BEYOND, True, WITH),
    (ADJUSTABLE, False, NOT),
    (ADJUSTABLE, True, WITH),
    (ADJUSTABLE + BEYOND, False, NOT),
    (ADJUSTABLE + BEYOND, True, NOT),
]


def _baseline(size: float, adjusted: bool, variable: str = "maths") -> BaselineDifference:
    return BaselineDifference("pupil", variable, variable.title(), size, True, adjusted, 900, 0)


def _inputs(*baseline: BaselineDifference, **keys: Any) -> RatingInputs:
    told: dict[str, Any] = {
        "outcome": "maths", "randomised": True, "assignment_verdict": "reproduced from its seed",
        "compromised": False, "attrition": (HIGH,), "people_attrition": 0.3,
        "baseline": baseline, "mdes": 0.18, "satisfied": SATISFIED, "adjustable": ADJUSTABLE,
        "joined": 0.0, "changed_arm": 0.0,
    }  # fmt: skip
    return RatingInputs(**{**told, **keys})


def test_a_protocol_that_says_nothing_is_held_to_the_thresholds_of_the_standard() -> None:
    balance = schema()["properties"]["balance"]["properties"]
    assert balance["equivalent_to"]["default"] == SATISFIED
    assert balance["adjust_to"]["default"] == ADJUSTABLE


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("size", "adjusted", "rating"), EQUIVALENCE)
def test_a_threshold_of_equivalence_itself_counts_and_just_beyond_it_does_not(
    size: float, adjusted: bool, rating: str, sign: int
) -> None:
    assert clearinghouse_rating(_inputs(_baseline(sign * size, adjusted))).rating == rating


@pytest.mark.parametrize(("size", "adjusted", "rating"), EQUIVALENCE)
def test_one_baseline_beyond_its_threshold_decides_beside_one_that_is_within(
    size: float, adjusted: bool, rating: str
) -> None:
    within = _baseline(SATISFIED, False, "ela")
    for rows in ((within, _baseline(size, adjusted)), (_baseline(size, adjusted), within)):
        assert clearinghouse_rating(_inputs(*rows)).rating == rating


@pytest.mark.parametrize(
    ("size", "adjusted", "words"),
    [
        (SATISFIED, False, "which is equivalent"),
        (SATISFIED + BEYOND, True, "for which the model adjusts"),
        (SATISFIED + BEYOND, False, "for which no model adjusts"),
        (ADJUSTABLE, True, "for which the model adjusts"),
        (ADJUSTABLE + BEYOND, True, "which is too large to adjust for (limit 0.25 SD)"),
    ],
)
def test_the_rule_says_on_which_side_of_a_threshold_the_difference_lies(
    size: float, adjusted: bool, words: str
) -> None:
    assert clearinghouse_rating(_inputs(_baseline(size, adjusted))).rule.endswith(words)


@pytest.mark.parametrize(
    ("other", "rating", "told"),
    [
        (SATISFIED, WITH, "0.200 SD (Maths, pupils"),
        (SATISFIED + BEYOND, NOT, "0.050 SD (Ela, pupils"),
        (0.1, NOT, "0.100 SD (Ela, pupils"),
    ],
)
def test_of_two_baselines_the_one_that_fails_is_named_and_else_the_larger(
    other: float, rating: str, told: str
) -> None:
    found = clearinghouse_rating(_inputs(_baseline(0.2, True), _baseline(other, False, "ela")))
    assert found.rating == rating
    assert told in found.rule


def test_within_the_second_threshold_adjusting_is_enough_and_beyond_it_the_size_is_named() -> None:
    within, *_ = clearinghouse_lifts(_inputs(_baseline(ADJUSTABLE, False)))
    assert within.words == "the model adjusted for Maths of pupils"
    beyond, *_ = clearinghouse_lifts(_inputs(_baseline(0.3, False)))
    assert beyond.words == (
        "Maths of pupils differed by no more than 0.25 SD (it is 0.300) "
        "and the model adjusted for Maths of pupils"
    )


def test_low_attrition_needs_no_equivalence_and_one_high_level_does() -> None:
    far = _baseline(ADJUSTABLE + BEYOND, True)
    assert clearinghouse_rating(_inputs(far, attrition=(LOW,))).rating == WITHOUT
    assert clearinghouse_rating(_inputs(far, attrition=(LOW, HIGH))).rating == NOT


@pytest.mark.parametrize("field", ["joined", "changed_arm"])
def test_nobody_who_came_later_is_none_and_the_least_share_of_them_counts(field: str) -> None:
    near = _baseline(0.0, True)
    assert clearinghouse_rating(_inputs(near, attrition=(LOW,), **{field: 0.0})).rating == WITHOUT
    assert clearinghouse_rating(_inputs(near, attrition=(LOW,), **{field: 1e-6})).rating == WITH
