"""Degrees of freedom of cluster-robust tests: Satterthwaite, and approximate Hotelling.

A cluster-robust variance is a sum over clusters of squared linear forms p_sj'e of the errors. Under
the working model their covariances, for contrasts s, t and clusters i, j, are

    P_ij[s, t] = δ_ij d_j[s, t] − k_i[:, s]'Σ k_j[:, t] − γ_ij t_i[:, s]'Σ_t t_j[:, t]

(γ_ij is 1 for clusters of one absorbed group, else 0)
where k_j holds coordinates that all clusters share (through the coefficients) and t_j those shared
within a group whose effect was absorbed. Both approximations need only sums over i, j of products
of these, and the sums factor: no J × J array is formed.

Sources: Satterthwaite (1946); Bell & McCaffrey (2002); Pustejovsky & Tipton (2018), JBES 36(4),
672-683, section 3 (the AHT test, HTZ in clubSandwich).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.inference.outcome_variation import NO_VARIATION


@dataclass(frozen=True)
class Influence:
    """The pieces of P_ij for q contrasts.

    Attributes
    ----------
    left, right : (J, ·, q) arrays
        d_j = left'right, the covariance of the adjusted forms before anything was estimated.
    shared : (J, m, q) array
        k_j.
    private : (J, r, q) array
        t_j; r = 0 where no group effect was absorbed.
    group : (J,) int array
        The absorbed group of each cluster.
    swapped : bool
        Σ is the identity when False; when True it exchanges the two halves of the coordinates
        (sampling weights, whose working covariance is not the inverse of the weights).
    counts : (J,) array, optional
        How many clusters each entry stands for, where clusters of one design share an entry; one
        by default.
    """

    left: FloatArray
    right: FloatArray
    shared: FloatArray
    private: FloatArray
    group: IntArray
    swapped: bool = False
    counts: FloatArray | None = None

    def counted(self, k: FloatArray) -> FloatArray:
        """Return entries (J, …) times the clusters that each represents."""
        if self.counts is None:
            return k
        return k * self.counts.reshape(-1, *[1] * (k.ndim - 1))

    def signed(self, k: FloatArray) -> FloatArray:
        """Return Σ k."""
        if not self.swapped:
            return k
        half = k.shape[1] // 2
        return np.concatenate([k[:, half:], k[:, :half]], axis=1)

    def diagonal(self) -> tuple[FloatArray, FloatArray]:
        """Return P_jj (J, q, q) and its estimated part d_j − P_jj."""
        fitted = np.swapaxes(self.shared, 1, 2) @ self.signed(self.shared)
        if self.private.shape[1]:
            fitted = fitted + np.swapaxes(self.private, 1, 2) @ self.signed(self.private)
        return np.swapaxes(self.left, 1, 2) @ self.right - fitted, fitted

    def rotated(self, A: FloatArray) -> Influence:
        """Return the pieces of the contrasts' combinations, columns of ``A`` (q, q)."""
        return replace(
            self,
            left=self.left @ A,
            right=self.right @ A,
            shared=self.shared @ A,
            private=self.private @ A,
        )


