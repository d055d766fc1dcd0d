"""Whether effects lasted after the programme ended, in words and as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import pandas as pd

from schooltrial.document.numbers import interval, number
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.models.group_time.persistence import DURING, PERSISTENCE
from schooltrial.models.inference.fieller import NO_RATIO
from schooltrial.models.panel.persistence import BASED_ON, NO_ERROR
from schooltrial.protocol.content.shown_units import (
    PERCENTAGE_POINTS,
    as_shown,
    effect_unit,
    is_binary,
)
from schooltrial.report.findings.headlines import digits_of, is_in_sd, unit_of, with_interval

TOLD_UP_TO = 3
"""Years after the end that the summary tells; the table has them all."""

NAMED = 3
"""Cohorts that a sentence names; more are counted, and the table names them."""

SHARE = "share of during"
"""The effect after the programme as a share of that during it."""

SEVERAL = re.compile(r"cohorts ([\d, and]+), ([\d,]+ schools?)")

AFTER = re.compile(r"treated\[after=(\d+)\]")
"""The term of an effect so many years after the programme."""

COUNTED = ("no", "one", "two", "three")

COLUMNS = [
    Column("Effect", key="told"),
    Column("Estimate", "number", key="estimate"),
    Column("CI", "told", key="interval"),
    Column("df", "number", 1),
    Column("p", "p", key="p_value"),
    Column("Note", key="note", optional=True),
]


@dataclass(frozen=True)
class _Rows:
    """The rows of one model and outcome, by term."""

    rows: Mapping[str, Mapping[str, Any]]
    unit: str
    level: float

    @property
    def during(self) -> Mapping[str, Any]:
        return self.rows[DURING]

    @property
    def years(self) -> list[int]:
        found = (AFTER.fullmatch(term) for term in self.rows)
        return sorted(int(one[1]) for one in found if one)

    def interval(self, row: Mapping[str, Any]) -> str:
        low, high = (_rounded(row[end], row) for end in ("conf_low", "conf_high"))
        return f"{self.level:.0%} CI {low} to {high}"

    def headline(self, years: int) -> str:
        """Say what the effect was so many years after, and how it compares."""
        row = self.rows[f"treated[after={years}]"]
        change = self.rows.get(f"treated[after={years}] - {DURING}")
        told = (
            f"{_counted(years)} after the programme ended, the effect was "
            f"{_rounded(row['estimate'], row)} {self.unit}"
        )
        if pd.isna(row["conf_low"]):
            return f"{told}, without an interval: {_why(row['note'])}.{_carried(row['note'])}"
        return f"{told} ({self.interval(row)}). It {_verdict(row, change)}.{_carried(row['note'])}"

    def aside(self, years: int) -> str:
        """Say the effect in another year, in brief."""
        row = self.rows[f"treated[after={years}]"]
        who = "; ".join(part.removeprefix(BASED_ON) for part in _of_cohorts(row["note"]))
        told = "no interval" if pd.isna(row["conf_low"]) else self.interval(row)
        brief = "; ".join(filter(None, (told, who)))
        return f"{_counted(years)} after it was {_rounded(row['estimate'], row)} ({brief})."


def _counted(years: int) -> str:
    word = COUNTED[years] if years < len(COUNTED) else str(years)
    return f"{word.capitalize()} {'year' if years == 1 else 'years'}"


def _rounded(value: float, row: Mapping[str, Any]) -> str:
    """Return a number to two digits of its standard error."""
    error = row["std_error"]
    digits = 3 if not error > 0 else max(0, 1 - floor(log10(error)))
    return number(value, digits)


def _parts(note: object) -> list[str]:
    return [] if pd.isna(note) else str(note).split("; ")


def _of_cohorts(note: object) -> list[str]:
    """Return the part of a note that says which cohorts carry a row; many are counted."""
    return [
        SEVERAL.sub(_counted_cohorts, part) for part in _parts(note) if part.startswith(BASED_ON)
    ]


def _counted_cohorts(found: re.Match[str]) -> str:
    cohorts = re.findall(r"\d+", found[1])
    return f"{len(cohorts)} cohorts, {found[2]}" if len(cohorts) > NAMED else found[0]


def _carried(note: object) -> str:
    """Return which cohorts carry a row, as a sentence."""
    return "".join(f" Estimated from {part.removeprefix(BASED_ON)}." for part in _of_cohorts(note))


def _why(note: object) -> str:
    """Return why a row has no number, or no interval."""
    others = [part for part in _parts(note) if not part.startswith(BASED_ON)]
    return next(iter(others), "it has no standard error")


def _excludes_zero(row: Mapping[str, Any]) -> bool:
    return bool(row["conf_low"] > 0 or row["conf_high"] < 0)


def _verdict(row: Mapping[str, Any], change: Mapping[str, Any] | None) -> str:
    """Say whether an effect differs from zero, and from that during the programme."""
    remains = _excludes_zero(row)
    if change is None or pd.isna(change["conf_low"]):
        return "differs from zero" if remains else "is not clearly different from zero"
    before = _rounded(row["estimate"] - change["estimate"], change)
    during = f"that on the same schools during the programme ({before})"
    if not _excludes_zero(change):
        if remains:
            return f"differs from zero, and is not clearly different from {during}"
        return f"is not clearly different from zero, nor from {during}"
    told = "differs from zero" if remains else "is not clearly different from zero"
    return f"{told}, and is {'lower' if change['estimate'] < 0 else 'higher'} than {during}"


def persistence_told(estimates: pd.DataFrame, protocol: Mapping[str, Any]) -> list[str]:
    """Return, for each primary outcome of a primary model, whether its effect lasted.

    Parameters
    ----------
    estimates : DataFrame
        The long table; without rows of persistence nothing is told.
    protocol : mapping
        The protocol's sections.
    """
    models, outcomes = protocol["models"], protocol["outcomes"]
    rows = estimates[(estimates["estimand"] == PERSISTENCE) & (estimates["subgroup"] == "all")]
    rows = _as_shown(rows, outcomes)
    told = []
    for (name, outcome), found in rows.groupby(["model", "outcome"], sort=False):
        if models[name]["role"] != "primary" or not outcomes[outcome]["primary"]:
            continue
        by_term = {str(row["term"]): row for row in found.to_dict("records")}
        of = _Rows(by_term, effect_unit(outcomes[outcome]), models[name]["confidence_level"])
        label = outcomes[outcome]["label"]
        if not of.years:
            told.append(f"{label}: {_why(of.during['note'])}.")
            continue
        near = [years for years in of.years if years <= TOLD_UP_TO] or of.years[:1]
        parts = [of.headline(near[-1]), *(of.aside(years) for years in reversed(near[:-1]))]
        if of.years[-1] > near[-1]:
            parts.append(f"Later years, up to {of.years[-1]} after, are in the section on trends.")
        if pd.notna(of.during["conf_low"]) and not _excludes_zero(of.during):
            parts.insert(0, (
                "The effect during the programme is not clearly different from zero "
                f"({_rounded(of.during['estimate'], of.during)}; {of.interval(of.during)}), so "
                "whether an effect lasted cannot be judged."
            ))  # fmt: skip
        told.append(f"{label}: {parts[0][0].lower()}{parts[0][1:]} {' '.join(parts[1:])}".strip())
    return told


def during_sentence(
    estimates: pd.DataFrame, protocol: Mapping[str, Any], model: str, outcome: str
) -> str:
    """Return that an average covers years after the programme, and the effect during it.

    Empty where a model has no year after the programme of its cohorts, or none during it.

    Parameters
    ----------
    estimates : DataFrame
        The long table.
    protocol : mapping
        The protocol's sections.
    model, outcome : str
        Names of a primary model and its outcome.
    """
    outcomes = protocol["outcomes"]
    rows = estimates[
        (estimates["estimand"] == PERSISTENCE)
        & (estimates["subgroup"] == "all")
        & (estimates["model"] == model)
        & (estimates["outcome"] == outcome)
        & estimates["estimate"].notna()
    ]
    by_term = {str(row["term"]): row for row in _as_shown(rows, outcomes).to_dict("records")}
    during = by_term.pop(DURING, None)
    if during is None or not any(AFTER.fullmatch(term) for term in by_term):
        return ""
    sizes = (during["estimate"], during["conf_low"], during["conf_high"])
    told = with_interval(*sizes, digits_of(*sizes, in_sd=is_in_sd(outcomes[outcome])))
    return (
        "This averages all years since the start, also those after the programme ended; during the "
        f"programme, the effect was {told} {unit_of(outcomes[outcome])}."
    )


def persistence_shown(
    estimates: pd.DataFrame, outcomes: Mapping[str, Any], models: Mapping[str, Any]
) -> Table | None:
    """Return the effects during and after the programme as a table; None if there are none."""
    rows = _as_shown(estimates[estimates["estimand"] == PERSISTENCE], outcomes)
    if rows.empty:
        return None
    bounds = zip(rows["conf_low"], rows["conf_high"], strict=True)
    known = ~rows["note"].astype("object").fillna("").str.contains(NO_RATIO, regex=False)
    told = rows.assign(
        estimate=rows["estimate"].where(known),
        told=[_in_words(term) for term in rows["term"]],
        note=["; ".join(part for part in _parts(n) if part != NO_ERROR) for n in rows["note"]],
        interval=["" if pd.isna(low) else interval(low, high) for low, high in bounds],
        label=rows["outcome"].map(
            {
                name: f"{one['label']} ({PERCENTAGE_POINTS})" if is_binary(one) else one["label"]
                for name, one in outcomes.items()
            }
        ),
        model_label=rows["model"].map({name: one["label"] for name, one in models.items()}),
    )
    order = {name: at for at, name in enumerate(outcomes)}
    told = told.assign(at=told["outcome"].map(order)).sort_values("at", kind="stable")
    several = told["model"].nunique() > 1
    group = [
        f"{row['label']}: {row['model_label']}" if several else row["label"]
        for row in told.to_dict("records")
    ]
    return tabulate("Effects during and after the programme", told, COLUMNS, group=group)


def _as_shown(rows: pd.DataFrame, outcomes: Mapping[str, Any]) -> pd.DataFrame:
    """Return effects in the units that readers see; a share of the effect during has none."""
    ratio = rows["term"].map(_in_words).str.endswith(SHARE)
    sizes = ["estimate", "std_error", "conf_low", "conf_high"]
    return pd.concat([as_shown(rows[~ratio], outcomes, sizes), rows[ratio]]).sort_index()


def _in_words(term: str) -> str:
    """Return what a term of persistence is, in words."""
    after = re.match(r"treated\[after=(\d+)\](.*)", term)
    if after is None:
        return "during the programme"
    when = f"{after[1]} {'year' if after[1] == '1' else 'years'} after"
    kind = {"": when, f" - {DURING}": f"{when}: change from during"}
    return kind.get(after[2], f"{when}: {SHARE}")
