"""Schools as rows of a cross-section: one row per school and year, one column per outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.protocol.content.sections import Outcome

RULES = ("midpoint", "against", "in_favour")
"""What a model may do with a value that was published as a bound or a range."""

IN_CELLS = ("outcome", "mean", "n_pupils", "mean_low", "mean_high")
"""Columns of cells that are of one outcome."""


def add_school_baselines(
    cells: pd.DataFrame, published: pd.DataFrame, outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """Add each outcome's value of its baseline year to the cells of all years.

    A school without one has 0 and an indicator of 1 (``<outcome>_before_missing``), as a pupil has.
    The mean of the school (``<outcome>_before_school``) is its own value once more, so that a model
    of schools leaves it out.

    Parameters
    ----------
    cells : DataFrame
        Rows of schools: ``school`` at least.
    published : DataFrame
        Cells with a value: ``school, year, outcome, mean``.
    outcomes : mapping
        Outcomes of schools.
    """
    added: dict[str, pd.Series] = {}
    for name, outcome in outcomes.items():
        year = outcome["baseline_year"]
        if year is None:
            continue
        then = published[(published["outcome"] == name) & (published["year"] == year)]
        own = then.set_index(then["school"].astype("str"))["mean"]
        before = cells["school"].astype("str").map(own).astype("float64")
        added[f"{name}_before"] = before.fillna(0.0)
        added[f"{name}_before_missing"] = before.isna().astype("float64")
        added[f"{name}_before_school"] = before.fillna(0.0)
    return cells.assign(**added)


def build_school_sample(
    cells: pd.DataFrame, bounded: pd.DataFrame, outcomes: Iterable[str], first_year: int
) -> pd.DataFrame:
    """Return one row per school and year, with what is known of the school.

    Parameters
    ----------
    cells, bounded : DataFrame
        Published cells of outcomes of schools, and those published as a bound or a range.
    outcomes : iterable of str
        Outcomes of schools.
    first_year : int
        First year of the programme, for schools without a ``cohort``.

    Returns
    -------
    DataFrame
        ``school, cluster, block, arm, treated, (cohort), year``, attributes, and for each outcome
        its value, the pupils behind it (``<outcome>_n_pupils``) and, where cells are bounded, the
        point that each rule of ``bounded_cells`` puts them at (``<outcome>_midpoint`` …).
    """
    parts = [part for part in (cells, bounded[list(cells)]) if len(part)] or [cells]
    every = pd.concat(parts, ignore_index=True)
    known = every.drop(columns=[name for name in IN_CELLS if name in every])
    rows = known.drop_duplicates(["school", "year"]).sort_values(
        ["year", "school"], ignore_index=True
    )
    columns: dict[str, np.ndarray] = {}
    for name in outcomes:
        own = cells[cells["outcome"] == name]
        columns[name] = _found(rows, own, "mean")
        columns[f"{name}_n_pupils"] = _found(rows, own, "n_pupils")
        partly = bounded[bounded["outcome"] == name]
        for rule in RULES if len(partly) else ():
            placed = with_bounded_cells(own, partly, rule, first_year)
            columns[f"{name}_{rule}"] = _found(rows, placed, "mean")
    return rows.assign(cluster=rows["school"], **columns)


def with_values_by_year(cells: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
    """Return cells with the columns of a school and year that they lack, other outcomes among them.

    Parameters
    ----------
    cells : DataFrame
        Cells of school, year and outcome.
    sample : DataFrame
        What `build_school_sample` returns.
    """
    new = [name for name in sample if name not in cells]
    known = sample.assign(school=sample["school"].astype("str"), year=sample["year"].astype(int))
    wanted = pd.MultiIndex.from_arrays([cells["school"].astype("str"), cells["year"].astype(int)])
    found = known.set_index(["school", "year"])[new].reindex(wanted).reset_index(drop=True)
    return cells.reset_index(drop=True).join(found)


def _found(rows: pd.DataFrame, cells: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of cells for each school and year; NaN if there is none."""
    keys = pd.MultiIndex.from_arrays([cells["school"].astype("str"), cells["year"].astype(int)])
    values = pd.Series(cells[column].to_numpy("float64", na_value=np.nan), index=keys)
    wanted = pd.MultiIndex.from_arrays([rows["school"].astype("str"), rows["year"].astype(int)])
    return np.asarray(values.reindex(wanted).to_numpy())
