"""What was found for an outcome: the numbers, and the sentence that says them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, isfinite, log10
from typing import Any

import pandas as pd

from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.document.numbers import effect_decimals, number, p_text, signed
from schooltrial.document.text import Strong, Text
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.people import people_counted
from schooltrial.protocol.content.sections import arm_labels
from schooltrial.protocol.content.shown_units import effect_unit, is_binary
from schooltrial.wording import counted, listed, plural, uncapitalised

HEADLINES = ("ITT", "ATT", "CACE")
"""Estimands that a summary may report."""

MOST_DIGITS = 6
"""Decimals up to which a bound near zero is written out."""

NAMED = 2
"""Sensitivity analyses that a sentence names; more are counted."""

LONGEST = 80
"""Characters that their names may have together."""


@dataclass(frozen=True)
class Finding:
    """One effect of a model on an outcome: of a primary one, or the first on a secondary one.

    Attributes
    ----------
    model, outcome, arm, estimand : str
        As in the table of estimates; ``arm`` is empty for several groups together.
    label, model_label : str
        Names in exhibits.
    group, comparison : str
        Whom the effect compares, such as ``pupils in programme schools``.
    unit : str
        Unit of the numbers below: ``SD``, ``percentage points``, or the outcome's own.
    estimate, low, high : float
        Effect and confidence interval, in ``unit``.
    level : float
        Confidence level.
    p_value : float
    effect_size, es_low, es_high : float
        Standardised effect and its interval; NaN where there is none.
    people : str
        What is counted, such as ``pupils``.
    n_people : int or None
        None where rows are schools of unknown size.
    places : str
        In how many schools; empty where the trial has none.
    units : str
        How many units were analysed, where units inside schools were assigned; else empty.
    converged : bool
    note : str
        What a reader must know of this estimate.
    binary, in_sd, gained : bool
        Whether the outcome is a yes/no variable; is in SDs; and whether the effect is a
        difference of changes.
    averaged : str
        Years of the programme that an effect of a panel averages, such as ``2019 and 2020``;
        empty for one year, and where groups began in different years.
    """

    model: str
    outcome: str
    arm: str
    estimand: str
    label: str
    model_label: str
    group: str
    comparison: str
    unit: str
    estimate: float
    low: float
    high: float
    level: float
    p_value: float
    effect_size: float
    es_low: float
    es_high: float
    people: str
    n_people: int | None
    places: str
    units: str
    converged: bool
    note: str
    binary: bool
    in_sd: bool
    gained: bool
    averaged: str = ""

    @property
    def digits(self) -> int:
        """Decimals with which the effect and its interval are written."""
        return (
            digits_of(self.low, self.high, in_sd=self.in_sd)
            if self.found
            else digits_of(self.estimate, in_sd=self.in_sd)
        )

    @property
    def found(self) -> bool:
        """Whether there is an estimate with an interval."""
        return self.converged and isfinite(self.estimate) and isfinite(self.low + self.high)

    @property
    def size(self) -> str:
        """The effect with its sign, and its interval: ``+0.08 (−0.06 to 0.21)``."""
        return with_interval(self.estimate, self.low, self.high, self.digits)

    @property
    def ci(self) -> str:
        """What the interval is called: ``95% CI``."""
        return f"{100 * self.level:g}% CI"


def summarise_findings(estimates: pd.DataFrame, protocol: Mapping[str, Any]) -> list[Finding]:
    """Return the effects of the primary models on primary outcomes, group by group.

    Where several models analyse an outcome, its label names the model too.
    """
    models, outcomes = protocol["models"], protocol["outcomes"]
    primary = [name for name, model in models.items() if model["role"] == "primary"]
    rows = estimates[estimates["model"].isin(primary) & estimates["estimand"].isin(HEADLINES)]
    found = [finding(row, protocol) for _, row in rows.iterrows()]
    kept = [one for one in found if outcomes[one.outcome]["primary"]]
    by_outcome = {one.outcome: {o.model for o in kept if o.outcome == one.outcome} for one in kept}
    return [
        replace(one, label=f"{one.label} ({one.model_label})")
        if len(by_outcome[one.outcome]) > 1
        else one
        for one in kept
    ]


def secondary_findings(estimates: pd.DataFrame, protocol: Mapping[str, Any]) -> list[Finding]:
    """Return one effect for each secondary outcome and group: of a primary model, or the first."""
    models, outcomes = protocol["models"], protocol["outcomes"]
    wanted = [name for name, outcome in outcomes.items() if not outcome["primary"]]
    rows = estimates[
        estimates["outcome"].isin(wanted) & estimates["estimand"].isin(HEADLINES)
        & (estimates["subgroup"] == "all")
    ]  # fmt: skip
    found = []
    for outcome in wanted:
        mine = rows[rows["outcome"] == outcome]
        fitted = [name for name in models if name in set(mine["model"])]
        of_roles = [
            name for role in ("primary", "secondary") for name in fitted
            if models[name]["role"] == role
        ]  # fmt: skip
        chosen = mine[mine["model"].isin(of_roles[:1])]
        found += [finding(row, protocol) for _, row in chosen.iterrows()]
    return [one for one in found if one.found]


def finding(row: pd.Series, protocol: Mapping[str, Any]) -> Finding:
    """Return what one row of the table of estimates says."""
    model, outcome = protocol["models"][row["model"]], protocol["outcomes"][row["outcome"]]
    arms = arm_labels(protocol["design"])
    levels = DesignLevels.of(protocol["design"])
    arm = arm_of(row["term"], model, list(arms))
    binary = outcome["scale"] == "binary"
    times = 100.0 if binary else 1.0
    control, *others = arms.values()
    group = arms.get(arm) or (others[0] if len(others) == 1 else "intervention group")
    return Finding(
        model=row["model"], outcome=row["outcome"], arm=arm, estimand=row["estimand"],
        label=outcome["label"], model_label=model["label"],
        group=people_in(outcome["measured_on"], group, levels),
        comparison=people_in(outcome["measured_on"], control, levels),
        unit=unit_of(outcome), estimate=times * row["estimate"], low=times * row["conf_low"],
        high=times * row["conf_high"], level=model["confidence_level"], p_value=row["p_value"],
        effect_size=row["effect_size"], es_low=row["es_conf_low"], es_high=row["es_conf_high"],
        people=people_counted(model, outcome, protocol["years"]),
        n_people=_counted(row["n_individuals"]),
        places=_places(row, levels), units=_units(row, levels), converged=bool(row["converged"]),
        note="" if pd.isna(row["note"]) else row["note"],
        binary=binary, in_sd=is_in_sd(outcome), gained=model["estimator"] in OF_PANELS,
        averaged=_averaged(model, protocol),
    )  # fmt: skip


def _averaged(model: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """Return the programme's years that a model of a panel averages, where there are several."""
    years = protocol["years"]["programme"]
    kept = model["where"].get("year", years)
    active = [year for year in years if year in kept]
    if (
        model["estimator"] not in OF_PANELS
        or protocol["design"]["kind"] == "staggered"
        or len(active) < 2
    ):
        return ""
    return listed([str(year) for year in active])


