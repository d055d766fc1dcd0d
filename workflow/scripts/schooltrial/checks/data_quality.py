"""What is odd about the data before any arm is compared: gaps, heaps, outliers, distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.codebook import ALL_YEARS, variables
from schooltrial.data.table_keys import KEYS

BINS = 40
MISSING = [
    "table", "variable", "year", "rows", "missing", "no_row", "share", "threshold", "verdict",
]  # fmt: skip
DISTRIBUTION = ["outcome", "year", "low", "high", "n", "share"]
HEAPING = ["outcome", "year", "value", "n", "share", "threshold", "verdict"]
OUTLIERS = [
    "outcome", "year", "school", "n", "mean", "mean_of_schools", "sd_of_schools", "z", "threshold",
    "verdict",
]  # fmt: skip


def missingness(tables: Mapping[str, pd.DataFrame], threshold: float) -> pd.DataFrame:
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
    there = roster["pupil"].isin(scores["pupil"])
    if "grade" in roster:
        there |= ~roster["grade"].isin(roster.loc[there, "grade"])
    return int((~there).sum())


def empty_by_design(variable: str) -> bool:
    """Tell bounds, which only suppressed cells have, and the cohort, that of the treated."""
    return variable == "cohort" or variable.endswith(("_low", "_high"))


def distributions(scores: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Return the histogram of every outcome by year, over bins that are alike in all years.

    Parameters
    ----------
    scores : DataFrame
        Long table with ``outcome``, ``year`` and ``value`` as they were read.
    bins : int
        Bins between the least and the greatest value; where there are fewer distinct values than
        bins, each value is one.
    """
    rows: list[list[object]] = []
    for outcome, held in _known(scores).groupby("outcome", observed=True):
        edges = _edges(held["value"].to_numpy("float64"), bins)
        for year, values in held.groupby("year")["value"]:
            counts, _ = np.histogram(values.to_numpy("float64"), edges)
            rows += [
                [str(outcome), year, low, high, int(n), n / len(values)]
                for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
            ]
    return pd.DataFrame(rows, columns=DISTRIBUTION)


def _edges(values: Any, bins: int) -> Any:
    distinct = np.unique(values)
    if len(distinct) <= bins:
        step = np.diff(distinct).min() if len(distinct) > 1 else 1.0
        whole = (distinct - distinct[0]) / step
        if np.allclose(whole, np.round(whole)) and whole[-1] <= bins:
            return distinct[0] + step * (np.arange(round(float(whole[-1])) + 2) - 0.5)
    return np.linspace(distinct[0], distinct[-1], bins + 1)


def heaping(scores: pd.DataFrame, threshold: float, shown: int = 3) -> pd.DataFrame:
    """Return the most frequent values of every outcome and year, and whether they are a heap.

    A value that holds ``threshold`` of the scores or more is a heap (a default score, a floor or
    a ceiling), unless the outcome has so few values that this is what it is (up to ten).
    """
    rows: list[list[object]] = []
    for (outcome, year), held in _known(scores).groupby(["outcome", "year"], observed=True):
        counts = (
            held["value"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        )
        few = len(counts) <= 10
        for value, n in counts.head(shown).items():
            share = n / len(held)
            verdict = "heap" if share >= threshold and not few else ""
            rows.append([str(outcome), year, value, int(n), share, threshold, verdict])
    return pd.DataFrame(rows, columns=HEAPING)


def school_outliers(scores: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Return the mean of every school, outcome and year, and how far it lies from the others.

    z is the distance from the mean of school means in their SD, without weights; a school beyond
    ``threshold`` is shown as an outlier. ``scores`` needs the column ``school``.
    """
    keys = ["outcome", "year", "school"]
    known = _known(scores).dropna(subset=["school"])
    cells = known.groupby(keys, observed=True, as_index=False)["value"].agg(n="size", mean="mean")
    if cells.empty:
        return pd.DataFrame(columns=OUTLIERS)
    cells["outcome"] = cells["outcome"].astype("str")
    schools = cells.groupby(["outcome", "year"])["mean"]
    cells["mean_of_schools"] = schools.transform("mean")
    cells["sd_of_schools"] = schools.transform("std")
    spread = cells["sd_of_schools"].where(cells["sd_of_schools"] > 0)
    cells["z"] = (cells["mean"] - cells["mean_of_schools"]) / spread
    cells["threshold"] = threshold
    cells["verdict"] = np.where(cells["z"].abs() > threshold, "outlier", "")
    return cells[OUTLIERS]


def _known(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.dropna(subset=["value"])


def outcome_rows(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return all outcomes as they were read, long: outcome, year, school, value.

    Scores of pupils carry the school of their pupil's row of that year, observations that of
    their teacher's; one without such a row has none.
    """
    parts = []
    for table, people, unit in (
        ("scores", "pupils", "pupil"),
        ("observations", "teachers", "teacher"),
    ):
        if len(tables.get(table, [])):
            owner = tables[people][[unit, "year", "school"]]
            held = tables[table].drop(columns="school", errors="ignore")
            parts.append(held.merge(owner, on=[unit, "year"], how="left"))
    if len(tables.get("school_scores", [])):
        parts.append(tables["school_scores"])
    if not parts:
        return pd.DataFrame(columns=["outcome", "year", "school", "value"])
    columns = ["outcome", "year", "school", "value"]
    found = pd.concat([part[columns].astype({"outcome": "str"}) for part in parts])
    return found.reset_index(drop=True)
