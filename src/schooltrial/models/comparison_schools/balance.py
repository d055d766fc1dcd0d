r"""How alike a cohort and its comparison schools are, before and after weighting.

Standardised differences divide by the SD within the cohort and the comparison schools, both
unweighted,

.. math:: s^2 = \frac{(m-1)s_1^2 + (n-1)s_0^2}{m+n-2},

so that the scale is the same before and after, and is known where the cohort is one school. The
effective number of comparison schools is Kish's, :math:`(\sum w)^2/\sum w^2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from schooltrial.arrays import FloatArray

_ROUNDING = 1e-12  # of a mean


@dataclass(frozen=True, slots=True)
class CharacteristicBalance:
    """One characteristic of a cohort and of its comparison schools.

    Attributes
    ----------
    variable : str
    cohort_mean : float
        Mean of the cohort's schools.
    mean_before, mean_after : float
        Mean of the comparison schools, alike and weighted.
    difference_before, difference_after : float
        Cohort less comparison, in SDs; 0 where nothing differs at all, NaN where schools differ
        and none does within its group.
    """

    variable: str
    cohort_mean: float
    mean_before: float
    mean_after: float
    difference_before: float
    difference_after: float


def characteristics_balance(
    cohort: FloatArray, comparisons: FloatArray, weights: FloatArray, variables: Sequence[str]
) -> tuple[CharacteristicBalance, ...]:
    """Return the balance of each characteristic before and after weighting.

    Parameters
    ----------
    cohort : array (m, K)
        Characteristics of the cohort's schools.
    comparisons : array (n, K)
        Of the comparison schools.
    weights : array (n,)
        Of the comparison schools; any scale.
    variables : sequence of str (K,)
    """
    found = []
    share = np.asarray(weights, dtype="float64") / np.sum(weights)
    for name, own, others in zip(variables, np.asarray(cohort).T, comparisons.T, strict=True):
        mean, before, after = float(own.mean()), float(others.mean()), float(share @ others)
        sd = _pooled_sd(own, others)
        rounding = _ROUNDING * max(abs(mean), abs(before), abs(after))
        found.append(
            CharacteristicBalance(
                name, mean, before, after,
                _in_sds(mean - before, sd, rounding), _in_sds(mean - after, sd, rounding),
            )
        )  # fmt: skip
    return tuple(found)


def effective_number(weights: FloatArray) -> float:
    """Return how many schools of equal weight are as precise: Kish's (Σw)²/Σw².

    Parameters
    ----------
    weights : array (n,)
    """
    w = np.asarray(weights, dtype="float64")
    return float(w.sum() ** 2 / (w**2).sum())


def largest_share(weights: FloatArray) -> float:
    """Return the share of the heaviest school.

    Parameters
    ----------
    weights : array (n,)
    """
    w = np.asarray(weights, dtype="float64")
    return float(w.max() / w.sum())


def _pooled_sd(own: FloatArray, others: FloatArray) -> float:
    if np.ptp(own) == 0 and np.ptp(others) == 0:
        return 0.0  # and not the rounding of a mean
    within = ((own - own.mean()) ** 2).sum() + ((others - others.mean()) ** 2).sum()
    free = len(own) + len(others) - 2
    return sqrt(within / free) if free > 0 else nan


def _in_sds(difference: float, sd: float, rounding: float) -> float:
    if abs(difference) <= rounding:
        return 0.0
    return difference / sd if sd > 0 else nan
