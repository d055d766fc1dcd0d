r"""Averages of adjusted cells as linear forms, by school or by the district that schools are in.

The residual of a school is smaller than its error, as the mean of its cohort and the regression on
covariates were fitted to it. Each contribution is divided by :math:`\sqrt{1 - h}`, h its leverage:
that multiplies a cohort's sum of squares by :math:`n_g/(n_g - 1)`, and that of schools compared
with by :math:`n_C/(n_C - p - 1)` where they have leverages alike. Degrees of freedom are those of a
working model in which the residuals of all schools, given covariates, have one covariance over
years.

With clusters above schools, loadings and contributions are added up by cluster, which then is the
unit; where a cluster holds schools of several cohorts, all clusters are one group, whose sum of
squares is the variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.group_time.adjusted_cells import CellEffects, SchoolCovariates
from schooltrial.models.group_time.cells import Cell, base_year
from schooltrial.models.group_time.loadings import Effects
from schooltrial.models.group_time.panel import NEVER, SchoolPanel


@dataclass(frozen=True, eq=False)
class AdjustedPanel:
    """What inference on adjusted averages takes.

    Attributes
    ----------
    panel : SchoolPanel
        The independent units, schools or clusters, with the outcomes that covariates leave.
    effects : Effects
        By unit.
    school_loadings : array (N, T, R)
        The loadings of schools.
    crossed : bool
        Whether some cluster holds schools of several cohorts.
    """

    panel: SchoolPanel
    effects: Effects
    school_loadings: FloatArray
    crossed: bool = False


def adjusted_effects_of(
    panel: SchoolPanel,
    cells: Sequence[Cell],
    found: CellEffects,
    matrix: FloatArray,
    *,
    covariates: SchoolCovariates | None = None,
    clusters: IntArray | None = None,
    anticipation: int = 0,
) -> AdjustedPanel:
    """Return averages of adjusted cells.

    Parameters
    ----------
    panel : SchoolPanel
    cells : sequence of Cell
        K cells.
    found : CellEffects
        Their effects, with ``clusters`` as their units.
    matrix : array (K, R)
        The weights of the averages.
    covariates : SchoolCovariates, optional
        Those of the cells.
    clusters : array (N,), optional
        Number of each school's cluster; schools are independent by default.
    anticipation : int
        That of the cells.
    """
    effects = Effects(
        np.nan_to_num(found.points) @ matrix,
        _school_loadings(panel, cells, found.loadings, matrix),
        _averaged(found.scaled, matrix),
    )
    left = replace(panel, outcome=covariate_residuals(panel, covariates, anticipation))
    sums = _squared_loadings(found, matrix)
    if clusters is None:
        return AdjustedPanel(left, _with_lost(effects, left, sums), effects.loadings)
    units, by_cluster, sums, crossed = _by_cluster(left, effects, sums, clusters)
    return AdjustedPanel(units, _with_lost(by_cluster, units, sums), effects.loadings, crossed)


def covariate_residuals(
    panel: SchoolPanel, covariates: SchoolCovariates | None, anticipation: int = 0
) -> FloatArray:
    """Return outcomes less the part that covariates explain, (N, T).

    Year by year a regression within groups, so that programmes do not enter; covariates are those
    of the base year of a school's cohort, and of the earliest base year where it is never treated.
    """
    if covariates is None or not covariates.count:
        return panel.outcome
    bases = {g: base_year(panel.years, g, anticipation) for g in panel.groups if g != NEVER}
    known = [year for year in bases.values() if year is not None]
    first = min(known) if known else int(panel.years[0])
    year_of = np.array([bases.get(g) or first for g in panel.cohort.tolist()])
    at = np.searchsorted(panel.years, year_of)
    x = covariates.values[np.arange(len(at)), at]
    left = np.full(panel.outcome.shape, nan)
    for t in range(len(panel.years)):
        inside = panel.seen[:, t] & np.isfinite(x).all(axis=1)
        y, z, group = panel.outcome[inside, t], x[inside], panel.group[inside]
        count = np.maximum(np.bincount(group, minlength=len(panel.groups)), 1)
        means = np.stack([np.bincount(group, column, len(panel.groups)) / count
                          for column in (y, *z.T)])[:, group]  # fmt: skip
        slope = np.linalg.lstsq(z - means[1:].T, y - means[0], rcond=None)[0]
        left[inside, t] = y - z @ slope
    return left


def _school_loadings(
    panel: SchoolPanel, cells: Sequence[Cell], loadings: FloatArray, matrix: FloatArray
) -> FloatArray:
    found = np.zeros((*panel.outcome.shape, matrix.shape[1]))
    for cell, own, weights in zip(cells, loadings.T, matrix, strict=True):
        rows, columns = np.flatnonzero(own), np.flatnonzero(weights)
        part = own[rows, None] * weights[columns]
        at, base = np.searchsorted(panel.years, [cell.year, cell.base])
        found[rows[:, None], at, columns] += part
        found[rows[:, None], base, columns] -= part
    return found


def _averaged(scaled: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return sums of contributions; NaN if one that has a weight is not known."""
    unknown = np.isnan(scaled)
    found: FloatArray = np.where(unknown, 0.0, scaled) @ matrix
    if unknown.any():
        found[(unknown.astype(float) @ (matrix != 0)) > 0] = nan
    return found


