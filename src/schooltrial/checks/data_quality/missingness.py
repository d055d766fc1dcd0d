"""Which values are missing, by variable and year, and which are empty by design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.checks.data_quality.codebook import ALL_YEARS, variables
from schooltrial.data.rows.filters import among, matches
from schooltrial.data.tables.keys import KEYS
from schooltrial.data.variables.derived import add_variables
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.sections import DerivedVariable

MISSING = [
    "table", "variable", "year", "rows", "missing", "no_row", "share", "threshold", "verdict",
]  # fmt: skip


ROSTER = "pupils with all that filters may name"


def count_missing(
    tables: Mapping[str, pd.DataFrame],
    threshold: float,
    populations: Mapping[str, Mapping[str, Any]] | None = None,
    made: Mapping[str, DerivedVariable] | None = None,
) -> pd.DataFrame:
    """Return the share missing of every variable by table and year, groups together.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The standard tables. Numbers, categories, dates and texts count alike; the key of a table is
        never missing.
    threshold : float
        A share of at least this is called high, but of what is empty by design.
    populations : mapping, optional
        Outcome → the filter of those whose outcome it is; of others nothing is missing.
    made : mapping, optional
        Variables that the protocol makes, which filters may name.

    Returns
    -------
    DataFrame
        Columns ``MISSING``. Of an outcome of pupils, ``no_row`` counts those on the roster of the
        year who have no row, in the grades in which anybody has one; they count as missing.
    """
    rows: list[list[object]] = []
    tables = _with_made(tables, made or {}) if any((populations or {}).values()) else tables
    for table, frame in tables.items():
        if table == ROSTER:
            continue
        for name, held in variables(table, frame):
            if name in (*KEYS.get(table, ()), "year") or held.empty:
                continue
            year = held["year"] if "year" in held else pd.Series(ALL_YEARS, index=held.index)
            for at, values in held["value"].groupby(year):
                of_scores = table == "scores" and name not in frame
                mine = held[year == at]
                whose = _whose(tables, at, (populations or {}).get(name, {})) if of_scores else None
                if whose is not None:
                    mine = mine[among(mine["pupil"], whose["pupil"])]
                    values = mine["value"]
                absent = _without_row(tables, mine, at, whose) if of_scores else 0
                missing = int(values.isna().sum()) + absent
                rows.append([table, name, at, len(values) + absent, missing, absent])
    tally = pd.DataFrame(rows, columns=MISSING[:6])
    tally["share"] = tally["missing"] / tally["rows"]
    high = (tally["share"] >= threshold) & ~tally["variable"].map(empty_by_design).astype("bool")
    return tally.assign(threshold=threshold, verdict=np.where(high, "high", ""))


def _with_made(
    tables: Mapping[str, pd.DataFrame], made: Mapping[str, DerivedVariable]
) -> dict[str, pd.DataFrame]:
    """Return the tables, pupils with what is known of their school and what is made of it."""
    pupils, schools = tables.get("pupils"), tables.get("schools")
    if pupils is None or schools is None:
        return dict(tables)
    known = ["school", *(name for name in schools if name not in pupils)]
    joined = pupils.merge(schools[known], on="school", how="left")
    return {**tables, ROSTER: add_variables(joined, made)}


def _whose(
    tables: Mapping[str, pd.DataFrame], year: Any, population: Mapping[str, Any]
) -> pd.DataFrame | None:
    """Return the roster of those whose outcome it is; None if that is everybody's."""
    roster = tables.get(ROSTER)
    if not population or roster is None:
        return None
    if not all(variable in roster for variable in named_variables(population)):
        return None
    return roster[(roster["year"] == year) & matches(roster, population)]


def _without_row(
    tables: Mapping[str, pd.DataFrame],
    scores: pd.DataFrame,
    year: Any,
    whose: pd.DataFrame | None = None,
) -> int:
    roster = tables.get("pupils") if whose is None else whose
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
