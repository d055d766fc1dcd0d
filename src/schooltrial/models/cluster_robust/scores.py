"""Scores of clusters in whitened coordinates, and what each CR variance makes of them.

With M = (X'X)⁻¹ = L L', every cluster is described by K_j = L'X_j'X_jL and u_j = L'X_j'e_j, and
where effects of groups that hold several clusters were absorbed, by one more coordinate: the
cluster's indicator over √N_group, so that K_j stands for the full projection H_jj.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cluster_robust.bias_reduction import cached_chunks, inverse, inverse_root
from schooltrial.models.cluster_robust.degrees_of_freedom import Influence
from schooltrial.models.least_squares.coefficients import GatheredRows

ADJUSTMENTS = {"CR0": "none", "CR1": "none", "CR1p": "none", "CR1S": "none"}
ADJUSTMENTS |= {"CR2": "root", "CR3": "inverse"}


ROW_ADJUSTMENTS = {"HC0": "none", "HC1": "none"}
ROW_ADJUSTMENTS |= {kind: kind for kind in ("HC2", "HC3", "HC4", "HC4m", "HC5")}


class Scores(Protocol):
    """What a working model must offer to a robust variance."""

    def meat(self, adjustment: str, contrasts: FloatArray) -> FloatArray:
        """Return the sum of squared adjusted scores of whitened contrasts (m, q), as (q, q)."""
        ...

    def influence(self, adjustment: str, contrasts: FloatArray) -> Influence:
        """Return the pieces of P_ij for whitened contrasts, (m, q)."""
        ...

    def parts(self, adjustment: str, contrasts: FloatArray) -> Iterable[Influence]:
        """Return the same, for some clusters at a time where that is quicker."""
        ...

    def working_variance(self, contrasts: FloatArray) -> FloatArray:
        """Return the contrasts' variances (q,) when the working model is true."""
        ...


def squares(scores: FloatArray, contrasts: FloatArray) -> FloatArray:
    """Return contrasts' (Σ_j h_j h_j') contrasts."""
    h = scores @ contrasts
    product: FloatArray = h.T @ h
    return product


@dataclass(frozen=True)
class IdentityScores:
    """Scores under independent errors of equal variance (OLS, 2SLS, absorbed effects).

    Attributes
    ----------
    K : (J, m + r, m + r) array
        Whitened cross-products of each cluster; r is 1 with shared absorbed groups, else 0.
    u : (J, m + r) array
        Whitened scores.
    m : int
        Number of coefficients.
    group : (J,) int array
        Absorbed group of each cluster.
    labels : (J,) array
        Labels of the clusters.
    """

    K: FloatArray
    u: FloatArray
    m: int
    group: IntArray
    labels: NDArray[Any]
    _adjusted: dict[str, FloatArray] = field(default_factory=dict, repr=False, compare=False)

    def _adjuster(self, adjustment: str, chunk: slice) -> FloatArray:
        """Return f(K_j) of some clusters."""
        if adjustment == "none":
            K = self.K[chunk]
            return np.broadcast_to(np.eye(K.shape[-1]), K.shape)
        if adjustment == "root":
            return inverse_root(self.K[chunk])
        return inverse(self.K[chunk], self.labels[chunk])

    def _sweep(self, adjustment: str) -> Iterator[tuple[slice, FloatArray]]:
        """Yield f(K_j) a few clusters at a time; the adjusted scores are kept on the way."""
        J, n = self.u.shape
        scores = np.empty((J, self.m))
        for chunk in cached_chunks(J, n):
            adjuster = self._adjuster(adjustment, chunk)
            adjusted = adjuster[:, : self.m, :] @ self.u[chunk, :, None]
            scores[chunk] = adjusted[:, :, 0]
            yield chunk, adjuster
        self._adjusted[adjustment] = scores

    def scores(self, adjustment: str) -> FloatArray:
        """Return the adjusted scores of the coefficients, (J, m)."""
        if adjustment == "none":
            return self.u[:, : self.m]
        if adjustment not in self._adjusted:
            for _ in self._sweep(adjustment):
                pass
        return self._adjusted[adjustment]

    def meat(self, adjustment: str, contrasts: FloatArray) -> FloatArray:
        """Return the sum over clusters of squared adjusted scores of contrasts, (q, q)."""
        return squares(self.scores(adjustment), contrasts)

    def working_variance(self, contrasts: FloatArray) -> FloatArray:
        """Return |γ|² of whitened contrasts γ."""
        variance: FloatArray = np.sum(contrasts**2, axis=0)
        return variance

    def parts(self, adjustment: str, contrasts: FloatArray) -> Iterator[Influence]:
        """Yield own = b'K b, shared and private parts of K b, for b = f(K) (contrast, 0)."""
        if self.K.shape[1] > self.m:  # clusters of one absorbed group belong together
            yield self.influence(adjustment, contrasts)
            return
        for chunk, adjuster in self._sweep(adjustment):
            yield self._influence(chunk, adjuster, contrasts)

    def influence(self, adjustment: str, contrasts: FloatArray) -> Influence:
        """Return the pieces of P_ij of all clusters."""
        adjuster = np.empty_like(self.K)
        for chunk, part in self._sweep(adjustment):
            adjuster[chunk] = part
        return self._influence(slice(None), adjuster, contrasts)

    def _influence(self, chunk: slice, adjuster: FloatArray, contrasts: FloatArray) -> Influence:
        J, n, q = len(adjuster), adjuster.shape[1], contrasts.shape[1]
        used = np.ascontiguousarray(adjuster[:, :, : self.m]).reshape(J * n, self.m)
        b = (used @ contrasts).reshape(J, n, q)
        k = self.K[chunk] @ b
        return Influence(b, k, k[:, : self.m], k[:, self.m :], self.group[chunk])


