"""Why ratings differ: of two standards, and under two attrition boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schooltrial.checks.rating.clearinghouse import NOT, WITH, WITHOUT
from schooltrial.checks.rating.padlocks import padlocks_of
from schooltrial.checks.rating.terms import Criterion, Rating, RatingInputs
from schooltrial.wording import listed

STRENGTH = {WITHOUT: 2, WITH: 1, NOT: 0}


FEWEST_PADLOCKS = {2: 4, 1: 2, 0: 0}
"""Strength → the fewest padlocks that are taken as alike: 4 or 5, 2 or 3, 0 or 1."""


NOT_WEIGHED = {
    **{
        f"MDES at {stage}": "WWC does not rate the size of a trial"
        for stage in ("randomisation", "assignment")
    },
    "attrition": "WWC holds it to a boundary; the padlocks count its overall size",
    "baseline imbalance": "WWC accepts differences for which the model adjusts",
    "threats": "WWC rates neither take-up nor joiners that the protocol takes as a low risk",
}
"""Criterion of the padlocks → why it may not move the rating of What Works Clearinghouse."""


NOT_COUNTED = {
    "attrition": "the padlocks do not count how far the groups differ in attrition",
    "joiners and movers": "the padlocks allow a share of 5%",
    "baseline equivalence": (
        "the padlocks lower for a difference at baseline, and do not ask for equivalence"
    ),
    "assignment": "the padlocks lower for it, and do not rule a rating out",
}
"""Criterion of What Works Clearinghouse → why it may not move the padlocks."""


def explain_standards(clearinghouse: Rating, padlocks: Rating, inputs: RatingInputs) -> str:
    """Return why the ratings of two standards differ, by criterion; empty if they agree."""
    strength = STRENGTH[clearinghouse.rating]
    number = padlocks_of(inputs)
    other = next(at for at, fewest in FEWEST_PADLOCKS.items() if number >= fewest)
    if strength > other:
        moved = "The padlocks are lower than the WWC rating because of"
        return f"{moved} {_reasons(padlocks.criteria, NOT_WEIGHED)}."
    if strength < other:
        moved = "The WWC rating is lower than the padlocks because of"
        return f"{moved} {_reasons(clearinghouse.criteria, NOT_COUNTED)}."
    return ""


def explain_boundaries(by_boundary: Mapping[str, Rating], chosen: str) -> str:
    """Return how the rating would differ under the other attrition boundary; empty if it would not.

    Parameters
    ----------
    by_boundary : mapping
        ``cautious`` and ``optimistic`` → the rating of What Works Clearinghouse under it.
    chosen : str
        That of the protocol (``checks.attrition_boundary``).
    """
    other = next(name for name in by_boundary if name != chosen)
    if by_boundary[chosen].rating == by_boundary[other].rating:
        return ""
    return (
        f"The attrition boundary decides: under the {chosen} boundary, which the protocol names, "
        f"WWC ‘{by_boundary[chosen].rating}’; under the {other} boundary "
        f"‘{by_boundary[other].rating}’."
    )


def _reasons(criteria: Sequence[Criterion], why: Mapping[str, str]) -> str:
    lowering = [one for one in criteria if one.lowers]
    told = []
    for one in lowering:
        reason = next((words for name, words in why.items() if one.name.startswith(name)), "")
        name = "what is not known" if one.name == "not known" else one.name
        told.append(f"{name} ({reason})" if reason else name)
    return listed(told)
