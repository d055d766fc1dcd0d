"""Standardised mean differences of pupils, and the index for binary outcomes.

Notation: N pupils, N_T and N_C by group; s the pooled standard deviation of pupils; b a difference
between the groups, adjusted or not. Versions for school-randomised trials, whose sums of squares
hold fewer independent pieces than pupils, are in `cluster_effect_size`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from schooltrial.models.inference.estimate import Estimate

COX_DIVISOR = 1.65
"""Standard deviations of a logistic variable that bring its scale to that of a normal one."""


@dataclass(frozen=True, slots=True)
class EffectSize:
    """An effect in standard deviations, with its confidence interval.

    Attributes
    ----------
    effect_size, std_error, conf_low, conf_high : float
        The estimate, its standard error and interval, each divided by the same scale.
    scale : float
        What they were divided by, in units of the outcome: s / correction.
    rule : str
        The rule in words: ``"Hedges g, pooled SD"``.
    """

    effect_size: float
    std_error: float
    conf_low: float
    conf_high: float
    scale: float
    rule: str


def small_sample_correction(n_individuals: float) -> float:
    """Return ω = 1 − 3/(4N − 9), which removes the small-sample bias of a standardised difference.

    Source: What Works Clearinghouse Procedures Handbook (version 4.1), appendix on effect sizes.
    The same as 1 − 3/(4·df − 1) with df = N − 2.
    """
    if not n_individuals > 3:
        raise ValueError(
            f"small-sample correction: {n_individuals} pupils; an effect size needs at least 4"
        )
    return 1 - 3 / (4 * n_individuals - 9)


def exact_small_sample_correction(df: float) -> float:
    """Return J(m) = Γ(m/2) / [√(m/2)·Γ((m−1)/2)], of which ω is the approximation, m = N − 2.

    Source: Hedges (1981), Journal of Educational Statistics 6, 107-128.
    """
    if not df > 1:
        raise ValueError(f"small-sample correction: {df} degrees of freedom; more than 1 needed")
    return exp(lgamma(df / 2) - log(sqrt(df / 2)) - lgamma((df - 1) / 2))


def pooled_sd(sd_treated: float, n_treated: float, sd_control: float, n_control: float) -> float:
    """Return s = √{[(N_T − 1)s_T² + (N_C − 1)s_C²]/(N_T + N_C − 2)}."""
    if n_treated < 2 or n_control < 2:
        raise ValueError(
            f"pooled standard deviation: {n_treated} treated and {n_control} control pupils; "
            "at least two are needed in each group"
        )
    squares = (n_treated - 1) * sd_treated**2 + (n_control - 1) * sd_control**2
    return sqrt(squares / (n_treated + n_control - 2))


def pooled_pupil_sd(outcome: ArrayLike, treated: ArrayLike) -> float:
    """Return the pooled standard deviation of pupils within the two groups.

    Parameters
    ----------
    outcome : array of float, one per pupil
        Unadjusted scores, without missing values.
    treated : array of bool or 0/1, one per pupil
    """
    y = np.asarray(outcome, dtype=float)
    arm = np.asarray(treated).astype(bool)
    if np.isnan(y).any():
        raise ValueError(
            f"pooled standard deviation: {int(np.isnan(y).sum())} of {y.size} outcomes are "
            "missing; pass the pupils that were analysed"
        )
    first, second = y[arm], y[~arm]
    if min(first.size, second.size) < 2:
        return pooled_sd(0.0, first.size, 0.0, second.size)
    return pooled_sd(float(first.std(ddof=1)), first.size, float(second.std(ddof=1)), second.size)


def hedges_g(difference: float, sd: float, n_individuals: float) -> float:
    """Compute Hedges' g: a difference in pooled standard deviations, corrected for small samples.

    g = ω·b/s.

    Parameters
    ----------
    difference : float
        Difference of means, or the adjusted difference b of a model.
    sd : float
        Pooled standard deviation of pupils s (unadjusted), in the same units.
    n_individuals : float
        N, both groups.
    """
    return small_sample_correction(n_individuals) * difference / _positive(sd)


def hedges_g_variance(
    g: float, n_treated: float, n_control: float, *, unbiased: bool = False
) -> float:
    """Return the variance of g for pupils assigned one by one.

    By default the large-sample form (N_T + N_C)/(N_T·N_C) + g²/(2N); ``unbiased`` gives
    1/N_T + 1/N_C + [1 − (m − 2)/(m·J(m)²)]·g² with m = N − 2 and J the exact correction.

    Source: Hedges (1981); Hedges & Olkin (1985), chapter 5.
    """
    sampling = 1 / n_treated + 1 / n_control
    if not unbiased:
        return sampling + g**2 / (2 * (n_treated + n_control))
    m = n_treated + n_control - 2
    return sampling + (1 - (m - 2) / (m * exact_small_sample_correction(m) ** 2)) * g**2


def unequal_variance_g(
    difference: float,
    sd_treated: float,
    n_treated: float,
    sd_control: float,
    n_control: float,
) -> tuple[float, float]:
    """Return the standardised difference that does not pool unlike variances, and its variance.

    d = J(m)·b/s̄ with s̄² = (s_T² + s_C²)/2, m = N − 2; variance
    J²·{s_T²/[s̄²(N_T − 1)] + s_C²/[s̄²(N_C − 1)] + d²/(8s̄⁴)·[s_T⁴/(N_T − 1) + s_C⁴/(N_C − 1)]}.

    Source: Bonett (2009), Psychological Methods 14, 225-238, with the factors J of R's metafor.
    """
    mean_variance = (sd_treated**2 + sd_control**2) / 2
    factor = exact_small_sample_correction(n_treated + n_control - 2)
    d = factor * difference / sqrt(_positive(mean_variance))
    sampling = sd_treated**2 / (n_treated - 1) + sd_control**2 / (n_control - 1)
    of_scale = sd_treated**4 / (n_treated - 1) + sd_control**4 / (n_control - 1)
    variance = sampling / mean_variance + d**2 * of_scale / (8 * mean_variance**2)
    return d, factor**2 * variance


def glass_delta(difference: float, sd_control: float) -> float:
    """Compute Glass's delta: a difference in standard deviations of the comparison group.

    b/s_C, without a correction for small samples.
    """
    return difference / _positive(sd_control)


def cox_index(share_treated: float, share_control: float) -> float:
    """Compute the Cox index: the effect size of a difference between two shares.

    (logit p_T − logit p_C)/1.65, without the correction ω for small samples.

    Source: What Works Clearinghouse Procedures Handbook (version 4.1); Cox (1970).

    Raises
    ------
    ValueError
        If a share is not strictly between 0 and 1, where the logit does not exist.
    """
    for arm, share in (("intervention", share_treated), ("control", share_control)):
        if not 0 < share < 1:
            raise ValueError(
                f"Cox index: the share of the {arm} group is {share:g}; it must lie strictly "
                "between 0 and 1. Report the difference in percentage points instead"
            )
    return (_logit(share_treated) - _logit(share_control)) / COX_DIVISOR


def cox_index_std_error(
    share_treated: float,
    n_treated: float,
    share_control: float,
    n_control: float,
    *,
    design_effect: float = 1.0,
) -> float:
    """Return the standard error of the Cox index by the delta method.

    √{η·[1/(N_T p_T(1 − p_T)) + 1/(N_C p_C(1 − p_C))]}/1.65, with η = 1 + (n̄ − 1)ρ for schools.
    """
    variance = 1 / (n_treated * share_treated * (1 - share_treated)) + 1 / (
        n_control * share_control * (1 - share_control)
    )
    return sqrt(design_effect * variance) / COX_DIVISOR


def cox_effect_size(estimate: Estimate, share_control: float) -> EffectSize:
    """Return the Cox index of an effect that a linear probability model estimated.

    The treated share is the control arm's plus the adjusted effect; the ends of the interval go
    through the same function, and the standard error through its slope. An end whose share falls
    outside (0, 1) is infinite: the data do not bound the index on that side.

    Parameters
    ----------
    estimate : Estimate
        Of the treatment, in shares (0.05 for five percentage points).
    share_control : float
        Unadjusted share of the control group.
    """
    index = cox_index(share_control + estimate.estimate, share_control)

    def end(effect: float) -> float:
        share = share_control + effect
        if share <= 0 or share >= 1:
            return float("-inf") if share <= 0 else float("inf")
        return cox_index(share, share_control)

    treated = share_control + estimate.estimate
    scale = COX_DIVISOR * treated * (1 - treated)
    return EffectSize(
        index, estimate.std_error / scale, end(estimate.conf_low), end(estimate.conf_high),
        scale, "Cox index",
    )  # fmt: skip


def standardise(
    estimate: Estimate, sd: float, *, correction: float = 1.0, rule: str = "pupil SD"
) -> EffectSize:
    """Return an estimate, its standard error and its interval in standard deviations.

    Parameters
    ----------
    estimate : Estimate
        In units of the outcome.
    sd : float
        Standard deviation to divide by, in the same units.
    correction : float
        Multiplies the result: ω, or ω·√γ for schools. The interval is the estimate's own, on the
        new scale: the standard deviation is taken as known, which is what keeps p and interval
        in step. `cluster_effect_size` adds its sampling error.
    rule : str
        Words that say what was done.
    """
    scale = _positive(sd) / correction
    return EffectSize(
        estimate.estimate / scale, estimate.std_error / scale, estimate.conf_low / scale,
        estimate.conf_high / scale, scale, rule,
    )  # fmt: skip


def hedges_effect_size(estimate: Estimate, sd: float) -> EffectSize:
    """Return g = ω·b/s with its interval, N being the pupils of the estimate."""
    return standardise(
        estimate,
        sd,
        correction=small_sample_correction(estimate.n_individuals),
        rule="Hedges g, pooled SD",
    )


def improvement_index(effect_size: float) -> float:
    """Compute the improvement index: percentile points gained by an average comparison pupil.

    100·(Φ(g) − ½).

    Source: What Works Clearinghouse Procedures Handbook (version 4.1).
    """
    return 100 * (float(special.ndtr(effect_size)) - 0.5)


def _logit(share: float) -> float:
    return log(share / (1 - share))


def _positive(sd: float) -> float:
    if not sd > 0:
        raise ValueError(
            f"effect size: the standard deviation is {sd}; it must be above zero. "
            "Is the outcome constant, or missing?"
        )
    return sd
