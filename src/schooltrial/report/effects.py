"""Effects of models as the report shows them, by model, each method said once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from schooltrial.document.numbers import number
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.exhibits.tables.results import selected
from schooltrial.protocol.sections import arm_labels
from schooltrial.report.headlines import Finding, digits_of, finding, signed, with_interval
from schooltrial.wording import part_notes

NAME = re.compile(r"\b[a-z][a-z0-9_]*\b")
UNDERSCORED = re.compile(r"\b[a-z][a-z0-9]*_[a-z0-9_]*\b")
LISTS = ("kept with an indicator of missing: ", "left out: ")
"""How the notes begin that list variables by name."""

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
    Column("People", "told", key="people", optional=True),
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
    roles: Sequence[str],
    labels: Mapping[str, str],
) -> ShownEffects | None:
    """Return the effects of the models of some roles; None if there are none.

    Parameters
    ----------
    estimates : DataFrame
        The long table of estimates.
    protocol : mapping
        The protocol's sections.
    title : str
    roles : sequence of str
        Roles of models, such as ``primary``.
    labels : mapping
        Variable → its name in exhibits.
    """  # fmt: skip
    models, outcomes = protocol["models"], protocol["outcomes"]
    chosen = [name for name in models if models[name]["role"] in roles]
    rows = selected(estimates, models, outcomes)
    rows = rows[rows["model"].isin(chosen)].reset_index(drop=True)
    if rows.empty:
        return None
    cells, notes = [], dict[str, list[str]]()
    for model in dict.fromkeys(rows["model"]):
        of_model = rows[rows["model"] == model]
        shared, own = part_notes([_notes(row) for row in of_model.to_dict("records")])
        methods = list(dict.fromkeys(of_model["method"]))
        method = methods[0] if len(methods) == 1 else ""
        for (_, row), note in zip(of_model.iterrows(), own, strict=True):
            cells.append(_cells(row, protocol, note, labels, "" if method else row["method"]))
        told = in_labels("; ".join(filter(None, [method, *shared])), labels)
        if told:
            notes.setdefault(told, []).append(models[model]["label"])
    groups = [_group(row, models) for row in rows.to_dict("records")]
    confidence = {models[name]["confidence_level"] for name in rows["model"]}
    ci = f"{100 * confidence.pop():g}% CI" if len(confidence) == 1 else "CI"
    columns = [replace(one, name=ci) if one.key == "interval" else one for one in COLUMNS]
    table = tabulate(title, pd.DataFrame(cells), columns, group=groups)
    said = tuple(f"{'; '.join(alike)}: {told}." for told, alike in notes.items())
    return ShownEffects(table, said)


def _notes(row: Mapping[str, Any]) -> str:
    return "" if pd.isna(row["note"]) else str(row["note"])


def _group(row: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    label = str(models[row["model"]]["label"])
    where = str(row["subgroup"])
    return label if where == "all" or where.lower() in label.lower() else f"{label}: {where}"


def _cells(
    row: pd.Series,
    protocol: Mapping[str, Any],
    note: str,
    labels: Mapping[str, str],
    method: str,
) -> dict[str, Any]:
    """Return the cells of one row, in the unit in which readers see it.

    ``method`` tells apart the rows of a model that has several covariances.
    """
    one: Finding = finding(row, protocol)
    share = row["estimand"] == "take-up"
    in_sd = one.in_sd and not share
    times = 100 if share or one.binary else 1
    size, low, high = (times * row[key] for key in ("estimate", "conf_low", "conf_high"))
    digits = digits_of(size, low, high, in_sd=in_sd)
    digits += in_sd and digits == 2
    test = row["estimand"] in JOINT
    what = _what(str(row["estimand"]), str(row["term"]), labels, protocol)
    warning = "" if one.converged else "did not converge: no finding"
    return {
        "label": one.label,
        "what": ", ".join(filter(None, [what, method])),
        "size": f"F = {number(row['statistic'], 2)}" if test else signed(size, digits),
        "interval": "" if test else _interval(low, high, digits),
        "unit": "" if test else "percentage points" if share else one.unit,
        "se": "" if test else number(times * row["std_error"], digits),
        "df": row["df"],
        "p_value": row["p_value"],
        "g": "" if one.in_sd else with_interval(one.effect_size, one.es_low, one.es_high, 2),
        "people": "" if one.n_people is None else f"{one.n_people:,} {one.people}",
        "schools": one.places,
        "note": in_labels("; ".join(filter(None, [warning, note])), labels),
    }


def in_labels(note: str, labels: Mapping[str, str]) -> str:
    """Return a note with labels in place of the names of variables that it lists.

    Names are replaced where they are lists of a note (``left out: a, b``), or bear an underscore:
    any other word may be plain English.
    """
    named = {**labels, **{f"{name}_before": f"{label} before" for name, label in labels.items()}}

    def label(found: re.Match[str]) -> str:
        return named.get(found[0], found[0])

    return "; ".join(
        (NAME if part.startswith(LISTS) else UNDERSCORED).sub(label, part)
        for part in note.split("; ")
    )


def _interval(low: float, high: float, digits: int) -> str:
    return "" if pd.isna(low) else f"{number(low, digits)} to {number(high, digits)}"


def _what(estimand: str, term: str, labels: Mapping[str, str], protocol: Mapping[str, Any]) -> str:
    """Return the estimand, and of what it is where that is not the whole intervention group."""
    if term in ("treated", "nan", ""):
        return estimand
    arms = arm_labels(protocol["design"])
    inside = (
        term.removeprefix("treated[").removesuffix("]") if term.startswith("treated[") else term
    )
    parts = []
    for part in inside.split(", "):
        name, _, value = part.partition("=")
        if not value:
            parts.append(labels.get(name, name.replace("_", " ")))
        elif name == "arm":
            parts.append(arms.get(value, value))
        else:
            parts.append(f"{labels.get(name, name.replace('_', ' '))} {value}")
    return f"{estimand}: {', '.join(parts)}"
