"""Ratings that differ say which criterion moved each."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

from schooltrial.checks.rating.clearinghouse import clearinghouse_rating
from schooltrial.checks.rating.disagreement import (
    explain_boundaries,
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
        "The padlocks are lower than the WWC rating because of MDES at randomisation (WWC does not "
        "rate the size of a trial)."
    )


def test_padlocks_lowered_by_attrition_imbalance_or_threats_name_each() -> None:
    found = _explained(
        people_attrition=0.25, baseline=(replace(OWN, size=0.08),), crossovers=0.1
    )  # fmt: skip
    for words in ("attrition (WWC holds it", "baseline imbalance (WWC accepts",
                  "threats (WWC rates neither"):  # fmt: skip
        assert words in found


def test_what_is_not_known_is_a_reason_in_words() -> None:
    found = _explained(mdes=0.45, crossovers=nan)
    assert found.endswith("and what is not known.")


def test_a_rating_lowered_by_the_difference_in_attrition_says_that_padlocks_do_not_count_it() -> (
    None
):
    found = _explained(attrition=(HIGH,))
    assert "The WWC rating is lower than the padlocks because of attrition of pupils (" in found
    assert "the padlocks do not count how far the groups differ in attrition" in found


def test_a_rating_without_a_baseline_measure_is_told_from_padlocks_that_need_none() -> None:
    found = _explained(attrition=(HIGH,), baseline=())
    assert "baseline equivalence (the padlocks lower for a difference" in found


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
