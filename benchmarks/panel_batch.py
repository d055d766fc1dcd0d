r"""The inference of `models.cohort_inference` on many panels of one design at once.

A row of a balanced panel is θ = Σ_h a_h'ȳ_h with weights a that the design fixes, so that panels of
one design differ in the means and covariances of their groups alone. The formulas are those of the
library's modules, over an axis more; `tests/benchmarking/test_panel_study.py` holds them against
the library's own answers, panel by panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]
Whole = NDArray[np.int64]
LEAST_JOINT_DF = 4.0


class Moments(NamedTuple):
    """Means and covariances over years of each group's schools.

    Attributes
    ----------
    sizes : float array (groups,)
    mean : array (draws, groups, years)
    covariance : array (draws, groups, years, years)
        Divisor n − 1; zero where a group is one school.
    """

    sizes: FloatArray
    mean: FloatArray
    covariance: FloatArray


class Rows(NamedTuple):
    """Rows of every panel: point, standard error and working df, each (draws, rows)."""

    point: FloatArray
    std_error: FloatArray
    df: FloatArray


class Joint(NamedTuple):
    """Approximate Hotelling test of some rows: F and its denominator df, each (draws,)."""

    f: FloatArray
    df: FloatArray


def moments_of(outcome: FloatArray, group: Whole) -> Moments:
    """Return the moments of panels (draws, schools, years) whose schools' groups are 0, 1, …"""
    sizes = np.bincount(group).astype(float)
    mean, covariance = [], []
    for h, n in enumerate(sizes):
        own = outcome[:, group == h]
        centre = own.mean(axis=1)
        apart = own - centre[:, None]
        mean.append(centre)
        covariance.append(np.matmul(apart.swapaxes(1, 2), apart) / max(n - 1.0, 1.0))
    return Moments(sizes, np.stack(mean, axis=1), np.stack(covariance, axis=1))


def regimes_of(cohorts: Sequence[int], *, pooled: bool) -> list[list[int]]:
    """Return the groups that share a covariance: each alone, or all treated cohorts together.

    Those never treated stand apart; where there are none, the last cohort does.
    """
    groups = list(range(len(cohorts)))
    if not pooled:
        return [[h] for h in groups]
    apart = 0 if cohorts[0] == 0 else groups[-1]
    return [[apart], [h for h in groups if h != apart]]


def as_if_of(loadings: FloatArray, own: int, other: int) -> FloatArray:
    """Return the loadings of a cohort's schools moved to the years of another cohort, (T, rows).

    Parameters
    ----------
    loadings : array (T, rows)
    own, other : int
        Positions of the first treated year of the cohort, and of the other one.

    A row that rests on years since the cohort began is moved by the difference, so that schools of
    both have been treated for as long. A change to a year that would fall off the end is one to the
    last year, over as many years. A row of years before is moved only if the other cohort is
    treated in some of them, and has years enough.
    """
    if own == other:
        return loadings
    years, by = len(loadings), other - own
    moved = np.zeros_like(loadings)
    before = loadings[:own]
    weight = loadings[own:].sum(axis=0)
    plain = np.abs(weight) > 0.1 * np.abs(loadings[own:]).sum(axis=0)
    last = np.zeros_like(before)
    last[-1:] = 1.0
    base = np.where(plain, -before / np.where(plain, weight, 1.0), last)
    rest = before + base * weight
    for t in range(own, years):  # each year since, less what it is compared with
        reach = min(by, years - 1 - t)
        moved[max(t + reach, 0)] += loadings[t]
        for s in range(own):
            moved[max(s + reach, 0)] -= base[s] * loadings[t]
    for s in range(own):
        moved[min(max(s + by, 0), years - 1)] += rest[s]
    used = np.abs(loadings) > 1e-14
    late = used[own:].any(axis=0)
    crossing = used[other:].any(axis=0) & ~used[: max(own - other, 0)].any(axis=0)
    return np.where(late | crossing, moved, loadings)


