r"""What each school weighs in an average: every row is a fixed linear combination of school means.

.. math:: \hat\theta_r = \sum_i w_{ir}'Y_i

with Y_i the years of school i. In a balanced panel in which schools count alike all schools of a
group (a cohort, or never treated) weigh the same, :math:`w_{ir} = a_{hr}/n_h`, so that the row is
:math:`\sum_h a_{hr}'\bar Y_h`. A school that is compared with now and treated later needs no
special care: its parts add up. Schools being independent, all inference follows from the one
number :math:`w_{ir}'Y_i` of each school and row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.group_time.cells import Cell, schools_of
from schooltrial.models.group_time.panel import SchoolPanel


@dataclass(frozen=True, eq=False)
class Effects:
    """Effects as linear forms in the outcomes of schools.

    Attributes
    ----------
    points : array (R,)
        The effects.
    loadings : array (H, T, R) or (N, T, R)
        a_hr, the weight of a group's mean in each year, or w_ir, the weight of a school; 0 where a
        school was not seen. They sum to zero over years.
    contributions : array (N, R) or None
        Each school's deviation ψ_ir, scaled for the degrees of freedom of its group, so that the
        variance by own variances is Σ_i ψ²_ir; NaN where a school is alone in its group, and its
        deviation is not known. None where loadings are by group.
    lost : array (H, R) or None
        Parameters estimated from each group beside which deviations are taken; 1, the mean, where
        None.
    """

    points: FloatArray
    loadings: FloatArray
    contributions: FloatArray | None = None
    lost: FloatArray | None = None

    @property
    def by_group(self) -> bool:
        """Whether all schools of a group weigh the same."""
        return self.contributions is None

    def combined(self, matrix: FloatArray) -> Effects:
        """Return the linear combinations of the effects that the columns of (R, S) give."""
        used = None
        if self.lost is not None:
            used = np.stack(
                [np.where(column != 0, self.lost, 1.0).max(1) for column in matrix.T], axis=1
            )
        scaled = None if self.contributions is None else _summed(self.contributions, matrix)
        return Effects(self.points @ matrix, self.loadings @ matrix, scaled, used)


def _summed(contributions: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return sums that an unknown deviation spoils only where it has a weight."""
    known = np.nan_to_num(contributions) @ matrix
    spoilt = (np.isnan(contributions).astype(float) @ (matrix != 0)) > 0
    return np.where(spoilt, nan, known)


def effects_of_cells(panel: SchoolPanel, cells: Sequence[Cell], matrix: FloatArray) -> Effects:
    """Return averages of cells without covariates, every school counting alike.

    Parameters
    ----------
    panel : SchoolPanel
    cells : sequence of Cell
        K cells.
    matrix : array (K, R)
        The weights of the averages.
    """
    if panel.balanced:
        by_group = group_loadings(panel.groups, panel.sizes, panel.years, cells, matrix)
        return _by_group(panel, by_group)
    return effects_by_school(panel, cells, matrix)


def group_loadings(
    groups: Sequence[int],
    sizes: Sequence[float] | IntArray,
    years: Sequence[int] | IntArray,
    cells: Sequence[Cell],
    matrix: FloatArray,
) -> FloatArray:
    """Return a_hr of a balanced panel, (H, T, R): it depends on the design alone.

    A cell puts +1 and −1 on its years for its cohort, and −n_h/n_C times that for each group h of
    those compared.
    """
    n = np.asarray(sizes, dtype=np.float64)
    index = {group: at for at, group in enumerate(groups)}
    column = {int(year): at for at, year in enumerate(years)}
    loadings = np.zeros((len(groups), len(column), matrix.shape[1]))
    for cell, weights in zip(cells, matrix, strict=True):
        others = [index[group] for group in cell.compared]
        share = np.zeros(len(groups))
        share[index[cell.cohort]] = 1.0
        share[others] -= n[others] / n[others].sum()
        part = share[:, None] * weights
        loadings[:, column[cell.year]] += part
        loadings[:, column[cell.base]] -= part
    return loadings


def _by_group(panel: SchoolPanel, loadings: FloatArray) -> Effects:
    means = np.stack([panel.outcome[panel.group == h].mean(0) for h in range(len(panel.groups))])
    return Effects(np.einsum("ht,htr->r", means, loadings), loadings)


def effects_by_school(panel: SchoolPanel, cells: Sequence[Cell], matrix: FloatArray) -> Effects:
    """Return averages if schools lack years: a cell uses the schools seen in both its years.

    Every school of a cell counts alike, so that ψ_ir = Σ_k w_kr (x_ik − m_hk)/√(n_hk(n_hk − 1)), x
    the change between the years of cell k and m_hk its mean over the n_hk schools of group h.
    """

    def alike(cell: Cell) -> FloatArray:
        own, others = schools_of(panel, cell)
        return np.asarray(own / own.sum() - others / others.sum(), dtype=np.float64)

    return effects_of_weights(panel, cells, matrix, alike)


def effects_of_weights(
    panel: SchoolPanel,
    cells: Sequence[Cell],
    matrix: FloatArray,
    weights_of: Callable[[Cell], FloatArray],
) -> Effects:
    """Return averages of cells in which each school has a weight.

    Parameters
    ----------
    panel : SchoolPanel
    cells : sequence of Cell
        K cells.
    matrix : array (K, R)
        The weights of the averages.
    weights_of : callable
        Cell → the weight of every school's change in it, (N,): positive ones of the cohort sum to
        1, negative ones of the schools compared with to −1. Where several groups are compared
        together, each school weighs by all of them.
    """
    n, years = panel.outcome.shape
    rows = matrix.shape[1]
    y = np.nan_to_num(panel.outcome)
    loadings, psi = np.zeros((n, years, rows)), np.zeros((n, rows))
    alone = np.zeros((n, rows), dtype=bool)
    points = np.zeros(rows)
    for cell, averaged in zip(cells, matrix, strict=True):
        at, base = np.searchsorted(panel.years, [cell.year, cell.base])
        change = y[:, at] - y[:, base]
        weight = weights_of(cell)
        points += (weight @ change) * averaged
        inside, into = np.flatnonzero(weight), np.flatnonzero(averaged)
        part = weight[inside, None] * averaged[into]
        loadings[inside[:, None], at, into] += part
        loadings[inside[:, None], base, into] -= part
        deviation, lone = _deviations(
            change[inside], weight[inside], panel.group[inside], len(panel.groups)
        )
        psi[inside[:, None], into] += deviation[:, None] * averaged[into]
        alone[inside[:, None], into] |= lone[:, None]
    return Effects(points, loadings, np.where(alone, nan, psi))


_ALONE = 1 - 1e-9  # share of a group's weight from which one school is all of it


def _deviations(
    change: FloatArray, weight: FloatArray, group: npt.NDArray[np.integer], groups: int
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return each school's part of the error, scaled, and whether it is all of its group."""
    share = np.abs(weight) / np.bincount(group, np.abs(weight), groups)[group]
    mean = np.bincount(group, share * change, groups)[group]
    second = np.bincount(group, share**2, groups)[group]
    third = np.bincount(group, share**3, groups)[group]
    left = second - 2 * third + second**2
    lone = np.bincount(group, share >= _ALONE, groups)[group] > 0
    scale = np.sqrt(np.divide(second, left, out=np.zeros_like(left), where=~lone & (left > 0)))
    return scale * weight * (change - mean), lone
