"""Type S and Type M errors: what a significant estimate says when power is low.

Given that a two-sided test of a true effect Δ rejects, the estimate has the wrong sign with the
Type S error rate, and is too large in size by the Type M ratio on average:

    type S = P(T < −c) / power,     type M = E[|Δ̂| given |T| > c] / |Δ|      (Δ > 0).

Δ̂ ~ N(Δ, s²) and its estimated standard error sW, νW² ~ χ²(ν), are independent; T = Δ̂/(sW) is
non-central t. With δ = Δ/s and φ the normal density,

    E[|Δ̂|; |T| > c] / s = E[φ(cW − δ)] + E[φ(cW + δ)] + δ·{P(T > c) − P(T < −c)},

and the two expectations are densities of the non-central t with ν − 1 degrees of freedom, up to a
constant (`_normal_density`): nothing is simulated.

Source: Gelman & Carlin (2014), Perspectives on Psychological Science 9(6): 641-651. Their program
draws T − δ from a central t, as if the standard error were known but its t-quantile were not; with
infinite ν the two are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, lgamma, log, sqrt

import numpy as np
from scipy import special

from schooltrial.models.inference.student_t import t_quantile
from schooltrial.models.power.minimum_detectable_effect import rejection_tails


@dataclass(frozen=True, slots=True)
class SignMagnitude:
    """Errors of significant estimates.

    Attributes
    ----------
    power : float
        Probability of a significant estimate, of either sign.
    type_s : float
        Share of the significant estimates that have the wrong sign.
    type_m : float
        Mean size of the significant estimates over the size of the effect (Type M error).
    """

    power: float
    type_s: float
    type_m: float


def sign_magnitude_errors(
    effect: float, std_error: float, df: float, *, alpha: float = 0.05
) -> SignMagnitude:
    """Compute power, Type S error and Type M ratio of a two-sided test.

    Parameters
    ----------
    effect : float
        Δ ≠ 0, the true effect.
    std_error : float
        s, in the same units.
    df : float
        ν > 1.
    alpha : float
        Level of the test.

    Raises
    ------
    ValueError
        Where there is no effect, whose sign and size could not be wrong, or ν is 1 or less.
    """
    if effect == 0:
        raise ValueError("Type S and M errors: the effect is 0; expected one with a sign")
    if not df > 1:
        raise ValueError(f"Type S and M errors: {df:g} degrees of freedom; more than 1 are needed")
    upper, lower = (
        float(tail) for tail in rejection_tails(abs(effect), std_error, df, alpha=alpha)
    )
    delta, c = abs(effect) / std_error, t_quantile(1 - alpha / 2, df)
    beyond = _normal_density(c, df, delta) + _normal_density(c, df, -delta)
    mean_size = (beyond + delta * (upper - lower)) / (upper + lower)
    return SignMagnitude(upper + lower, lower / (upper + lower), mean_size / delta)


def _normal_density(c: float, df: float, delta: float) -> float:
    """Return E[φ(cW − δ)], νW² ~ χ²(ν).

    With k_ν = 2(ν/2)^{ν/2}/Γ(ν/2) the constant of W's density and r = √{(ν − 1)/ν}, it is
    (k_ν r^ν/k_{ν−1})·f(rc), f being the density of t'(ν − 1, δ).
    """
    if df == inf:
        return exp(-0.5 * (c - delta) ** 2) / sqrt(2 * np.pi)
    fewer, shrink = df - 1, sqrt((df - 1) / df)
    constant = exp(_log_constant(df) - _log_constant(fewer) + df * log(shrink))
    return constant * _noncentral_density(shrink * c, fewer, delta)


def _log_constant(df: float) -> float:
    return log(2) + df / 2 * log(df / 2) - lgamma(df / 2)


def _noncentral_density(t: float, df: float, delta: float) -> float:
    """Return f(t) = (ν/t)·{F_{ν+2}(t√(1 + 2/ν)) − F_ν(t)} of t'(ν, δ), for t ≠ 0."""
    there = special.nctdtr(df + 2, delta, t * sqrt(1 + 2 / df))
    return float(max(np.nan_to_num(there - special.nctdtr(df, delta, t)), 0.0)) * df / t
