"""Effects of models as the report shows them, by model, each method said once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from schooltrial.document.numbers import number, signed
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.exhibits.tables.plain_labels import PlainLabels, yes_no_variables
from schooltrial.exhibits.tables.results import selected
from schooltrial.protocol.content.sections import arm_labels
from schooltrial.protocol.content.shown_units import PERCENTAGE_POINTS
from schooltrial.report.findings.headlines import (
    HEADLINES,
    Finding,
    digits_of,
    disagrees,
    excludes_zero,
    finding,
    with_interval,
)
from schooltrial.wording import listed, part_notes, sentence

Rows = Callable[[str, bool], bool]
"""Which rows a table shows: by the role of their model, and whether their outcome is primary."""

JOINT = ("joint test", "first stage")
"""Estimands that are a test, without an estimate."""

COLUMNS = (
    Column("Outcome", key="label"),
    Column("Estimand and term", key="what"),
    Column("Effect", "told", key="size"),
    Column("CI", "told", key="interval"),
    Column("Unit", key="unit"),
    Column("SE", "told", key="se"),
    Column("df", "number", 1),
    Column("p", "p", key="p_value"),
    Column("Effect size", "told", key="g", optional=True),
    Column("Individuals", "told", key="people", optional=True),
    Column("Units", "told", key="units", optional=True),
    Column("Schools", "told", key="schools", optional=True),
    Column("Notes", key="note", optional=True),
)


@dataclass(frozen=True)
class ShownEffects:
    """A table of effects, and what holds for all rows of a model, said once.

    Attributes
    ----------
    table : Table
    notes : tuple of str
    """

    table: Table
    notes: tuple[str, ...]


def effects_shown(
    estimates: pd.DataFrame,
    protocol: Mapping[str, Any],
    title: str,
    chosen: Rows,
    labels: Mapping[str, str],
    compared: Sequence[Finding] = (),
    attrition: pd.DataFrame | None = None,
) -> ShownEffects | None:
    """Return the effects of the models of some roles; None if there are none.

    Parameters
    ----------
    estimates : DataFrame
        The long table of estimates.
    protocol : mapping
        The protocol's sections.
    title : str
    chosen : callable
        Which rows are shown, by the role of their model and whether their outcome is primary.
    labels : mapping
        Variable → its name in exhibits.
    compared : sequence of Finding
        Primary findings, which are shown first; rows that disagree with them are marked.
    attrition : DataFrame, optional
        ``attrition.csv``; effects of years in which attrition is high are marked.
    """  # fmt: skip
    models, outcomes = protocol["models"], protocol["outcomes"]
    rows = selected(estimates, models, outcomes)
    mine = pd.Series(
        [
            chosen(models[model]["role"], outcomes[outcome]["primary"])
            for model, outcome in zip(rows["model"], rows["outcome"], strict=True)
        ],
        rows.index, dtype="bool",
    )  # fmt: skip
    if not mine.any():
        return None
    named = PlainLabels(
        labels, arm_labels(protocol["design"]), yes_no_variables(rows["term"].astype("str"))
    )
    analysed = set(rows.loc[mine, "outcome"])
    first = [
        not here and row["outcome"] in analysed and _is_of(row, compared)
        for row, here in zip(rows.to_dict("records"), mine, strict=True)
    ]
    compared_with = sum(first)
    rows = pd.concat([rows[first], rows[mine]], ignore_index=True)
    cells, notes = [], dict[str, list[str]]()
    for model in dict.fromkeys(rows["model"]):
        of_model = rows[rows["model"] == model]
        shared, own = _shared([_notes(row) for row in of_model.to_dict("records")], of_model)
        methods = list(dict.fromkeys(of_model["method"]))
        method = methods[0] if len(methods) == 1 else ""
        for (_, row), note in zip(of_model.iterrows(), own, strict=True):
            apart = "" if method else row["method"]
            lost = high_attrition(row, models[model], attrition)
            remark = "; ".join(filter(None, [lost, note]))
            cells.append(_cells(row, protocol, remark, named, apart, compared))
        told = named.of_note("; ".join(filter(None, [method, *shared])))
        if told:
            notes.setdefault(told, []).append(models[model]["label"])
    groups = [
        _group(row, models, primary=at < compared_with)
        for at, row in enumerate(rows.to_dict("records"))
    ]
    confidence = {models[name]["confidence_level"] for name in rows["model"]}
    ci = f"{100 * confidence.pop():g}% CI" if len(confidence) == 1 else "CI"
    columns = [replace(one, name=ci) if one.key == "interval" else one for one in COLUMNS]
    table = tabulate(title, pd.DataFrame(cells), columns, group=groups)
    every = rows["model"].nunique()
    said = tuple(
        sentence(told) if 1 < every == len(alike) else f"{'; '.join(alike)}: {told}."
        for told, alike in notes.items()
    )
    return ShownEffects(table, (*said, *same_estimates(rows, models)))


ONE_ESTIMATE = (
    "Each is least squares with the same covariates, so that only the way in which its precision "
    "is judged differs."
)

DIVISOR = (
    "In randomisation inference and in the bootstrap the SE only divides the test statistic: "
    "p-values and intervals come from the draws."
)

DRAWN = ("randomisation_inference", "wild_bootstrap")

SAME = ".8g"
"""Estimates that are alike in so many digits are one."""


def same_estimates(rows: pd.DataFrame, models: Mapping[str, Any]) -> list[str]:
    """Return why one estimate has several standard errors; nothing where none has.

    Parameters
    ----------
    rows : DataFrame
        Of the table of estimates, as they are shown.
    models : mapping
        The protocol's models.
    """
    known = rows[rows["estimand"].isin(HEADLINES) & rows["std_error"].notna()]
    sizes = known["estimate"].map(lambda size: format(size, SAME))
    found = dict[tuple[str, ...], bool]()
    for _, alike in known.groupby(["outcome", "term", "subgroup", sizes], sort=False):
        if alike["std_error"].nunique() < 2:
            continue
        told = [str(models[row["model"]]["label"]) for row in alike.to_dict("records")]
        if alike["model"].nunique() == 1:
            told = alike["method"].astype("str").to_list()
        roles = [models[name]["role"] for name in alike["model"]]
        if roles.count("primary") == 1 < alike["model"].nunique():
            told[roles.index("primary")] += ", the primary analysis"
        estimators = {models[name]["estimator"] for name in alike["model"]}
        found[tuple(dict.fromkeys(told))] = not estimators.isdisjoint(DRAWN)
    several = ["; ".join(named) for named in found if len(named) > 1]
    if not several:
        return []
    groups = several if len(several) == 1 else [
        f"({at}) {names}" for at, names in enumerate(several, start=1)
    ]  # fmt: skip
    drawn = any(of for named, of in found.items() if len(named) > 1)
    return [
        f"One estimate with several standard errors: {' '.join(groups)}. {ONE_ESTIMATE}"
        f"{f' {DIVISOR}' if drawn else ''}"
    ]


def high_attrition(row: pd.Series, model: Mapping[str, Any], attrition: pd.DataFrame | None) -> str:
    """Return in which of the model's years attrition is high for its outcome; else nothing.

    Parameters
    ----------
    row : Series
        Of the table of estimates.
    model : mapping
        The protocol's model; those without years of their own are not marked.
    attrition : DataFrame, optional
        ``attrition.csv``.
    """
    if attrition is None or row["estimand"] not in HEADLINES:
        return ""
    years = [str(year) for year in model["where"].get("year", [])]
    high = attrition[
        (attrition["kind"] == "lost")
        & (attrition["outcome"] == row["outcome"])
        & (attrition["verdict"] == "high")
        & attrition["year"].astype("str").isin(years)
    ]
    found = list(dict.fromkeys(high["year"].astype("str")))
    return f"attrition is high by the WWC boundary ({listed(found)})" if found else ""


def _is_of(row: Mapping[str, Any], compared: Sequence[Finding]) -> bool:
    """Return whether a row is one of the findings that others are compared with."""
    return any(
        (row["model"], row["outcome"], row["estimand"]) == (one.model, one.outcome, one.estimand)
        for one in compared
    )


def _unlike(row: Mapping[str, Any], other: Finding, compared: Sequence[Finding]) -> str:
    """Say that zero is on another side of the interval than in the primary analysis."""
    if row["estimand"] not in HEADLINES or row["subgroup"] != "all":
        return ""
    for one in compared:
        if (one.outcome, one.arm) == (other.outcome, other.arm) and disagrees(one, other):
            side = "outside" if excludes_zero(other) else "inside"
            return f"unlike in the primary analysis, zero is {side} the CI"
    return ""


def _shared(notes: Sequence[str], rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the notes that hold for a whole model, and of each row the others.

    A note that every overall effect of a model bears is true of its other rows too.
    """
    shared, own = part_notes(notes)
    overall = rows["estimand"].isin(HEADLINES).to_list()
    more, _ = part_notes([note for note, it in zip(own, overall, strict=True) if it])
    left = ["; ".join(part for part in note.split("; ") if part not in more) for note in own]
    return [*shared, *more], left


