"""The flow of a staggered study by cohort: schools that began in one year have boxes of their own.

The ledger counts reasons by group; of a cohort it is known who was allocated, who has values and
what is analysed. These are counted here, and add up to the counts of the group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.checks.flow.analysed import CELLS
from schooltrial.checks.flow.boxes import ALL
from schooltrial.data.rows.analysed import complete_rows

MOST = 3
"""Cohorts that a page has columns for, beside the comparison schools."""

NOT_ANALYSED = "no value, or a covariate not observed"


def boxes_by_cohort(
    boxes: pd.DataFrame,
    assignment: pd.DataFrame,
    panel: pd.DataFrame,
    cells: pd.DataFrame,
    models: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the boxes with a column ``cohort``: rows of an arm's cohorts in place of the arm's.

    The column is empty for rows of all and of schools that never began. Where there are no cohorts
    or too many, where people or units inside schools are counted, or where the cohorts do not add
    up to their group, the boxes are those of the groups.

    Parameters
    ----------
    boxes : DataFrame
        From ``flow_boxes``.
    assignment : DataFrame
        The assignment table.
    panel : DataFrame
        Means by school and year.
    cells : DataFrame
        From ``primary_cells``.
    models : mapping
        Section of the protocol.
    """
    of_arms = boxes.assign(cohort="")
    if "cohort" not in assignment or set(boxes["level"]) != {"school"}:
        return of_arms
    listed = assignment.drop_duplicates("school").set_index("school")
    cohorts = sorted({int(start) for start in listed["cohort"].dropna()})
    if not 1 <= len(cohorts) <= MOST:
        return of_arms
    parts = [of_arms[of_arms["arm"] == ALL]]
    for arm, rows in of_arms[of_arms["arm"] != ALL].groupby("arm", sort=False):
        mine = listed[listed["arm"].astype("str") == arm]
        starts = sorted({int(start) for start in mine["cohort"].dropna()})
        groups = {str(start): mine.index[mine["cohort"] == start] for start in starts}
        if not groups:
            groups = {"": mine.index}
        found = [
            _of_group(rows, pd.Index(schools), panel, cells, models).assign(cohort=cohort)
            for cohort, schools in groups.items()
        ]
        if not _adds_up(rows, pd.concat(found)):
            return of_arms
        parts += found if starts else [_with_reasons(rows, found[0])]
    return pd.concat(parts, ignore_index=True)


def _of_group(
    rows: pd.DataFrame,
    schools: pd.Index,
    panel: pd.DataFrame,
    cells: pd.DataFrame,
    models: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the lines of some schools of a group, in the words of the arm's."""
    allocated = rows[(rows["stage"] == "allocated") & (rows["kind"] == "in")]
    found = [{**row, "n": len(schools)} for row in allocated.to_dict("records")]
    followed = rows[(rows["stage"] == "followed up") & (rows["kind"] == "in")]
    for row in followed.to_dict("records"):
        seen = panel.loc[panel["year"] == int(row["year"]), "school"]
        there = int(schools.isin(set(seen)).sum())
        text = str(row["text"]).replace(" with ", " without ", 1)
        lost = {**row, "kind": "lost", "text": text, "n": len(schools) - there}
        found += [lost, {**row, "n": there}]
    start = int(allocated["n"].iloc[0])
    keys = ["outcome", "model"]
    analysed = rows[rows["stage"] == "analysed"]
    for (outcome, model), lines in analysed.groupby(keys, sort=False):
        first = lines.iloc[0].to_dict()
        years = int(first["n"]) // start if start else 0
        mine = cells[
            (cells["model"] == model) & (cells["outcome"] == outcome)
            & cells["school"].isin(schools)
        ]  # fmt: skip
        kept = complete_rows(mine, "school", models[str(model)], str(outcome), None)
        informing = mine.loc[kept.index, "informs"]
        every = len(schools) * years
        blank = {"step": "", "reason": ""}
        found += [
            {**first, **blank, "kind": "in", "text": CELLS, "n": every},
            {**first, **blank, "kind": "lost", "text": NOT_ANALYSED, "n": every - len(kept)},
            {**first, **blank, "kind": "in", "text": f"{CELLS} analysed", "n": len(kept)},
            {**first, **blank, "kind": "had", "text": "schools analysed",
             "n": kept.loc[informing, "school"].nunique()},
        ]  # fmt: skip
    return pd.DataFrame(found, columns=[*rows.columns.drop("cohort"), "cohort"])


def _adds_up(arm: pd.DataFrame, groups: pd.DataFrame) -> bool:
    """Return whether what is there, and what is analysed, sums to the counts of the group."""
    keys = ["stage", "outcome", "year", "model", "text"]
    whole = arm[arm["kind"] == "in"].set_index(keys)["n"]
    sums = groups[groups["kind"] == "in"].groupby(keys, sort=False)["n"].sum()
    return bool((whole.reindex(sums.index) == sums).all())


def _with_reasons(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of schools that never began, with the reasons of their group."""
    counted = found[found["stage"] == "analysed"]
    return pd.concat([rows[rows["stage"] != "analysed"], counted], ignore_index=True)