def is_in_sd(outcome: Mapping[str, Any]) -> bool:
    """Return whether an outcome is analysed in standard deviations."""
    return bool(outcome["standardise"] != "none")


def unit_of(outcome: Mapping[str, Any]) -> str:
    """Return the unit in which a reader sees an effect on an outcome."""
    in_sd = is_in_sd(outcome) and not is_binary(outcome)
    return "SD" if in_sd else effect_unit(outcome)


def people_in(level: str, arm: str, levels: DesignLevels) -> str:
    """Return whose outcome it is: ``pupils in programme schools``, or the group alone.

    Parameters
    ----------
    level : str
        Whose outcome it is: pupil, teacher or school.
    arm : str
        Label of the group, which names units.
    levels : DesignLevels
        What was randomised.
    """
    if level == levels.unit or level == "school":
        return uncapitalised(arm)
    between = "in" if levels.unit == "school" else "of"
    return f"{level}s {between} {uncapitalised(arm)}"


def digits_of(*values: float, in_sd: bool = False) -> int:
    """Return the decimals that show numbers without contradicting their signs.

    Two for SDs; else two digits of the largest. More where a number that is not zero would be
    written as zero.
    """
    known = [abs(value) for value in values if isfinite(value) and value != 0]
    if not known:
        return 2
    digits = 2 if in_sd else max(0 if max(known) >= 100 else 1, 1 - floor(log10(max(known))))
    while digits < MOST_DIGITS and any(round(value, digits) == 0 for value in known):
        digits += 1
    return digits


def with_interval(estimate: float, low: float, high: float, digits: int) -> str:
    """Return an effect with its sign and its interval; nothing where it is missing."""
    if pd.isna(estimate):
        return ""
    digits = effect_decimals(digits, estimate, low, high)
    bounds = f" ({number(low, digits)} to {number(high, digits)})" if not pd.isna(low) else ""
    return signed(estimate, digits) + bounds