def _notes(row: Mapping[str, Any]) -> str:
    return "" if pd.isna(row["note"]) else str(row["note"])


def _group(row: Mapping[str, Any], models: Mapping[str, Any], *, primary: bool) -> str:
    label = str(models[row["model"]]["label"])
    if primary:
        label = f"Primary analysis: {label}"
    where = str(row["subgroup"])
    return label if where == "all" or where.lower() in label.lower() else f"{label}: {where}"


def _cells(
    row: pd.Series,
    protocol: Mapping[str, Any],
    note: str,
    labels: PlainLabels,
    method: str,
    compared: Sequence[Finding],
) -> dict[str, Any]:
    """Return the cells of one row, in the unit in which readers see it.

    ``method`` tells apart the rows of a model that has several covariances.
    """
    one: Finding = finding(row, protocol)
    share = row["estimand"] == "take-up"
    in_sd = one.in_sd and not share
    times = 100 if share or one.binary else 1
    size, low, high = (times * row[key] for key in ("estimate", "conf_low", "conf_high"))
    ends = (size,) if pd.isna(low + high) else (low, high)
    digits = digits_of(*ends, in_sd=in_sd)
    digits += in_sd and digits == 2
    test = row["estimand"] in JOINT
    what = labels.of_effect(str(row["estimand"]), str(row["term"]))
    warning = "" if one.converged else "did not converge: no finding"
    return {
        "label": one.label,
        "what": ", ".join(filter(None, [what, method])),
        "size": f"F = {number(row['statistic'], 2)}" if test else signed(size, digits),
        "interval": "" if test else _interval(low, high, digits),
        "unit": "" if test else _unit(one.unit, share=share),
        "se": "" if test else number(times * row["std_error"], digits),
        "df": row["df"],
        "p_value": row["p_value"],
        "g": with_interval(one.effect_size, one.es_low, one.es_high, 2),
        "people": "" if one.n_people is None else f"{one.n_people:,} {one.people}",
        "units": one.units,
        "schools": one.places,
        "note": labels.of_note(
            "; ".join(filter(None, [warning, _unlike(row, one, compared), note])), one.people
        ),
    }  # fmt: skip


def _unit(unit: str, *, share: bool) -> str:
    """Return the unit of an effect; that on take-up is in percentage points."""
    return PERCENTAGE_POINTS if share else unit


def _interval(low: float, high: float, digits: int) -> str:
    return "" if pd.isna(low) else f"{number(low, digits)} to {number(high, digits)}"
