"""What a study does not show: its limits in numbers, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import pandas as pd

from schooltrial.protocol.content.people import joined_words
from schooltrial.protocol.content.shown_units import PERCENTAGE_POINTS, is_binary
from schooltrial.report.findings.headlines import p_phrase
from schooltrial.report.tables.checks import JOINT, SMALL
from schooltrial.wording import listed, percent, plural_of, sentence, year_spans

MOST = 4
"""Sentences that are told."""

NOTABLE = 0.05
"""Share of joiners, movers and units without what they were assigned, from which it is told."""

MANY_LOST = 0.20
"""Attrition from which it is told even where it is low by the boundary."""

MOVES = ("changed group", "changed school", "promoted")
"""Quantities of the check of attrition that count who moved."""

TINY_DEPARTURE = 0.05
"""Part of the largest departure before, below which a difference in trends is almost none."""

NOWHERE = "no school in the study"
NO_BASELINE_YEAR = "no baseline year"
"""Words of ``mobility.csv`` for who is new, and for a study that has no year before."""

SIMULATED = "The data are simulated: nothing here is a finding about a real programme."


@dataclass(frozen=True)
class Grounds:
    """What a study stored that its limits are seen in.

    Attributes
    ----------
    protocol : mapping
        The protocol's sections.
    verdict : mapping
        ``verdict.json``: of each primary outcome the ``inputs`` of its ratings.
    power : DataFrame, optional
        ``power.csv``.
    trends : DataFrame, optional
        ``parallel_trends.csv``.
    attrition : DataFrame, optional
        ``attrition.csv``, which says why people changed group.
    mobility : DataFrame, optional
        ``mobility.csv``, which says where pupils were at baseline.
    who_left : DataFrame, optional
        ``who_left.csv``, which tests whether different people left each group.
    gaps : sequence of str
        How unlike the groups were before the programme, in sentences.
    """

    protocol: Mapping[str, Any]
    verdict: Mapping[str, Any]
    power: pd.DataFrame | None = None
    trends: pd.DataFrame | None = None
    attrition: pd.DataFrame | None = None
    mobility: pd.DataFrame | None = None
    who_left: pd.DataFrame | None = None
    gaps: Sequence[str] = ()


def first_limits(grounds: Grounds) -> list[str]:
    """Return at most four sentences on what the study does not show.

    Parameters
    ----------
    grounds : Grounds
        Of the study.

    Returns
    -------
    list of str
        The most important first; that data are simulated is always told, and last.
    """
    last = [SIMULATED] if grounds.verdict["synthetic"] else []
    return [*every_limit(grounds)[: MOST - len(last)], *last]


def every_limit(grounds: Grounds) -> list[str]:
    """Return all sentences of `first_limits` but that data are simulated, and no fewer.

    Parameters
    ----------
    grounds : Grounds
        Of the study.
    """
    protocol, rated = grounds.protocol, grounds.verdict["ratings"]
    return [
        *_assignment(protocol, rated, grounds.trends),
        *grounds.gaps,
        *_power(rated, grounds.power),
        *_people(protocol, rated, grounds.attrition, grounds.mobility),
        *_attrition(protocol, rated),
        *_who_left(rated, grounds.who_left),
    ]


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
    unclear, any_will_do = list[str](), list[str]()
    told = list[tuple[str, str]]()
    for one in rated:
        mine = values[(values["outcome"] == one["outcome"]) & (values["model"] == one["model"])]
        value, label = mine["estimate"].min(), str(one["label"])
        if pd.isna(value) or not isfinite(value):
            continue
        if value <= 0:
            unclear.append(label)
        elif value < TINY_DEPARTURE:
            any_will_do.append(label)
        else:
            told.append((label, f"{value:.1f} times as large as the largest seen"))
    parts = []
    if unclear:
        parts.append(f"for {listed(unclear)}, the result is unclear even if trends are parallel")
    if any_will_do:
        parts.append(
            f"for {listed(any_will_do)}, almost any departure from parallel trends makes the "
            "result unclear"
        )
    if told:
        first = "one" if any_will_do else "a departure from parallel trends"
        makes = "" if any_will_do else " makes the result unclear"
        sizes = [
            f"for {label}, {'one' if at else first} {size}" for at, (label, size) in enumerate(told)
        ]
        parts.append(f"{listed(sizes)} from one year to the next before the start{makes}")
    if parts:
        yield sentence("; ".join(parts))


def _power(rated: Sequence[Mapping[str, Any]], power: pd.DataFrame | None) -> Iterator[str]:
    """Yield the least effect that could be detected, and whether that is more than expected."""
    if power is None:
        return
    rows = [
        row for one in rated if (row := power_row(power, one["outcome"], one["model"])) is not None
    ]
    if not rows:
        return
    ranges = _detectable(rows, rated)
    wanted = _span([f"{100 * row['target_power']:.0f}" for row in rows], "").strip() + "%"
    expected = [row for row in rows if pd.notna(row["effect"]) and pd.notna(row["power"])]
    short = [row for row in expected if row["power"] < row["target_power"]]
    if short:
        yield (
            f"The study was too small for the effect expected{_on(short, rows, rated)}, "
            f"{_expected(short)}: its chance of detecting it was {_powers(short)}. It could "
            f"reliably ({wanted} power) detect only effects of {listed(ranges)}."
        )
        return
    least = listed(ranges)
    sentence = f"Smaller effects: with {wanted} power the study could detect {least} or more"
    if expected:
        sentence += (
            f"; at the expected effect, {_expected(expected)}, its power was {_powers(expected)}"
        )
    yield f"{sentence}."


def _detectable(rows: Sequence[pd.Series], rated: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the least effects that could be detected, by outcome where these differ."""
    labels = {one["outcome"]: str(one["label"]) for one in rated}
    found: dict[str, list[str]] = {}
    for outcome in dict.fromkeys(row["outcome"] for row in rows):
        mine = [row for row in rows if row["outcome"] == outcome]
        said = [
            _span([_sized(row) for row in mine if row["units_label"] == scale], scale)
            for scale in dict.fromkeys(str(row["units_label"]) for row in mine)
        ]
        found.setdefault(listed(said), []).append(labels[outcome])
    if len(found) == 1:
        return list(found)
    return [f"{size} ({listed(named)})" for size, named in found.items()]


