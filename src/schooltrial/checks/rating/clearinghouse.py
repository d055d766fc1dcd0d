"""The design rating of What Works Clearinghouse, Standards Handbook 4.1.

Randomised, with low attrition at both levels and nobody analysed who joined after the assignment
(unless that is a low risk): without reservations. Else baseline equivalence of the analysed sample:
with reservations. Else it does not meet. The rule on those who joined is as recalled: the protocol
says why they are a low risk (``joiners_justification`` of ``checks``), and by default they are not.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, isnan

from schooltrial.checks.rating.terms import (
    HIGH,
    LOW,
    BaselineDifference,
    Change,
    LevelAttrition,
    Lift,
    Rating,
    RatingInputs,
    named,
    worst_of,
)
from schooltrial.wording import exact, listed, percent

STANDARD = "What Works Clearinghouse, Standards Handbook 4.1"


WITHOUT = "meets standards without reservations"


WITH = "meets standards with reservations"


NOT = "does not meet standards"


UNRATED = "not rated"


def clearinghouse_rating(inputs: RatingInputs) -> Rating:
    """Return the design rating of What Works Clearinghouse for one outcome."""
    against = _against(inputs)
    if not against:
        held = "attrition is low at every level"
        rule = "; ".join(
            [f"randomised{_doubt(inputs)}, and {held}", *_joiners_told(inputs)]
        ).rstrip(".")
        return Rating(STANDARD, WITHOUT, rule, _would_lower(inputs))
    words, rating = _equivalence(inputs)
    reasons = [reason for reason, _ in against[: 1 if not inputs.randomised else None]]
    rule = f"{listed(reasons)}; {words}"
    told = [
        f"It would be rated ‘{lift.rating}’ if {lift.words}."
        for lift in clearinghouse_lifts(inputs)
    ]
    return Rating(STANDARD, rating, rule, " ".join(told))


def clearinghouse_lifts(inputs: RatingInputs) -> list[Lift]:
    """Return the higher ratings, nearest first, each with all that it would take."""
    against = _against(inputs)
    if not against:
        return []
    lifts = []
    mends = _equivalence_mends(inputs)
    if _equivalence(inputs)[1] != WITH and mends:
        lifts.append(Lift(WITH, mends))
    return [*lifts, Lift(WITHOUT, tuple(change for _, change in against))]


def _against(inputs: RatingInputs) -> list[tuple[str, Change]]:
    """Return what keeps a study from meeting without reservations, and what would mend it."""
    found: list[tuple[str, Change]] = []
    if not inputs.randomised:
        change = Change("the units were assigned by lot", lambda old: replace(old, randomised=True))
        found.append(("not randomised", change))
    if inputs.compromised:
        change = Change(
            "the assignment could be reproduced from its record",
            lambda old: replace(old, compromised=False),
        )
        found.append((f"the assignment is {inputs.assignment_verdict}", change))
    if not inputs.attrition:
        low = (LevelAttrition("units and people", 0.0, 0.0, 0.0, LOW),)
        change = Change(
            "attrition were known, and low, at every level",
            lambda old: replace(old, attrition=low),
        )
        found.append(("attrition is not known", change))
    found += [_of_level(part, inputs) for part in inputs.attrition if part.verdict != LOW]
    came = _came(inputs)
    if came and not inputs.joiners_justification:
        change = Change(
            "none were analysed who joined or changed arm after the assignment, or the protocol "
            "said why they are a low risk",
            lambda old: replace(old, joined=0.0, changed_arm=0.0),
        )
        found.append((came, change))
    return found


def _of_level(part: LevelAttrition, inputs: RatingInputs) -> tuple[str, Change]:
    """Return what is wrong with the attrition of a level, and what would make it low."""
    arm = inputs.whose(part.arm)

    def low(old: RatingInputs) -> RatingInputs:
        mended = tuple(
            replace(one, verdict=LOW) if one.level == part.level else one for one in old.attrition
        )
        return replace(old, attrition=mended)

    if part.verdict != HIGH:
        return (
            f"{arm}attrition of {part.level} is {part.verdict}",
            Change(f"attrition of {part.level} were known, and low", low),
        )
    if not isfinite(part.boundary) or part.boundary < 0:
        words = (
            f"overall attrition of {part.level} were below {percent(part.overall)}, at which any "
            "difference is high, and the difference within the boundary"
        )
    else:
        words = (
            f"attrition of {part.level} differed between the arms by no more than "
            f"{_points(part.boundary)} points (it is {_points(abs(part.differential))})"
        )
    return f"{arm}attrition is high for {part.level}", Change(words, low)


def _equivalence(inputs: RatingInputs) -> tuple[str, str]:
    """Return the words on baseline equivalence, and the rating that follows."""
    worst = worst_of(inputs.baseline)
    if worst is None:
        return "no baseline of the analysed sample is known", UNRATED
    failed = [one for one in inputs.baseline if not _equivalent(one, inputs)]
    one = worst_of(failed) or worst
    size = f"{abs(one.size):.3f} SD ({named(one, inputs)})"
    arm = inputs.whose(one.arm)
    told = f"{arm}the {one.sample} sample differs at baseline by {size}"
    if abs(one.size) > inputs.adjustable:
        return f"{told}, which no adjustment mends", NOT
    if abs(one.size) <= inputs.satisfied:
        return f"{told}, which is equivalent", WITH
    how = "for which the model adjusts" if one.adjusted else "for which no model adjusts"
    return f"{told}, {how}", NOT if failed else WITH


def _equivalent(one: BaselineDifference, inputs: RatingInputs) -> bool:
    size = abs(one.size)
    return size <= inputs.satisfied or (one.adjusted and size <= inputs.adjustable)


def _equivalence_mends(inputs: RatingInputs) -> tuple[Change, ...]:
    """Return what would make the analysed sample equivalent, variable by variable."""
    if not inputs.baseline:
        known = BaselineDifference("pupil", inputs.outcome, inputs.outcome, 0.0, True, True)
        return (
            Change(
                "a baseline of the analysed sample were known, and alike in the arms",
                lambda old: replace(old, baseline=(known,)),
            ),
        )
    failed = [one for one in inputs.baseline if not _equivalent(one, inputs)]
    return tuple(_mend(one, inputs) for one in failed)


def _mend(one: BaselineDifference, inputs: RatingInputs) -> Change:
    size = min(abs(one.size), inputs.adjustable)
    mended = replace(one, size=size, adjusted=True)
    adjusting = f"the model adjusted for {one.label} of {one.level}s"
    if abs(one.size) <= inputs.adjustable:
        words = adjusting
    else:
        words = (
            f"{one.label} of {one.level}s differed by no more than {exact(inputs.adjustable)} SD "
            f"(it is {abs(one.size):.3f})"
        )
        words += "" if one.adjusted else f" and {adjusting}"

    def mend(old: RatingInputs) -> RatingInputs:
        return replace(
            old, baseline=tuple(mended if other == one else other for other in old.baseline)
        )

    return Change(words, mend)


def _would_lower(inputs: RatingInputs) -> str:
    """Say what is nearest to the boundary, of what is low at every level."""
    nearest = min(inputs.attrition, key=lambda part: part.boundary - abs(part.differential))
    arm = f"of arm {nearest.arm} " if inputs.whose(nearest.arm) else ""
    return (
        f"It would be lower if attrition of {nearest.level} {arm}differed between the arms by more "
        f"than {_points(nearest.boundary)} points (it is {_points(abs(nearest.differential))})."
    )


def _doubt(inputs: RatingInputs) -> str:
    return f" (the list is {inputs.assignment_verdict})" if inputs.doubted else ""


def _came(inputs: RatingInputs) -> str:
    """Return who came to their arm after the assignment, and is analysed; empty for nobody."""
    told = []
    if isnan(inputs.joined):
        told.append("who joined after the assignment is not known")
    elif inputs.joined > 0:
        words = f"{percent(inputs.joined)} of those analysed joined after the assignment"
        told.append(inputs.told("joined", words))
    if inputs.changed_arm > 0:
        words = f"{percent(inputs.changed_arm)} of those who stayed are in another arm"
        told.append(inputs.told("changed_arm", words))
    return listed(told) if told else ""


def _joiners_told(inputs: RatingInputs) -> list[str]:
    came = _came(inputs)
    return [f"{came}, taken as a low risk: {inputs.joiners_justification}"] if came else []


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
