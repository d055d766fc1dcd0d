"""Cluster-robust variance under a working covariance that is not the identity.

CR2 is unbiased when the errors have the covariance Φ_j that it is given: 1/w for weights that are
inverse variances, variances known from elsewhere, or σ²_e I + σ²_u 11' after a random-intercept
fit. With D_j the Cholesky root of Φ_j (Φ_j = D_j'D_j) and the weights W_j,

    A_j = D_j' (D_j [(I − H)Φ(I − H)']_jj D_j')^(−1/2) D_j

(Pustejovsky & Tipton 2018, JBES 36(4), section 2). Where Φ_j varies within a cluster this is a
true n_j × n_j problem; clusters of more than a few thousand rows are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.cluster_robust.bias_reduction import UNIT_EIGENVALUE, inverse
from schooltrial.models.cluster_robust.degrees_of_freedom import Influence
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.cluster_robust.sampling_weights import paired_influence
from schooltrial.models.cluster_robust.scores import squares
from schooltrial.models.least_squares.absorbed_effects import plan_absorption
from schooltrial.models.least_squares.clusters import Clustering, cluster_rows
from schooltrial.models.least_squares.coefficients import as_weights, inverse_factor
from schooltrial.models.least_squares.parameter_counts import ParameterCounts

LARGEST_CLUSTER = 3000


@dataclass(frozen=True)
class DenseCluster:
    """One cluster: whitened regressors U, residuals e, weights W and working covariance Φ."""

    U: FloatArray
    e: FloatArray
    W: FloatArray
    Phi: FloatArray

    def influence_of(self, adjuster: FloatArray) -> tuple[FloatArray, ...]:
        """Return the maps from whitened contrasts to a'Φa, U'a and U'WΦa, for a = adjuster γ."""
        phi_a = self.Phi @ adjuster
        return adjuster.T @ phi_a, self.U.T @ adjuster, self.U.T @ self.W @ phi_a


@dataclass(frozen=True)
class DenseScores:
    """Scores of clusters from their rows.

    Attributes
    ----------
    clusters : tuple of DenseCluster
        The rows of each cluster.
    bridge : (m, m) array
        Σ_j U_j'W_jΦ_jW_jU_j.
    labels : (J,) array
        Labels of the clusters.
    """

    clusters: tuple[DenseCluster, ...]
    bridge: FloatArray
    labels: NDArray[Any]

    def _adjusted(self, adjustment: str) -> list[FloatArray]:
        """Return a_j = A_jW_jU_j of every cluster, (n_j, m)."""
        weighted = [cluster.W @ cluster.U for cluster in self.clusters]
        if adjustment == "none":
            return weighted
        if adjustment == "inverse":
            K = np.stack([c.U.T @ wu for c, wu in zip(self.clusters, weighted, strict=True)])
            return [wu @ inv for wu, inv in zip(weighted, inverse(K, self.labels), strict=True)]
        return [self._root(c) @ wu for c, wu in zip(self.clusters, weighted, strict=True)]

    def _root(self, cluster: DenseCluster) -> FloatArray:
        U, W, Phi = cluster.U, cluster.W, cluster.Phi
        crossed = (U @ (U.T @ W)) @ Phi
        left_over = Phi - crossed - crossed.T + U @ self.bridge @ U.T
        D = np.linalg.cholesky(Phi).T
        values, vectors = np.linalg.eigh(D @ left_over @ D.T)
        power = np.zeros_like(values)
        usable = values > UNIT_EIGENVALUE * values[-1]
        power[usable] = values[usable] ** -0.5
        adjuster: FloatArray = D.T @ (vectors * power) @ vectors.T @ D
        return adjuster

    def scores(self, adjustment: str) -> FloatArray:
        """Return the adjusted scores of the coefficients, (J, m)."""
        pairs = zip(self._adjusted(adjustment), self.clusters, strict=True)
        return np.stack([a.T @ cluster.e for a, cluster in pairs])

    def meat(self, adjustment: str, contrasts: FloatArray) -> FloatArray:
        """Return the sum over clusters of squared adjusted scores of contrasts, (q, q)."""
        return squares(self.scores(adjustment), contrasts)

    def parts(self, adjustment: str, contrasts: FloatArray) -> tuple[Influence]:
        """Return the pieces of P_ij of all clusters at once."""
        return (self.influence(adjustment, contrasts),)

    def working_variance(self, contrasts: FloatArray) -> FloatArray:
        """Return γ'M(X'WΦWX)Mγ of whitened contrasts γ."""
        variance: FloatArray = np.sum(contrasts * (self.bridge @ contrasts), axis=0)
        return variance

    def influence(self, adjustment: str, contrasts: FloatArray) -> Influence:
        """Return the pieces of P_ij for whitened contrasts, (m, q)."""
        pairs = zip(self._adjusted(adjustment), self.clusters, strict=True)
        maps = [cluster.influence_of(a) for a, cluster in pairs]
        own, x, omega = (np.stack([entry[k] for entry in maps]) @ contrasts for k in range(3))
        J, m = len(maps), len(self.bridge)
        left = np.broadcast_to(contrasts, own.shape)
        bridge = np.broadcast_to(self.bridge, (J, m, m))
        return paired_influence(left, own, x, omega, bridge, m, np.arange(J))


