"""Effects of panel models as the report shows them: by cohort, by year, and before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.exhibits.style.html_table import Column, Table, tabulate
from schooltrial.exhibits.style.shared_notes import part_notes
from schooltrial.exhibits.style.table_text import interval
from schooltrial.wording import listed

OVERALL, COHORTS, GROUPS = "overall", "by cohort", "by group"
SINCE, BEFORE = "by year since the programme began", "before the programme began"
YEARS, CALENDAR = "by year", "by calendar year"

PARTS = {
    "ATT": OVERALL,
    "effect by group": GROUPS,
    "event study": YEARS,
    "calendar year": CALENDAR,
    "persistence": "after the programme ended",
    "pre-trend test": BEFORE,
    "pre-trend slope": BEFORE,
    "permutation check": "permutation check",
}
"""Estimand → the part of the table that shows it; group-time effects are in the CSV alone."""

ORDER = (
    OVERALL, COHORTS, GROUPS, SINCE, CALENDAR, "after the programme ended", YEARS, BEFORE,
    "permutation check",
)  # fmt: skip

OF_COHORT = re.compile(r"treated\[cohort=(\d+)\]")
OF_TIME = re.compile(r"treated\[(since|year)=(-?\d+)\]")
OF_GROUP = re.compile(r"treated\[([^=\]]+)=([^\]]+)\]")

COLUMNS = [
    Column("Effect"),
    Column("Estimate", "number", key="estimate"),
    Column("SE", "number", key="std_error", optional=True),
    Column("df", "number", 1),
    Column("Interval", "told"),
    Column("Band", "told", optional=True),
    Column("p", "p", key="p_value"),
    Column("Intervention schools", "count", key="n_treated_schools"),
    Column("Schools", "count", key="n_schools"),
    Column("Pupil-years", "count", key="n_pupils", optional=True),
    Column("Note", key="own", optional=True),
]


@dataclass(frozen=True)
class PanelTable:
    """What one panel model found, as the report shows it.

    Attributes
    ----------
    label : str
        Of the model.
    primary : bool
        Whether its table is open when the page is.
    table : Table
    notes : tuple of str
        What holds for all rows: method, and what a reader must know.
    """

    label: str
    primary: bool
    table: Table
    notes: tuple[str, ...]


def panels_shown(
    estimates: pd.DataFrame,
    outcomes: Mapping[str, Any],
    models: Mapping[str, Any],
    labels: Mapping[str, str],
) -> list[PanelTable]:
    """Return the table of each panel model, in protocol order.

    Parameters
    ----------
    estimates : DataFrame
        The long table.
    outcomes, models : mapping
        The protocol's sections.
    labels : mapping
        Variable → its name in exhibits.
    """
    found = []
    for name, model in models.items():
        rows = estimates[(estimates["model"] == name) & estimates["estimand"].isin(PARTS)]
        if model["estimator"] in OF_PANELS and len(rows):
            found.append(_table(rows, outcomes, model, labels))
    return found


def _table(
    rows: pd.DataFrame,
    outcomes: Mapping[str, Any],
    model: Mapping[str, Any],
    labels: Mapping[str, str],
) -> PanelTable:
    """Return the rows of a model in the order in which a reader asks for them."""
    order = {outcome: at for at, outcome in enumerate(outcomes)}
    rows = rows.assign(
        part=[_part(*pair) for pair in zip(rows["estimand"], rows["term"], strict=True)],
        at=rows["outcome"].map(order),
    )
    rows["place"] = rows["part"].map({part: at for at, part in enumerate(ORDER)})
    rows = rows.sort_values(["at", "place"], kind="stable", ignore_index=True)
    shared, own = part_notes(rows["note"].tolist())
    methods = list(dict.fromkeys(rows["method"].dropna()))
    told = rows.assign(
        Effect=[_named(term, labels) for term in rows["term"]],
        Interval=_intervals(rows, "conf"),
        Band=_intervals(rows, "band"),
        own=own,
    )
    named = {outcome: section["label"] for outcome, section in outcomes.items()}
    groups = [f"{named[row['outcome']]}, {row['part']}" for _, row in rows.iterrows()]
    for count in ("n_treated_schools", "n_schools", "n_pupils"):
        told[count] = told[count].astype("Int64")
    table = tabulate(model["label"], told, COLUMNS, group=groups)
    notes = [f"{_sentence('; '.join(methods))}.", *(f"{_sentence(one)}." for one in shared)]
    return PanelTable(model["label"], model["role"] == "primary", table, tuple(notes))


def _intervals(rows: pd.DataFrame, ends: str) -> list[str]:
    """Return intervals in brackets; nothing where the table has none."""
    bounds = rows.reindex(columns=[f"{ends}_low", f"{ends}_high"])
    return [interval(low, high) for low, high in bounds.itertuples(index=False)]


def _part(estimand: str, term: str) -> str:
    """Return the part of the table in which a row is."""
    if estimand == "effect by group" and OF_COHORT.fullmatch(term):
        return COHORTS
    time = OF_TIME.fullmatch(term)
    if estimand == "event study" and time and time[1] == "since":
        return BEFORE if int(time[2]) < 0 else SINCE
    return PARTS[estimand]


def _named(term: str, labels: Mapping[str, str]) -> str:
    """Return a term in words: ``treated[since=2]`` is "2 years later"."""
    if term == "treated":
        return "Programme"
    cohort, time, group = (one.fullmatch(term) for one in (OF_COHORT, OF_TIME, OF_GROUP))
    if cohort:
        return f"Began {cohort[1]}"
    if time:
        return _when(int(time[2])) if time[1] == "since" else time[2]
    if group:
        return f"{labels.get(group[1], group[1])}: {group[2]}"
    return _sentence(term)


def _when(since: int) -> str:
    if since == 0:
        return "First year"
    years = "1 year" if abs(since) == 1 else f"{abs(since)} years"
    return f"{years} later" if since > 0 else f"{years} before"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def base_sentences(points: pd.DataFrame) -> str:
    """Return what the points of an event study are compared with, and what carries them.

    Parameters
    ----------
    points : DataFrame
        What the figure draws, of ``figures/event_study.csv``.
    """
    if points.empty:
        return ""
    bases: dict[str, list[str]] = {}
    for label, base in points.groupby("model_label", sort=False)["base"].first().items():
        bases.setdefault(str(base), []).append(str(label))
    several = len(bases) > 1
    told = [
        f"Compared{_of(labels) if several else ''}: {_base(base)}."
        for base, labels in bases.items()
    ]
    methods = list(dict.fromkeys(points["method"].dropna()))
    told += [f"Intervals: {'; '.join(methods)}."] if methods else []
    carried = points["n_treated_schools"].dropna().astype("int64")
    if len(carried):
        least, most = int(carried.min()), int(carried.max())
        many = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        told.append(f"Each point rests on {many} intervention schools, whose number is below it.")
    return " ".join(told)


def _of(labels: Sequence[str]) -> str:
    return f" in {listed([f'“{label}”' for label in labels])}"


def _base(base: str) -> str:
    """Return the base as part of a sentence."""
    if base.startswith("each year"):
        return f"{base}, each year since with the last year before"
    return f"each year with {base}"
