"""Each limit of the padlocks: at the limit, and just above it.

Education Endowment Foundation, classification of the security of findings: the lowest of design,
minimum detectable effect size (MDES) at randomisation and attrition of pupils, then lowered for
imbalance and threats. Sizes and shares are the Foundation's, not checked against its current
guidance; what imbalance and threats take away, and at which limits, are this project's own
assumptions (`security_rating.csv`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from schooltrial.checks.rating.padlocks import padlocks_of, security_lift, security_rating
from schooltrial.checks.rating.terms import BaselineDifference, RatingInputs

MDES = {0.2: 5, 0.3: 4, 0.4: 3, 0.5: 2, 0.6: 1}
ATTRITION = {0.10: 5, 0.20: 4, 0.30: 3, 0.40: 2, 0.50: 1}
"""Largest value → padlocks; above the last there are none."""
IMBALANCE = {0.05: 0, 0.10: -1}
SHARE_CONCERNED = {0.05: 0, 0.20: -1}
"""Largest value → padlocks that are taken away; above the last two are."""
JUST_ABOVE = 1e-6
LIMITS = {"mdes": MDES, "people_attrition": ATTRITION}
TAKEN = {"difference": IMBALANCE} | dict.fromkeys(
    ("joined", "changed_arm", "crossovers"), SHARE_CONCERNED
)


def _inputs(**keys: Any) -> RatingInputs:
    size = keys.pop("difference", 0.0)
    own = BaselineDifference("pupil", "maths", "Maths", size, True, True, 900, 0)
    best: dict[str, Any] = {
        "outcome": "maths", "randomised": True, "assignment_verdict": "reproduced from its seed",
        "compromised": False, "attrition": (), "people_attrition": 0.0, "baseline": (own,),
        "mdes": 0.1, "satisfied": 0.05, "adjustable": 0.25, "joined": 0.0, "changed_arm": 0.0,
        "crossovers": 0.0,
    }  # fmt: skip
    return RatingInputs(**{**best, **keys})


def _edges(limits: Mapping[float, int], beyond: int) -> list[tuple[float, int]]:
    """Return each limit with its padlocks, and what is just above it with those of the next."""
    after = [*list(limits.values())[1:], beyond]
    pairs = zip(limits.items(), after, strict=True)
    return [
        edge for (limit, at), then in pairs for edge in ((limit, at), (limit + JUST_ABOVE, then))
    ]


@pytest.mark.parametrize(
    ("field", "value", "padlocks"),
    [(field, *edge) for field, limits in LIMITS.items() for edge in _edges(limits, 0)],
)
def test_a_limit_of_size_or_attrition_still_counts_and_just_above_it_a_padlock_is_lost(
    field: str, value: float, padlocks: int
) -> None:
    found = _inputs(**{field: value})
    assert padlocks_of(found) == padlocks
    assert security_rating(found).rating == f"{padlocks} of 5"


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [(field, *edge) for field, limits in TAKEN.items() for edge in _edges(limits, -2)],
)
def test_a_limit_of_imbalance_or_threats_still_counts_and_just_above_it_more_is_taken(
    field: str, value: float, taken: int
) -> None:
    found = _inputs(**{field: value})
    assert padlocks_of(found) == 5 + taken
    assert (f"less {-taken} " in security_rating(found).rule) == (taken < 0)


@pytest.mark.parametrize(("value", "taken"), _edges(IMBALANCE, -2))
def test_a_difference_against_the_programme_counts_as_one_in_its_favour(
    value: float, taken: int
) -> None:
    assert padlocks_of(_inputs(difference=-value)) == 5 + taken


@pytest.mark.parametrize(
    ("field", "limit"), [(field, limit) for field, limits in LIMITS.items() for limit in limits]
)
def test_just_above_a_limit_what_would_lift_the_rating_is_to_come_down_to_that_limit(
    field: str, limit: float
) -> None:
    inputs = _inputs(**{field: limit + JUST_ABOVE})
    lift = security_lift(inputs)
    assert lift is not None
    assert (f"at most {limit:g} SD" if field == "mdes" else f"at most {limit:.1%}") in lift.words
    assert padlocks_of(lift.applied(inputs)) == LIMITS[field][limit]


@pytest.mark.parametrize(
    ("keys", "padlocks"),
    [
        ({}, 5),
        ({"randomised": False}, 2),
        ({"compromised": True, "assignment_verdict": "contradicted"}, 2),
        ({"doubted": True, "assignment_verdict": "in doubt"}, 4),
    ],
)
def test_a_design_that_was_not_drawn_has_two_padlocks_and_a_list_in_doubt_loses_one(
    keys: dict[str, Any], padlocks: int
) -> None:
    assert padlocks_of(_inputs(**keys)) == padlocks


def test_size_and_attrition_do_not_add_up_and_of_several_threats_the_worst_counts() -> None:
    assert padlocks_of(_inputs(mdes=0.3, people_attrition=0.2)) == 4
    assert padlocks_of(_inputs(joined=0.1, changed_arm=0.1, crossovers=0.1)) == 4
    assert padlocks_of(_inputs(difference=0.1, crossovers=0.1)) == 3
