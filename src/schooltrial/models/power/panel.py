"""Power of difference-in-differences: schools × years, the programme starting for all at once.

The mean of school j in year t is y_jt = a_j + d_t + Δ·(treated and after) + e_jt, and the residuals
of a school have the covariance Σ over years. With m years before and r after,

    Δ̂ = c'(ȳ_T − ȳ_C),   c = (−1/m, …, 1/r, …),   Var Δ̂ = c'Σc/I,

I as in `power.allocation`: two-way effects in a balanced panel are this comparison of changes. In
terms of mean covariances before ψ_B, after ψ_A and across ψ_X, and σ² = Σ_tt,

    c'Σc = σ²(1/m + 1/r) + (m − 1)/m·ψ_B + (r − 1)/r·ψ_A − 2ψ_X

(Burlig, Preonas & Woerman 2020, Journal of Development Economics 144: 102458, equation 2). Here
Σ = σ²_a 11' + σ²_t R + σ²_s I: lasting differences between schools, which cancel; shocks of a
school and year, whose correlation R is ρ between any two years (exchangeable) or ρ^|s−t| (AR(1));
and sampling of pupils, anew each year. Where σ²_s = 0 and years follow each other,

    exchangeable:  c'Σc = σ²_t(1 − ρ)(1/m + 1/r),
    AR(1):         c'Σc = σ²_t{S_m/m² + S_r/r² − 2X/(mr)},
                   S_k = {k(1 − ρ²) − 2ρ(1 − ρ^k)}/(1 − ρ)²,  X = ρ(1 − ρ^m)(1 − ρ^r)/(1 − ρ)².

Analysis of covariance regresses the mean after on treatment and the mean before. With v_A and v_B
their variances over schools, and v_X their covariance,

    Var Δ̂ = (v_A − v_X²/v_B)/I·{1 + 1/(J − B − 3)}

(McKenzie 2012, Journal of Development Economics 99(2): 210-221, to the last factor, which is what
chance imbalance before costs on average; exact for normal means). But for that factor it is never
less precise than the change. Degrees of freedom of the change, without blocks, are those of its
estimate, Satterthwaite's of CR2 in a balanced panel of n₁ treated and n₀ other schools:

    df = (1/n₁ + 1/n₀)²/{1/(n₁²(n₁ − 1)) + 1/(n₀²(n₀ − 1))}

(Welch's at equal variances; a test holds it against the fit). With B blocks, whose effects differ
from year to year, J − B − 1; with the covariate one fewer than J − B − 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt
from typing import Literal

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.power.allocation import Allocation
from schooltrial.models.power.minimum_detectable_effect import Precision

Correlation = Literal["exchangeable", "AR(1)"]


PanelEstimator = Literal["change", "covariance"]


def year_covariance(
    years: Sequence[float],
    *,
    year_variance: float,
    correlation: float = 0.0,
    pattern: Correlation = "AR(1)",
    school_variance: float = 0.0,
    sampling_variance: float = 0.0,
) -> FloatArray:
    """Return Σ, the covariance over years of a school's mean, shape (T, T).

    Parameters
    ----------
    years : sequence of float
        When the outcome is measured; gaps count in AR(1).
    year_variance : float
        σ²_t, of shocks of a school and year.
    correlation : float
        ρ of those shocks between years; for AR(1) of adjoining years.
    pattern : {"exchangeable", "AR(1)"}
    school_variance : float
        σ²_a, of what lasts.
    sampling_variance : float
        σ²_s, of a school's mean about its expectation: σ²_e/n of pupils who differ from year to
        year.

    Raises
    ------
    ValueError
        Where a variance is negative, ρ is out of range, or a year is given twice.
    """
    t = np.asarray(years, dtype=float)
    if len(np.unique(t)) != len(t):
        raise ValueError(f"power of a panel: the years {list(years)}; expected each once")
    if min(year_variance, school_variance, sampling_variance) < 0:
        raise ValueError(
            f"power of a panel: variances {year_variance}, {school_variance} and "
            f"{sampling_variance}; expected zero or more"
        )
    if not 0 <= correlation < 1:
        raise ValueError(
            f"power of a panel: the correlation between years is {correlation}; expected 0 up to, "
            "but not, 1"
        )
    lag = np.abs(t[:, None] - t[None, :])
    if pattern == "exchangeable":
        shared = np.where(lag == 0, 1.0, correlation)
    else:
        shared = np.where(lag == 0, 1.0, correlation**lag)
    covariance: FloatArray = school_variance + year_variance * shared
    return covariance + sampling_variance * np.eye(len(t))


def change_variance(covariance: FloatArray, before: int) -> float:
    """Return c'Σc, variance of a school's change from the mean of the first ``before`` years."""
    c = _contrast(len(covariance), before)
    return float(c @ covariance @ c)


def covariance_adjusted_variance(covariance: FloatArray, before: int) -> float:
    """Return v_A − v_X²/v_B, variance of the mean after given the mean before."""
    c = _contrast(len(covariance), before)
    first, after = np.where(c < 0, -c, 0.0), np.where(c > 0, c, 0.0)
    v_b, v_a = float(first @ covariance @ first), float(after @ covariance @ after)
    v_x = float(first @ covariance @ after)
    return v_a - v_x**2 / v_b if v_b > 0 else v_a


def panel_precision(
    schools: Allocation,
    before: Sequence[float],
    after: Sequence[float],
    *,
    year_variance: float,
    correlation: float = 0.0,
    pattern: Correlation = "AR(1)",
    school_variance: float = 0.0,
    sampling_variance: float = 0.0,
    estimator: PanelEstimator = "change",
) -> Precision:
    """Compute the precision of a panel in which all treated schools begin together.

    Parameters
    ----------
    schools : Allocation
        Schools by group and block; blocks have their own changes (block × after effects).
    before, after : sequence of float
        Years before the programme and from its start on.
    year_variance, correlation, pattern, school_variance, sampling_variance
        As in `year_covariance`, in squared units of the effect.
    estimator : {"change", "covariance"}
        Difference-in-differences, or analysis of covariance with the mean before.

    Returns
    -------
    Precision
        In the units of the variances: in standard deviations of pupils where these are shares.
    """
    if len(before) == 0 or len(after) == 0 or max(before) >= min(after):
        raise ValueError(
            f"power of a panel: years before {list(before)} and after {list(after)}; expected one "
            "or more of each, all of the first earlier than the second"
        )
    sigma = year_covariance(
        [*before, *after], year_variance=year_variance, correlation=correlation, pattern=pattern,
        school_variance=school_variance, sampling_variance=sampling_variance,
    )  # fmt: skip
    spare = schools.units - schools.blocks - 1
    adjusted = estimator == "covariance"
    needed = 2 if adjusted else 0
    if not spare > needed:
        raise ValueError(
            f"power of a panel: {schools.units:g} schools in {schools.blocks} blocks; expected "
            f"more than {schools.blocks + 1 + needed}: plan more schools, or fewer blocks"
        )
    if adjusted:
        variance = covariance_adjusted_variance(sigma, len(before)) * (1 + 1 / (spare - 2))
    else:
        variance = change_variance(sigma, len(before))
    if not variance > 0:
        raise ValueError(
            "power of a panel: schools do not vary from year to year, so that there is nothing to "
            "be uncertain about; expected year_variance or sampling_variance above zero"
        )
    error = sqrt(variance / schools.information)
    if not adjusted and schools.blocks == 1:
        return Precision(error, _of_two_arms(schools), "Satterthwaite df of CR2, by group")
    basis = "schools − blocks − 1" + (" − 1 covariate" if adjusted else "")
    return Precision(error, spare - int(adjusted), basis)


def _of_two_arms(schools: Allocation) -> float:
    """Return the degrees of freedom of the difference of two arms' mean changes."""
    arms = schools.treated, schools.units - schools.treated
    if not min(arms) > 1:
        raise ValueError(
            f"power of a panel: {arms[0]:g} treated schools and {arms[1]:g} others; expected more "
            "than one of each: the error of a group cannot be estimated from one school"
        )
    among = fsum(1 / n for n in arms) ** 2
    return among / fsum(1 / (n**2 * (n - 1)) for n in arms)


def _contrast(years: int, before: int) -> FloatArray:
    """Return c of ``before`` years and the rest."""
    after = years - before
    if before < 1 or after < 1:
        raise ValueError(
            f"power of a panel: {before} of {years} years are before; expected at least one before "
            "and one after"
        )
    return np.repeat([-1 / before, 1 / after], [before, after])
