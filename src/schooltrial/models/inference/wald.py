"""The Wald statistic of several contrasts, whatever their units."""

from __future__ import annotations

from math import nan

import numpy as np

from schooltrial.arrays import FloatArray


def wald_statistic(distance: FloatArray, variance: FloatArray) -> float:
    """Return b'V⁻¹b; NaN if the variance is not known or is singular.

    Each contrast is first brought to a variance of one, so that no units matter.

    Parameters
    ----------
    distance : array (q,)
        b, the contrasts less their values under the hypothesis.
    variance : array (q, q)
        V.
    """
    diagonal = np.diag(variance)
    if not np.isfinite(variance).all() or not (diagonal > 0).all():
        return nan
    size = np.sqrt(diagonal)
    correlation = variance / np.outer(size, size)
    if np.linalg.matrix_rank(correlation, hermitian=True) < len(distance):
        return nan
    t = distance / size
    return float(t @ np.linalg.solve(correlation, t))
