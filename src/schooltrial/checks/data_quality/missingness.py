"""Which values are missing, by variable and year, and which are empty by design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.checks.data_quality.codebook import ALL_YEARS, variables
from schooltrial.data.rows.filters import among
from schooltrial.data.tables.keys import KEYS

MISSING = [
    "table", "variable", "year", "rows", "missing", "no_row", "share", "threshold", "verdict",
]  # fmt: skip


def count_missing(tables: Mapping[str, pd.DataFrame], threshold: float) -> pd.DataFrame:
    """Return the share missing of every variable by table and year, arms together.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The standard tables. Numbers, categories, dates and texts count alike; the key of a table is
        never missing.
    threshold : float
        A share of at least this is called high, but of what is empty by design.

    Returns
    -------
    DataFrame
        Columns ``MISSING``. Of an outcome of pupils, ``no_row`` counts those on the roster of the
        year who have no row, in the grades in which anybody has one; they count as missing.
    """
    rows: list[list[object]] = []
    for table, frame in tables.items():
        for name, held in variables(table, frame):
            if name in (*KEYS.get(table, ()), "year") or held.empty:
                continue
            year = held["year"] if "year" in held else pd.Series(ALL_YEARS, index=held.index)
            for at, values in held["value"].groupby(year):
                of_scores = table == "scores" and name not in frame
                absent = _without_row(tables, held[year == at], at) if of_scores else 0
                missing = int(values.isna().sum()) + absent
                rows.append([table, name, at, len(values) + absent, missing, absent])
    tally = pd.DataFrame(rows, columns=MISSING[:6])
    tally["share"] = tally["missing"] / tally["rows"]
    high = (tally["share"] >= threshold) & ~tally["variable"].map(empty_by_design).astype("bool")
    return tally.assign(threshold=threshold, verdict=np.where(high, "high", ""))


def _without_row(tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame, year: Any) -> int:
    roster = tables.get("pupils")
    if roster is None or roster.empty:
        return 0
    roster = roster[roster["year"] == year]
    there = among(roster["pupil"], scores["pupil"])
    if "grade" in roster:
        there |= ~roster["grade"].isin(roster.loc[there, "grade"])
    return int((~there).sum())


def empty_by_design(variable: str) -> bool:
    """Tell bounds, which only suppressed cells have, and the cohort, that of the treated."""
    return variable == "cohort" or variable.endswith(("_low", "_high"))
