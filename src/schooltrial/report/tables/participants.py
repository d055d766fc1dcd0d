"""Who took part, as the pages show it: units, rosters, and who entered, left and moved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import plural_of

GRADES = ("Repeated grade", "Grade inconsistent")
"""Columns that compare grades of two years."""


ENROLMENT = [
    Column("Level", key="level"),
    Column("Year", "told", key="year"),
    Column("Group", key="arm"),
    Column("Schools", "count", key="n_schools"),
    Column("Enrolled", "count", key="n_enrolled"),
    Column("Joiners", "told", key="n_joined"),
    Column("Leavers", "told", key="n_left"),
]


def flow_shown(
    flow: pd.DataFrame,
    years: Sequence[int],
    labels: Mapping[str, str],
) -> Table:
    """Return the steps of the years analysed that someone left, and of those followed to them.

    ``labels`` are those of outcomes and of models, which the steps of analyses name.
    """
    kept = flow["year"].isin(list(years)) | flow["step"].str.startswith("followed up")
    columns = [
        Column("Step", key="step"),
        Column("Reason for leaving", key="reason"),
        Column("Level", key="level"),
        Column("Year", "told", key="year"),
        Column("Group", key="arm"),
        Column("Entered", "count", key="entered"),
        Column("Left", "count", key="left"),
        Column("Remained", "count", key="remained"),
    ]
    rows = flow[kept & (flow["left"] > 0)]
    rows = rows.assign(**{key: [_by_label(one, labels) for one in rows[key]] for key in WORDS})
    return tabulate("Who entered, left and remained at each step", rows, columns)


WORDS = ("step", "reason")
ANALYSED = re.compile(r"analysed: (\w+), (\w+)")
STEPS = {"link scores": "scores matched to pupils"}
"""Step of ``flow.csv`` → what a reader calls it, where that differs."""

MISSING = re.compile(r"(\w+) was not observed")


def _by_label(words: str, labels: Mapping[str, str]) -> str:
    """Return a step or reason with labels of models and outcomes instead of their names."""
    if words in STEPS:
        return STEPS[words]
    if found := ANALYSED.fullmatch(words):
        model, outcome = (labels.get(name, name) for name in found.groups())
        return f"analysed: {outcome} ({model})"
    if (found := MISSING.fullmatch(words)) and found[1] in labels:
        return f"{labels[found[1]]}: missing"
    return words


def mobility_shown(mobility: pd.DataFrame, years: Sequence[int], year_label: str) -> Table:
    """Return where the pupils of the years analysed were in the baseline year, and who joined."""
    columns = [
        Column(year_label, "told", key="year"),
        Column("Group", key="arm"),
        Column("In the baseline year", key="where_at_baseline"),
        Column("Pupils", "count", key="n_pupils"),
        Column("Enrolled twice", "count", key="n_elsewhere"),
        Column("Late joiners", "count", key="n_joined_late", optional=True),
        Column(GRADES[0], "count", key="n_repeated_grade"),
        Column(GRADES[1], "count", key="n_out_of_step"),
    ]
    rows = mobility[mobility["year"].isin(list(years))]
    if mobility["year"].nunique() == 1:  # no grade of another year to compare with
        columns = [one for one in columns if one.name not in GRADES]
    return tabulate("Where pupils were in the baseline year", rows, columns)


def units_counted(units: pd.DataFrame, noun: str, blocks: str) -> Table:
    """Return how many units and blocks each group has.

    Parameters
    ----------
    units : DataFrame
        ``label, n_units, n_blocks`` of each group.
    noun, blocks : str
        What a unit is, and what readers call several blocks.
    """
    columns = [
        Column("Group", key="label"),
        Column(plural_of(noun).capitalize(), "count", key="n_units"),
        Column(blocks.capitalize(), "told", key="n_blocks"),
    ]
    return tabulate("Units assigned", units, columns)


def enrolment_shown(counts: pd.DataFrame) -> Table:
    """Return who is on the rosters, and who came and went since the year before."""
    in_schools = bool((counts["n_schools"] > 0).any())
    columns = [column for column in ENROLMENT if in_schools or column.name != "Schools"]
    told = {name: counts[name].map(_with_commas) for name in ("n_joined", "n_left")}
    rows = counts.assign(level=counts["level"].astype("str") + "s", **told)
    return tabulate("Enrolment", rows, columns)


def _with_commas(count: object) -> object:
    """Return a count by thousands; words, as of a year with none before it, as they are."""
    digits = str(count).removesuffix(".0")
    return f"{int(digits):,}" if digits.isdigit() else count
