"""Claims about the padlocks."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf, nan
from typing import Any

import pytest

from schooltrial.checks.rating.padlocks import padlocks_of, security_lift, security_rating
from schooltrial.checks.rating.terms import BaselineDifference, RatingInputs

OWN = BaselineDifference("pupil", "maths", "Maths", 0.01, True, True, 900, 0)
BEST = RatingInputs(
    outcome="maths", randomised=True, assignment_verdict="reproduced from its seed",
    compromised=False, attrition=(), people_attrition=0.08, baseline=(OWN,), mdes=0.18,
    satisfied=0.05, adjustable=0.25, joined=0.0, changed_arm=0.0, crossovers=0.0,
)  # fmt: skip


def _with(**keys: Any) -> RatingInputs:
    if "difference" in keys:
        keys["baseline"] = (replace(OWN, size=keys.pop("difference")),)
    return replace(BEST, **keys)


def test_the_padlocks_are_the_lowest_of_design_size_and_attrition() -> None:
    assert security_rating(BEST).rating == "5 of 5"
    found = security_rating(_with(mdes=0.33, people_attrition=0.15))
    assert found.rating == "3 of 5"
    assert "size (MDES 0.33" in found.rule
    assert "at most 0.3 SD" in found.would_change


@pytest.mark.parametrize(
    ("share", "padlocks"), [(0.10, 5), (0.1001, 4), (0.2, 4), (0.3, 3), (0.5, 1), (0.51, 0)]
)
def test_the_limit_of_a_padlock_itself_counts(share: float, padlocks: int) -> None:
    assert security_rating(_with(people_attrition=share)).rating == f"{padlocks} of 5"


def test_attrition_just_above_a_limit_does_not_read_as_the_limit() -> None:
    found = security_rating(_with(people_attrition=0.2027))
    assert "20.3%" in found.rule
    assert "at most 20.0%" in found.would_change


def test_imbalance_takes_padlocks_away_but_never_below_none() -> None:
    assert security_rating(_with(difference=-0.08)).rating == "4 of 5"
    assert security_rating(_with(difference=0.3)).rating == "3 of 5"
    assert security_rating(_with(difference=0.3, people_attrition=0.9)).rating == "0 of 5"


def test_an_imbalance_in_a_measure_that_the_protocol_names_counts_and_the_row_is_named() -> None:
    test = BaselineDifference("pupil", "test", "Test", 0.65, False, False, 900, 0, basis="named")
    found = security_rating(_with(baseline=(test,)))
    assert "0.650 SD (Test, pupils, a baseline measure that the protocol names)" in found.rule
    school = BaselineDifference("school", "maths_before_school", "Maths, 2018", -0.10, True, False)
    assert (
        "(Maths, 2018, schools by the SD of their means)"
        in security_rating(_with(baseline=(school,))).rule
    )


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"mdes": nan}, "the MDES"),
        ({"people_attrition": nan}, "the attrition"),
        ({"baseline": ()}, "the difference in the prior outcome"),
        ({"difference": nan}, "the difference in the prior outcome"),
        ({"baseline": (replace(OWN, covered=False),)}, "the difference in the prior outcome"),
        ({"joined": nan}, "the share of joiners"),
        ({"changed_arm": nan}, "the share of movers between groups"),
        ({"crossovers": nan}, "the share of units that received"),
        ({"unsure": ("mdes",)}, "the MDES"),
        ({"unsure": ("people_attrition",)}, "the attrition"),
    ],
)
def test_what_is_not_known_gives_no_padlocks_and_is_named(keys: Any, told: str) -> None:
    found = security_rating(_with(**keys))
    assert found.rating == "at most 5 of 5"
    assert f"‘At most’: {told}" in found.rule
    assert found.rule.endswith("not known, which could only lower the rating")


def test_who_joined_is_named_where_it_is_not_known() -> None:
    found = security_rating(_with(joined=nan))
    assert found.rating == "at most 5 of 5"
    assert "the share of joiners is not known" in found.rule


def test_a_design_not_drawn_bounds_the_rating_though_nothing_else_is_known() -> None:
    found = security_rating(_with(mdes=nan, people_attrition=nan, randomised=False))
    assert found.rating == "at most 2 of 5"


def test_without_size_and_attrition_nothing_is_rated() -> None:
    found = security_rating(_with(mdes=nan, people_attrition=nan))
    assert found.rating == "not rated"
    assert "attrition" in found.rule


def test_no_padlock_left_needs_no_at_most() -> None:
    assert security_rating(_with(mdes=0.9, people_attrition=nan)).rating == "0 of 5"


def test_an_assignment_that_is_contradicted_counts_as_not_drawn() -> None:
    found = security_rating(_with(compromised=True, assignment_verdict="contradicted"))
    assert found.rating == "2 of 5"
    assert "design (contradicted)" in found.rule


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"doubted": True, "assignment_verdict": "in doubt"},
            "because the allocation list is in doubt",
        ),
        ({"joined": 0.12}, "12.0% of the individuals analysed joined"),
        ({"changed_arm": 0.12}, "12.0% of the individuals who stayed"),
        ({"crossovers": 0.1}, "10.0% of a group's units"),
    ],
)
def test_threats_lower_the_rating_and_are_named(keys: Any, words: str) -> None:
    found = security_rating(_with(**keys))
    assert found.rating == "4 of 5"
    assert words in found.rule


def test_an_infinite_difference_takes_two_padlocks_and_is_named_so() -> None:
    found = security_rating(_with(difference=inf))
    assert found.rating == "3 of 5"
    assert "a baseline difference of an infinite number of SDs (Maths, pupils" in found.rule


def test_joiners_with_a_reason_are_no_threat() -> None:
    assert security_rating(_with(joined=0.5, joiners_justification="drawn")).rating == "5 of 5"


@pytest.mark.parametrize(
    ("mdes", "share", "difference", "keys"),
    list(
        product(
            [0.1, 0.35, 0.9, nan], [0.05, 0.25, 0.7], [0.0, 0.08, 0.4],
            [{}, {"randomised": False}, {"compromised": True}, {"doubted": True, "joined": 0.5}],
        )
    ),
)  # fmt: skip
def test_changing_what_the_sentence_names_brings_more_padlocks(
    mdes: float, share: float, difference: float, keys: Any
) -> None:
    inputs = _with(mdes=mdes, people_attrition=share, difference=difference, **keys)
    lift = security_lift(inputs)
    if lift is None:
        assert padlocks_of(inputs) == 5
        return
    assert padlocks_of(lift.applied(inputs)) > padlocks_of(inputs)
    assert lift.words in security_rating(inputs).would_change


def test_a_table_whose_rows_are_out_of_order_is_named_and_not_searched_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # From large to small every size reaches the first row, and no limit brings more padlocks.
    module = security_lift.__globals__
    rows = module["_table"]()
    sizes = [row for row in rows if row.rule == "mdes"]
    turned = (*sizes[::-1], *(row for row in rows if row.rule != "mdes"))
    monkeypatch.setitem(module, "_table", lambda: turned)
    with pytest.raises(
        ValueError, match=r"security_rating\.csv: after 50 changes maths still"
    ) as e:
        security_lift(_with(mdes=0.35))
    assert "sort those of 'mdes'" in str(e.value)


def test_all_that_can_be_wrong_is_mended_in_steps_that_together_are_enough() -> None:
    inputs = _with(
        mdes=0.9, people_attrition=0.9, difference=0.4, randomised=False, compromised=True,
        doubted=True, joined=0.5, changed_arm=0.5, crossovers=0.5,
    )  # fmt: skip
    lift = security_lift(inputs)
    assert lift is not None
    assert padlocks_of(inputs) == 0
    assert padlocks_of(lift.applied(inputs)) == 1
    assert lift.rating == "1 of 5"
    assert [change.words for change in lift.changes] == [
        "the groups differed in the prior outcome by at most 0.05 SD",
        "at most 5.0% of the individuals analysed joined after the assignment",
        "at most 5.0% of the individuals who stayed were in another group by then",
        "at most 5.0% of a group's units received another group's condition, or not their own",
        "no check left the assignment in doubt",
        "the MDES at assignment were at most 0.6 SD",
        "attrition of people were at most 50.0%",
    ]  # fmt: skip


def test_without_a_baseline_measure_the_key_that_names_one_is_given() -> None:
    told = security_rating(_with(baseline=())).would_change
    assert "`outcomes.maths.baseline_measures` can name a pre-test" in told
    assert "baseline_measures" not in security_rating(BEST).would_change
