r"""Studentised permutation of cohorts among schools, a check on what the variances say.

Labels of cohorts, all of them, are permuted among schools, within strata, and a school keeps its
years. Every row is computed anew with its own variances, :math:`t^* = \theta^*/\sqrt{V^*}`, and

.. math:: p = \frac{1 + \#\{|t^*| \ge |t|\}}{1 + B}

Effects are removed first, or rows spoil each other: what is permuted are deviations from the means
of group and year, times :math:`\sqrt{n_h/(n_h-1)}`, so that p-value, interval and effect agree
without a search. Unstudentised, or with one pooled variance, the test holds only where treated and
other schools vary alike (Wu and Ding 2021, Journal of the American Statistical Association 116:
1898-1913; Roth and Sant'Anna 2023, Journal of Political Economy: Microeconomics 1(4)). Where every
treated cohort is one school nothing but that assumption remains, and rows are compared unscaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil, fsum, lgamma

import numpy as np
import numpy.typing as npt
from scipy import special

from schooltrial.arrays import FloatArray, IntArray

DRAWS = 2000
"""Permutations by default."""

_SINGLE = 5_000_000
"""Labels from which sums are taken in single precision, at twice the speed: where so many schools
are drawn, no two draws tie."""

_TIES = 1e-9
_ZERO = 1e-12  # of the effects: what is permuted is the rounding of nothing
"""Statistics this near count as equal: those of the same labels differ by rounding."""


@dataclass(frozen=True, eq=False)
class PermutationCheck:
    """p-values and intervals by permutation.

    Attributes
    ----------
    p_value, half_width : array (R,)
        Two-sided p, and the half-width of the interval that agrees with it.
    draws : int
    smallest_p : float
        The least p that the labels allow, 1 over the number of distinct ones (at most 1/(B + 1)).
    pretrend_p : float
        Joint p of the rows before the programme, by the sum of squared normal scores of their p;
        NaN without such rows.
    """

    p_value: FloatArray
    half_width: FloatArray
    draws: int
    smallest_p: float
    pretrend_p: float


def permuted_labels(
    group: IntArray, strata: IntArray | None, draws: int, random: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Return labels of groups permuted within strata, (draws, N)."""
    labels = group.astype(np.int8)
    found = np.tile(labels, (draws, 1))
    if strata is None:
        return random.permuted(found, axis=1, out=found)
    for stratum in np.unique(strata):
        inside = np.flatnonzero(strata == stratum)
        if len(np.unique(labels[inside])) > 1:
            found[:, inside] = random.permuted(found[:, inside], axis=1)
    return found


def distinct_labels(group: IntArray, strata: IntArray | None) -> float:
    """Return the logarithm of the number of distinct labels."""
    of = np.zeros(len(group), dtype=np.int64) if strata is None else strata
    total = 0.0
    for stratum in np.unique(of):
        counts = np.bincount(group[of == stratum])
        total += lgamma(counts.sum() + 1) - fsum(lgamma(count + 1) for count in counts)
    return total