def _on(
    short: Sequence[pd.Series], rows: Sequence[pd.Series], rated: Sequence[Mapping[str, Any]]
) -> str:
    """Say on which outcomes the study was too small, where it was not on all."""
    if len(short) == len(rows):
        return ""
    labels = {one["outcome"]: str(one["label"]) for one in rated}
    return f" on {listed([labels[row['outcome']] for row in short])}"


def _expected(rows: Sequence[pd.Series]) -> str:
    scales = list(dict.fromkeys(str(row["units_label"]) for row in rows))
    return listed([
        _span([f"{row['effect']:.3g}" for row in rows if row["units_label"] == scale], scale)
        for scale in scales
    ])  # fmt: skip


def _sized(row: pd.Series) -> str:
    """Return a minimum detectable effect: of percentage points one decimal, else two."""
    return f"{row['mdes']:.{1 if row['units_label'] == PERCENTAGE_POINTS else 2}f}"


def power_in_points(
    power: pd.DataFrame, estimates: pd.DataFrame, outcomes: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the check of power with sizes on yes/no outcomes in percentage points, as effects are.

    The SD that turns them is that of the check itself: the standard error of an estimate over the
    same error in SDs. Rows of which either is not known stay in SDs.

    Parameters
    ----------
    power : DataFrame
        ``power.csv``.
    estimates : DataFrame
        The long table.
    outcomes : mapping
        The protocol's outcomes.
    """
    binary = [name for name, one in outcomes.items() if is_binary(one)]
    effects = estimates[(estimates["estimand"] == "ITT") & (estimates["term"] == "treated")]
    keys = ["model", "outcome", "subgroup"]
    errors = effects.drop_duplicates(keys).set_index(keys)["std_error"]
    found = [errors.get(key, nan) for key in power[keys].itertuples(index=False, name=None)]
    sd = pd.Series(found, index=power.index, dtype="float64") / power["std_error_estimate"]
    turned = power["outcome"].isin(binary) & (power["units_label"] == "SD") & sd.notna()
    shown = power.copy()
    for name in ("mdes", "effect"):
        shown[name] = power[name].where(~turned, 100 * sd * power[name])
    shown["units_label"] = power["units_label"].where(~turned, PERCENTAGE_POINTS)
    return shown


def _powers(rows: Sequence[pd.Series]) -> str:
    return _span([f"{100 * row['power']:.0f}" for row in rows], "") + "%"


def power_row(power: pd.DataFrame, outcome: str, model: str) -> pd.Series | None:
    """Return the row of an outcome at analysis, or at randomisation; of groups the least precise.

    Parameters
    ----------
    power : DataFrame
        ``power.csv``.
    outcome, model : str
        Names of a primary outcome and its model.
    """
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


def _people(
    protocol: Mapping[str, Any],
    rated: Sequence[Mapping[str, Any]],
    attrition: pd.DataFrame | None,
    mobility: pd.DataFrame | None,
) -> Iterator[str]:
    """Yield who joined, moved, or did not have what their group was assigned."""
    after = "randomisation" if protocol["design"]["randomised"] else "assignment"
    for people in dict.fromkeys(one["inputs"]["people"] for one in rated):
        mine = [
            one["inputs"] for one in rated
            if one["inputs"]["people"] == people and not one["inputs"]["formed_since"]
        ]  # fmt: skip
        told = []
        if joined := _notable(mine, "joined"):
            told.append(
                f"{percent(joined)} of analysed {people} "
                f"{joined_words(protocol, people) or f'joined after {after}'}"
            )
        if moved := _notable(mine, "changed_arm"):
            told.append(f"{percent(moved)} of {people} who stayed were in another group by then")
        if told:
            years = [one["year"] for one in rated if one["inputs"]["people"] == people]
            why = (
                f" ({reason})" if moved and (reason := moved_why(attrition, people, years)) else ""
            )
            yield f"{listed(told)}{why}."
    crossed = _notable([one["inputs"] for one in rated], "crossovers")
    if crossed:
        words = next(one["inputs"]["crossed"] for one in rated if one["inputs"]["crossed"])
        yield f"{percent(crossed)} {words}."
    unknown = [
        one for one in rated
        if protocol["design"]["randomised"]
        and (one["inputs"]["joined"] is None or one["inputs"]["formed_since"])
    ]  # fmt: skip
    for people in dict.fromkeys(one["inputs"]["people"] for one in unknown):
        years = sorted({one["year"] for one in unknown if one["inputs"]["people"] == people})
        yield _joiners_not_counted(people, years, mobility if people == "pupils" else None)


def _joiners_not_counted(people: str, years: Sequence[int], mobility: pd.DataFrame | None) -> str:
    """Say what is known of joiners where the check of attrition does not count them.

    It counts none where the roster is that of the year itself, as with classes formed since.
    """
    shown = mobility[mobility["year"].isin(list(years))] if mobility is not None else pd.DataFrame()
    if shown.empty or shown["where_at_baseline"].str.contains(NO_BASELINE_YEAR, regex=False).any():
        return f"{people.capitalize()} who joined after randomisation cannot be identified."
    new = shown.loc[shown["where_at_baseline"] == NOWHERE, "n_pupils"].sum()
    return (
        f"The {people} are those on the rosters of {year_spans(years)}, drawn up after "
        f"randomisation: {percent(new / shown['n_pupils'].sum())} of them were in no school of the "
        "study at baseline."
    )


def moves_sentence(attrition: pd.DataFrame, years: Sequence[int]) -> str:
    """Return how many pupils changed group and what that does to an effect; empty for few.

    Parameters
    ----------
    attrition : DataFrame
        ``attrition.csv``.
    years : sequence of int
        Years of the primary analysis.
    """
    moves = _moves(attrition, "pupils", years)
    if moves.empty or not moves["changed group"].max() >= NOTABLE:
        return ""
    why = moved_why(attrition, "pupils", years)
    return (
        f"{percent(moves['changed group'].max())} of the pupils who were there at the baseline and "
        f"still are were in another group by then{f': {why}' if why else ''}. They may have "
        "had a part of what each group received, which tends to make the difference between the "
        "groups smaller than if all had stayed."
    )


def moved_why(attrition: pd.DataFrame | None, people: str, years: Sequence[int]) -> str:
    """Return why most of those who changed group did, where the counts prove it; else nothing.

    Counted are those who changed group, those who moved on from their school's last grade, and
    those who changed school otherwise: where one of the last two is less than half of the first,
    most are of the other kind.

    Parameters
    ----------
    attrition : DataFrame, optional
        ``attrition.csv``.
    people : str
        Whose moves: ``pupils``.
    years : sequence of int
        Years whose moves are counted.
    """
    moves = pd.DataFrame() if attrition is None else _moves(attrition, people, years)
    if moves.empty or moves.isna().any(axis=None) or not (moves["changed group"] > 0).all():
        return ""
    if (2 * moves["changed school"] < moves["changed group"]).all():
        return "most finished the last grade of their school and moved up to one of another group"
    if (2 * moves["promoted"] < moves["changed group"]).all():
        return "most changed school before its last grade"
    return ""


def _moves(attrition: pd.DataFrame, people: str, years: Sequence[int]) -> pd.DataFrame:
    """Return the shares who moved, by year and group; empty where they are not counted."""
    mine = attrition[
        (attrition["level"] == people)
        & attrition["kind"].isin(MOVES)
        & attrition["year"].astype("str").isin([str(year) for year in years])
    ]
    if set(mine["kind"]) != set(MOVES):
        return pd.DataFrame()
    return mine.pivot_table(index=["year", "arm"], columns="kind", values="overall")


def _notable(inputs: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the largest share of the outcomes, where it is worth a sentence."""
    largest = max((one[key] for one in inputs if one[key] is not None), default=0.0)
    return float(largest) if largest >= NOTABLE else None


def _who_left(rated: Sequence[Mapping[str, Any]], who_left: pd.DataFrame | None) -> Iterator[str]:
    """Yield of which outcomes those who left one group were not like those who left the other."""
    if who_left is None:
        return
    joint = who_left[(who_left["term"] == JOINT) & (who_left["p_value"] < SMALL)]
    found = {
        one["label"]: p_phrase(float(mine["p_value"].min()))
        for one in rated
        if len(
            mine := joint[(joint["outcome"] == one["outcome"]) & (joint["model"] == one["model"])]
        )
    }
    if found:
        told = "; ".join(f"those without {label}: {p}" for label, p in found.items())
        yield (
            "The groups may have lost different individuals, so that those analysed may differ "
            f"too: joint tests of what was known of them at baseline ({told})."
        )


def _attrition(protocol: Mapping[str, Any], rated: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the largest attrition, where it is high or much, and what it is a share of."""
    rows = [
        {**row, "label": one["label"], "attrition": one["inputs"]["attrition"]}
        for one in rated
        for row in one["inputs"]["attrition"]
        if row["overall"] is not None and row["differential"] is not None
    ]
    high = [row for row in rows if row["verdict"] == "high"]
    shown = high or [row for row in rows if row["overall"] >= MANY_LOST]
    if shown:
        worst = max(shown, key=lambda row: float(row["overall"]))
        of = f" ({worst['label']})" if len(rated) > 1 else ""
        level, _, which = str(worst["level"]).partition(" ")
        units = plural_of(protocol["design"]["unit"])
        kept = units in [row["level"] for row in worst["attrition"] if row["overall"] == 0]
        if level == units:
            whose = (
                f"the {level} {'randomised' if protocol['design']['randomised'] else 'compared'}"
            )
        else:
            then = "randomisation" if protocol["design"]["randomised"] else "the baseline"
            stayed = f" {which}" if which and not kept else ""
            whose = f"the {level}{stayed} who were there at {then} and could still be measured"
        none = f" No {protocol['design']['unit']} was lost." if kept and level != units else ""
        yield (
            f"{percent(worst['overall'])} of {whose} were not analysed{of}: they left or have no "
            f"outcome. The share lost differs by {100 * abs(worst['differential']):.1f} percentage "
            f"points between the groups; attrition is {worst['verdict']} by the WWC boundary.{none}"
        )
