r"""Effects of all cells (g, t), adjusted for covariates or weighted, with each school's part.

A cell compares the change of cohort g between its base year and t with that of other schools, given
covariates in the base year. Cells that share cohort, base year, comparison schools and who was seen
share one regression or propensity score, so that the years of a cohort cost one fit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.adjusted_changes.doubly_robust import adjust_doubly_robust
from schooltrial.models.adjusted_changes.inverse_probability import adjust_by_inverse_probability
from schooltrial.models.adjusted_changes.outcome_regression import adjust_by_regression
from schooltrial.models.adjusted_changes.two_groups import (
    AdjustedEffects,
    Adjustment,
    BoolArray,
    TwoGroups,
)
from schooltrial.models.group_time.cells import Cell
from schooltrial.models.group_time.panel import SchoolPanel

ADJUSTMENTS: dict[Adjustment, Callable[[TwoGroups], AdjustedEffects]] = {
    "regression": adjust_by_regression,
    "doubly_robust": adjust_doubly_robust,
    "inverse_probability": adjust_by_inverse_probability,
}

MISSING = "=missing"
"""How the name of an indicator of missing values ends."""

PER_COVARIATE = 5
"""Treated schools that a propensity score needs in a cohort for each covariate."""


@dataclass(frozen=True, eq=False)
class SchoolCovariates:
    """Covariates of schools by year.

    Attributes
    ----------
    values : array (N, T, p)
        Without a constant; NaN where a school lacks one. What does not change with the years is
        repeated.
    names : tuple of str
        Of the columns.
    """

    values: FloatArray
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Covariates."""
        return int(self.values.shape[2])

    @property
    def complete(self) -> BoolArray:
        """Whether a school has all covariates in a year, (N, T)."""
        return np.asarray(np.isfinite(self.values).all(axis=2))

    def at(self, year: int) -> FloatArray:
        """Return the constant and the covariates in the year at a position, (N, 1 + p)."""
        found = self.values[:, year]
        return np.concatenate([np.ones((len(found), 1)), found], axis=1)


@dataclass(frozen=True, eq=False)
class CellEffects:
    """Effects of K cells.

    Attributes
    ----------
    points : array (K,)
        ATT(g, t); NaN where a cell has no school on a side.
    loadings : array (N, K)
        Of each school's change since the base year: ``points = Σ_i loadings_i changes_i``, given
        the propensity score where there is one.
    contributions : array (N, K)
        What each school adds to the error of each cell: see ``AdjustedEffects``.
    leverage : array (N, K)
        What the estimated means and regressions take from a school's residual; 0 outside a cell.
    trimmed : array (K,)
        Comparison schools left out as too likely to be treated.
    idle : tuple of (int, str)
        Cohorts and covariates that adjust nothing there: the same in all schools of some cell, or
        an indicator of missing values that no school compared with has.
    """

    points: FloatArray
    loadings: FloatArray
    contributions: FloatArray
    leverage: FloatArray
    trimmed: IntArray
    idle: tuple[tuple[int, str], ...] = ()

    @property
    def scaled(self) -> FloatArray:
        """Contributions divided by √(1 − leverage); NaN if the residual says nothing."""
        known = self.leverage < 1
        root = np.sqrt(np.where(known, 1 - self.leverage, 1.0))
        return np.where(known | (np.abs(self.loadings) < 1e-14), self.contributions / root, nan)


