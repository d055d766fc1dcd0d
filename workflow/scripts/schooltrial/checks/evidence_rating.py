"""How far the evidence can be trusted: the ratings of two standards, with every input shown.

What Works Clearinghouse (Standards Handbook 4.1): randomised and low attrition at both levels meets
without reservations; else baseline equivalence of the analysed sample meets with reservations; else
it does not meet. Education Endowment Foundation: the lowest of design, size at randomisation and
pupil attrition, lowered for imbalance at baseline. The second is as recalled, with defaults of this
project where nothing is recalled (``standards/security_rating.csv`` says which): it is a guide, and
not the standard's own word.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import inf, isnan

WITHOUT = "meets standards without reservations"
WITH = "meets standards with reservations"
NOT = "does not meet standards"
UNRATED = "not rated"


@dataclass(frozen=True)
class LevelAttrition:
    """Attrition at one level: rates as shares, the largest low differential, the verdict."""

    level: str
    overall: float
    differential: float
    boundary: float
    verdict: str


@dataclass(frozen=True)
class RatingInputs:
    """All that the ratings of one outcome rest on.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    randomised : bool
        Whether units came to their arm by lot.
    assignment_verdict : str
        What the check of the assignment found.
    compromised : bool
        Whether that verdict contradicts the lot.
    attrition : tuple of LevelAttrition
        Units, and people in the units that stay.
    people_attrition : float
        Share of people lost, all units together; NaN where not known.
    baseline_difference : float
        Largest absolute standardised difference at baseline of the analysed sample in what the
        standard asks to be alike (the outcome's baseline, else all that is compared); NaN where
        nothing is.
    baseline_measure : str
        What that difference is of.
    adjusted : bool
        Whether the primary model adjusts for it.
    mdes : float
        Least detectable effect at randomisation, SD; NaN where not known.
    satisfied, adjustable : float
        Bands of baseline equivalence.
    """

    outcome: str
    randomised: bool
    assignment_verdict: str
    compromised: bool
    attrition: tuple[LevelAttrition, ...]
    people_attrition: float
    baseline_difference: float
    baseline_measure: str
    adjusted: bool
    mdes: float
    satisfied: float
    adjustable: float


@dataclass(frozen=True)
class Rating:
    """A rating, the rule that decided it, and what would change it."""

    standard: str
    rating: str
    rule: str
    would_change: str


def clearinghouse_rating(inputs: RatingInputs) -> Rating:
    """Return the design rating of What Works Clearinghouse for one outcome."""
    standard = "What Works Clearinghouse, Standards Handbook 4.1"
    low = [part.verdict == "low" for part in inputs.attrition]
    known = bool(low) and all(part.verdict in ("low", "high") for part in inputs.attrition)
    if inputs.randomised and not inputs.compromised and known and all(low):
        nearest = min(inputs.attrition, key=lambda part: part.boundary - abs(part.differential))
        return Rating(
            standard, WITHOUT, "randomised, and attrition is low at every level",
            f"It would be lower if attrition of {nearest.level} differed between the arms by "
            f"more than {_points(nearest.boundary)} points "
            f"(it is {_points(abs(nearest.differential))}).",
        )  # fmt: skip
    why = _why_not_without(inputs, known)
    equivalence, satisfied = _equivalence(inputs)
    change = _would_lift(inputs, known)
    if satisfied is None:
        return Rating(standard, UNRATED, f"{why}; {equivalence}", change)
    return Rating(standard, WITH if satisfied else NOT, f"{why}; {equivalence}", change)


def _why_not_without(inputs: RatingInputs, known: bool) -> str:
    if not inputs.randomised:
        return "not randomised"
    if inputs.compromised:
        return f"the assignment is {inputs.assignment_verdict}"
    if not known:
        return "attrition is not known at every level"
    high = [part.level for part in inputs.attrition if part.verdict == "high"]
    return "attrition is high for " + " and ".join(high)


def _equivalence(inputs: RatingInputs) -> tuple[str, bool | None]:
    """Return the words on baseline equivalence, and whether it is satisfied; None if not known."""
    size = abs(inputs.baseline_difference)
    if isnan(size):
        return "no baseline of the analysed sample is known", None
    told = f"the analysed sample differs at baseline by {size:.2f} SD ({inputs.baseline_measure})"
    if size <= inputs.satisfied:
        return told + ", which is equivalent", True
    if size <= inputs.adjustable:
        how = "for which the model adjusts" if inputs.adjusted else "for which no model adjusts"
        return f"{told}, {how}", inputs.adjusted
    return told + ", which no adjustment mends", False


def _would_lift(inputs: RatingInputs, known: bool) -> str:
    if not inputs.randomised:
        return "Only assignment by lot could meet the standards without reservations."
    if inputs.compromised:
        return "It would be higher if the assignment could be reproduced from its record."
    if not known:
        return "It would be rated if the units and people lost were known in each arm."
    worst = max(inputs.attrition, key=lambda part: abs(part.differential) - part.boundary)
    if isnan(worst.boundary) or worst.boundary < 0:
        return f"Overall attrition of {worst.level} is too high for any difference to be low."
    return (
        f"It would be higher if attrition of {worst.level} differed between the arms by no more "
        f"than {_points(worst.boundary)} points (it is {_points(abs(worst.differential))})."
    )


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def security_rating(inputs: RatingInputs) -> Rating:
    """Return the padlocks of Education Endowment Foundation's kind, with the rule that decides."""
    found = {
        "design": _padlocks("design", 1, "randomised" if inputs.randomised else "not randomised"),
        "mdes": _padlocks("mdes", inputs.mdes),
        "attrition": _padlocks("attrition", inputs.people_attrition),
    }
    known = {rule: padlocks for rule, padlocks in found.items() if padlocks is not None}
    lowest = min(known.values())
    rules = [rule for rule, padlocks in known.items() if padlocks == lowest]
    taken = _padlocks("imbalance", abs(inputs.baseline_difference)) or 0
    padlocks = max(0, lowest + taken)
    told = [f"lowest: {', '.join(_named(rule, inputs) for rule in rules)}"]
    if taken:
        told.append(f"lowered by {-taken} for a baseline difference of "
                    f"{abs(inputs.baseline_difference):.2f} SD")  # fmt: skip
    unknown = [rule for rule, value in found.items() if value is None]
    if unknown:
        told.append("not known: " + ", ".join(unknown))
    return Rating(
        "Education Endowment Foundation, padlocks (as recalled)", f"{padlocks} of 5",
        "; ".join(told), _would_raise(rules, taken, lowest, inputs),
    )  # fmt: skip


def _named(rule: str, inputs: RatingInputs) -> str:
    if rule == "design":
        return "design (randomised)" if inputs.randomised else "design (not randomised)"
    if rule == "mdes":
        return f"size (MDES {inputs.mdes:.2f} SD at randomisation)"
    return f"attrition ({inputs.people_attrition:.0%})"


def _would_raise(rules: Sequence[str], taken: int, lowest: int, inputs: RatingInputs) -> str:
    """Say what would bring one padlock more."""
    if taken:
        limit = max(
            row.upto for row in _table() if row.rule == "imbalance" and row.padlocks > taken
        )
        return f"It would be higher if the arms differed at baseline by no more than {limit:g} SD."
    if lowest == 5:
        return (
            "It would be lower with more attrition, a larger least detectable effect or imbalance."
        )
    parts = []
    for rule in rules:
        better = [row.upto for row in _table() if row.rule == rule and row.padlocks == lowest + 1]
        if rule == "design":
            parts.append("the units were assigned by lot")
        elif better:
            what = "the least detectable effect were" if rule == "mdes" else "attrition were"
            parts.append(f"{what} at most {better[0]:g}")
    return f"It would be higher if {' and '.join(parts)}."


@dataclass(frozen=True)
class _Row:
    rule: str
    measure: str
    upto: float
    padlocks: int


@cache
def _table() -> tuple[_Row, ...]:
    text = files("schooltrial").joinpath("standards/security_rating.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(
        _Row(row["rule"], row["measure"], inf if row["upto"] == "inf" else float(row["upto"]),
             int(row["padlocks"]))
        for row in rows
    )  # fmt: skip


def _padlocks(rule: str, value: float, measure: str | None = None) -> int | None:
    """Return the padlocks of the first row that reaches the value; the limit itself counts."""
    if isnan(value):
        return None
    rows = [row for row in _table() if row.rule == rule and measure in (None, row.measure)]
    return next(row.padlocks for row in rows if round(value, 10) <= row.upto)