def _by_group(influence: Influence) -> tuple[IntArray, IntArray]:
    order = np.argsort(influence.group, kind="stable")
    ordered = influence.group[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return order, starts


class Moments(NamedTuple):
    """First two moments of a variance estimate, per contrast.

    Attributes
    ----------
    expectation : (q,) array
        Σ_j P_jj, its expectation under the working model.
    df : (q,) array
        Satterthwaite degrees of freedom.
    """

    expectation: FloatArray
    df: FloatArray


def satterthwaite(parts: Iterable[Influence]) -> Moments:
    """Return the expectation and Satterthwaite df of the variance of each contrast taken alone.

    df = (Σ_j P_jj)² / Σ_ij P_ij².

    Parameters
    ----------
    parts : iterable of Influence
        The pieces of q contrasts, for some clusters at a time; only the diagonal (s = t) is used.
        Clusters of one absorbed group must come in one part.

    Returns
    -------
    Moments
    """
    total: Any = 0.0
    spread: Any = 0.0
    N: Any = 0.0
    swapped = False
    for part in parts:
        swapped = part.swapped
        own = np.einsum("jas,jas->js", part.left, part.right)
        fitted = np.einsum("jms,jms->js", part.shared, part.signed(part.shared))
        by_contrast = np.ascontiguousarray(part.shared.transpose(2, 0, 1))
        every = np.ascontiguousarray(part.counted(part.shared).transpose(2, 0, 1))
        N = N + np.swapaxes(by_contrast, 1, 2) @ every
        if part.private.shape[1]:
            fitted = fitted + np.einsum("jrs,jrs->js", part.private, part.signed(part.private))
            spread = spread + _private_pairs(part)
        total = total + part.counted(own - fitted).sum(axis=0)
        spread = spread + part.counted(own * own - 2 * own * fitted).sum(axis=0)
    if swapped:
        half = N.shape[1] // 2
        swap = np.r_[half : 2 * half, :half]
        spread = spread + np.einsum("sab,sba->s", N[:, swap], N[:, swap])
    else:
        spread = spread + np.einsum("sab,sab->s", N, N)
    df: FloatArray = np.full_like(total, np.nan)
    np.divide(total**2, spread, out=df, where=spread > 0)
    return Moments(total, df)


def _private_pairs(part: Influence) -> FloatArray:
    """Return Σ_ij over pairs of one group of 2 (k_i'Σk_j)(t_i'Σt_j) + (t_i'Σt_j)²."""
    k, t = part.shared, part.private
    k_signed, t_signed = part.signed(k), part.signed(t)
    order, starts = _by_group(part)
    cross = np.add.reduceat((k[:, :, None] * t[:, None])[order], starts)
    signed = np.add.reduceat((k_signed[:, :, None] * t_signed[:, None])[order], starts)
    pairs = 2 * np.einsum("gmrs,gmrs->s", cross, signed)
    inner = np.add.reduceat((t[:, :, None] * t[:, None])[order], starts)
    signed = np.add.reduceat((t_signed[:, :, None] * t_signed[:, None])[order], starts)
    total: FloatArray = pairs + np.einsum("gabs,gabs->s", inner, signed)
    return total


def _pair_traces(a: FloatArray, b: FloatArray, a_hat: FloatArray, b_hat: FloatArray) -> float:
    """Return Σ_ij [tr(A_ij) tr(B_ij) + tr(A_ij B_ij)], A_ij = a_i'â_j and B_ij = b_i'b̂_j."""
    N = np.einsum("jas,jbt->asbt", a, b, optimize=True)
    N_hat = np.einsum("jas,jbt->asbt", a_hat, b_hat, optimize=True)
    return float(np.sum(N * N_hat) + np.einsum("asbt,atbs->", N, N_hat))


def total_variance(influence: Influence) -> float:
    """Return Σ_st Var(D_st) of D = Σ_j (p_j'e)(p_j'e)' under the working model, normal errors.

    Var(D_st) = Σ_ij (P_ij[s,s] P_ij[t,t] + P_ij[s,t] P_ij[t,s])
    (Pustejovsky & Tipton 2018, section 3).
    """
    k, k_hat = influence.shared, influence.signed(influence.shared)
    total = _pair_traces(k, influence.counted(k), k_hat, influence.counted(k_hat))
    if influence.private.shape[1]:
        t, t_hat = influence.private, influence.signed(influence.private)
        order, starts = _by_group(influence)
        for members in np.split(order, starts[1:]):
            parts = (k[members], t[members], k_hat[members], t_hat[members])
            total += 2 * _pair_traces(*parts)
            total += _pair_traces(parts[1], parts[1], parts[3], parts[3])
    P, fitted = influence.diagonal()
    for own, sign in ((P, 1.0), (fitted, -1.0)):
        trace, every = np.einsum("jss->j", own), influence.counted(own)
        total += sign * float(
            trace @ np.einsum("jss->j", every) + np.einsum("jst,jts->", own, every)
        )
    return total


def hotelling_scale(influence: Influence) -> float:
    """Return η, the degrees of freedom of the Wishart law that approximates the variance.

    η = q(q + 1) / Σ_st Var(D_st), with D scaled so that its expectation is the identity; the test
    refers (η − q + 1)/(ηq) · Q to F(q, η − q + 1). For q = 1 it is the Satterthwaite df.
    """
    P, _ = influence.diagonal()
    omega = influence.counted(P).sum(axis=0)
    size = np.sqrt(np.maximum(np.diag(omega), 0.0))
    if not (size > 0).all():
        raise ValueError(NO_JOINT_VARIANCE)
    # Contrasts of unit variance, so that nothing depends on the units of covariates.
    even = influence.rotated(np.diag(1.0 / size))
    values, vectors = np.linalg.eigh((omega + omega.T) / 2 / np.outer(size, size))
    if values[0] <= 1e-12 * values[-1]:
        raise ValueError(NO_JOINT_VARIANCE)
    scaled = even.rotated((vectors / np.sqrt(values)) @ vectors.T)
    q = len(values)
    return q * (q + 1) / total_variance(scaled)


NO_JOINT_VARIANCE = (
    "the joint hypothesis is not identified by the clusters: some combination of its contrasts has "
    "no variance under the working model; test fewer terms at once"
)


FEW_DF = 4.0
"""Below this many df, the approximation of t is poor."""


MISSED = 0.01
"""Share of the working variance that CR2 may miss before a note says so."""


FITTED_EXACTLY = 0.9
"""From this share on, no variance is left to estimate."""


NOT_IDENTIFIED = (
    "no standard error: clusters fit this exactly (as many parameters as clusters, or one cluster "
    "in a group)"
)


SINGULAR = (
    "no F: the clusters do not tell these contrasts apart (their estimated variance is singular); "
    "test fewer at once"
)


def missed_share(expected: FloatArray, truth: FloatArray) -> FloatArray:
    """Return 1 − expected/true variance of each contrast, 0 if the true one is 0."""
    share: FloatArray = 1.0 - np.divide(expected, truth, out=np.ones_like(truth), where=truth > 0)
    return share


def note(kind: str, missed: float, df: float, *, varies: bool = True) -> str:
    """Return the note on an estimate whose variance missed a share."""
    if missed > FITTED_EXACTLY:
        return NOT_IDENTIFIED
    if not varies:
        return NO_VARIATION
    if kind == "CR2" and missed > MISSED:
        return f"CR2 misses {missed:.0%} of the variance: a cluster fits that part exactly"
    if isnan(df):
        return "no standard error: the clusters leave this no degrees of freedom"
    return f"df below {FEW_DF:g}: too few clusters for this test" if df < FEW_DF else ""
