"""Cluster scores of weighted least squares when weights are not inverse variances.

The working covariance stays the identity, as clubSandwich and estimatr have it, so
(I − H)(I − H)' = I − XMX'W − WXMX' + XM(X'W²X)MX', which is I + U C U' with U = [X, WX]: rank 2p.
Its inverse root again acts within the column space of U, on coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cluster_robust.bias_reduction import UNIT_EIGENVALUE, inverse
from schooltrial.models.cluster_robust.degrees_of_freedom import Influence
from schooltrial.models.cluster_robust.scores import squares, whiten, whitened_scores
from schooltrial.models.least_squares.coefficients import GatheredRows

# Directions of U with less than this share of its largest cross-product are rounding.
RANK = 1e-13


@dataclass(frozen=True)
class WeightedScores:
    """Scores under sampling weights.

    Attributes
    ----------
    S0, S1, S2 : (J, n, n) arrays
        Whitened cross-products under w⁰, w¹, w²; n = m + 1 with shared absorbed groups, else m.
    u0, u1 : (J, n) arrays
        Whitened scores X_j'e_j and X_j'W_je_j.
    bridge : (J, n, n) array
        M(X'W²X)M restricted to the coordinates of each cluster.
    m : int
        Number of coefficients.
    group : (J,) int array
        Absorbed group of each cluster.
    labels : (J,) array
        Labels of the clusters.
    alone : bool
        Whether every absorbed group is a cluster.
    """

    S0: FloatArray
    S1: FloatArray
    S2: FloatArray
    u0: FloatArray
    u1: FloatArray
    bridge: FloatArray
    m: int
    group: IntArray
    labels: NDArray[Any]
    alone: bool

    @cached_property
    def _spectral(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return T^(1/2), T^(−1/2)⁺ and f(I + T^(1/2) C T^(1/2)) on the column space of U."""
        T = np.block([[self.S0, self.S1], [self.S1, self.S2]])
        values, vectors = np.linalg.eigh(T)
        real = values > RANK * values[:, -1:]
        root = np.sqrt(np.where(real, values, 0.0))
        unroot = np.where(real, 1.0 / np.where(real, root, 1.0), 0.0)
        transposed = np.swapaxes(vectors, -1, -2)
        T_root, T_unroot = ((vectors * r[:, None, :]) @ transposed for r in (root, unroot))
        identity = np.broadcast_to(np.eye(self.S0.shape[-1]), self.S0.shape)
        C = np.block([[self.bridge, -identity], [-identity, np.zeros_like(self.S0)]])
        gap, axes = np.linalg.eigh(T_root @ C @ T_root)
        gap += 1.0
        power = np.zeros_like(gap)
        usable = gap > UNIT_EIGENVALUE
        power[usable] = gap[usable] ** -0.5
        return T_root, T_unroot, (axes * power[:, None, :]) @ np.swapaxes(axes, -1, -2)

    @cached_property
    def _inverse(self) -> FloatArray:
        if not self.alone:
            return inverse(self.S1, self.labels)
        # A group of one cluster is orthogonal to the centred columns under w, and fits itself.
        m, n = self.m, self.S1.shape[-1]
        solved = np.zeros_like(self.S1)
        solved[:, :m, :m] = inverse(self.S1[:, :m, :m], self.labels)
        solved[:, m:, m:] = np.eye(n - m)
        return solved

    def scores(self, adjustment: str) -> FloatArray:
        """Return the adjusted scores of the coefficients, (J, m)."""
        if adjustment == "none":
            return self.u1[:, : self.m]
        if adjustment == "inverse":
            # X'W(I − XMX'W)⁻¹ = (I − X'WXM)⁻¹X'W
            solved: FloatArray = (self._inverse @ self.u1[:, :, None])[:, : self.m, 0]
            return solved
        T_root, T_unroot, power = self._spectral
        n = self.S0.shape[-1]
        u = np.concatenate([self.u0, self.u1], axis=1)[:, :, None]
        adjusted: FloatArray = (T_root @ (power @ (T_unroot @ u)))[:, n : n + self.m, 0]
        return adjusted

    def meat(self, adjustment: str, contrasts: FloatArray) -> FloatArray:
        """Return the sum over clusters of squared adjusted scores of contrasts, (q, q)."""
        return squares(self.scores(adjustment), contrasts)

    def parts(self, adjustment: str, contrasts: FloatArray) -> tuple[Influence]:
        """Return the pieces of P_ij of all clusters at once."""
        return (self.influence(adjustment, contrasts),)

    def working_variance(self, contrasts: FloatArray) -> FloatArray:
        """Return γ'M(X'W²X)Mγ of whitened contrasts γ."""
        m = self.m
        variance: FloatArray = np.sum(contrasts * (self.bridge[0, :m, :m] @ contrasts), axis=0)
        return variance

    def influence(self, adjustment: str, contrasts: FloatArray) -> Influence:
        """Return the pieces of P_ij; the shared coordinates pair X'a with W X'a."""
        n, q = self.S0.shape[-1], contrasts.shape[1]
        lifted = np.zeros((n, q))
        lifted[: self.m] = contrasts
        if adjustment == "root":
            T_root, _, power = self._spectral
            b = power @ (T_root[:, :, n:] @ lifted)
            coordinates = T_root @ b
            x, omega = coordinates[:, :n], coordinates[:, n:]
            return paired_influence(b, b, x, omega, self.bridge, self.m, self.group)
        inverse_or_not = self._inverse if adjustment == "inverse" else np.eye(n)[None]
        b = np.broadcast_to(inverse_or_not @ lifted, (len(self.S0), n, q))
        x, omega = self.S1 @ b, self.S2 @ b
        return paired_influence(b, omega, x, omega, self.bridge, self.m, self.group)


def paired_influence(
    left: FloatArray,
    right: FloatArray,
    x: FloatArray,
    omega: FloatArray,
    bridge: FloatArray,
    m: int,
    group: IntArray,
) -> Influence:
    """Return the pieces of P_ij when weights are not the inverse of the working variances.

    P_ij = δ_ij d_j − x_i'ω_j − ω_i'x_j + x_i'B x_j with B = ``bridge``: completing the square with
    ω̃ = ω − Bx/2 leaves a pairing of (x, ω̃) in which the halves are exchanged.
    """
    shared = omega[:, :m] - 0.5 * (bridge[:, :m, :m] @ x[:, :m])
    private = np.zeros((len(x), 0, x.shape[2]))
    if x.shape[1] > m:
        shared = shared - bridge[:, :m, m:] @ x[:, m:]
        own_group = omega[:, m:] - 0.5 * (bridge[:, m:, m:] @ x[:, m:])
        private = np.concatenate([x[:, m:], own_group], axis=1)
    shared = np.concatenate([x[:, :m], shared], axis=1)
    return Influence(left, right, shared, private, group, swapped=True)


def weighted_scores(rows: GatheredRows, design: FloatArray, residual: FloatArray) -> WeightedScores:
    """Describe the clusters of a weighted fit.

    Parameters
    ----------
    rows : GatheredRows
        Sums by cluster under the three powers of the weight.
    design : (q, m) array
        Map from columns to whitened regressors.
    residual : (q,) array
        Map from columns to the residual.
    """
    S0, S1, S2 = (whiten(rows, design, power) for power in range(3))
    u0, u1 = (whitened_scores(rows, design, residual, power) for power in range(2))
    m, alone = design.shape[1], rows.plan.nested_groups > 0
    bridge = np.empty_like(S2)
    bridge[:, :m, :m] = S2[:, :m, :m].sum(axis=0)
    if rows.plan.shared:  # the group's own coordinate: sums over the group's clusters
        groups = rows.plan.cluster_group
        total = np.zeros((rows.plan.groups, *S2.shape[1:]))
        np.add.at(total, groups, S2)
        bridge[:, m, :] = total[groups][:, m, :]
        bridge[:, :, m] = total[groups][:, :, m]
    return WeightedScores(
        S0, S1, S2, u0, u1, bridge, m, rows.plan.cluster_group, rows.plan.labels, alone
    )
