"""An effect that is only known to lie between two bounds, and the interval around them.

Imbens & Manski (2004, Econometrica 72(6), 1845-1857): the interval
[l − c·se_l, u + c·se_u] covers the effect, wherever it lies between the bounds, with the wanted
probability where c solves F(c + (u − l)/max(se_l, se_u)) − F(−c) = level. It is narrower than an
interval for the whole set, and equals the usual one where the bounds meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.student_t import t_quantile, t_tail


@dataclass(frozen=True)
class IdentifiedSet:
    """Bounds of an effect.

    Attributes
    ----------
    lower, upper : float
        The bounds.
    se_lower, se_upper : float
        Their standard errors.
    df : float
        Degrees of freedom of the reference t; ``inf`` for the normal.
    critical : float
        c, the number of standard errors on either side.
    conf_low, conf_high : float
        Interval for the effect itself (not for the set).
    """

    lower: float
    upper: float
    se_lower: float
    se_upper: float
    df: float
    critical: float
    conf_low: float
    conf_high: float


def critical_value(
    width: float, std_error: float, *, df: float = inf, level: float = 0.95
) -> float:
    """Return c with F(c + width/std_error) − F(−c) = level, F being Student's t or the normal.

    Between the one-sided quantile (wide bounds) and the two-sided one (bounds that meet).
    """
    if not std_error > 0 or not df > 0 or isnan(width):
        return nan

    def excess(c: float) -> float:
        return 1 - t_tail(c + width / std_error, df) - t_tail(c, df) - level

    two_sided = t_quantile((1 + level) / 2, df)
    return float(optimize.brentq(excess, 0.0, two_sided + 1e-6, xtol=1e-14, rtol=1e-14))


def identified_set(
    lower: float,
    upper: float,
    se_lower: float,
    se_upper: float,
    *,
    df: float = inf,
    level: float = 0.95,
) -> IdentifiedSet:
    """Return bounds with the interval of Imbens and Manski.

    Parameters
    ----------
    lower, upper : float
        Estimated bounds.
    se_lower, se_upper : float
        Their standard errors.
    df : float
        Of the reference t.
    level : float
        Coverage of the effect.

    Raises
    ------
    ValueError
        If the bounds have changed places.
    """
    if lower > upper + 1e-9 * max(abs(lower), abs(upper)):
        raise ValueError(f"bounds: the lower one, {lower}, is above the upper one, {upper}")
    c = critical_value(upper - lower, max(se_lower, se_upper), df=df, level=level)
    low, high = lower - c * se_lower, upper + c * se_upper
    return IdentifiedSet(lower, upper, se_lower, se_upper, df, c, low, high)


@dataclass(frozen=True)
class ClusterSums:
    """How the influence of pupils adds up to the variance of a mean.

    Attributes
    ----------
    position : (N,) array or None
        Number of each pupil's cluster; None where pupils are independent.
    factor : (J,) array
        J_a/(J_a − 1) for the J_a clusters of the cluster's arm; J/(J − 1) where clusters hold both
        arms.
    df : float
        J − 2, or J − 1 where clusters hold both groups; infinite without clusters.
    """

    position: NDArray[np.intp] | None
    factor: FloatArray
    df: float

    @property
    def clusters(self) -> int:
        """Number of clusters; 0 if pupils are independent."""
        return len(self.factor)

    def std_error(self, influence: FloatArray) -> float:
        """Return √(Σ_g f_g (Σ_i∈g ψ_i)²), the estimate being its expectation plus Σ_i ψ_i."""
        if self.position is None:
            return sqrt(float(influence @ influence))
        sums = np.bincount(self.position, weights=influence, minlength=self.clusters)
        return sqrt(float(self.factor @ sums**2))


def cluster_sums(cluster: ArrayLike | None, treated: FloatArray) -> ClusterSums:
    """Return how influence adds up, from the labels of clusters and the group of each pupil.

    Raises
    ------
    ValueError
        If a group has fewer than two clusters (where clusters hold one group each), or there are
        fewer than two clusters in all.
    """
    if cluster is None:
        return ClusterSums(None, np.empty(0), inf)
    labels, position = np.unique(np.asarray(cluster), return_inverse=True)
    position = position.astype(np.intp)
    size = np.bincount(position)
    share = np.bincount(position, weights=treated) / size
    one_arm = bool(np.all((share == 0) | (share == 1)))
    arms = np.where(share == 1, 1, 0) if one_arm else np.zeros(len(labels), dtype=int)
    count = np.bincount(arms, minlength=2 if one_arm else 1)
    if count.min() < 2:
        raise ValueError(
            f"a variance by cluster needs two clusters in each group; there are "
            f"{' and '.join(map(str, count))}"
        )
    factor = (count / (count - 1))[arms]
    return ClusterSums(position, factor, float(len(labels) - (2 if one_arm else 1)))
