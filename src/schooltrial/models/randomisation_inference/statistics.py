"""Statistics of a treatment under many assignments at once, from school sums.

Notation of `moments.frisch_waugh`, with d the assignment of a draw (0/1 by school), d̄_b its
weighted mean in block b, t_j = d_j − d̄_b(j). By Frisch-Waugh, with γ = M Σ_j t_j s_j,

    den = Σ n_j t_j² − γ'Σ t_j s_j,      b = Σ t_j r_j / den,
    ψ_j = t_j r_j − γ'h_j − b (n_j t_j² − 2 t_j γ's_j + γ'S_jγ),      t = b·den/√(c Σψ_j²):

the coefficient of d in the regression on d, covariates and block effects, and its cluster-robust
t-statistic (CR1, c = J/(J−1)·(N−1)/(N−k)). All schools and draws are matrix products. Under the
hypothesis of an effect τ the outcome is y − τz, z the observed assignment, so that carrying z as
one more outcome gives every statistic as a function of τ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.frisch_waugh import ResidualSums

_Score = Callable[[int], FloatArray]


Statistic = Literal["studentised", "coefficient", "HC2", "classical"]


_UNDEFINED = 1e-10  # share of the treatment's sum of squares left by the covariates


@dataclass(frozen=True, eq=False, slots=True)
class DrawPieces:
    """Numerators and variances of the draws (D) for the outcomes (K).

    The statistic under an effect τ is (a − τc)/√(u − 2τv + τ²w).
    """

    a: FloatArray
    c: FloatArray
    u: FloatArray
    v: FloatArray
    w: FloatArray
    denominator: FloatArray

    def statistics(self) -> FloatArray:
        """Return the statistic of no effect, (D, K); NaN if it is undefined."""
        with np.errstate(all="ignore"):
            return np.asarray(self.a / np.sqrt(self.u))


@dataclass(frozen=True, eq=False)
class DrawStatistics:
    """School sums in the order of a design's columns, and what to compute from them.

    Attributes
    ----------
    sums : ResidualSums
        Its last outcome is the observed assignment z.
    kind : str
        ``studentised`` (cluster-robust t), ``coefficient``; and, where each unit is one row,
        ``HC2`` and ``classical``.
    slopes : bool
        Whether the pieces in τ are wanted.
    """

    sums: ResidualSums
    kind: Statistic
    slopes: bool
    _packed: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # γ'S_jγ needs each pair of covariates once: upper triangles, off-diagonals twice.
        row, column = np.triu_indices(len(self.sums.names))
        twice = np.where(row == column, 1.0, 2.0)
        packed = np.ascontiguousarray((self.sums.S[:, row, column] * twice).T)
        object.__setattr__(self, "_packed", packed)
        one_row = bool((self.sums.n_individuals <= 1).all())
        if self.kind in ("HC2", "classical") and not one_row:
            raise ValueError(
                f"randomisation inference: the statistic {self.kind!r} is for units of one row "
                f"(pupils assigned one by one), but a school has {self.sums.n_individuals.max()} "
                "pupils; use 'studentised', or average the pupils of each school first"
            )
        if self.kind not in ("studentised", "coefficient", "HC2", "classical"):
            raise ValueError(
                f"randomisation inference: unknown statistic {self.kind!r}; known are "
                "'studentised', 'coefficient', 'HC2' and 'classical'"
            )

    @property
    def small_sample_factor(self) -> float:
        """Return c of the cluster-robust variance; HC2 has none."""
        if self.kind == "HC2":
            return 1.0
        sums = self.sums
        schools, rows = int((sums.n_individuals > 0).sum()), sums.n_rows
        spare = rows - sums.n_parameters - 1
        if schools < 2 or spare < 1:
            raise ValueError(
                f"randomisation inference: {rows} rows in {schools} schools for "
                f"{sums.n_parameters + 1} coefficients (blocks and the constant included) leave no "
                "variance to studentise by; leave covariates or blocks out"
            )
        return schools / (schools - 1) * (rows - 1) / spare

    def pieces(self, treated: NDArray[np.int8]) -> DrawPieces:
        """Return numerators and variances for assignments (draws × units) of zeros and ones."""
        sums = self.sums
        d = treated.astype(np.float64)
        weighted = d * sums.weight
        t = d - self._block_means(weighted)
        den_alone = np.einsum("dj,dj->d", t, weighted)
        along = d @ sums.s
        gamma = along @ sums.inverse
        den = den_alone - np.einsum("dp,dp->d", along, gamma)
        numerators = d @ sums.r
        undefined = ~(den > _UNDEFINED * den_alone)
        den[undefined] = np.nan
        outcomes = slice(None) if self.slopes else slice(0, -1)
        return self._studentise(t, gamma, den, numerators[:, outcomes])

    def _block_means(self, weighted: FloatArray) -> FloatArray:
        """Return d̄ of each school's block, broadcastable to draws × schools."""
        sums = self.sums
        if len(sums.block_weight) == 1:
            return np.asarray(weighted.sum(axis=1, keepdims=True) / sums.block_weight)
        starts = np.flatnonzero(np.diff(sums.block, prepend=-1))
        if len(starts) == len(sums.block_weight):
            total = np.add.reduceat(weighted, starts, axis=1)
            mean = total / sums.block_weight[sums.block[starts]]
            return np.repeat(mean, np.diff(starts, append=len(sums.block)), axis=1)
        member = np.zeros((len(sums.block), len(sums.block_weight)))
        member[np.arange(len(sums.block)), sums.block] = 1
        return np.asarray((weighted @ member / sums.block_weight)[:, sums.block])

    def _studentise(
        self, t: FloatArray, gamma: FloatArray, den: FloatArray, numerators: FloatArray
    ) -> DrawPieces:
        count = len(self.sums.outcomes) - 1
        a = numerators[:, :count]
        c = numerators[:, count:] if self.slopes else np.zeros((len(a), 1))
        if self.kind == "coefficient":
            one, zero = np.ones_like(a), np.zeros_like(a)
            return DrawPieces(a / den[:, None], c / den[:, None], one, zero, zero, den)
        if self.kind == "classical":
            products = self._residual_variances(numerators, den)
        elif bool((self.sums.n_individuals <= 1).all()):
            products = self._unit_scores(t, gamma, den, numerators)
        else:
            products = self._school_scores(t, gamma, den, numerators)
        u, v, w = (self.small_sample_factor * part for part in products)
        undefined = np.isnan(den)
        return DrawPieces(a, c, np.where(undefined[:, None], np.nan, u), v, w, den)

    def _school_scores(
        self, t: FloatArray, gamma: FloatArray, den: FloatArray, numerators: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return Σψ_kψ_k, Σψ_kψ_z and Σψ_zψ_z of each draw."""
        sums = self.sums
        p = gamma.shape[1]
        square = t * sums.weight
        if p:
            square -= gamma @ (2 * sums.s.T)
        square *= t
        if p:
            square += _pairwise_products(gamma) @ self._packed
        coefficients = numerators / den[:, None]

        def score(k: int) -> FloatArray:
            psi = t * sums.r[:, k]
            if p:
                psi -= gamma @ sums.h[:, :, k].T
            psi -= coefficients[:, k, None] * square
            return psi

        return self._sums_of_products(score, len(t))

    def _unit_scores(
        self, t: FloatArray, gamma: FloatArray, den: FloatArray, numerators: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the same for units of one row; HC2 divides ψ² by one minus the leverage."""
        sums = self.sums
        weight = np.where(sums.n_individuals > 0, sums.weight, 1.0)
        x = sums.s / weight[:, None]
        left = t - gamma @ x.T
        divide: FloatArray | float = 1.0
        if self.kind == "HC2":
            shared = 1 / sums.block_weight[sums.block] + np.einsum(
                "jp,pq,jq->j", x, sums.inverse, x
            )
            spare = 1 - sums.weight * (shared + left**2 / den[:, None])
            # A row that its own effect fits exactly has no residual: its score is nought.
            divide = np.where(spare > 1e-10, np.sqrt(np.maximum(spare, 1e-10)), np.inf)
        coefficients = numerators / den[:, None]

        def score(k: int) -> FloatArray:
            residual = sums.r[:, k] - sums.weight * (coefficients[:, k, None] * left)
            return np.asarray(left * residual / divide)

        return self._sums_of_products(score, len(t))

    def _sums_of_products(
        self, score: _Score, draws: int
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        count = len(self.sums.outcomes) - 1
        u, v, w = np.empty((draws, count)), np.zeros((draws, count)), np.zeros((draws, 1))
        of_z = None
        if self.slopes:
            of_z = score(count)
            w[:, 0] = np.einsum("dj,dj->d", of_z, of_z)
        for k in range(count):
            psi = score(k)
            u[:, k] = np.einsum("dj,dj->d", psi, psi)
            if of_z is not None:
                v[:, k] = np.einsum("dj,dj->d", psi, of_z)
        return u, v, w

    def _residual_variances(
        self, numerators: FloatArray, den: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return σ̂²·den of the ordinary t-statistic, free of the factor c."""
        sums, count = self.sums, len(self.sums.outcomes) - 1
        scale = den / (sums.n_rows - sums.n_parameters - 1) / self.small_sample_factor
        products = sums.residual_products
        yy = np.diagonal(products)[:count] - numerators[:, :count] ** 2 / den[:, None]
        u = yy * scale[:, None]
        if not self.slopes:
            return u, np.zeros_like(u), np.zeros((len(u), 1))
        z = numerators[:, count:]
        yz = products[:count, count] - numerators[:, :count] * z / den[:, None]
        zz = products[count, count] - z**2 / den[:, None]
        return u, yz * scale[:, None], zz * scale[:, None]


def _pairwise_products(gamma: FloatArray) -> FloatArray:
    """Return γ_iγ_k for i ≤ k, (draws, p(p + 1)/2), in the order of an upper triangle."""
    p = gamma.shape[1]
    found = np.empty((len(gamma), p * (p + 1) // 2))
    first = 0
    for i in range(p):
        np.multiply(gamma[:, i, None], gamma[:, i:], out=found[:, first : first + p - i])
        first += p - i
    return found