def drawn_statistics(
    outcome: FloatArray, labels: npt.NDArray[np.int8], loadings: FloatArray, sizes: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return θ* and V* by own variances of every draw and row, (draws, R) each.

    The sums over a group of the outcomes and their products are matrix products of the labels; the
    last of the groups' sums, the first group's, is the total less the rest.
    """
    y = outcome - outcome.mean(0)
    years = y.shape[1]
    i, j = np.triu_indices(years)
    kind = np.float32 if labels.size > _SINGLE else np.float64
    unit = max(float(np.abs(y).max()), 1e-300)
    y = y / unit  # so that products stay within single precision
    features = np.column_stack([y, y[:, i] * y[:, j]]).astype(kind)
    twice = np.where(i == j, 1.0, 2.0)
    total = features.sum(0, dtype=np.float64)
    rest = np.broadcast_to(total, (len(labels), features.shape[1])).copy()
    theta = np.zeros((len(labels), loadings.shape[2]))
    variance = np.zeros_like(theta)
    for h in range(len(sizes) - 1, -1, -1):
        if h:
            sums = ((labels == h).astype(kind) @ features).astype(np.float64)
            rest -= sums
        else:
            sums = rest
        n = float(sizes[h])
        mean = sums[:, :years] / n
        theta += mean @ loadings[h]
        spread = (sums[:, years:] - n * mean[:, i] * mean[:, j]) / max(n - 1.0, 1.0) / n
        variance += spread @ (twice[:, None] * loadings[h][i] * loadings[h][j])
    return theta * unit, np.maximum(variance, 0.0) * unit**2


def permutation_check(
    residuals: FloatArray,
    group: IntArray,
    loadings: FloatArray,
    points: FloatArray,
    std_error: FloatArray,
    df: FloatArray,
    *,
    alone: npt.NDArray[np.bool_],
    before: Sequence[int] = (),
    strata: IntArray | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
    random: np.random.Generator,
) -> PermutationCheck:
    """Judge rows by permutation of the groups' labels.

    Parameters
    ----------
    residuals : array (N, T)
        Deviations from the means of group and year; 0 in years that a school lacks.
    group : array (N,)
    loadings : array (H, T, R)
        a_hr.
    points, std_error, df : array (R,)
        Of the rows, by own variances.
    alone : array (R,) of bool
        Rows without a variance of their own, which are compared unscaled.
    before : sequence of int
        Rows before the programme, tested together.
    strata : array (N,), optional
        Labels are permuted within.
    draws : int
    level : float
    random : numpy.random.Generator
    """
    sizes = np.bincount(group, minlength=len(loadings))
    n = sizes[group].astype(float)
    scale = np.where(n > 1, np.sqrt(n / np.maximum(n - 1.0, 1.0)), 0.0)
    left = residuals * scale[:, None]

    def drawn(part: tuple[int, np.random.Generator]) -> tuple[FloatArray, FloatArray]:
        labels = permuted_labels(group, strata, *part)
        return drawn_statistics(left, labels, loadings, sizes)

    # Two streams, whatever the number of cores, so that the draws are the same on all machines.
    halves = zip((draws // 2, draws - draws // 2), random.spawn(2), strict=True)
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(drawn, halves))
    theta, variance = (np.concatenate(found) for found in zip(*parts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(alone, theta, theta / np.sqrt(variance))
        observed = np.where(alone, points, points / std_error)
    t = np.abs(np.where(np.isfinite(t), t, np.inf))
    p = (1 + (t >= np.abs(observed) - _TIES).sum(0)) / (draws + 1)
    at = min(ceil(level * (draws + 1)), draws) - 1
    critical = np.partition(t, at, axis=0)[at]
    joint = np.nan
    rows = [r for r in before if not alone[r]]
    if len(rows):
        seen = _squared_scores(np.abs(observed[rows]), df[rows])
        joint = (1 + (_squared_scores(t[:, rows], df[rows]) >= seen - _TIES).sum()) / (draws + 1)
    least = max(float(np.exp(-distinct_labels(group, strata))), 1 / (draws + 1))
    # Where groups are single schools nothing is left of them to permute.
    p = np.maximum(p, least)
    known = np.isfinite(observed) & (np.abs(theta).max(0) > _ZERO * max(np.abs(points).max(), 1.0))
    half = critical * np.where(alone, 1.0, std_error)
    return PermutationCheck(
        np.where(known, p, np.nan), np.where(known, half, np.nan), draws, least, float(joint)
    )


def _squared_scores(t: FloatArray, df: FloatArray) -> FloatArray:
    """Return Σ z² of the normal scores of two-sided p-values, over the last axis."""
    tail = np.maximum(special.stdtr(df, -t), 1e-300)
    total: FloatArray = (special.ndtri(tail) ** 2).sum(-1)
    return total
