"""What a study does not show: its limits in numbers, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import pandas as pd

from schooltrial.wording import listed, percent, plural, plural_of

MOST = 4
"""Sentences that are told."""

NOTABLE = 0.05
"""Share of joiners, movers and units without what they were assigned, from which it is told."""

MANY_LOST = 0.20
"""Attrition from which it is told even where it is low by the boundary."""

SIMULATED = "The data are simulated: nothing here is a finding about a real programme."


def describe_limits(
    protocol: Mapping[str, Any],
    verdict: Mapping[str, Any],
    power: pd.DataFrame | None = None,
    trends: pd.DataFrame | None = None,
) -> list[str]:
    """Return at most four sentences on what the study does not show.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    verdict : mapping
        ``verdict.json``: of each primary outcome the ``inputs`` of its ratings.
    power : DataFrame, optional
        ``power.csv``.
    trends : DataFrame, optional
        ``parallel_trends.csv``.

    Returns
    -------
    list of str
        The most important first; that data are simulated is always told, and last.
    """
    rated = verdict["ratings"]
    found = [
        *_assignment(protocol, rated, trends),
        *_power(rated, power),
        *_people(protocol, rated),
        *_attrition(rated),
        *_outcomes(rated),
    ]
    last = [SIMULATED] if verdict["synthetic"] else []
    return [*found[: MOST - len(last)], *last]


def _assignment(
    protocol: Mapping[str, Any], rated: Sequence[Mapping[str, Any]], trends: pd.DataFrame | None
) -> Iterator[str]:
    """Yield the assumptions of the comparison, where it is not by chance alone."""
    design = protocol["design"]
    units = plural_of(design["unit"]).capitalize()
    if not design["randomised"]:
        if design["kind"] != "staggered":
            yield (
                f"{units} were not randomised: a difference between the groups is an effect only "
                "if the groups would otherwise have had the same outcomes, given the covariates."
            )
            return
        yield (
            f"{units} were not randomised: a difference between the groups is an effect only if "
            "their trends would otherwise have been parallel."
        )
        yield from _breakdown(rated, trends)
    elif any(one["inputs"]["compromised"] or one["inputs"]["doubted"] for one in rated):
        yield (
            "The recorded allocation is in doubt, so a difference between the groups may not be "
            "an effect of the programme."
        )


def _breakdown(rated: Sequence[Mapping[str, Any]], trends: pd.DataFrame | None) -> Iterator[str]:
    """Yield by how much trends may differ until the interval includes zero."""
    if trends is None:
        return
    values = trends[(trends["check"] == "breakdown") & (trends["term"] == "relative magnitudes")]
    told = []
    for one in rated:
        mine = values[(values["outcome"] == one["outcome"]) & (values["model"] == one["model"])]
        value = mine["estimate"].min()
        if pd.notna(value) and isfinite(value):
            told.append(f"{value:.2f} times ({one['label']})")
    if told:
        yield (
            f"If trends after the start differed by {listed(told)} the largest difference from one "
            "year to the next before it, the interval would include zero."
        )


def _power(rated: Sequence[Mapping[str, Any]], power: pd.DataFrame | None) -> Iterator[str]:
    """Yield the least effect that could be detected, and the power at the expected effect."""
    if power is None:
        return
    rows = [row for one in rated if (row := _row(power, one["outcome"], one["model"])) is not None]
    if not rows:
        return
    scales = list(dict.fromkeys(str(row["scale"]) for row in rows))
    ranges = [
        _span([f"{row['mdes']:.2f}" for row in rows if row["scale"] == scale], scale)
        for scale in scales
    ]
    wanted = _span([f"{100 * row['power_wanted']:.0f}" for row in rows], "").strip() + "%"
    sentence = f"The study could detect effects of {listed(ranges)} with {wanted} power"
    expected = [row for row in rows if pd.notna(row["effect"]) and pd.notna(row["power"])]
    if expected:
        worst = min(expected, key=lambda row: float(row["power"]))
        name = next(one["label"] for one in rated if one["outcome"] == worst["outcome"])
        of = f" on {name}" if len(rated) > 1 else ""
        sentence += (
            f"; at the expected effect of {worst['effect']:g} {worst['scale']}{of} its power was "
            f"{100 * worst['power']:.0f}%"
        )
    yield f"{sentence}."


def _row(power: pd.DataFrame, outcome: str, model: str) -> pd.Series | None:
    """Return the row of an outcome at analysis, or at randomisation; of arms the least precise."""
    mine = power[
        (power["outcome"] == outcome)
        & (power["model"] == model)
        & (power["subgroup"] == "all")
        & power["mdes"].notna()
        & ~power["method"].str.startswith("simulation")
    ]
    for stage in ("analysis", "randomisation"):
        rows = mine[mine["stage"] == stage]
        if not rows.empty:
            found: pd.Series = rows.loc[rows["mdes"].idxmax()]
            return found
    return None


def _span(values: Sequence[str], unit: str) -> str:
    ordered = sorted(set(values), key=float)
    numbers = ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"
    return f"{numbers} {unit}".strip()


def _people(protocol: Mapping[str, Any], rated: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield who joined, moved, or did not have what their group was assigned."""
    after = "randomisation" if protocol["design"]["randomised"] else "assignment"
    for people in dict.fromkeys(one["inputs"]["people"] for one in rated):
        mine = [one["inputs"] for one in rated if one["inputs"]["people"] == people]
        told = []
        if joined := _notable(mine, "joined"):
            told.append(f"{percent(joined)} of analysed {people} joined after {after}")
        if moved := _notable(mine, "changed_arm"):
            told.append(f"{percent(moved)} of retained {people} were analysed in the other group")
        if told:
            yield f"{listed(told)}."
    if crossed := _notable([one["inputs"] for one in rated], "crossovers"):
        units = plural_of(protocol["design"]["unit"])
        yield (
            f"In one group, {percent(crossed)} of {units} did not receive what they were assigned, "
            "or received what they were not."
        )
    unknown = [
        one["inputs"]["people"]
        for one in rated
        if protocol["design"]["randomised"] and one["inputs"]["joined"] is None
    ]
    if unknown:
        yield (
            f"{listed(list(dict.fromkeys(unknown))).capitalize()} who joined after randomisation "
            "cannot be identified."
        )


def _notable(inputs: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the largest share of the outcomes, where it is worth a sentence."""
    largest = max((one[key] for one in inputs if one[key] is not None), default=0.0)
    return float(largest) if largest >= NOTABLE else None


def _attrition(rated: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the largest attrition, where it is high or much."""
    rows = [
        row
        for one in rated
        for row in one["inputs"]["attrition"]
        if row["overall"] is not None and row["differential"] is not None
    ]
    high = [row for row in rows if row["verdict"] == "high"]
    shown = high or [row for row in rows if row["overall"] >= MANY_LOST]
    if shown:
        worst = max(shown, key=lambda row: float(row["overall"]))
        yield (
            f"{percent(worst['overall'])} of {worst['level']} had no outcome, and the groups "
            f"differ by {100 * abs(worst['differential']):.1f} percentage points: attrition is "
            f"{worst['verdict']} by the WWC boundary."
        )


def _outcomes(rated: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    count = len({one["outcome"] for one in rated})
    if count > 1:
        yield (
            f"There are {plural(count, 'primary outcome')}, and p-values are not adjusted for "
            "their number."
        )
