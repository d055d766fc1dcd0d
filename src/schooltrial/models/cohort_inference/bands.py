r"""Simultaneous bands: intervals that all hold together at their level.

.. math:: \hat\theta_r \pm t_{\nu_r}(1 - \alpha/2K)\sqrt{V_r}

over the K rows shown (Bonferroni), each with its own degrees of freedom. Bands by the largest t
would let the row on the fewest schools set the critical value of all.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from schooltrial.arrays import FloatArray


def bonferroni_half_widths(std_error: FloatArray, df: FloatArray, level: float) -> FloatArray:
    """Return the half-width of each row's simultaneous interval; NaN without a variance."""
    shown = int(np.isfinite(std_error).sum())
    if shown == 0:
        return np.full(len(std_error), np.nan)
    critical = special.stdtrit(df, 1 - (1 - level) / 2 / shown)
    return np.asarray(critical * std_error, dtype=np.float64)
