"""Worst-case bounds: an effect when nothing at all is assumed of the missing outcomes.

Horowitz & Manski (2000, Journal of the American Statistical Association 95, 77-84): where an
outcome can only lie in [a, b], the effect is least when everybody who is missing in the
intervention group would have had a and everybody missing in the control group b; it is greatest the
other way round. The bounds are (b − a)·(share missing among the treated + share missing among the
controls) apart: wide, but nobody can dispute them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.arrays import FloatArray
from schooltrial.models.missing_outcomes.imbens_manski import (
    ClusterSums,
    IdentifiedSet,
    cluster_sums,
    identified_set,
)


def bound_by_horowitz_manski(
    outcome: ArrayLike,
    treated: ArrayLike,
    support: tuple[float, float],
    *,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> IdentifiedSet:
    """Bound the difference in means by the worst cases of missing outcomes.

    Parameters
    ----------
    outcome : (N,) array_like
        Outcome of everybody who was assigned; NaN where it was not observed.
    treated : (N,) array_like
        1 for treated, 0 for control.
    support : (float, float)
        Least and greatest value that the outcome can take.
    weights : (N,) array_like, optional
        Such as the inverse of the probability of a pupil's arm, where it differs by block.
    cluster : (N,) array_like, optional
        Labels of the units of assignment. Without them pupils are independent.
    level : float
        Of the interval, see ``identified_set``.

    Returns
    -------
    IdentifiedSet
        Standard errors treat the weights as known, and ignore blocks, which is conservative.

    Raises
    ------
    ValueError
        If a group is empty, the support is no interval, or an outcome lies outside it.
    """
    y = np.asarray(outcome, dtype=np.float64)
    d = np.asarray(treated, dtype=np.float64)
    least, greatest = support
    if not least < greatest:
        raise ValueError(f"the outcome's range must rise, and is {least} to {greatest}")
    known = y[~np.isnan(y)]
    if np.any((known < least) | (known > greatest)):
        beyond = known[(known < least) | (known > greatest)][0]
        raise ValueError(
            f"the outcome is {beyond} for somebody, outside its range of {least} to {greatest}; "
            "give the range in the unit of analysis"
        )
    if not 0 < d.sum() < len(d):
        raise ValueError("bounds: both groups are needed, and there is only one")
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    sums = cluster_sums(cluster, d)
    missing = np.isnan(y)
    worst = np.where(missing, np.where(d == 1, least, greatest), y)
    best = np.where(missing, np.where(d == 1, greatest, least), y)
    lower, se_lower = _difference(worst, d, w, sums)
    upper, se_upper = _difference(best, d, w, sums)
    return identified_set(lower, upper, se_lower, se_upper, df=sums.df, level=level)


def _difference(
    y: FloatArray, d: FloatArray, w: FloatArray, sums: ClusterSums
) -> tuple[float, float]:
    """Return the weighted difference in means and its standard error."""
    means = []
    influence = np.zeros(len(y))
    for arm, sign in ((0.0, -1.0), (1.0, 1.0)):
        there = d == arm
        total = w[there].sum()
        mean = float(w[there] @ y[there] / total)
        influence[there] = sign * w[there] * (y[there] - mean) / total
        means.append(mean)
    return means[1] - means[0], sums.std_error(influence)
