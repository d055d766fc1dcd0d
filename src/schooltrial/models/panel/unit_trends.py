"""A linear trend of each school's own, taken out of every column before the fit.

Schools then have an intercept and a slope each. Both lie within schools, so that the leverage of a
cluster that holds whole schools is that of the columns from which they were taken (Frisch, Waugh
and Lovell), and CR2 is exact. Under weights w the columns are scaled by √w: the working variances
of CR2 are 1/w.
"""

from __future__ import annotations

import numpy as np

from schooltrial.arrays import FloatArray, IntArray


def without_trends(
    columns: FloatArray, school: IntArray, year: FloatArray, weights: FloatArray | None
) -> FloatArray:
    """Return columns scaled by √w, less each school's own intercept and slope over years.

    Parameters
    ----------
    columns : (n, q) array
    school : (n,) int array
        Numbers of the schools.
    year : (n,) array
    weights : (n,) array, optional

    Returns
    -------
    (n, q) array
    """
    w = np.ones(len(columns)) if weights is None else weights / weights.mean()
    mass = np.bincount(school, weights=w)
    t = year - (np.bincount(school, weights=w * year) / mass)[school]
    spread = np.bincount(school, weights=w * t * t)
    steep = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    left = np.empty_like(columns)
    for at, column in enumerate(columns.T):
        centred = column - (np.bincount(school, weights=w * column) / mass)[school]
        slope = np.bincount(school, weights=w * t * centred) * steep
        left[:, at] = centred - slope[school] * t
    root: FloatArray = np.sqrt(w)[:, None]
    return left * root
