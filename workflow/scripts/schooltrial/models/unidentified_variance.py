"""Where clusters fit a contrast exactly, its variance cannot be estimated: when to say so.

Under the working model the expected estimate of a contrast's variance falls short of its true
variance by the share that the clusters fit exactly. A small share is a warning; where nearly all is
missed, as with one school in an arm or as many parameters as schools, what is left is rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FEW_DF = 4.0
"""Below this many df, the approximation of t is poor."""
MISSED = 0.01
"""Share of the working variance that CR2 may miss before a note says so."""
FITTED_EXACTLY = 0.9
"""From this share on, no variance is left to estimate."""
NOT_IDENTIFIED = (
    "no standard error: clusters fit this exactly (as many parameters as clusters, or one cluster "
    "in an arm)"
)


def missed_share(expected: FloatArray, truth: FloatArray) -> FloatArray:
    """Return 1 − expected/true variance of each contrast, 0 where the true one is 0."""
    share: FloatArray = 1.0 - np.divide(expected, truth, out=np.ones_like(truth), where=truth > 0)
    return share


def note(kind: str, missed: float, df: float) -> str:
    """Return what must be said beside an estimate whose variance missed a share."""
    if missed > FITTED_EXACTLY:
        return NOT_IDENTIFIED
    if kind == "CR2" and missed > MISSED:
        return f"CR2 misses {missed:.0%} of the variance: a cluster fits that part exactly"
    return f"df below {FEW_DF:g}: too few clusters for this test" if df < FEW_DF else ""
