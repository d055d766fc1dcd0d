"""Claims about the design rating, and about the sentence that says what would change it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from math import inf, nan
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

LOW = LevelAttrition("schools", 0.05, 0.01, 0.06, "low")
HIGH = LevelAttrition("pupils in schools that stay", 0.30, 0.09, 0.041, "high")
ALWAYS_HIGH = LevelAttrition("schools", 0.60, 0.02, nan, "high")
UNKNOWN = LevelAttrition("schools", nan, nan, nan, "not measured")
OWN = BaselineDifference("pupil", "maths", "Maths", 0.01, True, True, 900, 0)
BEST = RatingInputs(
    outcome="maths", randomised=True, assignment_verdict="reproduced from its seed",
    compromised=False, attrition=(LOW, replace(LOW, level="pupils in schools that stay")),
    people_attrition=0.08, baseline=(OWN,), mdes=0.18, satisfied=0.05, adjustable=0.25, joined=0.0,
    changed_arm=0.0,
)  # fmt: skip


def _with(**keys: Any) -> RatingInputs:
    return replace(BEST, **keys)


def _own(size: float, adjusted: bool = True) -> tuple[BaselineDifference, ...]:
    return (replace(OWN, size=size, adjusted=adjusted),)


def test_randomised_with_low_attrition_meets_without_reservations_whatever_the_baseline() -> None:
    for baseline in (_own(0.01), _own(0.2), _own(0.6), ()):
        assert clearinghouse_rating(_with(baseline=baseline)).rating == WITHOUT


@pytest.mark.parametrize(
    ("difference", "adjusted", "rating"),
    [
        (0.05, False, WITH), (-0.05, False, WITH), (0.06, True, WITH), (0.06, False, NOT),
        (0.25, True, WITH), (0.26, True, NOT),
    ],
)  # fmt: skip
def test_high_attrition_leaves_the_rating_to_equivalence_at_baseline(
    difference: float, adjusted: bool, rating: str
) -> None:
    inputs = _with(attrition=(LOW, HIGH), baseline=_own(difference, adjusted))
    found = clearinghouse_rating(inputs)
    assert found.rating == rating
    assert "attrition is high for pupils in schools that stay" in found.rule
    assert "4.1 percentage points" in found.would_change


def test_without_a_baseline_measure_equivalence_cannot_be_established_and_is_not_met() -> None:
    for changed in ({"attrition": (HIGH,)}, {"randomised": False}, {"compromised": True}):
        found = clearinghouse_rating(_with(baseline=(), **changed))
        assert found.rating == NOT
        assert "baseline equivalence cannot be established" in found.rule
        assert "`baseline_measures`" in found.would_change


def test_one_variable_for_which_no_model_adjusts_is_enough_to_fail_equivalence() -> None:
    girl = BaselineDifference("pupil", "girl", "Girl", 0.08, False, False, 900, 0)
    poor = BaselineDifference("pupil", "poor", "Poor", 0.20, False, True, 900, 0)
    inputs = _with(attrition=(HIGH,), baseline=(poor, girl))
    found = clearinghouse_rating(inputs)
    assert found.rating == NOT
    assert "0.080 SD (Girl, pupils" in found.rule
    assert "the model adjusted for Girl of pupils" in found.would_change
    adjusted = replace(inputs, baseline=(poor, replace(girl, adjusted=True)))
    assert clearinghouse_rating(adjusted).rating == WITH


def test_without_a_lot_nothing_meets_without_reservations() -> None:
    for inputs in (_with(randomised=False), _with(compromised=True)):
        assert clearinghouse_rating(inputs).rating == WITH


def test_attrition_that_is_not_known_at_a_level_is_not_taken_as_low() -> None:
    assert clearinghouse_rating(_with(attrition=(LOW, UNKNOWN))).rating == WITH
    assert clearinghouse_rating(_with(attrition=())).rating == WITH


@pytest.mark.parametrize("field", ["joined", "changed_arm"])
def test_who_came_is_not_known_where_one_arm_alone_is_known(field: str) -> None:
    found = clearinghouse_rating(_with(unsure=(field,)))
    assert found.rating == WITH
    assert "it was not counted how many" in found.rule


def test_who_changed_arm_is_not_taken_as_nobody_where_it_is_not_known() -> None:
    found = clearinghouse_rating(_with(changed_arm=nan))
    assert found.rating == WITH
    assert "it was not counted how many changed group after the assignment" in found.rule


def test_a_baseline_that_is_not_known_or_of_too_few_satisfies_nothing() -> None:
    unknown = replace(OWN, size=nan, note="not known: no pupil of the control group has a value")
    few = replace(OWN, covered=False, known=10, missing=290)
    for one, words in ((unknown, "no pupil of the control group"), (few, "10 of 300")):
        for rows in ((one,), (OWN, one), (one, OWN)):
            found = clearinghouse_rating(_with(attrition=(HIGH,), baseline=rows))
            assert found.rating == NOT
            assert "cannot be established" in found.rule
            assert words in found.rule
    worse = replace(few, size=0.4)
    found = clearinghouse_rating(_with(attrition=(HIGH,), baseline=(worse, unknown)))
    assert "0.400 SD" in found.rule


def test_an_infinite_difference_is_named_so_and_satisfies_nothing() -> None:
    found = clearinghouse_rating(_with(attrition=(HIGH,), baseline=_own(-inf)))
    assert found.rating == NOT
    assert "differs at baseline by an infinite number of SDs" in found.rule
    assert "each group has one value, and they differ" in found.rule
    assert "(it is infinite)" in found.would_change
    assert " inf" not in (found.rule + found.would_change).replace("infinite", "")


def test_people_who_joined_keep_a_study_from_meeting_without_reservations() -> None:
    for joined, told in (
        (0.3, "30.0% of those analysed joined"),
        (nan, "it was not counted how many joined"),
    ):
        found = clearinghouse_rating(_with(joined=joined))
        assert found.rating == WITH
        assert told in found.rule


def test_people_analysed_in_another_arm_count_as_joiners_of_that_arm() -> None:
    found = clearinghouse_rating(_with(changed_arm=0.25))
    assert found.rating == WITH
    assert "25.0% of those who stayed are in another group" in found.rule


def test_a_reason_why_joiners_are_a_low_risk_is_taken_and_shown() -> None:
    found = clearinghouse_rating(_with(joined=0.3, joiners_justification="places are drawn"))
    assert found.rating == WITHOUT
    assert "30.0%" in found.rule
    assert "places are drawn" in found.rule


def test_an_assignment_in_doubt_is_held_to_equivalence() -> None:
    doubt = _with(doubted=True, assignment_verdict="in doubt")
    found = clearinghouse_rating(doubt)
    assert found.rating == WITH
    assert "the assignment is in doubt" in found.rule
    assert "no check left the assignment in doubt" in found.would_change
    assert clearinghouse_rating(replace(doubt, baseline=())).rating == NOT


def test_how_many_have_the_baseline_is_said() -> None:
    part = (replace(OWN, known=3048, missing=2878),)
    found = clearinghouse_rating(_with(attrition=(HIGH,), baseline=part))
    assert "known for 3,048 of 5,926" in found.rule


LEVELS = [(), (LOW,), (HIGH,), (UNKNOWN,), (HIGH, ALWAYS_HIGH), (ALWAYS_HIGH, HIGH)]
BASELINES = [
    (), _own(0.02, False), _own(0.1, False), _own(-0.6, False), _own(0.6), _own(nan), _own(inf),
    (replace(OWN, covered=False), *_own(0.1, False)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attrition", "baseline", "joined", "randomised"),
    list(product(LEVELS, BASELINES, [0.0, 0.4, nan], [True, False])),
)
def test_changing_what_the_sentence_names_gives_the_rating_that_it_promises(
    attrition: tuple[LevelAttrition, ...],
    baseline: tuple[BaselineDifference, ...],
    joined: float,
    randomised: bool,
) -> None:
    inputs = _with(attrition=attrition, baseline=baseline, joined=joined, randomised=randomised)
    found = clearinghouse_rating(inputs)
    lifts = clearinghouse_lifts(inputs)
    assert [lift.rating for lift in lifts] == {
        WITHOUT: [], WITH: [WITHOUT], NOT: [WITH, WITHOUT],
    }[found.rating]  # fmt: skip
    for lift in lifts:
        assert clearinghouse_rating(lift.applied(inputs)).rating == lift.rating
        assert lift.words in found.would_change


def test_every_level_that_is_high_is_named_in_whatever_order_they_stand() -> None:
    pupils = LevelAttrition("pupils in schools that stay", 0.2, 0.09, 0.054, "high")
    schools = LevelAttrition("schools", 0.1, 0.10, 0.061, "high")
    for levels in permutations((pupils, schools, replace(ALWAYS_HIGH, level="classes"))):
        told = clearinghouse_rating(_with(attrition=levels)).would_change
        for words in (
            "no more than 5.4 percentage points",
            "no more than 6.1 percentage points",
            "classes",
        ):
            assert words in told


def test_equivalence_with_adjustment_is_named_as_what_lifts_a_study_that_does_not_meet() -> None:
    inputs = _with(attrition=(HIGH,), baseline=_own(0.2, False))
    assert f"‘{WITH}’ if the model adjusted for Maths" in clearinghouse_rating(inputs).would_change