def _split(values: FloatArray, clusters: Clustering) -> list[FloatArray]:
    ordered = values if clusters.order is None else values[clusters.order]
    return np.split(ordered, clusters.starts[1:])


def _fit(
    y: FloatArray,
    x: FloatArray,
    names: Sequence[str],
    clusters: Clustering,
    W: list[FloatArray],
    Phi: list[FloatArray],
    estimator: str,
) -> LeastSquaresFit:
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        row = int(np.argmin(np.isfinite(x).all(axis=1) & np.isfinite(y)))
        raise ValueError(f"row {row} has a missing or infinite value; drop it before fitting")
    if x.shape != (len(y), len(names)):
        raise ValueError(f"x has shape {x.shape}; {len(y)} rows and {len(names)} names were given")
    X, Y = _split(x, clusters), _split(y, clusters)
    gram = sum(a.T @ w @ a for a, w in zip(X, W, strict=True))
    moment = sum(a.T @ w @ b for a, w, b in zip(X, W, Y, strict=True))
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError(
            f"some of the columns {', '.join(names)} determine one another; leave those out"
        )
    L = inverse_factor(np.asarray(gram))
    beta = L @ (L.T @ moment)
    parts = [
        DenseCluster(a @ L, b - a @ beta, w, phi) for a, b, w, phi in zip(X, Y, W, Phi, strict=True)
    ]
    bridge = np.sum([c.U.T @ c.W @ c.Phi @ c.W @ c.U for c in parts], axis=0)
    return LeastSquaresFit(
        names=tuple(names),
        dropped=(),
        coefficients=beta,
        root=L,
        scores=DenseScores(tuple(parts), bridge, clusters.labels),
        counts=ParameterCounts(x.shape[1], 0, plan_absorption(clusters, [])),
        n_rows=len(y),
        n_clusters=clusters.count,
        residual_ss=float(fsum(c.e @ c.W @ c.e for c in parts)),
        total_ss=float(np.sum((y - y.mean()) ** 2)),
        estimator=estimator,
    )


def _refuse_large(clusters: Clustering) -> None:
    if clusters.sizes.max() > LARGEST_CLUSTER:
        raise ValueError(
            f"cluster {clusters.labels[np.argmax(clusters.sizes)]} has {clusters.sizes.max()} "
            f"rows; a working covariance that varies within clusters allows {LARGEST_CLUSTER}: "
            "use fit_least_squares, whose working covariance is the identity"
        )


def fit_known_variances(
    y: ArrayLike,
    x: ArrayLike,
    variances: ArrayLike,
    *,
    names: Sequence[str],
    cluster: ArrayLike,
    weights: ArrayLike | None = None,
) -> LeastSquaresFit:
    """Fit least squares with CR2 standard errors, given the variance of each error.

    Parameters
    ----------
    y, x : (N,) and (N, p) array_like
        Outcome and regressors, an intercept included.
    variances : (N,) array_like
        Working variances of the errors, up to scale: ``1 / weights`` for inverse-variance weights.
    names : sequence of p str
        Names of the columns.
    cluster : (N,) array_like
        Labels of the clusters.
    weights : (N,) array_like, optional
        Weights of the least squares; equal by default.

    Returns
    -------
    LeastSquaresFit
    """
    outcome, matrix = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
    clusters = cluster_rows(cluster, n_rows=len(outcome))
    _refuse_large(clusters)
    phi = as_weights(variances, len(outcome))
    w = as_weights(np.ones(len(outcome)) if weights is None else weights, len(outcome))
    assert phi is not None
    assert w is not None
    W = [np.diag(part) for part in _split(w, clusters)]
    Phi = [np.diag(part) for part in _split(phi, clusters)]
    estimator = "OLS" if weights is None else "WLS"
    return _fit(outcome, matrix, names, clusters, W, Phi, f"{estimator} with known variances")


def fit_random_intercept(
    y: ArrayLike,
    x: ArrayLike,
    variance_ratio: float,
    *,
    names: Sequence[str],
    cluster: ArrayLike,
) -> LeastSquaresFit:
    """Fit generalised least squares with a random intercept and robust standard errors.

    The weights are V_j⁻¹ and the working covariance V_j ∝ I + λ11', with λ = σ²_u/σ²_e taken as
    known, as from a multilevel fit: the robust variance guards that fit against a covariance
    that is not the one assumed.

    Parameters
    ----------
    y, x : (N,) and (N, p) array_like
        Outcome and regressors, an intercept included.
    variance_ratio : float
        λ ≥ 0.
    names : sequence of p str
        Names of the columns.
    cluster : (N,) array_like
        Labels of the clusters (the random intercept's groups).

    Returns
    -------
    LeastSquaresFit
    """
    if not variance_ratio >= 0:
        raise ValueError(f"the ratio of variances must be 0 or more, not {variance_ratio}")
    outcome, matrix = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
    clusters = cluster_rows(cluster, n_rows=len(outcome))
    _refuse_large(clusters)
    sizes = clusters.sizes.tolist()
    Phi = [np.eye(n) + variance_ratio for n in sizes]
    W = [np.eye(n) - variance_ratio / (1 + n * variance_ratio) for n in sizes]
    return _fit(outcome, matrix, names, clusters, W, Phi, "GLS with a random intercept")
