"""Making one input worse, or less known, never makes a rating better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.checks.rating.clearinghouse import NOT, WITH, WITHOUT, clearinghouse_rating
from schooltrial.checks.rating.padlocks import MOST, padlocks_of, security_rating
from schooltrial.checks.rating.terms import BaselineDifference, LevelAttrition, RatingInputs

RANK = {WITHOUT: 2, WITH: 1, NOT: 0}
UNSURE = ("joined", "mdes", "crossovers")
SHARES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.3, 0.5]), st.just(nan))
SIZES = st.one_of(
    st.floats(-1, 1), st.sampled_from([0.05, -0.05, 0.1, 0.25, 0.26, inf, -inf]), st.just(nan)
)


@st.composite
def _differences(draw: Callable[[Any], Any]) -> BaselineDifference:
    return BaselineDifference(
        "pupil", "maths", "Maths", draw(SIZES), draw(st.booleans()), draw(st.booleans()), 900, 0,
        covered=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def _inputs(draw: Callable[[Any], Any]) -> RatingInputs:
    verdicts = st.sampled_from(["low", "high", "not measured", "not known"])
    return RatingInputs(
        outcome="maths", randomised=draw(st.booleans()), assignment_verdict="as checked",
        compromised=draw(st.booleans()), doubted=draw(st.booleans()),
        attrition=tuple(
            LevelAttrition(level, 0.2, 0.03, 0.054, draw(verdicts))
            for level in draw(st.lists(st.sampled_from(["schools", "pupils"]), unique=True))
        ),
        people_attrition=draw(SHARES), baseline=tuple(draw(st.lists(_differences(), max_size=2))),
        mdes=draw(SHARES), satisfied=0.05, adjustable=0.25, joined=draw(SHARES),
        changed_arm=draw(SHARES), crossovers=draw(SHARES),
        joiners_justification=draw(st.sampled_from(["", "places are drawn"])),
        unsure=tuple(draw(st.lists(st.sampled_from(UNSURE), unique=True))),
    )  # fmt: skip


def _larger(field: str) -> Callable[[RatingInputs, float], RatingInputs]:
    def worse(old: RatingInputs, by: float) -> RatingInputs:
        changed: dict[str, Any] = {field: getattr(old, field) + by}
        return replace(old, **changed)

    return worse


def _set(**keys: Any) -> Callable[[RatingInputs, float], RatingInputs]:
    return lambda old, by: replace(old, **keys)


def _each(change: Callable[[BaselineDifference, float], BaselineDifference]) -> Any:
    return lambda old, by: replace(old, baseline=tuple(change(one, by) for one in old.baseline))


def _verdicts(verdict: str) -> Any:
    return lambda old, by: replace(
        old, attrition=tuple(replace(part, verdict=verdict) for part in old.attrition)
    )


def _further(one: BaselineDifference, by: float) -> BaselineDifference:
    return one if isnan(one.size) else replace(one, size=abs(one.size) + by)


WORSE: dict[str, Callable[[RatingInputs, float], RatingInputs]] = {
    "not randomised": _set(randomised=False),
    "contradicted": _set(compromised=True),
    "in doubt": _set(doubted=True),
    "more people lost": _larger("people_attrition"),
    "a larger MDES": _larger("mdes"),
    "more joiners": _larger("joined"),
    "more movers": _larger("changed_arm"),
    "more crossovers": _larger("crossovers"),
    "no reason for joiners": _set(joiners_justification=""),
    "high attrition": _verdicts("high"),
    "a larger difference": _each(_further),
    "an infinite difference": _each(lambda one, by: replace(one, size=inf)),
    "no adjustment": _each(lambda one, by: replace(one, adjusted=False)),
}
UNKNOWN: dict[str, Callable[[RatingInputs, float], RatingInputs]] = {
    "attrition by level": _set(attrition=()),
    "the verdict on attrition": _verdicts("not measured"),
    "who joined": _set(joined=nan),
    "who changed group": _set(changed_arm=nan),
    "a baseline measure": _set(baseline=()),
    "the size of a difference": _each(lambda one, by: replace(one, size=nan)),
    "who has a baseline": _each(lambda one, by: replace(one, covered=False)),
    "one group": _set(unsure=("joined", "changed_arm", "mdes", "people_attrition", "crossovers")),
}


@pytest.mark.parametrize("name", WORSE)
@given(inputs=_inputs(), by=st.floats(0, 1))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_worse_input_never_makes_a_rating_better(
    name: str, inputs: RatingInputs, by: float
) -> None:
    worse = WORSE[name](inputs, by)
    before, after = (RANK[clearinghouse_rating(one).rating] for one in (inputs, worse))
    assert after <= before
    assert padlocks_of(worse) <= padlocks_of(inputs)


@pytest.mark.parametrize("name", UNKNOWN)
@given(inputs=_inputs())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_what_is_not_known_never_meets_more_than_the_best_that_it_could_be(
    name: str, inputs: RatingInputs
) -> None:
    best = replace(
        inputs, joined=0.0, changed_arm=0.0, unsure=(),
        attrition=(LevelAttrition("schools", 0.0, 0.0, 0.06, "low"),),
        baseline=tuple(replace(one, size=0.0, covered=True) for one in inputs.baseline),
    )  # fmt: skip
    unknown = UNKNOWN[name](best, 0.0)
    before, after = (RANK[clearinghouse_rating(one).rating] for one in (best, unknown))
    assert after <= before


@given(inputs=_inputs())
@settings(deadline=None, derandomize=True)
def test_five_padlocks_are_only_given_where_everything_is_known(inputs: RatingInputs) -> None:
    rating = security_rating(inputs).rating
    if rating != f"{MOST} of {MOST}":
        return
    assert not inputs.unsure
    assert inputs.baseline
    assert all(one.covered and not isnan(one.size) for one in inputs.baseline)
    known = [inputs.mdes, inputs.people_attrition, inputs.changed_arm, inputs.crossovers]
    assert not any(isnan(share) for share in known)
    assert not isnan(inputs.joined) or inputs.joiners_justification


@given(inputs=_inputs())
@settings(deadline=None, derandomize=True)
def test_no_sentence_of_a_rating_shows_a_number_that_is_none(inputs: RatingInputs) -> None:
    for found in (clearinghouse_rating(inputs), security_rating(inputs)):
        words = " ".join(
            [found.rule, found.would_change, *(one.finding for one in found.criteria)]
        ).replace("infinite", "").split()  # fmt: skip
        assert not {word.strip("();:,%") for word in words} & {"nan", "inf", "-inf"}
