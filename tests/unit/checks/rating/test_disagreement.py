"""Ratings that differ say which criterion moved each."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from schooltrial.checks.rating.clearinghouse import clearinghouse_rating
from schooltrial.checks.rating.disagreement import (
    explain_boundaries,
    explain_outcomes,
    explain_standards,
)
from schooltrial.checks.rating.padlocks import security_rating
from schooltrial.checks.rating.terms import BaselineDifference, LevelAttrition, RatingInputs

OWN = BaselineDifference("pupil", "maths", "Maths", 0.01, True, True, 900, 0)
LOW = LevelAttrition("pupils", 0.08, 0.01, 0.063, "low")
HIGH = LevelAttrition("pupils", 0.08, 0.09, 0.063, "high")
BEST = RatingInputs(
    outcome="maths", randomised=True, assignment_verdict="reproduced from its seed",
    compromised=False, attrition=(LOW,), people_attrition=0.08, baseline=(OWN,), mdes=0.18,
    satisfied=0.05, adjustable=0.25, joined=0.0, changed_arm=0.0, crossovers=0.0,
)  # fmt: skip


def _explained(**keys: Any) -> str:
    inputs = replace(BEST, **keys)
    return explain_standards(clearinghouse_rating(inputs), security_rating(inputs), inputs)


def test_ratings_that_agree_need_no_words() -> None:
    assert _explained() == ""
    assert _explained(attrition=(HIGH,), mdes=0.35) == ""
    assert _explained(attrition=(HIGH,), baseline=(), mdes=0.55) == ""


def test_padlocks_lowered_by_the_mdes_are_told_from_a_rating_that_ignores_it() -> None:
    assert _explained(mdes=0.45) == (
        "The two ratings differ: WWC ‘meets standards without reservations’, padlocks 2 of 5. "
        "The padlocks are lower because of MDES at randomisation: 0.45 SD (WWC does not rate the "
        "size of a trial)."
    )


def test_padlocks_lowered_by_attrition_imbalance_or_threats_name_each() -> None:
    found = _explained(
        people_attrition=0.25, baseline=(replace(OWN, size=0.08),), crossovers=0.1
    )  # fmt: skip
    for words in ("attrition: 25.0% of people lost (WWC compares", "baseline imbalance: a differ",
                  "threats: 10.0% of a group's units"):  # fmt: skip
        assert words in found


def test_a_rating_lowered_by_the_difference_in_attrition_says_that_padlocks_do_not_count_it() -> (
    None
):
    found = _explained(attrition=(HIGH,))
    assert "The WWC rating is lower because of attrition of pupils: 8.0% lost" in found
    assert "the padlocks do not count how far the groups differ in attrition" in found


def test_a_rating_without_a_baseline_measure_is_told_from_padlocks_that_need_none() -> None:
    found = _explained(attrition=(HIGH,), baseline=())
    assert "padlocks at most 5 of 5" in found
    assert "baseline equivalence cannot be established" in found


def test_two_boundaries_that_lead_to_different_ratings_are_both_given() -> None:
    rated = {
        "cautious": clearinghouse_rating(replace(BEST, attrition=(HIGH,))),
        "optimistic": clearinghouse_rating(BEST),
    }
    for chosen, other in (("cautious", "optimistic"), ("optimistic", "cautious")):
        found = explain_boundaries(rated, chosen)
        assert f"under the {chosen} boundary, which the protocol names" in found
        assert f"under the {other} boundary ‘{rated[other].rating}’" in found
    assert explain_boundaries(dict.fromkeys(rated, rated["cautious"]), "cautious") == ""


def test_outcomes_that_are_rated_differently_are_named_with_what_lowers_each() -> None:
    def rated(label: str, **keys: Any) -> dict[str, Any]:
        inputs = replace(BEST, **keys)
        both = (clearinghouse_rating(inputs), security_rating(inputs))
        return {"label": label, "ratings": [asdict(one) for one in both]}

    found = explain_outcomes([rated("Maths"), rated("Reading", mdes=0.45)])
    assert "Reading: meets standards without reservations (lowered by nothing)" in found
    assert "2 of 5 (lowered by MDES at randomisation)" in found
    assert explain_outcomes([rated("Maths"), rated("Reading")]) == ""