def rows_of(
    moments: Moments, loadings: FloatArray, regimes: Sequence[Sequence[int]], start: Sequence[int]
) -> Rows:
    """Return points, standard errors and working df of all rows; NaN without an own variance.

    ``start`` has the position of each group's first treated year.
    """
    scaled = loadings / np.sqrt(moments.sizes)[:, None, None]
    point = np.einsum("sht,htr->sr", moments.mean, loadings)
    pool = _pooled(moments)
    shape = point.shape
    variance, share, spread, alone = (np.zeros(shape) for _ in range(4))
    for regime in regimes:
        free = sum(moments.sizes[h] - 1.0 for h in regime)
        if free < 1:
            alone += np.abs(scaled[list(regime)]).max(axis=(0, 1)) > 0
            continue
        for h in regime:
            weight = (moments.sizes[h] - 1.0) / free
            units = [as_if_of(scaled[g], start[g], start[h]) for g in regime]
            for a in units:
                variance += weight * _form(a, moments.covariance[:, h], a)
                share += weight * _form(a, pool, a)
                for b in units:
                    spread += weight / free * _form(a, pool, b) ** 2
    lacking = np.where(alone > 0, np.nan, 1.0)
    return Rows(point, np.sqrt(variance) * lacking, share**2 / spread * lacking)


def joint_of(
    moments: Moments,
    loadings: FloatArray,
    regimes: Sequence[Sequence[int]],
    start: Sequence[int],
    tested: Sequence[int],
) -> Joint:
    """Return the joint test of the rows ``tested``; NaN where a group's variance is not known."""
    draws, q = len(moments.mean), len(tested)
    scaled = (loadings / np.sqrt(moments.sizes)[:, None, None])[:, :, list(tested)]
    if any(sum(moments.sizes[h] - 1 for h in regime) < 1 for regime in regimes):
        return Joint(np.full(draws, np.nan), np.full(draws, np.nan))
    pool = _pooled(moments)
    covariance, omega = np.zeros((draws, q, q)), np.zeros((draws, q, q))
    terms: list[tuple[float, list[FloatArray]]] = []
    for regime in regimes:
        free = sum(moments.sizes[h] - 1.0 for h in regime)
        for h in regime:
            weight = (moments.sizes[h] - 1.0) / free
            units = [as_if_of(scaled[g], start[g], start[h]) for g in regime]
            covariance += weight * sum(a.T @ moments.covariance[:, h] @ a for a in units)
            omega += weight * sum(a.T @ pool @ a for a in units)
            terms.append((weight / free, units))
    values, vectors = np.linalg.eigh(omega)
    root = vectors / np.sqrt(values)[:, None, :]
    spread = np.zeros(draws)
    for weight, units in terms:
        for a in units:
            for b in units:
                one = root.swapaxes(1, 2) @ (a.T @ pool @ b) @ root
                spread += weight * np.trace(one, axis1=1, axis2=2) ** 2
                spread += weight * np.einsum("sij,sji->s", one, one)
    point = np.einsum("sht,htr->sr", moments.mean, loadings)[:, list(tested)]
    quadratic = np.einsum("sr,sr->s", point, np.linalg.solve(covariance, point[..., None])[..., 0])
    eta = q * (q + 1) / spread
    df = eta - q + 1
    return Joint(df / (eta * q) * quadratic, df)


def t_rejects(rows: Rows, truth: FloatArray | float, level: float = 0.05) -> FloatArray:
    """Return 1 where a row's interval lacks the truth, 0 where not, NaN without an interval."""
    with np.errstate(invalid="ignore"):
        t = np.abs(rows.point - truth) / rows.std_error
        return np.where(np.isnan(t), np.nan, t > special.stdtrit(rows.df, 1.0 - level / 2.0))


def joint_rejects(joint: Joint, q: int, level: float = 0.05) -> FloatArray:
    """Return whether the joint test rejects; NaN where its denominator df are under four."""
    told = joint.df >= LEAST_JOINT_DF
    with np.errstate(invalid="ignore"):
        p = special.fdtrc(q, np.where(told, joint.df, 4.0), np.maximum(joint.f, 0.0))
    return np.where(told, p < level, np.nan)


def _pooled(moments: Moments) -> FloatArray:
    nu = moments.sizes - 1.0
    return np.asarray(np.einsum("h,shtu->stu", nu, moments.covariance) / nu.sum())


def _form(left: FloatArray, middle: FloatArray, right: FloatArray) -> FloatArray:
    """Return l_r'M r_r of every column r and every draw, (draws, rows)."""
    return np.asarray(np.einsum("tr,str->sr", left, middle @ right))