def p_phrase(value: float) -> str:
    """Return a p-value for a sentence: ``p = 0.260``, ``p < 0.001``; nothing where missing."""
    text = p_text(value)
    if not text:
        return ""
    return f"p {text[0]} {text[1:].strip()}" if text.startswith("<") else f"p = {text}"


def finding_sentence(one: Finding) -> Text:
    """Return one finding as a sentence: outcome, size, comparison, interval and p-value."""
    if not one.converged:
        return f"{one.label}: no estimate, because the model did not converge."
    if not one.found:
        return f"{one.label}: no interval could be computed, so there is no finding."
    size = f"{number(abs(one.estimate), one.digits)} {one.unit}"
    way = "higher" if one.estimate > 0 else "lower"
    whom = "among those who took up the offer, " if one.estimand == "CACE" else ""
    inside = ", ".join(filter(None, [
        f"{one.ci} {number(one.low, one.digits)} to {number(one.high, one.digits)}",
        p_phrase(one.p_value),
    ])).replace(", p", "; p")  # fmt: skip
    if not signed(one.estimate, one.digits).startswith(("+", "−")):
        what = f"{one.label}: {whom}the difference between {one.group} and {one.comparison} was "
        return (what, Strong(size), f" ({inside}).")
    if one.gained:
        verb = "gained" if one.estimate > 0 else "lost"
        said = Strong(f"{verb} {size}")
        return (
            f"{one.label}: {whom}{one.group} ", said, f" relative to {one.comparison} ({inside})."
        )  # fmt: skip
    if one.in_sd:
        said = Strong(f"{size} {way}")
        return (
            f"{one.label}: {whom}{one.group} scored ", said,
            f" than {one.comparison} ({inside}).",
        )  # fmt: skip
    what = "the share was " if one.binary else "the mean was "
    between = f" for {one.group} than for {one.comparison} ({inside})."
    return (f"{one.label}: {whom}{what}", Strong(f"{size} {way}"), between)


def verdict_sentence(one: Finding, *, randomised: bool) -> str:
    """Return what the interval allows to be said, and no more; empty if there is none."""
    if not one.found:
        return ""
    low, high = number(abs(one.low), one.digits), number(abs(one.high), one.digits)
    if one.low > 0 or one.high < 0:
        told = (
            f"Zero is outside the {one.ci}: chance alone would rarely make a difference this large."
        )
        return told if randomised else f"{told} {CONDITION}"
    what = "trial" if randomised else "study"
    told = (
        f"The data are compatible with anything from {low} {one.unit} lower to {high} {one.unit} "
        f"higher: the {what} cannot tell whether the programme helped, harmed or did nothing."
    )
    return told if randomised else f"{told} {CONDITION}"


CONDITION = "This is an effect only if trends would have been parallel without the programme."


def _counted(pupils: Any) -> int | None:
    """Return how many an estimate counts; None if rows are schools of unknown size."""
    return None if pd.isna(pupils) else int(pupils)


def _places(row: pd.Series, levels: DesignLevels) -> str:
    """Say in how many schools those counted are; nothing where the trial has no schools."""
    if not levels.in_schools:
        return ""
    schools = plural(int(row["n_schools"]), "school")
    if levels.unit != "school":
        return schools
    return f"{schools}, {int(row['n_treated_schools']):,} intervention"


def _units(row: pd.Series, levels: DesignLevels) -> str:
    """Say how many units were analysed, where they are not schools and are known."""
    if levels.unit == "school" or pd.isna(row["n_units"]):
        return ""
    treated = f"{int(row['n_treated_units']):,} intervention"
    return f"{plural(int(row['n_units']), levels.unit)}, {treated}"


def arm_of(term: str, model: Mapping[str, Any], arms: Sequence[str]) -> str:
    """Return the group whose effect a term is; empty if it is of several groups together.

    Parameters
    ----------
    term : str
        Of the estimates table: ``treated``, or ``treated[arm=…]``.
    model : mapping
        The protocol's model.
    arms : sequence of str
        Names of the groups, the comparison group first.
    """
    named = re.search(r"\[arm=([^\]]+)\]", str(term))
    if named:
        return named[1]
    compared = [arm for arm in arms[1:] if not model["arms"] or arm in model["arms"]]
    return compared[0] if len(compared) == 1 else ""


