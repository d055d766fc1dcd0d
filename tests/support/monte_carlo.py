"""What a mean over few simulated trials may be off, where a bound holds for many."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import stats

SURE = 0.999
"""How sure a bound is: one run in a thousand may break it by chance; the seeds are fixed."""


def monte_carlo(values: list[float]) -> tuple[float, float]:
    """Return the mean over trials, and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def allowed_error(bound: float, n_trials: int, n_of_bound: int) -> float:
    """Return what the standard error of a mean may be, if it is below a bound with more trials.

    The error grows by the root of the number of trials, and what is estimated from few of them
    varies as the root of a chi-squared over its degrees of freedom.
    """
    if n_trials >= n_of_bound:
        return bound
    df = n_trials - 1
    return bound * sqrt(n_of_bound / n_trials) * sqrt(float(stats.chi2.ppf(SURE, df)) / df)


def allowed_distance(n_trials: int, n_of_bound: int) -> float:
    """Return how many estimated errors a mean may be from the truth: 3 with many trials."""
    return 3.0 if n_trials >= n_of_bound else float(stats.t.ppf((1 + SURE) / 2, n_trials - 1))