def whiten(rows: GatheredRows, design: FloatArray, power: int) -> FloatArray:
    """Return design' S_j design per cluster, with the absorbed groups' coordinate.

    Parameters
    ----------
    rows : GatheredRows
        The sums.
    design : (q, m) array
        Map from columns to whitened regressors.
    power : int
        Which power of the weight.
    """
    gram, m = rows.sums.gram[power], design.shape[1]
    J, q, _ = gram.shape
    K = np.empty((J, m, m))
    for chunk in cached_chunks(J, q):
        some = gram[chunk]
        half = (some.reshape(-1, q) @ design).reshape(len(some), q, m)
        np.matmul(design.T, half, out=K[chunk])
    if not rows.plan.shared:
        return K
    indicator = 1.0 / np.sqrt(_group_mass(rows))[rows.plan.cluster_group]
    full = np.empty((J, m + 1, m + 1))
    full[:, :m, :m] = K
    full[:, :m, m] = full[:, m, :m] = (rows.sums.first[power] @ design) * indicator[:, None]
    full[:, m, m] = rows.sums.mass[power] * indicator**2
    return full


def whitened_scores(
    rows: GatheredRows, design: FloatArray, residual: FloatArray, power: int
) -> FloatArray:
    """Return design' S_j residual per cluster, with the absorbed groups' coordinate."""
    u: FloatArray = (rows.sums.gram[power] @ residual) @ design
    if not rows.plan.shared:
        return u
    indicator = 1.0 / np.sqrt(_group_mass(rows))[rows.plan.cluster_group]
    own = (rows.sums.first[power] @ residual) * indicator
    return np.concatenate([u, own[:, None]], axis=1)


def _group_mass(rows: GatheredRows) -> FloatArray:
    mass = rows.sums.mass[rows.weight_power]
    group, groups = rows.plan.cluster_group, rows.plan.groups
    return np.asarray(np.bincount(group, weights=mass, minlength=groups), dtype=np.float64)


def identity_scores(rows: GatheredRows, design: FloatArray, residual: FloatArray) -> IdentityScores:
    """Describe the clusters of an unweighted fit.

    Parameters
    ----------
    rows : GatheredRows
        The sums by cluster.
    design : (q, m) array
        Map from columns to whitened regressors.
    residual : (q,) array
        Map from columns to the residual.
    """
    return IdentityScores(
        whiten(rows, design, 0),
        whitened_scores(rows, design, residual, 0),
        design.shape[1],
        rows.plan.cluster_group,
        rows.plan.labels,
    )