def sensitivity_findings(
    estimates: pd.DataFrame, protocol: Mapping[str, Any], one: Finding
) -> list[Finding]:
    """Return the sensitivity analyses of a finding: same outcome, group and whole sample."""
    models = protocol["models"]
    chosen = [name for name, model in models.items() if model["role"] == "sensitivity"]
    rows = estimates[
        estimates["model"].isin(chosen)
        & (estimates["outcome"] == one.outcome)
        & estimates["estimand"].isin(HEADLINES)
        & (estimates["subgroup"] == "all")
    ]
    found = [finding(row, protocol) for _, row in rows.iterrows()]
    return [other for other in found if other.arm == one.arm]


def other_samples_sentence(
    estimates: pd.DataFrame, protocol: Mapping[str, Any], one: Finding
) -> str:
    """Return what sensitivity analyses of other samples give, such as a placebo; else nothing.

    They are not compared with the finding, as they are of other years or other individuals.
    """
    models = protocol["models"]
    rows = estimates[
        estimates["model"].isin([n for n, one in models.items() if one["role"] == "sensitivity"])
        & (estimates["outcome"] == one.outcome)
        & estimates["estimand"].isin(HEADLINES)
        & (estimates["subgroup"] != "all")
    ]
    found = [other for _, row in rows.iterrows() if (other := finding(row, protocol)).found]
    told = [
        f"{other.model_label}: {other.size} {other.unit}"
        for other in found
        if other.arm == one.arm
    ]  # fmt: skip
    if not told or not one.found:
        return ""
    if len(told) > NAMED:
        return f"{counted(len(told)).capitalize()} more are of other years or samples."
    return f"Of other years or samples: {'; '.join(told)}."


def sensitivity_sentence(one: Finding, others: Sequence[Finding]) -> str:
    """Return how the sensitivity analyses compare with a finding; empty if there are none."""
    known = [other for other in others if isfinite(other.estimate)]
    if not known or not one.found:
        return ""
    values = [other.estimate for other in known]
    digits = digits_of(one.estimate, *values, in_sd=one.in_sd)
    shown, primary = [round(value, digits) for value in values], round(one.estimate, digits)
    least, most = signed(min(values), digits), signed(max(values), digits)
    span = f"{least} {one.unit}" if least == most else f"{least} to {most} {one.unit}"
    every = {1: "The one", 2: "Both"}.get(len(known), f"All {counted(len(known))}")
    analyses, verb = ("analysis", "gives") if len(known) == 1 else ("analyses", "give")
    if max(shown) < primary:
        told = f"{every} sensitivity {analyses} {verb} {_lower(known, span)}"
    elif min(shown) > primary:
        told = f"{every} sensitivity {analyses} {verb} {_higher(known, span)}"
    else:
        start = every if len(known) < 3 else f"The {counted(len(known))}"
        told = f"{start} sensitivity {analyses} {verb} {span}"
    differing = [other for other in known if disagrees(one, other)]
    return f"{told}.{_disagreement(one, differing, len(known))}"


def disagrees(one: Finding, other: Finding) -> bool:
    """Return whether zero is outside the interval of one of two findings only."""
    return one.found and other.found and excludes_zero(one) != excludes_zero(other)


def excludes_zero(one: Finding) -> bool:
    """Return whether zero is outside the interval of a finding."""
    return one.low > 0 or one.high < 0


def _lower(known: Sequence[Finding], span: str) -> str:
    return f"a lower estimate ({span})" if len(known) == 1 else f"lower estimates ({span})"


def _higher(known: Sequence[Finding], span: str) -> str:
    return f"a higher estimate ({span})" if len(known) == 1 else f"higher estimates ({span})"


def _disagreement(one: Finding, differing: Sequence[Finding], known: int) -> str:
    """Say which analyses' intervals include zero where the primary one does not, or exclude it."""
    if not differing:
        return ""
    verb = "include" if excludes_zero(one) else "exclude"
    if len(differing) == 1:
        (other,) = differing
        years = other.averaged if other.averaged != one.averaged else ""
        which = f"{other.model_label}, which averages {years}" if years else other.model_label
        who = f"One of them ({which})" if known > 1 else "It"
        return f" {who} {verb}s zero: {other.size} {other.unit}."
    if len(differing) == known:
        return f" The intervals of {'both' if known == 2 else 'all'} of them {verb} zero."
    names = f" ({'; '.join(dict.fromkeys(other.model_label for other in differing))})"
    names = names if len(differing) <= NAMED and len(names) <= LONGEST else ""
    return f" The intervals of {counted(len(differing))} of them{names} {verb} zero."
