"""Padlocks of Education Endowment Foundation's kind.

The lowest of design, size at randomisation and attrition of people, lowered for imbalance in the
baseline measures of the outcome and for threats. The thresholds were not checked against the
current guidance, and some are defaults of this project (``security_rating.csv`` says which): a
guide, and not the standard's own word. What is not known gives no padlocks: the rating is then "at
most", and says what is not known.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import inf, isnan, nan
from typing import Any

from schooltrial.checks.rating.terms import (
    Change,
    Criterion,
    Lift,
    Rating,
    RatingInputs,
    named,
    sized,
    worst_of,
)
from schooltrial.wording import exact, listed, percent

STANDARD = (
    "Education Endowment Foundation, padlocks (indicative: thresholds not checked against its "
    "current guidance)"
)


UNRATED = "not rated"


MOST = 5


MOST_STEPS = 50
"""Each step brings one of eight inputs to a better row of its rule, of which none has over six."""


NAME_MEASURES = "`outcomes.{}.baseline_measures` can name a pre-test or a proxy for it."


ONLY_LOWER = "could only lower the rating"


TABLE = "security_rating.csv"


def security_rating(inputs: RatingInputs) -> Rating:
    """Return the padlocks, with the rule that decides and what would bring more."""
    parts, criteria = _parts(inputs), _criteria(inputs)
    unknown = _unknown(parts, inputs)
    if parts["mdes"] is None and parts["attrition"] is None and _total(parts) == MOST:
        return Rating(
            STANDARD,
            UNRATED,
            f"not known: {listed(unknown)}",
            f"It would be rated if {_known(unknown)}.",
            criteria,
        )
    padlocks = _total(parts)
    rating = f"at most {padlocks} of {MOST}" if unknown and padlocks else f"{padlocks} of {MOST}"
    told = [_weakest(parts, inputs), *(words for words, _ in _lowered(parts, inputs))]
    if unknown:
        be = "are" if len(unknown) > 1 else "is"
        lower = f", which {ONLY_LOWER}" if padlocks else ""
        told.append(f"{'‘At most’: ' if padlocks else ''}{listed(unknown)} {be} not known{lower}")
    change = []
    if not inputs.baseline:
        change.append(NAME_MEASURES.format(inputs.outcome))
    lift = security_lift(inputs)
    if lift is not None:
        change.append(f"It would be higher if {lift.words}.")
    elif not unknown:
        change.append("It would be lower with more attrition, a larger MDES or imbalance.")
    return Rating(STANDARD, rating, "; ".join(told), " ".join(change), criteria)


def padlocks_of(inputs: RatingInputs) -> int:
    """Return the number of padlocks that what is known allows."""
    return _total(_parts(inputs))


def security_lift(inputs: RatingInputs) -> Lift | None:
    """Return the changes that together bring more padlocks; None if there are five.

    What lowers the rating is removed first, step by step, and then the lowest of the rules, until
    there is a padlock more: together the changes are enough.

    Raises
    ------
    ValueError
        Where no step helps, since the rows of the standard's table are out of order.
    """
    now, then = padlocks_of(inputs), inputs
    changes: dict[str, Change] = {}
    if now == MOST:
        return None
    for _ in range(MOST_STEPS):
        rule, change = next(_steps(then))
        changes[rule] = change
        then = change.apply(then)
        if padlocks_of(then) > now:
            return Lift(f"{padlocks_of(then)} of {MOST}", tuple(changes.values()))
    raise ValueError(
        f"{TABLE}: after {MOST_STEPS} changes {inputs.outcome} still has {padlocks_of(then)} "
        f"padlocks, though {change.words}; the limits (upto) of each rule must "
        f"rise from row to row: sort those of {rule!r}"
    )


def _parts(inputs: RatingInputs) -> dict[str, int | None]:
    lot = "not randomised" if not inputs.randomised else "randomised"
    prior = _prior(inputs)
    return {
        "design": _padlocks("design", 1, "contradicted" if inputs.compromised else lot),
        "mdes": _padlocks("mdes", inputs.mdes),
        "attrition": _padlocks("attrition", inputs.people_attrition),
        "imbalance": _padlocks("imbalance", prior),
        "threats": min((taken for taken, *_ in _threats(inputs)), default=0),
    }


_RULES = ("design", "mdes", "attrition")


_NAMES = {
    "mdes": "the MDES at {stage}",
    "attrition": "the attrition of {people}",
    "imbalance": "the difference in the prior outcome",
    "joined": "the share of joiners",
    "changed_arm": "the share of movers between groups",
    "crossovers": "the share of units that received what was meant for another group",
}


_FIELDS = {"mdes": "mdes", "people_attrition": "attrition"}
"""Field of the inputs → the rule that it is compared with."""


def _unknown(parts: dict[str, int | None], inputs: RatingInputs) -> list[str]:
    """Return what is not known, of some group at least: it can only lower the rating."""
    found = {rule for rule, padlocks in parts.items() if padlocks is None}
    found |= {_FIELDS.get(field, field) for field in inputs.unsure}
    if any(isnan(one.size) or not one.covered for one in inputs.baseline):
        found.add("imbalance")
    found |= {name for name in _SHARES if isnan(getattr(inputs, name))}
    found -= _excused(inputs)
    return [_named(rule, inputs) for rule in _NAMES if rule in found]


def _named(rule: str, inputs: RatingInputs) -> str:
    fields = {rule, *(field for field, of in _FIELDS.items() if of == rule)}
    in_part = " (in part)" if fields & set(inputs.unsure) else ""
    return _NAMES[rule].format(people=inputs.people, stage=_stage(inputs)) + in_part


def _stage(inputs: RatingInputs) -> str:
    """Return what the size of the trial is that of: its randomisation, or its assignment."""
    return "randomisation" if inputs.randomised else "assignment"


def _weakest(parts: dict[str, int | None], inputs: RatingInputs) -> str:
    """Return the lowest of the rules that bound the rating, and which they are."""
    lowest = _lowest(parts)
    binding = [_word(rule, inputs) for rule in _binding(parts, lowest)]
    told = f"{lowest} of {MOST} for {listed(binding)}"
    if lowest == MOST:
        return told
    return f"{told}, the weakest {'criteria' if len(binding) > 1 else 'criterion'}"


def _lowest(parts: dict[str, int | None]) -> int:
    return min(padlocks for rule in _RULES if (padlocks := parts[rule]) is not None)


def _binding(parts: dict[str, int | None], lowest: int) -> list[str]:
    return [rule for rule in _RULES if parts[rule] == lowest]


def _total(parts: dict[str, int | None]) -> int:
    return max(0, _lowest(parts) + (parts["imbalance"] or 0) + (parts["threats"] or 0))


def _prior(inputs: RatingInputs) -> float:
    """Return the largest difference in a baseline measure of the outcome; NaN if none is known."""
    worst = worst_of(inputs.baseline)
    return nan if worst is None else abs(worst.size)


_SHARES = {
    "joined": "of the individuals analysed {came}",
    "changed_arm": "of the individuals who stayed were in another group by then",
    "crossovers": "of a group's units received another group's condition, or not their own",
}
"""Field → what it is a share of, and who they are."""


def _threats(inputs: RatingInputs) -> Iterator[tuple[int, str, str, Change]]:
    """Yield each threat: padlocks it takes, its field, words, and what would lessen it."""
    if inputs.doubted:
        taken = _padlocks("threats", 1, "list in doubt") or 0
        change = Change(
            "no check left the assignment in doubt", lambda old: replace(old, doubted=False)
        )
        yield taken, "doubted", f"the allocation list is {inputs.assignment_verdict}", change
    for field, words in _SHARES.items():
        who = inputs.crossed or words if field == "crossovers" else words.format(came=inputs.came)
        share = nan if field in _excused(inputs) else getattr(inputs, field)
        taken = _padlocks("threats", share, "share concerned") or 0
        if taken:
            limit = _limit("threats", taken + 1, "share concerned")
            change = Change(f"at most {percent(limit)} {who}", _setting(field, limit))
            said = f"{percent(share)} {who}"
            yield taken, field, said if who == inputs.crossed else inputs.told(field, said), change


def _excused(inputs: RatingInputs) -> set[str]:
    """Return the shares that the protocol’s reason takes as a low risk.

    Where classes are formed each year, who changed group came into it as a joiner did.
    """
    if not inputs.joiners_justification:
        return set()
    return {"joined", "changed_arm"} if inputs.formed_since else {"joined"}


def _lowered(parts: dict[str, int | None], inputs: RatingInputs) -> list[tuple[str, int]]:
    found = []
    if imbalance := parts["imbalance"]:
        told = _imbalance_told(inputs)
        found.append((f"less {-imbalance} for a baseline difference of {told}", imbalance))
    if threats := parts["threats"]:
        found.append((f"less {-threats} because {_threats_told(inputs)}", threats))
    return found


def _imbalance_told(inputs: RatingInputs) -> str:
    worst = worst_of(inputs.baseline)
    if worst is None:
        return "an unknown size"
    return f"{sized(worst.size)} ({inputs.whose(worst.arm)}{named(worst, inputs)})"


def _threats_told(inputs: RatingInputs) -> str:
    return listed([words for _, _, words, _ in _threats(inputs)])


def _steps(inputs: RatingInputs) -> Iterator[tuple[str, Change]]:
    """Yield what would raise the rating, one step each: deductions, or the lowest rule."""
    parts = _parts(inputs)
    if imbalance := parts["imbalance"]:
        limit = _limit("imbalance", imbalance + 1)
        words = f"the groups differed in the prior outcome by at most {exact(limit)} SD"
        yield "imbalance", Change(words, _within(limit))
    worst = parts["threats"]
    for taken, field, _, change in _threats(inputs):
        if taken == worst:
            yield field, change
    for rule in _binding(parts, _lowest(parts)):
        better = _lowest(parts) + 1
        if rule == "design":
            lot = Change(
                "the units had been randomised, as far as can be checked",
                lambda old: replace(old, randomised=True, compromised=False),
            )
            yield rule, lot
        elif rule == "mdes":
            limit = _limit("mdes", better)
            words = f"the MDES at {_stage(inputs)} were at most {exact(limit)} SD"
            yield rule, Change(words, _setting("mdes", limit))
        else:
            limit = _limit("attrition", better)
            words = f"attrition of {inputs.people} were at most {percent(limit)}"
            yield rule, Change(words, _setting("people_attrition", limit))


def _setting(field: str, value: float) -> Callable[[RatingInputs], RatingInputs]:
    """Return the source of one of the numbers behind the rating."""

    def change(old: RatingInputs) -> RatingInputs:
        changed: dict[str, Any] = {field: value}
        return replace(old, **changed)

    return change


def _within(limit: float) -> Callable[[RatingInputs], RatingInputs]:
    """Return what brings the prior outcome within a limit."""

    def change(old: RatingInputs) -> RatingInputs:
        within = tuple(
            one if isnan(one.size) else replace(one, size=min(abs(one.size), limit))
            for one in old.baseline
        )
        return replace(old, baseline=within)

    return change


def _word(rule: str, inputs: RatingInputs) -> str:
    if rule == "design":
        lot = "randomised" if inputs.randomised else "not randomised"
        return f"design ({inputs.assignment_verdict if inputs.compromised else lot})"
    if rule == "mdes":
        return inputs.told(rule, f"size (MDES {inputs.mdes:.2f} SD at {_stage(inputs)})")
    lost = percent(inputs.people_attrition)
    return inputs.told("people_attrition", f"attrition of {inputs.people} ({lost})")


def _known(unknown: list[str]) -> str:
    return f"{listed(unknown)} were known"


def _criteria(inputs: RatingInputs) -> tuple[Criterion, ...]:
    """Return all inputs of the security rating, in their order."""
    parts, found = _parts(inputs), []
    lowest = _lowest(parts)
    known = {
        "design": _word("design", inputs).removeprefix("design (").removesuffix(")"),
        "mdes": inputs.told("mdes", f"{inputs.mdes:.2f} SD"),
        "attrition": inputs.told(
            "people_attrition", f"{percent(inputs.people_attrition)} of {inputs.people} lost"
        ),
    }
    names = {"design": "design", "mdes": f"MDES at {_stage(inputs)}", "attrition": "attrition"}
    for rule in _RULES:
        padlocks = parts[rule]
        if padlocks is None:
            found.append(Criterion(names[rule], "not known", ONLY_LOWER, True))
            continue
        limits = f"{padlocks} of {MOST}" + (", the lowest" if padlocks == lowest < MOST else "")
        found.append(Criterion(names[rule], known[rule], limits, lowest == padlocks < MOST))
    if imbalance := parts["imbalance"]:
        words = f"a difference of {_imbalance_told(inputs)}"
        found.append(Criterion("baseline imbalance", words, f"lowered by {-imbalance}", True))
    if threats := parts["threats"]:
        words = _threats_told(inputs)
        found.append(Criterion("threats", words, f"lowered by {-threats}", True))
    unknown = [_named(name, inputs) for name in ("mdes", "attrition") if parts[name] is None]
    others = [name for name in _unknown(parts, inputs) if name not in unknown]
    if others:
        found.append(Criterion("not known", listed(others), ONLY_LOWER, True))
    return tuple(found)


@dataclass(frozen=True)
class _Row:
    rule: str
    measure: str
    upto: float
    padlocks: int


@cache
def _table() -> tuple[_Row, ...]:
    text = files("schooltrial.checks.rating").joinpath(TABLE).read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(
        _Row(row["rule"], row["measure"], inf if row["upto"] == "inf" else float(row["upto"]),
             int(row["padlocks"]))
        for row in rows
    )  # fmt: skip


def _rows(rule: str, measure: str | None) -> list[_Row]:
    return [row for row in _table() if row.rule == rule and measure in (None, row.measure)]


def _padlocks(rule: str, value: float, measure: str | None = None) -> int | None:
    """Return the padlocks of the first row that reaches the value; the limit itself counts."""
    if isnan(value):
        return None
    return next(row.padlocks for row in _rows(rule, measure) if round(value, 10) <= row.upto)


def _limit(rule: str, padlocks: int, measure: str | None = None) -> float:
    """Return the largest value that still has so many padlocks or more."""
    return max(row.upto for row in _rows(rule, measure) if row.padlocks >= padlocks)
