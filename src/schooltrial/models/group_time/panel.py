"""A panel of schools by year, each school in the cohort of its first treated year."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.group_time.labels import numbered

NEVER = 0
"""The cohort of schools that are never treated."""


@dataclass(frozen=True, eq=False)
class SchoolPanel:
    """Outcomes of schools by year.

    Attributes
    ----------
    outcome : array (N, T)
        Mean outcome of each school and year; NaN where it was not measured.
    years : array (T,)
        Years of the panel, ascending.
    cohort : array (N,)
        First treated year of each school; 0 where it is never treated.
    schools : array (N,)
        Labels of the schools.
    n_pupils : array (N, T), optional
        Pupils behind each cell; NaN where not known.
    """

    outcome: FloatArray
    years: IntArray
    cohort: IntArray
    schools: npt.NDArray[Any]
    n_pupils: FloatArray | None = None

    @cached_property
    def seen(self) -> npt.NDArray[np.bool_]:
        """Whether a school was measured in a year, (N, T)."""
        return np.isfinite(self.outcome)

    @cached_property
    def balanced(self) -> bool:
        """Whether each school was measured in every year."""
        return bool(self.seen.all())

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """Cohorts in their order; 0, the never treated, comes first if there are any."""
        return tuple(int(g) for g in np.unique(self.cohort))

    @cached_property
    def group(self) -> IntArray:
        """For each school the position of its cohort in ``groups``, (N,)."""
        return np.searchsorted(np.array(self.groups), self.cohort).astype(np.int64)

    @cached_property
    def sizes(self) -> IntArray:
        """Schools of each group, (H,)."""
        return np.bincount(self.group, minlength=len(self.groups)).astype(np.int64)

    def kept(self, schools: npt.NDArray[np.bool_]) -> SchoolPanel:
        """Return the panel of some of its schools."""
        pupils = None if self.n_pupils is None else self.n_pupils[schools]
        return SchoolPanel(
            self.outcome[schools], self.years, self.cohort[schools], self.schools[schools], pupils
        )


def panel_of_rows(
    outcome: FloatArray,
    *,
    school: npt.NDArray[Any],
    year: npt.NDArray[Any],
    cohort: FloatArray,
    n_pupils: FloatArray | None = None,
) -> SchoolPanel:
    """Return the panel of rows of school and year.

    Parameters
    ----------
    outcome : array (n,)
        Mean outcome; rows where it is missing are no cells.
    school, year : array (n,)
        Labels.
    cohort : array (n,)
        First treated year of the row's school; NaN or 0 where it is never treated.
    n_pupils : array (n,), optional
        Pupils behind each cell.

    Raises
    ------
    ValueError
        Where a school has two rows in a year, or two first treated years, or an outcome is
        infinite.
    """
    infinite = int(np.isinf(np.asarray(outcome, dtype=np.float64)).sum())
    if infinite:
        raise ValueError(
            f"the outcome of {infinite:,} of {len(outcome):,} cells of school and year is "
            "infinite; correct these cells, or leave them out"
        )
    known = np.isfinite(outcome)
    if not known.any():
        raise ValueError("no cell of school and year has an outcome; give the outcome's column")
    labels, row = numbered(np.asarray(school)[known])
    years, column = numbered(np.asarray(year)[known].astype(np.int64))
    begun = np.nan_to_num(np.asarray(cohort, dtype=np.float64)[known])
    of_row = begun.astype(np.int64)
    if (of_row != begun).any():
        raise ValueError(
            f"the first treated year {begun[of_row != begun][0]:g} is not a whole year; give the "
            "year in which treated outcomes are first measured"
        )
    code = row * len(years) + column
    _refuse_repeated(code, labels, years)
    own = np.zeros(len(labels), dtype=np.int64)
    own[row] = of_row
    two = np.flatnonzero(own[row] != of_row)
    if len(two):
        at = two[0]
        raise ValueError(
            f"school {labels[row[at]]} has two first treated years, {of_row[at]} and "
            f"{own[row[at]]}; give each school one `cohort`, in all its rows"
        )
    panel = np.full((len(labels), len(years)), np.nan)
    panel[row, column] = np.asarray(outcome, dtype=np.float64)[known]
    pupils = None
    if n_pupils is not None:
        pupils = np.full(panel.shape, np.nan)
        pupils[row, column] = np.asarray(n_pupils, dtype=np.float64)[known]
    return SchoolPanel(panel, years, own, labels, pupils)


def _refuse_repeated(code: IntArray, labels: npt.NDArray[Any], years: IntArray) -> None:
    """Raise where a school has two rows in a year."""
    repeated = np.flatnonzero(np.bincount(code) > 1)
    if len(repeated):
        school, year = labels[repeated[0] // len(years)], years[repeated[0] % len(years)]
        raise ValueError(
            f"school {school} has two rows in {year}: a panel of schools has one for each year. "
            "Where a school holds both groups, or two cohorts, take `estimator: cluster_robust` "
            "with `fixed_effects: [school, year]`"
        )


def arrange(
    values: FloatArray,
    panel: SchoolPanel,
    *,
    school: npt.NDArray[Any],
    year: npt.NDArray[Any],
) -> FloatArray:
    """Return values of rows of school and year in the places of a panel.

    Parameters
    ----------
    values : array (n,)
    panel : SchoolPanel
        Its schools are in ascending order; rows of others are left out.
    school, year : array (n,)
        Labels of the rows.

    Returns
    -------
    array (N, T)
        NaN where there is no row.
    """
    found = np.full(panel.outcome.shape, np.nan)
    labels, at = np.asarray(school), np.asarray(year).astype(np.int64)
    known = np.isin(labels, panel.schools) & np.isin(at, panel.years)
    row = np.searchsorted(panel.schools, labels[known])
    found[row, np.searchsorted(panel.years, at[known])] = np.asarray(values, np.float64)[known]
    return found
