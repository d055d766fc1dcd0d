"""Residuals of schools' outcomes from the means of their group, and their variation over years.

The covariance over years of a group's schools, S_h, has the divisor n_h − 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class YearCovariances:
    """Covariances over years, by group.

    Attributes
    ----------
    groups : array (H, T, T)
        S_h; zero where a group is one school.
    df : array (H,)
        n_h − 1.
    """

    groups: FloatArray
    df: IntArray

    def pooled(self, chosen: Sequence[int] | None = None) -> FloatArray:
        """Return Σ(n_h − 1)S_h / Σ(n_h − 1) over some groups, all by default; zero without any."""
        inside = list(range(len(self.df)) if chosen is None else chosen)
        total = int(self.df[inside].sum())
        if total == 0:
            return np.zeros(self.groups.shape[1:])
        pooled: FloatArray = np.tensordot(self.df[inside], self.groups[inside], 1) / total
        return pooled


def group_residuals(outcome: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """Return deviations from the means of group and year, (N, T); NaN if not seen.

    Where schools lack years, deviations are from the effects of schools and of group × year, so
    that who was seen when does not pass for a change.
    """
    left = np.full(outcome.shape, np.nan)
    for h in range(n_groups):
        inside = group == h
        y = outcome[inside]
        seen = np.isfinite(y)
        left[inside] = y - y.mean(0) if seen.all() else _two_way(y, seen)
    return left


def _two_way(y: FloatArray, seen: np.ndarray) -> FloatArray:
    """Return residuals of school and year effects, by the normal equations of the years."""
    m = seen.astype(float)
    filled = np.where(seen, y, 0.0)
    per_school = np.maximum(m.sum(1), 1.0)
    gram = np.diag(m.sum(0)) - (m / per_school[:, None]).T @ m
    right = filled.sum(0) - m.T @ (filled.sum(1) / per_school)
    year = np.linalg.lstsq(gram, right, rcond=None)[0]
    inside = np.where(seen, y - year, 0.0)
    own = inside.sum(1) / per_school
    return np.where(seen, y - year - own[:, None], np.nan)


def year_covariances(residuals: FloatArray, group: IntArray, n_groups: int) -> YearCovariances:
    """Return S_h of every group, from pairs of years in which a school was seen in both.

    Where schools lack years the matrix of pairs is made positive semidefinite by leaving out
    negative eigenvalues.
    """
    size = residuals.shape[1]
    found = np.zeros((n_groups, size, size))
    count = np.bincount(group, minlength=n_groups)
    for h in np.flatnonzero(count > 1):
        e = residuals[group == h]
        seen = np.isfinite(e)
        filled = np.where(seen, e, 0.0)
        products = filled.T @ filled
        if seen.all():
            found[h] = products / (count[h] - 1)
            continue
        pairs = seen.astype(float).T @ seen
        values, vectors = np.linalg.eigh(products / np.maximum(pairs - 1.0, 1.0))
        found[h] = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return YearCovariances(found, count - 1)
