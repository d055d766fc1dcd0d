"""Why tests by REML err too seldom where schools do not differ: a variance cannot be negative.

With n pupils in each of J schools, r of whose regressors do not vary within schools, let
θ = σ²_e + nσ²_u. The mean square between schools, B ~ θχ²_ν/ν with ν = J − r, is unbiased for the
θ in the effect's variance, and the test with √B is exactly Student's t with ν df. REML, with σ²_u
not below nought, has in its place

    max(B, pooled),   pooled = (νB + ν_w·W)/(ν + ν_w) ≈ σ²_e,

W being the mean square within. Kenward-Roger (and Satterthwaite's formula with the expected
information) still refers it to t with ν df, so that its error is

    E[2Φ(−t_{.975, ν} √(max(B, σ²_e)/θ))] < .05,

taken over B, with W at its expectation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

SCHOOL_RANK = 3  # intercept, treatment, school covariate
POINTS = 200_000


class BoundedTest(NamedTuple):
    """What the bound does to a nominal 5% test.

    Attributes
    ----------
    at_bound : float
        Probability that the school variance is estimated at zero.
    error : float
        Rejections of a true effect.
    error_at_bound, error_above : float
        The same among trials at the bound, and above it; NaN where there are none.
    """

    at_bound: float
    error: float
    error_at_bound: float
    error_above: float


def bounded_test(schools: int, icc: float, pupils: int = 60) -> BoundedTest:
    """Return the errors of the t test with equal schools and σ²_u held at zero or above.

    Parameters
    ----------
    schools, pupils : int
        J, and pupils of each school.
    icc : float
        σ²_u/(σ²_u + σ²_e).
    """
    nu = schools - SCHOOL_RANK
    theta = 1.0 + pupils * icc / (1.0 - icc)  # in units of σ²_e
    probability = (np.arange(POINTS) + 0.5) / POINTS
    between = theta * special.chdtri(nu, probability) / nu
    critical = special.stdtrit(nu, 0.975)
    rejected = 2.0 * special.ndtr(-critical * np.sqrt(np.maximum(between, 1.0) / theta))
    bounded = between < 1.0
    return BoundedTest(
        float(bounded.mean()),
        float(rejected.mean()),
        float(rejected[bounded].mean()) if bounded.any() else np.nan,
        float(rejected[~bounded].mean()),
    )
