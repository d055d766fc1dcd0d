"""Effect sizes of trials that assign schools: scale, sampling error and degrees of freedom.

Notation: N pupils, N_T and N_C by group, in m schools; n̄ = N/m pupils a school; ρ the intra-school
correlation; b the (adjusted) difference; s the total standard deviation of pupils. A sum of
squares over pupils of the same school holds fewer independent pieces than pupils, so that s² is
biased (γ), the difference is less precise (η), and s has fewer degrees of freedom (h).

Sources: Hedges (2007), Journal of Educational and Behavioral Statistics 32, 341-370, for d_T and
its variance; Hedges (2007), the same volume, 151-179, for the t of an analysis that ignored the
schools; What Works Clearinghouse Procedures Handbook (version 4.1), appendix on effect sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.models.effect_size.pupil_level import (
    EffectSize,
    small_sample_correction,
    standardise,
)
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.student_t import t_quantile, t_tail

DEFAULT_ICC = {"achievement": 0.20, "other": 0.10}
"""Intra-school correlations that the What Works Clearinghouse assumes where none is reported."""


@dataclass(frozen=True, slots=True)
class ClusterScale:
    """What the grouping of pupils in schools does to an effect size.

    Attributes
    ----------
    gamma : float
        γ = 1 − 2(n̄ − 1)ρ/(N − 2); the effect size is multiplied by √γ.
    design_effect : float
        η = 1 + (n̄ − 1)ρ; the variance of the difference is multiplied by it.
    df : float
        h, degrees of freedom of the total standard deviation.
    """

    gamma: float
    design_effect: float
    df: float


def cluster_scale(n_individuals: float, pupils_per_school: float, icc: float) -> ClusterScale:
    """Return γ, η and h.

    h = [(N−2) − 2(n̄−1)ρ]² / [(N−2)(1−ρ)² + n̄(N−2n̄)ρ² + 2(N−2n̄)ρ(1−ρ)].

    Parameters
    ----------
    n_individuals : float
        N, both groups.
    pupils_per_school : float
        n̄, the mean over schools.
    icc : float
        ρ in [0, 1].

    Raises
    ------
    ValueError
        If ρ is not in [0, 1], or there are fewer than two schools' worth of pupils.
    """
    if not 0 <= icc <= 1:
        raise ValueError(f"effect size: an intra-school correlation of {icc:g} is not in [0, 1]")
    if not 1 <= pupils_per_school <= n_individuals / 2 or n_individuals <= 3:
        raise ValueError(
            f"effect size: {n_individuals:g} pupils with {pupils_per_school:g} a school; "
            "at least one pupil a school, two schools and four pupils are needed"
        )
    n, rest = pupils_per_school, n_individuals - 2 * pupils_per_school
    inner = n_individuals - 2 - 2 * (n - 1) * icc
    spread = _spread(n_individuals, n * rest, rest, icc)
    return ClusterScale(inner / (n_individuals - 2), 1 + (n - 1) * icc, inner**2 / spread)


def _spread(n_individuals: float, a: float, b: float, icc: float) -> float:
    """Return (N−2)(1−ρ)² + Aρ² + 2Bρ(1−ρ), half the variance of the total sum of squares / σ⁴."""
    return (n_individuals - 2) * (1 - icc) ** 2 + a * icc**2 + 2 * b * icc * (1 - icc)


def cluster_g_std_error(
    g: float,
    scale: ClusterScale,
    *,
    n_treated: float,
    n_control: float,
    r_squared: float = 0.0,
) -> float:
    """Return SE = √{(1/N_T + 1/N_C)·η·(1 − R²) + g²/(2h)} of an effect size, from counts alone.

    For an effect whose model ignored the schools, or whose standard error was not reported.
    ``r_squared`` is the share of the outcome's variance that the model's covariates explain.
    """
    if not 0 <= r_squared < 1:
        raise ValueError(f"effect size: an R² of {r_squared:g} is not in [0, 1)")
    sampling = (1 / n_treated + 1 / n_control) * scale.design_effect * (1 - r_squared)
    return sqrt(sampling + g**2 / (2 * scale.df))


def cluster_effect_size(
    estimate: Estimate, sd: float, icc: float, *, level: float = 0.95
) -> EffectSize:
    """Compute Hedges' g of a model that takes schools into account, with its interval.

    g = ω·√γ·b/s. SE² = (SE_b/s)²·γ + g²/(2h): the model's standard error, plus the sampling error
    of s. The interval uses Student's t with the estimate's own degrees of freedom.

    Parameters
    ----------
    estimate : Estimate
        Of a multilevel or cluster-robust model.
    sd : float
        Total standard deviation of pupils s.
    icc : float
        Intra-school correlation ρ of the outcome, without covariates.
    level : float
        Of the interval.
    """
    mean_size = estimate.n_individuals / estimate.n_schools
    scale = cluster_scale(estimate.n_individuals, mean_size, icc)
    omega = small_sample_correction(estimate.n_individuals)
    plain = standardise(estimate, sd, correction=omega * sqrt(scale.gamma))
    g = plain.effect_size
    std_error = sqrt((estimate.std_error / sd) ** 2 * scale.gamma + g**2 / (2 * scale.df))
    half_width = t_quantile(1 - (1 - level) / 2, estimate.df) * std_error
    return EffectSize(
        g, std_error, g - half_width, g + half_width, plain.scale, "Hedges g, schools, total SD"
    )


def corrected_t(t: float, n_individuals: float, scale: ClusterScale) -> tuple[float, float, float]:
    """Return the t of an analysis that ignored the schools, corrected, with its df and p-value.

    t·√{[(N−2) − 2(n̄−1)ρ] / [(N−2)(1 + (n̄−1)ρ)]} = t·√(γ/η), judged on h degrees of freedom.
    """
    if n_individuals <= 3:
        raise ValueError(f"corrected t: {n_individuals:g} pupils; at least 4 are needed")
    corrected = t * sqrt(scale.gamma / scale.design_effect)
    return corrected, scale.df, 2 * t_tail(abs(corrected), scale.df)


@dataclass(frozen=True, slots=True)
class ArmSizes:
    """Pupils by school in one group, reduced to what the formulas for unequal sizes need.

    Attributes
    ----------
    schools, pupils : float
        m and N of the group.
    squares, cubes : float
        Σn_j² and Σn_j³.
    """

    schools: float
    pupils: float
    squares: float
    cubes: float

    @classmethod
    def of(cls, sizes: ArrayLike | Sequence[int]) -> ArmSizes:
        """Return the reduction of the pupils of each school of a group."""
        n = np.asarray(sizes, dtype=float)
        if n.size < 2 or (n < 1).any():
            raise ValueError(
                f"effect size: a group has {n.size} schools with pupils {n.tolist()[:5]}; "
                "two schools or more, each with pupils, are needed in each group"
            )
        return cls(float(n.size), float(n.sum()), float((n**2).sum()), float((n**3).sum()))

    @property
    def between(self) -> float:
        """(N² − Σn²)/N: n_U(m − 1), the between-schools weight of the group."""
        return (self.pupils**2 - self.squares) / self.pupils

    @property
    def between_square(self) -> float:
        """[N²Σn² + (Σn²)² − 2NΣn³]/N², the weight of ρ² in the variance of s²."""
        top = self.pupils**2 * self.squares + self.squares**2 - 2 * self.pupils * self.cubes
        return top / self.pupils**2


def total_sd_effect_size(
    difference: float, total_variance: float, icc: float, treated: ArmSizes, control: ArmSizes
) -> tuple[float, float]:
    """Return d_T over the total SD with schools of unequal size, and its variance.

    d_T = (b/√σ²_T)·√{1 − ρ·(N − 2 − B)/(N − 2)} with B = Σ_arms (N² − Σn²)/N, and
    Var = (N/(N_T N_C))·[1 + (ñ − 1)ρ] + d²·[(N−2)(1−ρ)² + Aρ² + 2Bρ(1−ρ)]/{2(N−2)[N−2−ρ(N−2−B)]},
    ñ = N_CΣn²_T/(N_T N) + N_TΣn²_C/(N_C N), A = Σ_arms [N²Σn² + (Σn²)² − 2NΣn³]/N².

    Parameters
    ----------
    difference : float
        b, adjusted or not.
    total_variance : float
        School plus pupil variance. The Education Endowment Foundation's guidance takes those of
        the empty model (no covariates, no treatment).
    icc : float
        ρ of the same model.
    treated, control : ArmSizes

    Notes
    -----
    Hedges (2007), section on unequal cluster sizes. With schools of equal size n̄ it is
    d·√γ, and the variance that of his equation for equal sizes.
    """
    if not total_variance > 0:
        raise ValueError(f"effect size: a total variance of {total_variance}; above 0 is needed")
    n = treated.pupils + control.pupils
    b = treated.between + control.between
    a = treated.between_square + control.between_square
    inner = n - 2 - icc * (n - 2 - b)
    d = difference / sqrt(total_variance) * sqrt(inner / (n - 2))
    mean_size = (
        control.pupils * treated.squares / treated.pupils
        + treated.pupils * control.squares / control.pupils
    ) / n
    sampling = n / (treated.pupils * control.pupils) * (1 + (mean_size - 1) * icc)
    return d, sampling + d**2 * _spread(n, a, b, icc) / (2 * (n - 2) * inner)


def within_sd_effect_size(
    difference: float, pupil_variance: float, icc: float, treated: ArmSizes, control: ArmSizes
) -> tuple[float, float]:
    """Return d_W over the SD of pupils within schools, and its variance.

    d_W = b/σ_W; Var = (N/(N_T N_C))·[1 + (ñ − 1)ρ]/(1 − ρ) + d²/[2(N − m)]. Hedges (2007).
    """
    if not pupil_variance > 0 or not icc < 1:
        raise ValueError(
            f"effect size: pupil variance {pupil_variance}, intra-school correlation {icc}; "
            "above 0 and below 1 are needed"
        )
    n = treated.pupils + control.pupils
    d = difference / sqrt(pupil_variance)
    mean_size = (
        control.pupils * treated.squares / treated.pupils
        + treated.pupils * control.squares / control.pupils
    ) / n
    sampling = n / (treated.pupils * control.pupils) * (1 + (mean_size - 1) * icc) / (1 - icc)
    return d, sampling + d**2 / (2 * (n - treated.schools - control.schools))


def eef_effect_size(
    estimate: Estimate, school_variance: float, pupil_variance: float
) -> EffectSize:
    """Compute the effect size of the Education Endowment Foundation, with its interval.

    g = ω·b/√(σ²_u + σ²_e).

    Parameters
    ----------
    estimate : Estimate
        Treatment effect of the multilevel model that was pre-specified (with covariates).
    school_variance, pupil_variance : float
        Variance components of the *empty* model: the total standard deviation must not shrink
        with the covariates that a trial happened to have.

    Notes
    -----
    The factor √γ is left out: variance components are not biased as a raw variance is.
    """
    return standardise(
        estimate,
        sqrt(school_variance + pupil_variance),
        correction=small_sample_correction(estimate.n_individuals),
        rule="Hedges g, unconditional total SD",
    )