def adjust_cells(
    panel: SchoolPanel,
    cells: Sequence[Cell],
    *,
    covariates: SchoolCovariates | None = None,
    weights: FloatArray | None = None,
    units: IntArray | None = None,
    adjustment: Adjustment = "regression",
) -> CellEffects:
    """Return the effects of cells, adjusted for covariates and weighted.

    Parameters
    ----------
    panel : SchoolPanel
    cells : sequence of Cell
    covariates : SchoolCovariates, optional
        Taken in the base year of each cell. A school that lacks one then is not in the cell.
    weights : array (N,), optional
        One positive weight a school, the same in all years; all alike by default.
    units : array (N,), optional
        Independent units that schools belong to, such as districts: for ``leverage``.
    adjustment : {"regression", "doubly_robust", "inverse_probability"}
        How effects are adjusted.

    Raises
    ------
    ValueError
        Naming the cohort and the years, where cells cannot be adjusted.
    """
    n = len(panel.cohort)
    known = covariates or SchoolCovariates(np.zeros((*panel.outcome.shape, 0)))
    weights = np.ones(n) if weights is None else weights
    shape = (n, len(cells))
    found = CellEffects(
        np.full(len(cells), nan), np.zeros(shape), np.zeros(shape), np.zeros(shape),
        np.zeros(len(cells), dtype=np.int64),
    )  # fmt: skip
    idle: set[tuple[int, str]] = set()
    for (g, base, packed), columns in _alike(panel, cells, known).items():
        inside: BoolArray = np.frombuffer(packed, dtype=bool)
        treated = panel.cohort[inside] == g
        if not treated.any() or treated.all():
            continue
        years = [cells[k].year for k in columns]
        late, early = (np.searchsorted(panel.years, at) for at in (years, base))
        outcome = panel.outcome[inside]
        x = known.at(int(early))[inside]
        used = _adjusting(x, treated, known.names)
        idle |= {(g, name) for name, kept in zip(known.names, used[1:], strict=False) if not kept}
        try:
            if adjustment != "regression":
                _refuse_few(int(treated.sum()), int(used[1:].sum()))
            effects = ADJUSTMENTS[adjustment](
                TwoGroups(
                    treated, outcome[:, late] - outcome[:, [early]],
                    x[:, used], weights[inside],
                    tuple(n for n, kept in zip(known.names, used[1:], strict=False) if kept),
                    None if units is None else units[inside],
                )
            )  # fmt: skip
        except ValueError as error:
            shown = f"{years[0]}" if len(years) == 1 else f"{min(years)} to {max(years)}"
            raise ValueError(f"cohort {g}, {shown} compared with {base}: {error}") from error
        found.points[columns] = effects.points
        found.trimmed[columns] = effects.trimmed
        place = np.ix_(np.flatnonzero(inside), np.array(columns))
        found.loadings[place] = effects.loadings[:, None]
        found.contributions[place] = effects.contributions
        found.leverage[place] = effects.leverage[:, None]
    return replace(found, idle=tuple(sorted(idle)))


def _adjusting(x: FloatArray, treated: BoolArray, names: Sequence[str]) -> BoolArray:
    """Return the columns that can adjust anything: those that are not the same in all schools.

    A school whose missing value no school compared with shares counts by the mean it was given.
    """
    used: BoolArray = np.ptp(x, axis=0) > 0
    used[0] = True
    for at, name in enumerate(names, start=1):
        if name.endswith(MISSING):
            used[at] &= np.ptp(x[~treated, at]) > 0
    return used


def _alike(
    panel: SchoolPanel, cells: Sequence[Cell], covariates: SchoolCovariates
) -> dict[tuple[int, int, bytes], list[int]]:
    """Return the positions of cells that share cohort, base year and schools."""
    shared: dict[tuple[int, int, bytes], list[int]] = defaultdict(list)
    complete = covariates.complete
    for position, cell in enumerate(cells):
        at, base = np.searchsorted(panel.years, [cell.year, cell.base])
        inside = (panel.cohort == cell.cohort) | np.isin(panel.cohort, cell.compared)
        inside &= panel.seen[:, at] & panel.seen[:, base] & complete[:, base]
        shared[cell.cohort, cell.base, inside.tobytes()].append(position)
    return shared


def _refuse_few(treated: int, n_covariates: int) -> None:
    if treated < PER_COVARIATE * n_covariates:
        raise ValueError(
            f"{treated} treated schools are too few for a propensity score on {n_covariates} "
            f"{'covariate' if n_covariates == 1 else 'covariates'} (it needs {PER_COVARIATE} for "
            "each). Take `adjustment: regression`, which estimates nothing from the treated "
            "schools but their mean, or name fewer `covariates`"
        )
