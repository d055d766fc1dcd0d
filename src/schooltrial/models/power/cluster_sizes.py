"""Schools of unequal size: the one size that represents them in a closed form.

The mean of school j has the variance σ²_u + σ²_e/n_j, and school means compared with equal weight
have on average the variance σ²_u + σ²_e/ñ, ñ = J/Σ(1/n_j) being the harmonic mean: exactly. Where
only mean n̄ and coefficient of variation κ of the sizes are planned, ñ is about n̄/(1 + κ²) (exactly
for lognormal sizes; else the first terms of a series). REML weighs schools by their precision and
loses less than that; against equal sizes n̄ its efficiency is about

    1 − κ²·π(1 − π),   π = n̄ρ/(n̄ρ + 1 − ρ)

(van Breukelen, Candel & Berger 2007, Statistics in Medicine 26(13): 2589-2603). Pupils counted
alike, as in least squares, have the design effect 1 + {(1 + κ²)n̄ − 1}ρ (Eldridge, Ashby & Kerry
2006, International Journal of Epidemiology 35(5): 1292-1300).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def harmonic_mean(sizes: ArrayLike) -> float:
    """Return ñ = J/Σ(1/n_j).

    Raises
    ------
    ValueError
        Where there is no size, or one of zero or less.
    """
    n = np.atleast_1d(np.asarray(sizes, dtype=float))
    if n.size == 0 or not (n > 0).all():
        raise ValueError(
            f"power: {n.size} school sizes, the least {n.min() if n.size else 'none'}; expected "
            "one or more, all above zero: leave out schools without pupils"
        )
    return float(n.size / (1 / n).sum())


def size_variation(sizes: ArrayLike) -> float:
    """Return κ, the standard deviation of the sizes (over J) in units of their mean."""
    n = np.atleast_1d(np.asarray(sizes, dtype=float))
    return float(n.std() / n.mean())


def harmonic_mean_of(mean: float, variation: float) -> float:
    """Return ñ ≈ n̄/(1 + κ²) from mean and coefficient of variation of the sizes."""
    return harmonic_mean(mean) / (1 + variation**2)


def reml_efficiency(mean: float, variation: float, icc: float) -> float:
    """Return the variance of the effect with equal sizes n̄ over that with unequal sizes, by REML.

    Parameters
    ----------
    mean, variation : float
        n̄ and κ.
    icc : float
        ρ of the residuals: conditional on covariates, where there are any.
    """
    reliability = mean * icc / (mean * icc + 1 - icc)
    return 1 - variation**2 * reliability * (1 - reliability)


def pupil_weighted_design_effect(mean: float, variation: float, icc: float) -> float:
    """Return 1 + {(1 + κ²)n̄ − 1}ρ: the variance against as many pupils assigned one by one."""
    return 1 + ((1 + variation**2) * mean - 1) * icc
