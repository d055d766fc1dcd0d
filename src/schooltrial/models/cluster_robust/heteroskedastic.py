"""Heteroskedasticity-robust variances of fits without clusters: HC0 to HC5.

V = M [Σ_i w_i² e_i² f(h_i) x_i x_i'] M with h_i = w_i x_i'M x_i the leverage of a row, absorbed
effects included. f is 1 (HC0, and HC1 times N/(N − k)), 1/(1 − h) (HC2), 1/(1 − h)² (HC3), and
(1 − h)^(−δ_i) with exponents that grow with leverage (HC4, HC4m: Cribari-Neto 2004; Cribari-Neto &
da Silva 2011; HC5: Cribari-Neto, Souza & Vasconcellos 2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cluster_robust.degrees_of_freedom import Influence
from schooltrial.models.least_squares.coefficients import GatheredRows

BLOCK_ROWS = 8192


FULL_LEVERAGE = 1e-10


@dataclass(frozen=True)
class RowScores:
    """The rows of a fit, read again block by block.

    Attributes
    ----------
    columns : sequence of q arrays
        The data, outcome last.
    cell : (N,) int array or None
        Absorbed group of each row.
    centre : (C, q) array
        What is subtracted from the columns: group means, or one common shift.
    own_leverage : (C,) array
        Leverage that the absorbed effect of a group gives a row of unit weight.
    design : (q, m) array
        Map from columns to whitened regressors.
    residual : (q,) array
        Map from columns to the residual.
    weights : (N,) array or None
        Weights of mean one.
    """

    columns: Sequence[NDArray[Any]]
    cell: IntArray | None
    centre: FloatArray
    own_leverage: FloatArray
    design: FloatArray
    residual: FloatArray
    weights: FloatArray | None

    def _blocks(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield whitened regressors (×w), residuals and leverages of a block of rows."""
        n_rows = len(self.columns[0])
        for low in range(0, n_rows, BLOCK_ROWS):
            high = min(low + BLOCK_ROWS, n_rows)
            z = np.column_stack([column[low:high] for column in self.columns]).astype(np.float64)
            cell = 0 if self.cell is None else self.cell[low:high]
            z -= self.centre[cell]
            u, e = z @ self.design, z @ self.residual
            leverage = np.einsum("im,im->i", u, u) + self.own_leverage[cell]
            if self.weights is not None:
                w = self.weights[low:high]
                u, leverage = u * w[:, None], leverage * w
            yield u, e, leverage

    @cached_property
    def _leverage(self) -> tuple[float, float, int]:
        """Return the sum (the number of parameters), the maximum and the number of rows."""
        total, largest, rows = 0.0, 0.0, 0
        for _, _, h in self._blocks():
            total, largest, rows = total + h.sum(), max(largest, h.max()), rows + len(h)
        return float(total), float(largest), rows

    def _multiplier(self, adjustment: str, h: FloatArray) -> FloatArray:
        """Return f(h); rows that are fitted exactly have no residual to weigh."""
        gap = np.where(h < 1 - FULL_LEVERAGE, 1 - h, np.inf)
        if adjustment == "HC2":
            return 1.0 / gap
        if adjustment == "HC3":
            return gap**-2.0
        total, largest, rows = self._leverage
        relative = rows * h / total
        if adjustment == "HC4":
            delta = np.minimum(4.0, relative)
        elif adjustment == "HC4m":
            delta = np.minimum(1.0, relative) + np.minimum(1.5, relative)
        else:
            delta = np.minimum(relative, max(4.0, rows * 0.7 * largest / total)) / 2
        multiplier: FloatArray = gap**-delta
        return multiplier

    def meat(self, adjustment: str, contrasts: FloatArray) -> FloatArray:
        """Return Σ_i of squared adjusted scores of whitened contrasts, (q, q)."""
        meat = np.zeros((contrasts.shape[1],) * 2)
        for u, e, h in self._blocks():
            v = (u @ contrasts) * e[:, None]
            if adjustment != "none":
                v *= np.sqrt(self._multiplier(adjustment, h))[:, None]
            meat += v.T @ v
        return meat

    def influence(self, adjustment: str, contrasts: FloatArray) -> Influence:
        """Refuse: df by Satterthwaite are defined here for clusters."""
        return _no_clusters()

    def parts(self, adjustment: str, contrasts: FloatArray) -> tuple[Influence]:
        """Return the pieces of P_ij of all clusters at once."""
        return (self.influence(adjustment, contrasts),)

    def working_variance(self, contrasts: FloatArray) -> FloatArray:
        """Return |γ|² of whitened contrasts γ."""
        variance: FloatArray = np.sum(contrasts**2, axis=0)
        return variance


def _no_clusters() -> NoReturn:
    raise ValueError(
        "Satterthwaite df and approximate Hotelling tests need clusters: pass cluster= (row "
        "numbers, for HC2 with Bell-McCaffrey df), or ask for df='residual' and test='naive-F'"
    )


def row_scores(
    rows: GatheredRows,
    columns: Sequence[NDArray[Any]],
    design: FloatArray,
    residual: FloatArray,
    weights: FloatArray | None,
) -> RowScores:
    """Prepare the second reading of the rows.

    Parameters
    ----------
    rows : GatheredRows
        Sums over cells that are the absorbed groups, or over one cell of all rows.
    columns : sequence of q arrays
        The columns that were summed.
    design, residual : arrays
        Maps from columns, (q, m) and (q,).
    weights : (N,) array or None
        The weights that were used in the sums.
    """
    absorbed = rows.plan.cell_group is not None
    mass = rows.sums.mass[rows.weight_power]
    own = 1.0 / mass if absorbed else np.zeros(len(mass))
    cell = rows.plan.cells.codes if absorbed else None
    return RowScores(columns, cell, rows.sums.centre, own, design, residual, weights)
