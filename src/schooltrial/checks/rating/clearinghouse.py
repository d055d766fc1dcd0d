"""The design rating of What Works Clearinghouse, Standards Handbook 4.1.

Randomised, with an assignment that no check contradicts or doubts, low attrition at both levels,
and nobody analysed who joined after the assignment (unless that is a low risk): without
reservations. Else baseline equivalence of the analysed sample, in baseline measures of the
outcome's domain: with reservations. Else, and also where no such measure is known, it does not
meet. The rule on those who joined was not checked against the Handbook: the protocol says why they
are a low risk (``joiners_justification`` of ``checks``), and by default they are not.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, isinf, isnan

from schooltrial.checks.rating.terms import (
    HIGH,
    LOW,
    BaselineDifference,
    Change,
    Criterion,
    LevelAttrition,
    Lift,
    Rating,
    RatingInputs,
    named,
    sized,
    worst_of,
)
from schooltrial.wording import exact, listed, percent, uncapitalised

STANDARD = "What Works Clearinghouse, Standards Handbook 4.1"


WITHOUT = "meets standards without reservations"


WITH = "meets standards with reservations"


NOT = "does not meet standards"


def clearinghouse_rating(inputs: RatingInputs) -> Rating:
    """Return the design rating of What Works Clearinghouse for one outcome."""
    against, criteria = _against(inputs), _criteria(inputs)
    if not against:
        held = "attrition is low at every level"
        rule = "; ".join([f"randomised, and {held}", *_joiners_told(inputs)]).rstrip(".")
        return Rating(STANDARD, WITHOUT, rule, _would_lower(inputs), criteria)
    words, rating = _equivalence(inputs)
    reasons = [reason for reason, _ in against[: 1 if not inputs.randomised else None]]
    rule = f"{listed(reasons)}; {words}"
    told = [
        f"It would be rated ‘{lift.rating}’ if {lift.words}."
        for lift in clearinghouse_lifts(inputs)
    ]
    return Rating(STANDARD, rating, rule, " ".join(told), criteria)


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
    """Return what limits the WWC-style rating, and what would raise it."""
    found: list[tuple[str, Change]] = []
    if not inputs.randomised:
        change = Change("the units were randomised", lambda old: replace(old, randomised=True))
        found.append(("not randomised", change))
    if inputs.compromised:
        change = Change(
            "the assignment could be reproduced from its record",
            lambda old: replace(old, compromised=False),
        )
        found.append((f"the assignment is {inputs.assignment_verdict}", change))
    if inputs.doubted:
        change = Change(
            "no check left the assignment in doubt", lambda old: replace(old, doubted=False)
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
            "none were analysed who joined or changed group after the assignment, or the protocol "
            "said why they are a low risk",
            lambda old: replace(old, joined=0.0, changed_arm=0.0, unsure=_others(old)),
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
            f"attrition of {part.level} differed between the groups by no more than "
            f"{_points(part.boundary)} percentage points (it is {_points(abs(part.differential))})"
        )
    return f"{arm}attrition is high for {part.level}", Change(words, low)


def _equivalence(inputs: RatingInputs) -> tuple[str, str]:
    """Return the words on baseline equivalence, and the rating that follows.

    Every measure must satisfy the rule. One that is not known, or is known of too few, satisfies
    none, whatever the others are.
    """
    failed = [one for one in inputs.baseline if _differs(one, inputs)]
    if failed:
        one = worst_of(failed) or failed[0]
        told = _difference_told(one, inputs)
        if abs(one.size) > inputs.adjustable:
            return f"{told}, which is too large to adjust for ({_limit(inputs)})", NOT
        return f"{told}, for which no model adjusts", NOT
    unknown = next((one for one in inputs.baseline if not _established(one)), None)
    if unknown is not None:
        return f"baseline equivalence cannot be established: {_lacking(unknown, inputs)}", NOT
    worst = worst_of(inputs.baseline)
    if worst is None:
        return f"baseline equivalence cannot be established: {_no_measure(inputs)}", NOT
    told = _difference_told(worst, inputs)
    if abs(worst.size) <= inputs.satisfied:
        return f"{told}, which is equivalent", WITH
    return f"{told}, for which the model adjusts", WITH


def _difference_told(one: BaselineDifference, inputs: RatingInputs) -> str:
    size = f"{sized(one.size)} ({named(one, inputs)})"
    return f"{inputs.whose(one.arm)}the {one.sample} sample differs at baseline by {size}"


def _limit(inputs: RatingInputs) -> str:
    return f"limit {exact(inputs.adjustable)} SD"


def _no_measure(inputs: RatingInputs) -> str:
    outcome = inputs.label or inputs.outcome
    return f"no baseline measure of {outcome}, or of its family, is known of those analysed"


def _lacking(one: BaselineDifference, inputs: RatingInputs) -> str:
    """Return in words which groups lack a baseline measure."""
    arm, what = inputs.whose(one.arm), f"{one.label} of {one.level}s"
    if isnan(one.size):
        return f"{arm}{what} is {one.note or 'not known'}"
    of = one.known + one.missing
    return f"{arm}{what} is known for {one.known:,} of {of:,} of those analysed"


def _established(one: BaselineDifference) -> bool:
    """Return whether the size is known, and of enough of those analysed."""
    return one.covered and not isnan(one.size)


def _differs(one: BaselineDifference, inputs: RatingInputs) -> bool:
    """Return whether a size that is known is beyond what the model adjusts for."""
    size = abs(one.size)
    return size > (inputs.adjustable if one.adjusted else inputs.satisfied)


def _equivalence_mends(inputs: RatingInputs) -> tuple[Change, ...]:
    """Return what would make the analysed sample equivalent, variable by variable."""
    if not inputs.baseline:
        known = BaselineDifference("pupil", inputs.outcome, inputs.outcome, 0.0, True, True)
        return (
            Change(
                "a baseline measure of the analysed sample were known, and alike in the groups "
                "(`baseline_measures` of the outcome names it)",
                lambda old: replace(old, baseline=(known,)),
            ),
        )
    return tuple(
        _mend(one, inputs)
        for one in inputs.baseline
        if _differs(one, inputs) or not _established(one)
    )


def _mend(one: BaselineDifference, inputs: RatingInputs) -> Change:
    size = 0.0 if isnan(one.size) else min(abs(one.size), inputs.adjustable)
    mended = replace(one, size=size, adjusted=True, covered=True)
    what = f"{one.label} of {one.level}s"
    adjusting = "" if one.adjusted else f" and the model adjusted for {what}"
    if isnan(one.size):
        words = f"{what} were known of those analysed, and alike in the groups{adjusting}"
    elif abs(one.size) > inputs.adjustable:
        words = (
            f"{what} differed by no more than {exact(inputs.adjustable)} SD "
            f"(it is {'infinite' if isinf(one.size) else format(abs(one.size), '.3f')}){adjusting}"
        )
    elif _differs(one, inputs):
        words = f"the model adjusted for {what}"
    else:
        words = f"{what} were known of nearly all of those analysed"
    if not isnan(one.size) and not one.covered and _differs(one, inputs):
        words += f" and {what} were known of nearly all of those analysed"

    def mend(old: RatingInputs) -> RatingInputs:
        return replace(
            old, baseline=tuple(mended if other is one or other == one else other
                                for other in old.baseline)
        )  # fmt: skip

    return Change(words, mend)


def _would_lower(inputs: RatingInputs) -> str:
    """Say what is nearest to the boundary, of what is low at every level."""
    nearest = min(inputs.attrition, key=lambda part: part.boundary - abs(part.differential))
    arm = f"of group {nearest.arm} " if inputs.whose(nearest.arm) else ""
    return (
        f"It would be lower if attrition of {nearest.level} {arm}differed between the groups by "
        f"more than {_points(nearest.boundary)} percentage points (it is "
        f"{_points(abs(nearest.differential))})."
    )


def _came(inputs: RatingInputs) -> str:
    """Return the analysed individuals who joined a group after randomisation; empty if none."""
    told = []
    unknown = [
        words
        for field, words in (("joined", "joined"), ("changed_arm", "changed group"))
        if isnan(getattr(inputs, field)) or field in inputs.unsure
    ]
    if unknown:
        told.append(f"it was not counted how many {' or '.join(unknown)} after the assignment")
    if inputs.joined > 0:
        words = f"{percent(inputs.joined)} of those analysed {inputs.came}"
        if inputs.formed_since:
            words = (
                f"{percent(inputs.joined)} of the {inputs.people} of the year were in no class of "
                "the trial at baseline"
            )
        told.append(inputs.told("joined", words))
    if inputs.changed_arm > 0:
        words = f"{percent(inputs.changed_arm)} of those who stayed are in another group"
        if inputs.formed_since:
            words = f"{percent(inputs.changed_arm)} of the others were in a class of another group"
        told.append(inputs.told("changed_arm", words))
    return listed(told) if told else ""


def _others(inputs: RatingInputs) -> tuple[str, ...]:
    """Return the fields that are not known of every group, but for those who came."""
    return tuple(field for field in inputs.unsure if field not in ("joined", "changed_arm"))


def _joiners_told(inputs: RatingInputs) -> list[str]:
    came = _came(inputs)
    if not came:
        return []
    return [f"{came}, taken as a low risk: {uncapitalised(inputs.joiners_justification)}"]


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _criteria(inputs: RatingInputs) -> tuple[Criterion, ...]:
    """Return all that the standard looks at, in its order."""
    ruled_out = "rules out ‘without reservations’"
    words, rating = _equivalence(inputs)
    against = bool(_against(inputs))
    found = [_of_assignment(inputs, ruled_out)]
    if not inputs.attrition:
        found.append(Criterion("attrition", "not known", ruled_out, True))
    for part in inputs.attrition:
        low = part.verdict == LOW
        found.append(
            Criterion(
                f"attrition of {part.level}", _attrition_told(part, inputs),
                "low" if low else f"{part.verdict}: {ruled_out}", not low,
            )
        )  # fmt: skip
    came = _came(inputs)
    if came:
        taken = bool(inputs.joiners_justification)
        result = "taken as a low risk, as the protocol gives a reason" if taken else ruled_out
        found.append(Criterion("joiners and movers", came, result, not taken))
    result = "satisfied" if rating == WITH else "not satisfied: does not meet standards"
    if not against:
        result = "not needed, as nothing rules out ‘without reservations’"
    found.append(
        Criterion("baseline equivalence", words, result, against and rating != WITH)
    )  # fmt: skip
    return tuple(found)


def _of_assignment(inputs: RatingInputs, ruled_out: str) -> Criterion:
    sound = inputs.randomised and not inputs.compromised and not inputs.doubted
    assigned = "randomised" if inputs.randomised else "not randomised"
    checked = f"; the check of the assignment: {inputs.assignment_verdict}"
    finding = assigned if inputs.assignment_verdict == assigned else f"{assigned}{checked}"
    return Criterion("assignment", finding, "sound" if sound else ruled_out, not sound)


def _attrition_told(part: LevelAttrition, inputs: RatingInputs) -> str:
    arm = inputs.whose(part.arm)
    if not isfinite(part.overall) or not isfinite(part.differential):
        return f"{arm}not known"
    limit = f"limit {_points(part.boundary)}" if isfinite(part.boundary) else "no limit is low"
    return (
        f"{arm}{percent(part.overall)} lost; the shares lost differ by "
        f"{_points(abs(part.differential))} percentage points ({limit})"
    )
