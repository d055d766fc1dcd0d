"""Were the groups alike in every year before? Baseline outcomes by year, and slopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.omnibus import OMNIBUS_COLUMNS, comparisons, omnibus_row
from schooltrial.checks.balance.standardised_differences import (
    RANDOMISED,
    BalanceRows,
    balance_table,
    two_arms,
)
from schooltrial.data.rows.coding import Covariate
from schooltrial.randomisation.units import unit_column

SLOPE = "slope per year"


KEYS = ["school", "cluster", "block", "arm", "treated"]


def compare_pretrends(
    frame: pd.DataFrame,
    outcomes: Sequence[str],
    years: Sequence[int],
    level: str,
    settings: Mapping[str, Any],
    labels: Mapping[str, str],
    *,
    arms: Sequence[str] | None = None,
    redrawing: Redrawing | None = None,
) -> pd.DataFrame:
    """Compare the groups in each year before, and the slopes of the units over those years.

    Parameters
    ----------
    frame : DataFrame
        Pupil (teacher, school) × year, with a column for each outcome.
    outcomes : sequence of str
    years : sequence of int
        Years before the programme.
    level : {"pupil", "teacher", "school"}
        What a row is.
    settings, labels, arms, redrawing
        As for `standardised_differences.balance_table`.

    Returns
    -------
    DataFrame
        The columns of `standardised_differences.balance_table` after ``year``, for the outcomes
        that were measured then; the year is ``slope per year`` for the least-squares slopes of
        units (schools) seen in two years or more.
    """
    parts = [
        (str(year), _rows(frame[frame["year"] == year], level), level) for year in sorted(years)
    ]
    if len(years) > 1:
        parts.append((SLOPE, _rows(slopes(frame, outcomes, years), "school"), "school"))
    tables = []
    for when, rows, of in parts:
        then: pd.DataFrame = getattr(rows, of)
        measured = [name for name in outcomes if name in then and then[name].notna().any()]
        wanted = {
            **settings, "pupil_variables": [], "school_variables": [], "teacher_variables": [],
            f"{of}_variables": measured,
        }  # fmt: skip
        if measured:
            table = balance_table(rows, wanted, labels, arms=arms, redrawing=redrawing)
            table.insert(0, "year", when)
            tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def pretrends_omnibus(
    frame: pd.DataFrame,
    outcomes: Sequence[str],
    years: Sequence[int],
    labels: Mapping[str, str],
    *,
    arms: Sequence[str] | None = None,
    redrawing: Redrawing | None = None,
) -> pd.DataFrame:
    """Test all outcomes of all years before at once, by the means of the units; each outcome too.

    Returns
    -------
    DataFrame
        Rows of the table of `omnibus.balance_omnibus`, ``scope`` being ``pre-trend``; all
        are judged by the same draws.
    """
    redrawing = redrawing or Redrawing()
    found = []
    wide = _unit_years(frame, outcomes, years)
    for arm, inside, codes in comparisons(wide, arms):
        part, z = wide[inside], codes[inside]
        for name in ("", *outcomes) if len(outcomes) > 1 else outcomes:
            columns = list(_columns(part, [name] if name else outcomes, years))
            if not columns:
                continue
            label = labels.get(name, name) or "all together"
            found.append([
                RANDOMISED, "unit", arm, "pre-trend", name, label,
                *omnibus_row(columns, two_arms(part, z), redrawing, ["pretrend", arm], arm),
            ])  # fmt: skip
    return pd.DataFrame(found, columns=OMNIBUS_COLUMNS)


def slopes(frame: pd.DataFrame, outcomes: Sequence[str], years: Sequence[int]) -> pd.DataFrame:
    """Return the least-squares slope over the years before of each unit's mean outcomes."""
    wide = _unit_years(frame, outcomes, years)
    found = wide[[name for name in KEYS if name in wide]].copy()
    for outcome in outcomes:
        by_year = wide.reindex(columns=[f"{outcome} {year}" for year in sorted(years)])
        found[outcome] = _slope(by_year.to_numpy(dtype="float64"), sorted(years))
    return found


def _slope(values: Any, years: Sequence[int]) -> Any:
    """Return the slope of each row (units × years), of the years that are known."""
    known = np.isfinite(values)
    time = np.broadcast_to(np.asarray(years, dtype=float), values.shape)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    away = np.where(known, time - (time * known).sum(axis=1, keepdims=True) / count, 0.0)
    spread = (away**2).sum(axis=1)
    above = (away * np.where(known, values, 0.0)).sum(axis=1)
    return np.divide(above, spread, out=np.full(len(values), np.nan), where=spread > 0)


def _rows(frame: pd.DataFrame, level: str) -> BalanceRows:
    empty = pd.DataFrame()
    at = {name: frame if name == level else empty for name in ("pupil", "school", "teacher")}
    return BalanceRows(RANDOMISED, at["pupil"], at["school"], at["teacher"])


def _unit_years(frame: pd.DataFrame, outcomes: Sequence[str], years: Sequence[int]) -> pd.DataFrame:
    """Return one row per unit: its place, and a column for the mean of each outcome and year."""
    before, unit = frame[frame["year"].isin(list(years))], unit_column(frame)
    places = [name for name in KEYS if name in before and name != unit]
    place = before.groupby(unit, observed=True)[places].first()
    parts = {
        f"{outcome} {year}": before[before["year"] == year]
        .groupby(unit, observed=True)[outcome]
        .mean()
        for outcome in outcomes
        for year in sorted(years)
    }
    return place.join(pd.DataFrame(parts)).reset_index()


def _columns(
    wide: pd.DataFrame, outcomes: Sequence[str], years: Sequence[int]
) -> Iterator[Covariate]:
    for outcome in outcomes:
        for year in sorted(years):
            name = f"{outcome} {year}"
            if name in wide and wide[name].notna().any():
                yield Covariate(name, "", name, "number", wide[name].astype("float64"))
