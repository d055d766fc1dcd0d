"""Which rows lie in cells of school and year that inform a model of changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from schooltrial.models.panel.cohorts import informed_panel
from schooltrial.protocol.sections import (
    Model,
    Years,
    compares_not_yet,
    reference_year,
)


def find_informative_cells(
    frame: pd.DataFrame, complete: pd.Series, model: Model, years: Years
) -> pd.Series:
    """Return which rows lie in a cell that a model of changes rests on.

    The change of a school is measured from a year before to the year itself: a cell informs it
    only where the school has the other one too. For a difference in differences that is any year
    before the programme. For staggered adoption it is the last year of the panel before the cohort
    began (Callaway and Sant'Anna 2021, the base year g − 1), and for a school that is never
    treated, that of any cohort which has begun by the year.

    Parameters
    ----------
    frame : DataFrame
        Rows of pupils or cells: ``school``, ``year``, and where cohorts are compared ``cohort``.
    complete : Series of bool
        Rows that the model takes.
    model : Model
        One of ``difference_in_differences`` and ``staggered_adoption``.
    years : Years
        The protocol's section.
    """
    cells = frame.loc[complete, ["school", "year"]].drop_duplicates()
    held = pd.MultiIndex.from_frame(cells.astype({"school": "str", "year": "int64"}))
    school = frame["school"].astype("str")
    year = frame["year"].to_numpy("int64")

    def has(other: np.ndarray | int) -> np.ndarray:
        wanted = pd.MultiIndex.from_arrays([school, np.broadcast_to(other, len(frame))])
        return np.asarray(wanted.isin(held))

    if model["estimator"] == "staggered_adoption":
        informs = _of_cohorts(frame, cells, year, has) & _in_informed_schools(
            frame, complete, model
        )
    else:
        before = years["baseline"] or [reference_year(years)]
        then = np.logical_or.reduce([has(int(one)) for one in before])
        informs = then | np.isin(year, before)
    return pd.Series(informs, index=frame.index) & complete


def _in_informed_schools(frame: pd.DataFrame, complete: pd.Series, model: Model) -> np.ndarray:
    """Return which rows are of schools that any group-time effect rests on."""
    rows = frame[complete]
    number, names = pd.factorize(frame["school"].astype("str"))
    cohort = np.zeros(len(frame), dtype=np.int64)
    if "cohort" in frame:
        cohort = frame["cohort"].to_numpy("float64", na_value=0.0).astype(np.int64)
    inside = complete.to_numpy(dtype=bool)
    try:
        informed = informed_panel(
            number[inside], rows["year"].to_numpy("int64"), cohort[inside],
            not_yet=compares_not_yet(model, never=bool((cohort[inside] == 0).any())),
        )  # fmt: skip
    except ValueError:  # the model is refused for it, and nobody is analysed
        return np.zeros(len(frame), dtype=bool)
    used = np.zeros(len(names), dtype=bool)
    used[: len(informed.schools)] = informed.schools
    return np.asarray(used[number])


def _of_cohorts(
    frame: pd.DataFrame,
    cells: pd.DataFrame,
    year: np.ndarray,
    has: Callable[[np.ndarray | int], np.ndarray],
) -> np.ndarray:
    """Return which rows have the base year of their cohort, or of one that they are compared with.

    A year before a school's own cohort began is one of the years from which, or with which, its
    change is measured.
    """
    cohort = np.full(len(frame), np.nan)
    if "cohort" in frame:
        cohort = frame["cohort"].to_numpy("float64", na_value=np.nan)
    there = np.sort(cells["year"].to_numpy("int64"))
    never = np.isnan(cohort)
    found = year < np.where(never, -np.inf, cohort)
    begun = sorted({int(first) for first in cohort[~never]})
    if begun:
        found |= never & (year < begun[0])
    for first in begun:
        earlier = there[there < first]
        if not len(earlier):
            continue  # a cohort without a year before informs nothing
        base = has(int(earlier[-1]))
        found |= (cohort == first) & base
        found |= never & (year >= first) & base
    return np.asarray(found)
