"""Variables as columns that can be compared: a number as it is, a category as one per level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.rows.coding import Covariate
from schooltrial.data.rows.filters import matches

ALL = "all schools"


ROUNDING = 1e-12
"""A spread below this share of the values' size is rounding, as means of equal numbers have."""


def is_constant(values: pd.Series) -> bool:
    """Return whether all values are one but for rounding."""
    low, high = float(values.min()), float(values.max())
    return high - low <= ROUNDING * max(abs(low), abs(high))


def mirrored(columns: Sequence[Covariate]) -> set[int]:
    """Return the places of columns that are another one turned round: the second of two levels.

    Parameters
    ----------
    columns : sequence of Covariate
        Coded with all their levels.
    """
    places: dict[str, list[int]] = {}
    for at, column in enumerate(columns):
        if column.kind == "level":
            places.setdefault(column.name, []).append(at)
    return {found[1] for found in places.values() if len(found) == 2}


def compared_rows(
    pupils: pd.DataFrame, settings: Mapping[str, Any], year: int | None
) -> pd.DataFrame:
    """Return the rows of the baseline year (all where None) that the settings keep."""
    kept = matches(pupils, settings["where"])
    return pupils[kept if year is None else kept & (pupils["year"] == year)]


def school_rows(
    pupils: pd.DataFrame,
    variables: Sequence[str],
    schools: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row per school: the mean of a number, the one value of a category.

    A category of which a school's pupils have several is missing there, and so is not compared
    where that is so of all schools.

    Parameters
    ----------
    pupils : DataFrame
        Rows of pupils in the schools.
    variables : sequence of str
    schools : DataFrame, optional
        All schools that were assigned, with ``block, arm, treated`` and what is known of them: a
        school without pupils is then counted, its means missing.

    Returns
    -------
    DataFrame
        No rows where units inside schools were drawn: there a school is in no group.
    """
    keys = [name for name in ("block", "arm", "treated") if name in pupils]
    if pupils.empty and schools is None:
        return pd.DataFrame(columns=["school", *keys, *variables])
    if pupils.groupby("school")["treated"].nunique().gt(1).any():
        return pd.DataFrame(columns=["school", *keys, *variables])
    groups = pupils.groupby("school", observed=True)
    of_school = {
        name: groups[name].mean()
        if pd.api.types.is_numeric_dtype(pupils[name])
        else groups[name].first().where(groups[name].nunique() == 1)
        for name in variables
        if name in pupils
    }
    frame = pd.DataFrame({**{key: groups[key].first() for key in keys}, **of_school})
    frame.index.name = "school"
    if schools is None:
        return frame.reset_index()
    every = schools.set_index("school")
    own = [name for name in variables if name in every]
    known = [name for name in variables if name not in every]
    keys = [name for name in ("block", "arm", "treated") if name in every]
    return every[[*keys, *own]].join(frame[[n for n in known if n in frame]]).reset_index()


def with_attributes(
    schools: pd.DataFrame, then: pd.DataFrame, variables: Sequence[str]
) -> pd.DataFrame:
    """Return schools with those variables that are one and the same for all pupils of a school.

    Parameters
    ----------
    schools : DataFrame
        One row per school.
    then : DataFrame
        All pupils of the baseline year, in their schools of that year.
    variables : sequence of str
    """
    groups = then.groupby("school", observed=True)
    new = [
        name
        for name in dict.fromkeys(variables)
        if name in then and name not in schools and not groups[name].nunique().gt(1).any()
    ]
    own = {name: groups[name].first() for name in new}
    return schools.join(pd.DataFrame(own), on="school") if own else schools


def filled_matrix(
    columns: Sequence[Covariate], units: pd.Series, block: pd.Series
) -> tuple[pd.Index, np.ndarray[Any, np.dtype[np.float64]], int]:
    """Return units, the mean of each column over the rows of each unit, and how many were filled.

    A mean that is not known takes that of the unit's block, or of all: a rule that does not look at
    arms, so that tests by re-randomisation stay exact.
    """
    frame = pd.DataFrame({str(k): column.values for k, column in enumerate(columns)})
    means = frame.groupby(units.to_numpy(), sort=True).mean()
    of_unit = block.groupby(units.to_numpy(), sort=True).first()
    missing = int(means.isna().to_numpy().sum())
    if missing:
        means = means.fillna(means.groupby(of_unit.to_numpy()).transform("mean"))
        means = means.fillna(means.mean()).fillna(0.0)
    return means.index, means.to_numpy(dtype="float64"), missing
