r"""Level and trend of a school's outcome before a cohort began.

With :math:`m_t` the mean of year t over schools seen in all years before the start (over all
schools seen in t where none is), :math:`\bar m` and :math:`b_m` the mean and the slope of these,

.. math:: \text{level}_i = \bar m + \operatorname{mean}_t (Y_{it} - m_t), \qquad
          \text{trend}_i = b_m + \operatorname{slope}_t (Y_{it} - m_t),

over the years in which school i was seen. Where a school was seen in all of them these are its
plain mean and least-squares slope. Where it was not, the years that it lacks do not count for or
against it: a harder test in one of them moves the others' means, not its place among them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schooltrial.arrays import FloatArray


def prior_level(outcome: FloatArray, years: Sequence[int], start: int) -> FloatArray:
    """Return the mean outcome of each school over the years before a start.

    Parameters
    ----------
    outcome : array (N, T)
        Schools by year; NaN where a school was not seen.
    years : sequence of int (T,)
    start : int
        First treated year of the cohort.

    Returns
    -------
    array (N,)
        NaN where a school was seen in none of the years.

    Raises
    ------
    ValueError
        Where no year lies before the start.
    """
    before, means, _ = _deviations(outcome, years, start, 1)
    seen = np.isfinite(before)
    count = seen.sum(axis=1)
    total = np.where(seen, before, 0.0).sum(axis=1)
    level = np.full(len(before), np.nan)
    known = count > 0
    level[known] = total[known] / count[known] + means.mean()
    return level


def prior_trend(outcome: FloatArray, years: Sequence[int], start: int) -> FloatArray:
    """Return the least-squares slope per year of each school over the years before a start.

    Parameters
    ----------
    outcome : array (N, T)
        Schools by year; NaN where a school was not seen.
    years : sequence of int (T,)
    start : int
        First treated year of the cohort.

    Returns
    -------
    array (N,)
        NaN where a school was seen in fewer than two of the years.

    Raises
    ------
    ValueError
        Where fewer than two years lie before the start.
    """
    before, means, at = _deviations(outcome, years, start, 2)
    seen = np.isfinite(before)
    count = np.maximum(seen.sum(axis=1), 1)
    centred = np.where(seen, at - (seen * at).sum(axis=1, keepdims=True) / count[:, None], 0.0)
    spread = (centred**2).sum(axis=1)
    trend = np.full(len(before), np.nan)
    known = spread > 0
    rise = (centred * np.where(seen, before, 0.0)).sum(axis=1)
    common = at - at.mean()
    trend[known] = rise[known] / spread[known] + common @ means / (common @ common)
    return trend


def _deviations(
    outcome: FloatArray, years: Sequence[int], start: int, needed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return outcomes less the mean of their year, these means and the years, before a start."""
    at = np.asarray(years, dtype="float64")
    earlier = at < start
    if earlier.sum() < needed:
        raise ValueError(
            f"{int(earlier.sum())} of the panel's years ({int(at.min())} to {int(at.max())}) lie "
            f"before {start}, and a prior {'level' if needed == 1 else 'trend'} needs {needed}: "
            f"add earlier years, or take {'level' if needed == 1 else 'trend'!r} out of "
            "`comparison_on`"
        )
    before = np.asarray(outcome, dtype="float64")[:, earlier]
    whole = np.isfinite(before).all(axis=1)
    typical = before[whole] if whole.any() else before
    lacking = ~np.isfinite(typical).any(axis=0)
    if lacking.any():
        year = int(at[earlier][lacking][0])
        raise ValueError(f"no school was seen in {year}: leave that year out of the panel")
    means = np.nanmean(typical, axis=0)
    return before - means, means, at[earlier]
