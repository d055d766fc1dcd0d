"""Groups with a random intercept and slope over rows that may have an effect of their own.

The rows of a group d are summaries with independent errors: school means z̄_j of weight w_j, or, for
a slope of a pupil-level covariate, a school's mean and its within-school slope direction. With
A = diag(a_k), a_k = w_k/(1 + w_k λ1), and F the rows' design for the group's random coefficients,

    H_d = A⁻¹ + FΛF',     H_d⁻¹ = A − A F U F'A,   U = Λ(I + DΛ)⁻¹,   D = F'AF,
    H_d⁻¹Z = R = A(Z − F U B),   B = F'AZ,
    F'H_d⁻¹Z = W = T'B,   F'H_d⁻¹F = S = DT,   T = (I + ΛD)⁻¹,

and, E_k being the pattern of the k-th element of Λ, derivatives are sums over groups of

    M_1 = −R'R,                M_11 = 2 R'H⁻¹R,             M_1k = Y'E_kW + W'E_kY,  Y = F'H⁻¹R,
    M_k = −W'E_kW,             M_kl = W'(E_kSE_l + E_lSE_k)W,
    L_1 = tr H⁻¹,              L_11 = −tr H⁻²,              L_1k = −tr(E_k T'F'A²F T),
    L_k = tr(E_kS),            L_kl = −tr(E_kSE_lS).

With one random intercept this is the three-level model: f = 1 + λ2 Σ a_j and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_runs import IntArray
from schooltrial.models.reml.profile_likelihood import WeightedProducts
from schooltrial.models.reml.relative_covariance import CholeskyRatio


class SolvedGroups(NamedTuple):
    """Pieces of H⁻¹ at one λ: a (K,), R (K, q), and by group U, T, S (G, s, s), W (G, s, q)."""

    a: FloatArray
    R: FloatArray
    U: FloatArray
    T: FloatArray
    W: FloatArray
    S: FloatArray
    logdet: float


@dataclass(frozen=True)
class GroupedModel:
    """Random coefficients of groups, with or without an effect of each row.

    Attributes
    ----------
    n_rows : int
        Pupils N.
    weight : array, shape (K,)
        w_k of the rows, group by group; zero for a direction in which a school does not vary.
    rows : array, shape (K, q)
        Z: [X y] of the rows.
    design : array, shape (K, s)
        F, s = 1 or 2.
    group : integer array, shape (K,)
        Group of each row, ascending from 0 without gaps.
    rest : array, shape (q, q)
        Cross-products orthogonal to all rows.
    patterns : array, shape (m, s, s)
        E_k: Λ = Σ_k Λ_k E_k.
    row_effect : bool
        Whether each row has an effect with ratio λ1, the first parameter.
    group_labels : array, shape (G,)
        Names of the groups.
    row_order : integer array, shape (K,)
        Where each row stood before rows were put together by group.
    sum_log_weight : float
        Σ log of the pupils' weights.
    """

    n_rows: int
    weight: FloatArray
    rows: FloatArray
    design: FloatArray
    group: IntArray
    rest: FloatArray
    patterns: FloatArray
    row_effect: bool
    group_labels: NDArray[np.generic]
    row_order: IntArray
    sum_log_weight: float = 0.0

    @property
    def n_parameters(self) -> int:
        """Return the number of variance and covariance ratios."""
        return len(self.patterns) + int(self.row_effect)

    @cached_property
    def starts(self) -> IntArray:
        """Return the first row of each group."""
        return np.searchsorted(self.group, np.arange(self.group[-1] + 1))

    def split(self, ratio: FloatArray) -> tuple[float, FloatArray]:
        """Return λ1 (zero without row effects) and the matrix Λ."""
        own = float(ratio[0]) if self.row_effect else 0.0
        m, s = len(self.patterns), self.design.shape[1]
        above = ratio[int(self.row_effect) :] @ self.patterns.reshape(m, -1)
        return own, above.reshape(s, s)

    def start(self, typical: float, beta: FloatArray, shape: CholeskyRatio) -> FloatArray:
        """Return θ to begin the search at.

        Parameters
        ----------
        typical : float
            A guess of all variance above the pupils, over σ².
        beta : array, shape (p,)
            Least squares, for residuals of the rows.
        shape : CholeskyRatio
            Which θ there are.

        Notes
        -----
        Rows and groups share ``typical`` as their mean residuals vary; a slope's variance is a
        third of what its intercept's would be if all rows had its regressor's typical size.
        """
        above = typical
        scale = []
        if self.row_effect:
            share = self._share_of_groups(self.rows @ np.append(-beta, 1.0))
            scale, above = [np.sqrt(typical * (1.0 - share))], typical * share
        if self.design.shape[1] == 1:
            return np.array([*scale, np.sqrt(above)])
        size = np.sqrt((self.weight @ self.design[:, 1] ** 2) / self.weight.sum())
        slope = np.sqrt(above / 3.0) / size
        between = [0.0] if 2 in shape.blocks else []
        return np.array([*scale, np.sqrt(above), *between, slope])

    def _share_of_groups(self, residual: FloatArray) -> float:
        """Return which share of the variance of row residuals lies between groups."""
        size = np.diff(self.starts, append=len(self.group))
        mean = np.add.reduceat(residual, self.starts) / size
        inside = residual - mean[self.group]
        within = float(inside @ inside) / max(len(residual) - len(size), 1)
        between = max(float(mean.var()) - within * float((1.0 / size).mean()), 0.0)
        return min(max(between / (between + within), 0.1), 0.9)

    def _summed(self, values: FloatArray) -> FloatArray:
        """Return F'values by group, shape (G, s, q)."""
        parts = []
        for k, column in enumerate(self.design.T):
            own = values if self._level and k == 0 else column[:, None] * values
            parts.append(np.add.reduceat(own, self.starts))
        return parts[0][:, None, :] if len(parts) == 1 else np.stack(parts, axis=1)

    @cached_property
    def _level(self) -> bool:
        """Whether the first random coefficient is an intercept of the rows."""
        return bool(np.all(self.design[:, 0] == 1.0))

    @cached_property
    def _squares(self) -> FloatArray:
        """Products of the columns of F, shape (K, s²)."""
        F = self.design
        return (F[:, :, None] * F[:, None, :]).reshape(len(F), -1)

    def _gram(self, weight: FloatArray) -> FloatArray:
        """Return F'diag(weight)F by group, shape (G, s, s)."""
        s = self.design.shape[1]
        return np.add.reduceat(weight[:, None] * self._squares, self.starts).reshape(-1, s, s)

    def solved(self, ratio: FloatArray) -> SolvedGroups:
        """Return the pieces of H⁻¹ at λ that everything else is made of."""
        own, Lambda = self.split(ratio)
        swelling = 1.0 + self.weight * own
        a = self.weight / swelling
        aZ = a[:, None] * self.rows
        D, B = self._gram(a), self._summed(aZ)
        T_transposed, determinant = _inverse(np.eye(len(Lambda)) + D @ Lambda)
        U = Lambda @ T_transposed
        UB = U @ B
        R = aZ
        for k, column in enumerate(self.design.T):
            weight = a if self._level and k == 0 else a * column
            R = R - weight[:, None] * UB[:, k][self.group]
        return SolvedGroups(
            a=a,
            R=R,
            U=U,
            T=T_transposed.transpose(0, 2, 1),
            W=T_transposed @ B,
            S=T_transposed @ D,
            logdet=float(np.log(determinant).sum() + np.log(swelling).sum()),
        )

    def products(self, ratio: FloatArray) -> WeightedProducts:
        """Return M and log|H| with derivatives at λ = (λ1, Λ_1, …)."""
        solved = self.solved(ratio)
        W, S, E = solved.W, solved.S, self.patterns
        q, m, r = self.rows.shape[1], len(self.patterns), self.n_parameters
        first = r - m
        M = self.rest + self.rows.T @ solved.R
        M1, M2 = np.empty((r, q, q)), np.empty((r, r, q, q))
        L1, L2 = np.empty(r), np.empty((r, r))
        flat = W.reshape(-1, q)
        for k in range(m):
            M1[first + k] = -(flat.T @ (E[k] @ W).reshape(-1, q))
            L1[first + k] = float((S * E[k]).sum())
            for j in range(k + 1):
                middle = E[k] @ S @ E[j]
                half = flat.T @ (middle @ W).reshape(-1, q)
                M2[first + k, first + j] = M2[first + j, first + k] = half + half.T
                L2[first + k, first + j] = L2[first + j, first + k] = -float((middle * S).sum())
        if self.row_effect:
            self._add_row_effect(solved, M1, M2, L1, L2)
        return WeightedProducts(
            0.5 * (M + M.T), M1, M2, solved.logdet - self.sum_log_weight, L1, L2
        )

    def _add_row_effect(
        self, solved: SolvedGroups, M1: FloatArray, M2: FloatArray, L1: FloatArray, L2: FloatArray
    ) -> None:
        """Fill in the derivatives in λ1, the first parameter."""
        a, R, U, T, W = solved.a, solved.R, solved.U, solved.T, solved.W
        E, q = self.patterns, self.rows.shape[1]
        aR = a[:, None] * R
        D2, D3 = self._gram(a * a), self._gram(a * a * a)
        G = self._summed(aR)
        M1[0] = -(R.T @ R)
        M2[0, 0] = 2.0 * (R.T @ aR - G.reshape(-1, q).T @ (U @ G).reshape(-1, q))
        UD2 = U @ D2
        trace = float((U * D2).sum())
        L1[0] = float(a.sum()) - trace
        L2[0, 0] = -float(a @ a - 2.0 * (U * D3).sum() + (UD2 * UD2.transpose(0, 2, 1)).sum())
        T_transposed = T.transpose(0, 2, 1)
        squeezed = T_transposed @ D2 @ T
        Y = (T_transposed @ G).reshape(-1, q)
        for k in range(len(E)):
            half = Y.T @ (E[k] @ W).reshape(-1, q)
            M2[0, 1 + k] = M2[1 + k, 0] = half + half.T
            L2[0, 1 + k] = L2[1 + k, 0] = -float((squeezed * E[k]).sum())


def _inverse(matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return inverses and determinants of matrices of size 1 or 2, shape (G, s, s)."""
    if matrices.shape[-1] == 1:
        return 1.0 / matrices, matrices[:, 0, 0]
    a, b, c, d = (matrices[:, i, j] for i in (0, 1) for j in (0, 1))
    determinant = a * d - b * c
    adjugate = np.empty_like(matrices)
    adjugate[:, 0, 0], adjugate[:, 0, 1] = d, -b
    adjugate[:, 1, 0], adjugate[:, 1, 1] = -c, a
    return adjugate / determinant[:, None, None], determinant
