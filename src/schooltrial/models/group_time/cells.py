r"""The cells (g, t) of group-time effects: which years each compares, and which schools.

.. math:: ATT(g,t) = E[Y_t - Y_b \mid G=g] - E[Y_t - Y_b \mid C]

with b the last year before g less the years of anticipation and C the schools that are never
treated, or not yet treated in either year (Callaway and Sant'Anna 2021, Journal of Econometrics
225(2): 200-230, section 2). Before treatment, a *varying* base takes the year before t, so that a
cell is a yearly drift; a *universal* base takes b for every year, so that cells are levels beside
the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.group_time.panel import NEVER, SchoolPanel

ComparisonGroup = Literal["never_treated", "not_yet_treated"]
BasePeriod = Literal["varying", "universal"]


@dataclass(frozen=True)
class Cell:
    """One group-time effect.

    Attributes
    ----------
    cohort, year : int
        g and t.
    base : int
        The year that ``year`` is compared with.
    compared : tuple of int
        Cohorts that serve as comparison; 0 for never treated.
    """

    cohort: int
    year: int
    base: int
    compared: tuple[int, ...]

    @property
    def since(self) -> int:
        """Years since the cohort began; negative before."""
        return self.year - self.cohort


def plan_cells(
    panel: SchoolPanel,
    comparison_group: ComparisonGroup = "never_treated",
    base_period: BasePeriod = "varying",
    anticipation: int = 0,
) -> tuple[Cell, ...]:
    """Return the cells that the panel informs, by cohort and year.

    A cell needs a school of the cohort, and one to compare with, that were seen in both its years.
    """
    return tuple(
        cell
        for cohort in panel.groups
        if cohort != NEVER
        for cell in _of_cohort(panel, cohort, comparison_group, base_period, anticipation)
        if informs(panel, cell)
    )


def base_year(years: IntArray, cohort: int, anticipation: int = 0) -> int | None:
    """Return the last year before a cohort began, less anticipation; None if there is none."""
    before = years[years < cohort - anticipation]
    return int(before[-1]) if len(before) else None


def _of_cohort(
    panel: SchoolPanel,
    cohort: int,
    comparison_group: ComparisonGroup,
    base_period: BasePeriod,
    anticipation: int,
) -> Iterator[Cell]:
    base = base_year(panel.years, cohort, anticipation)
    if base is None or cohort > panel.years[-1]:
        return
    for at, year in enumerate(int(t) for t in panel.years):
        with_ = base
        if base_period == "varying" and year < cohort:
            if at == 0:
                continue
            with_ = int(panel.years[at - 1])
        if year == with_:
            continue
        late = max(year, with_) + anticipation
        compared = tuple(
            g
            for g in panel.groups
            if g == NEVER or (comparison_group == "not_yet_treated" and g > late and g != cohort)
        )
        yield Cell(cohort, year, with_, compared)


def schools_of(
    panel: SchoolPanel, cell: Cell
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which schools a cell uses, (N,) bool: those of its cohort, and comparison schools."""
    at, base = np.searchsorted(panel.years, [cell.year, cell.base])
    both = panel.seen[:, at] & panel.seen[:, base]
    return (panel.cohort == cell.cohort) & both, np.isin(panel.cohort, cell.compared) & both


def informs(panel: SchoolPanel, cell: Cell) -> bool:
    """Return whether a cell has a school on either side that was seen in both years."""
    if not cell.compared:
        return False
    if panel.balanced:
        return True
    own, others = schools_of(panel, cell)
    return bool(own.any() and others.any())


def treated_schools(panel: SchoolPanel, cells: Sequence[Cell]) -> FloatArray:
    """Return the schools of each cell's cohort that were seen in both its years, (K,)."""
    size = dict(zip(panel.groups, panel.sizes.tolist(), strict=True))
    return np.array(
        [
            float(size[cell.cohort] if panel.balanced else schools_of(panel, cell)[0].sum())
            for cell in cells
        ]
    )