def _squared_loadings(cells: CellEffects, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each school's squared loadings of each average, as they are and divided by 1 − h."""
    squared = cells.loadings**2
    kept = np.where(cells.leverage < 1, 1 - cells.leverage, 1.0)
    return squared @ matrix**2, (squared / kept) @ matrix**2


def _with_lost(
    effects: Effects, units: SchoolPanel, sums: tuple[FloatArray, FloatArray]
) -> Effects:
    """Return the effects with what estimation costs each group, in units.

    n/(n − lost) is the mean of 1/(1 − h) over the units of a group, weighted by squared loadings.
    """
    plain, inflated = (
        np.stack([part[units.group == h].sum(axis=0) for h in range(len(units.groups))])
        for part in sums
    )
    ratio = np.divide(plain, inflated, out=np.ones_like(plain), where=inflated > 0)
    used = np.abs(effects.loadings).max(axis=1) > 0
    count = np.stack([used[units.group == h].sum(axis=0) for h in range(len(units.groups))])
    return replace(effects, lost=count * (1 - ratio))


def _by_cluster(
    panel: SchoolPanel,
    effects: Effects,
    sums: tuple[FloatArray, FloatArray],
    clusters: IntArray,
) -> tuple[SchoolPanel, Effects, tuple[FloatArray, FloatArray], bool]:
    """Return the panel and the effects with clusters as their units."""
    labels, code = np.unique(clusters, return_inverse=True)
    group_means = np.stack([_mean_rows(panel.outcome[panel.group == h])
                            for h in range(len(panel.groups))])  # fmt: skip
    left = panel.outcome - group_means[panel.group]
    outcome = np.stack([_mean_rows(left[code == c]) for c in range(len(labels))])
    cohort = np.zeros(len(labels), dtype=np.int64)
    cohort[code] = panel.cohort
    crossed = bool((cohort[code] != panel.cohort).any())
    if crossed:
        cohort[:] = NEVER
    assert effects.contributions is not None
    psi = _summed(effects.contributions, code, len(labels))
    added = _root_sums if crossed else _summed
    loadings = added(effects.loadings, code, len(labels))
    units = SchoolPanel(outcome, panel.years, cohort, labels)
    spent = (_summed(sums[0], code, len(labels)), _summed(sums[1], code, len(labels)))
    return units, Effects(effects.points, loadings, psi), spent, crossed


def _summed(values: FloatArray, code: IntArray, count: int) -> FloatArray:
    found = np.zeros((count, *values.shape[1:]))
    np.add.at(found, code, values)
    return found


def _root_sums(loadings: FloatArray, code: IntArray, count: int) -> FloatArray:
    """Return for each cluster the loadings of its heaviest school, of all schools' squared length.

    In a cluster of several cohorts loadings of opposite sign would cancel, as if its schools erred
    alike; these are for degrees of freedom, and take them to err apart.
    """
    squared = (loadings**2).sum(axis=1)
    total = _summed(squared, code, count)
    found = np.zeros((count, *loadings.shape[1:]))
    rows = np.arange(loadings.shape[2])
    for c in range(count):
        inside = np.flatnonzero(code == c)
        heaviest = inside[np.argmax(squared[inside], axis=0)]
        most = squared[heaviest, rows]
        scale = np.sqrt(np.divide(total[c], most, out=np.zeros_like(most), where=most > 0))
        found[c] = loadings[heaviest, :, rows].T * scale
    return found


def _mean_rows(rows: FloatArray) -> FloatArray:
    """Return means of columns over the rows that are seen; NaN if none is."""
    seen = np.isfinite(rows)
    count = seen.sum(axis=0)
    total = np.where(seen, rows, 0.0).sum(axis=0)
    means: FloatArray = np.divide(total, count, out=np.full(rows.shape[1], nan), where=count > 0)
    return means
