"""How much of the programme each unit received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.implementation.log import school_year

DOSAGE = ["component", "school", "arm", "period", "year", "n_leaders", "value"]


def measure_dosage(log: pd.DataFrame, arms: Mapping[str, str], starts_in: int) -> pd.DataFrame:
    """Return what each school received of each component in each period.

    A mean over its leaders: all who have a row of any component in that school year, so that the
    periods of a year add up to the school's total in `fidelity`. A period of which nothing but
    missing values is recorded has no row.

    Parameters
    ----------
    log : DataFrame
        Implementation table: ``school, component, period, value`` and, where there are several,
        ``leader``.
    arms : mapping
        School → arm; schools that were not assigned are left out.
    starts_in : int
        Month in which a school year begins.
    """
    rows = log.assign(arm=log["school"].map(dict(arms)), year=school_year(log["period"], starts_in))
    rows = rows.dropna(subset=["arm"]).astype({"component": "str"})
    if "leader" not in rows:
        rows = rows.assign(leader="")
    leaders = rows.groupby(["school", "year"])["leader"].nunique().rename("n_leaders")
    keys = ["component", "school", "arm", "period", "year"]
    found = rows.dropna(subset=["value"]).groupby(keys, as_index=False)["value"].sum()
    found = found.merge(leaders, left_on=["school", "year"], right_index=True)
    found["value"] = found["value"] / found["n_leaders"]
    return found.sort_values(keys, ignore_index=True)[DOSAGE]


def unit_totals(
    of_year: pd.DataFrame, name: str, part: Mapping[str, Any], schools: Sequence[str]
) -> pd.Series:
    """Return the year's total (or mean over its periods) of every unit.

    0 for a unit without a row of the component; NaN where its rows hold nothing but missing values.
    """
    return _by_school(_leaders(of_year, name, part), of_year, part, schools)


def _leaders(of_year: pd.DataFrame, name: str, part: Mapping[str, Any]) -> pd.Series:
    """Return the totals of leaders, or of schools where the log names no leaders."""
    keys = ["school", "leader"] if "leader" in of_year else ["school"]
    held = of_year[of_year["component"] == name].groupby(keys)["value"]
    totals = held.sum(min_count=1) if part["total"] == "sum" else held.mean()
    everyone = of_year[keys].drop_duplicates().set_index(keys).index
    return totals.reindex(everyone, fill_value=0.0)


def _by_school(
    leaders: pd.Series, of_year: pd.DataFrame, part: Mapping[str, Any], schools: Sequence[str]
) -> pd.Series:
    if part["measured_on"] == "leader" and "leader" in of_year:
        return leaders
    return leaders.groupby(level="school").mean().reindex(list(schools), fill_value=0.0)
