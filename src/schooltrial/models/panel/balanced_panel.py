"""Two-way effects where all schools are seen in all years and count alike.

Schools of one treatment history then share their design, and with it the leverage H_jj of a
school: what CR2, Satterthwaite's df and the approximate Hotelling test need of J schools is
computed once for each of the H histories. With two histories (treated, never treated) CR2 of a
term a'(ȳ_T − ȳ_C) is a'(S_T/n_T + S_C/n_C)a, S the covariances over years with divisor n − 1
(Welch), and its df (1/n_T + 1/n_C)²/Σ 1/(n²(n − 1)); a test says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cluster_robust.bias_reduction import inverse, inverse_root
from schooltrial.models.cluster_robust.degrees_of_freedom import Influence
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.cluster_robust.scores import squares
from schooltrial.models.least_squares.absorbed_effects import plan_absorption
from schooltrial.models.least_squares.clusters import Clustering
from schooltrial.models.least_squares.coefficients import inverse_factor
from schooltrial.models.least_squares.parameter_counts import ParameterCounts

MOST_HISTORIES = 64
"""With more designs than this among the schools nothing is gained."""

_SINGULAR = 1e-10  # of the largest eigenvalue of the cross-products, columns of length one
_ROUNDING = (
    1e-9  # of a column's length, up to which its changes within schools are rounding of zero
)


@dataclass(frozen=True)
class HistoryScores:
    """Scores of clusters of which many share a design.

    Attributes
    ----------
    K : (H, m, m) array
        Whitened cross-products of a cluster of each history.
    sums : (H, m, T) array
        Map from the residuals of a cluster to its whitened score.
    residuals : (J, T) array
        Residuals of each cluster.
    history : (J,) int array
        The history of each cluster.
    counts : (H,) array
        Clusters of each history.
    labels : (H,) array
        A cluster of each history, for messages.
    """

    K: FloatArray
    sums: FloatArray
    residuals: FloatArray
    history: IntArray
    counts: FloatArray
    labels: NDArray[Any]

    def _adjuster(self, adjustment: str) -> FloatArray:
        if adjustment == "none":
            return np.broadcast_to(np.eye(self.K.shape[-1]), self.K.shape)
        return inverse_root(self.K) if adjustment == "root" else inverse(self.K, self.labels)

    def meat(self, adjustment: str, contrasts: FloatArray) -> FloatArray:
        """Return the sum over clusters of squared adjusted scores of contrasts, (q, q)."""
        maps = np.swapaxes(self._adjuster(adjustment) @ self.sums, 1, 2) @ contrasts
        scores = np.empty((len(self.residuals), contrasts.shape[1]))
        for at, own in enumerate(maps):
            inside = self.history == at
            scores[inside] = self.residuals[inside] @ own
        return squares(scores, np.eye(contrasts.shape[1]))

    def working_variance(self, contrasts: FloatArray) -> FloatArray:
        """Return |γ|² of whitened contrasts γ."""
        variance: FloatArray = np.sum(contrasts**2, axis=0)
        return variance

    def parts(self, adjustment: str, contrasts: FloatArray) -> tuple[Influence]:
        """Return the pieces of P_ij, an entry for each history."""
        return (self.influence(adjustment, contrasts),)

    def influence(self, adjustment: str, contrasts: FloatArray) -> Influence:
        """Return the pieces of P_ij, an entry for each history."""
        b = self._adjuster(adjustment) @ contrasts
        k = self.K @ b
        none = np.zeros((len(k), 0, k.shape[2]))
        return Influence(b, k, k, none, np.arange(len(k)), counts=self.counts)


def fit_balanced_panel(
    outcome: FloatArray, regressors: FloatArray, names: tuple[str, ...], labels: NDArray[Any]
) -> LeastSquaresFit | None:
    """Fit two-way effects to an array of schools by years.

    Parameters
    ----------
    outcome : (J, T) array
    regressors : (J, T, p) array
        Without school and year effects, which are in the model.
    names : tuple of p str
    labels : (J,) array
        The schools.

    Returns
    -------
    LeastSquaresFit or None
        None where schools have many designs, or the columns determine one another.
    """
    J, T, p = regressors.shape
    found = _histories(regressors.reshape(J, T * p))
    if found is None:
        return None
    first, history = found
    counts = np.bincount(history).astype(np.float64)
    dummies = np.broadcast_to(np.eye(T)[:, 1:], (len(first), T, T - 1))
    Z = np.concatenate([dummies, regressors[first]], axis=2)
    raw = np.sqrt(np.einsum("h,htm->m", counts, Z**2))
    Z = Z - Z.mean(axis=1, keepdims=True)
    size = np.sqrt(np.einsum("h,htm->m", counts, Z**2))
    if not (size > _ROUNDING * raw).all():  # the same in all years of a school
        return None
    Z = Z / size
    gram = np.einsum("h,htm,htn->mn", counts, Z, Z, optimize=True)
    if np.linalg.eigvalsh(gram)[0] <= _SINGULAR:
        return None
    L = inverse_factor(gram)
    y = outcome - outcome.mean(axis=1, keepdims=True)
    sums = np.stack([y[history == at].sum(axis=0) for at in range(len(first))])
    beta = L @ (L.T @ np.einsum("htm,ht->m", Z, sums))
    residuals = y - (Z @ beta)[history]
    U = Z @ L
    every = np.arange(J, dtype=np.intp)
    cells = Clustering(every * T, None, labels, J * T)
    plan = plan_absorption(cells, [every], cluster_labels=every)
    shown = slice(T - 1, None)
    centred = outcome - outcome.mean()
    return LeastSquaresFit(
        names=names,
        dropped=(),
        coefficients=(beta / size)[shown],
        root=(L / size[:, None])[shown],
        scores=HistoryScores(
            np.swapaxes(U, 1, 2) @ U, np.swapaxes(U, 1, 2), residuals, history, counts,
            labels[first],
        ),
        counts=ParameterCounts(p + T - 1, T - 1, plan),
        n_rows=J * T,
        n_clusters=J,
        residual_ss=float(np.sum(residuals**2)),
        total_ss=float(np.sum(centred**2)),
    )  # fmt: skip


def _histories(designs: FloatArray) -> tuple[IntArray, IntArray] | None:
    """Return a school of each design, and each school's design; None if there are many."""
    # Schools of one design have one sum of odd multiples; whether others share it is seen after.
    multiples = np.cos(np.arange(1.0, designs.shape[1] + 1))
    _, first, history = np.unique(designs @ multiples, return_index=True, return_inverse=True)
    history = history.reshape(-1)
    if len(first) > MOST_HISTORIES or not np.array_equal(designs[first][history], designs):
        return None
    return first, history
