"""Standard error and degrees of freedom of designs, in closed form.

In standard deviations of pupils, let ρ be the share of the variance at a level and R² the share of
it that covariates (and block effects) explain. The mean of one unit of assignment varies by

    schools:    V = ρ₂(1 − R²₂) + (1 − ρ₂ − ρ_B)(1 − R²₁)/n
    districts:  V = ρ₃(1 − R²₃) + ρ₂(1 − R²₂)/m + (1 − ρ₃ − ρ₂)(1 − R²₁)/(m n)
    pupils:     V = (1 − ρ_B)(1 − R²₁)

with n pupils in a school, m schools in a district, and ρ_B the share between blocks or sites, whose
effects are removed. With I of `power.allocation`, J units, B blocks and g covariates of units the
standard error s and the degrees of freedom ν of the effect are

    one effect for all:            s² = V/I,          ν = J − B − 1 − g      (J − 2 − g unblocked)
    each block its own, these:     s² = V/I,          ν = J − 2B − g
    each block its own, sampled:   s² = τ²/B + V/I,   ν = B − 1 − g_B

τ being the standard deviation of true effects over blocks, and g_B covariates of blocks. The third
is the random-effects design: it asks of blocks (sites, districts) beyond those in the trial.

Source: Bloom (2005); Raudenbush (1997), Psychological Methods 2(2): 173-185; Dong & Maynard (2013),
Journal of Research on Educational Effectiveness 6(1): 24-67, whose ω is τ² over the variance
between blocks.
"""

from __future__ import annotations

from math import fsum, sqrt
from typing import Literal

from numpy.typing import ArrayLike

from schooltrial.models.power.allocation import Allocation
from schooltrial.models.power.cluster_sizes import harmonic_mean
from schooltrial.models.power.minimum_detectable_effect import Precision

BlockEffects = Literal["common", "fixed", "random"]


def precision(
    allocation: Allocation,
    unit_variance: float,
    *,
    covariates: int = 0,
    block_effects: BlockEffects = "common",
    effect_sd: float = 0.0,
) -> Precision:
    """Return what a design of independent units in blocks lets one see.

    Parameters
    ----------
    allocation : Allocation
        Units by group and block.
    unit_variance : float
        V, variance of the mean of a unit about what blocks and covariates predict.
    covariates : int
        g, regressors that vary between units; with ``random``, between blocks.
    block_effects : {"common", "fixed", "random"}
        One effect for all blocks; one for each, averaged over these blocks; or one for each,
        of which these are a sample.
    effect_sd : float
        τ, with ``random`` only.

    Raises
    ------
    ValueError
        Where no degrees of freedom are left, or numbers are out of range.
    """
    if not unit_variance > 0:
        raise ValueError(
            f"power: the variance of a unit is {unit_variance:g}; it must be above zero. Do the "
            "covariates explain everything?"
        )
    if effect_sd < 0 or (effect_sd > 0 and block_effects != "random"):
        raise ValueError(
            f"power: effects vary with a standard deviation of {effect_sd:g} over blocks that are "
            f"{block_effects!r}; expected zero or more, and block_effects='random' where it counts"
        )
    blocks, units = allocation.blocks, allocation.units
    variance = unit_variance / allocation.information
    if block_effects == "common":
        df, basis = units - blocks - 1 - covariates, "units − blocks − 1 − covariates"
    elif block_effects == "fixed":
        df, basis = units - 2 * blocks - covariates, "units − 2 × blocks − covariates"
    else:
        df, basis = blocks - 1 - covariates, "blocks − 1 − covariates of blocks"
        variance += effect_sd**2 / blocks
    if df <= 0:
        raise ValueError(
            f"power: {units:g} units in {blocks} blocks with {covariates} covariates leave {df:g} "
            f"degrees of freedom ({basis}); use fewer blocks or covariates, or more units"
        )
    return Precision(sqrt(variance), float(df), basis)


def school_randomised(
    schools: Allocation,
    pupils: ArrayLike,
    icc: float,
    *,
    r2_school: float = 0.0,
    r2_pupil: float = 0.0,
    covariates: int = 0,
    icc_block: float = 0.0,
    block_effects: BlockEffects = "common",
    effect_sd: float = 0.0,
) -> Precision:
    """Compute the precision of a trial that randomises schools, in blocks or not.

    Parameters
    ----------
    schools : Allocation
        Schools by group and block.
    pupils : float or array of float
        n: pupils of a school, or of each; sizes enter by their harmonic mean.
    icc : float
        ρ₂, share of the variance between schools (in blocks, where ``icc_block`` is given).
    r2_school, r2_pupil : float
        R²₂ and R²₁. What blocks explain of ρ₂ belongs in R²₂, unless it is in ``icc_block``.
    covariates, block_effects, effect_sd
        As in `precision`; covariates are those of schools.
    icc_block : float
        ρ_B, share between blocks.

    Returns
    -------
    Precision
        In standard deviations of pupils.
    """
    variance = two_level_variance(
        harmonic_mean(pupils), icc, r2_school=r2_school, r2_pupil=r2_pupil, icc_block=icc_block
    )
    return precision(
        schools, variance, covariates=covariates, block_effects=block_effects, effect_sd=effect_sd
    )


def district_randomised(
    districts: Allocation,
    schools: ArrayLike,
    pupils: ArrayLike,
    icc_district: float,
    icc_school: float,
    *,
    r2_district: float = 0.0,
    r2_school: float = 0.0,
    r2_pupil: float = 0.0,
    covariates: int = 0,
) -> Precision:
    """Return the precision where districts are assigned, schools in districts, pupils in schools.

    Parameters
    ----------
    districts : Allocation
        Districts by group and block.
    schools, pupils : float or array of float
        m schools of a district and n pupils of a school; harmonic means where they differ.
    icc_district, icc_school : float
        ρ₃ and ρ₂.
    r2_district, r2_school, r2_pupil : float
        Share explained at each level.
    covariates : int
        Covariates of districts.
    """
    _check_shares(icc_district=icc_district, icc_school=icc_school)
    _check_shares(r2_district=r2_district, r2_school=r2_school, r2_pupil=r2_pupil)
    _check_sum(icc_district, icc_school)
    m, n = harmonic_mean(schools), harmonic_mean(pupils)
    variance = icc_district * (1 - r2_district) + icc_school * (1 - r2_school) / m
    variance += (1 - icc_district - icc_school) * (1 - r2_pupil) / (m * n)
    return precision(districts, variance, covariates=covariates)


def pupils_within_sites(
    pupils: Allocation,
    icc_site: float,
    *,
    r2_pupil: float = 0.0,
    covariates: int = 0,
    block_effects: BlockEffects = "common",
    effect_sd: float = 0.0,
) -> Precision:
    """Compute the precision of a trial that randomises pupils within sites.

    Parameters
    ----------
    pupils : Allocation
        Pupils by group and site.
    icc_site : float
        Share of the variance between sites, which the comparison within sites removes.
    r2_pupil : float
        Share of the variance within sites that covariates explain.
    covariates, block_effects, effect_sd
        As in `precision`: with ``random`` effects they vary by τ over sites.
    """
    _check_shares(icc_site=icc_site, r2_pupil=r2_pupil)
    return precision(
        pupils, (1 - icc_site) * (1 - r2_pupil), covariates=covariates,
        block_effects=block_effects, effect_sd=effect_sd,
    )  # fmt: skip


def teachers_within_schools(
    teachers: Allocation,
    pupils: ArrayLike,
    icc_teacher: float,
    *,
    icc_school: float = 0.0,
    r2_teacher: float = 0.0,
    r2_pupil: float = 0.0,
    covariates: int = 0,
    block_effects: BlockEffects = "common",
    effect_sd: float = 0.0,
) -> Precision:
    """Return the precision of lotteries of teachers within schools, the schools being the blocks.

    Parameters
    ----------
    teachers : Allocation
        Teachers by group and school.
    pupils : float or array of float
        Pupils of a teacher; 1 for an outcome of the teachers themselves, with ``icc_teacher`` 1.
    icc_teacher, icc_school : float
        Share of the variance between teachers of a school, and between schools.
    r2_teacher, r2_pupil : float
        Share explained at each level.
    covariates, block_effects, effect_sd
        As in `precision`.
    """
    return school_randomised(
        teachers, pupils, icc_teacher, r2_school=r2_teacher, r2_pupil=r2_pupil,
        covariates=covariates, icc_block=icc_school, block_effects=block_effects,
        effect_sd=effect_sd,
    )  # fmt: skip


def two_level_variance(
    pupils: float,
    icc: float,
    *,
    r2_school: float = 0.0,
    r2_pupil: float = 0.0,
    icc_block: float = 0.0,
) -> float:
    """Return V of a school of ``pupils``, in variances of pupils.

    Raises
    ------
    ValueError
        Where shares are out of range, or sum to more than one.
    """
    _check_shares(icc=icc, icc_block=icc_block, r2_school=r2_school, r2_pupil=r2_pupil)
    _check_sum(icc, icc_block)
    return icc * (1 - r2_school) + (1 - icc - icc_block) * (1 - r2_pupil) / pupils


def _check_shares(**shares: float) -> None:
    """Refuse shares of variance above one; an R² below zero is one that covariates can have."""
    for name, share in shares.items():
        if not (share <= 1 and (share >= 0 or name.startswith("r2"))):
            raise ValueError(
                f"power: {name} is {share:g}; a share of variance lies between 0 and 1"
            )


def _check_sum(*shares: float) -> None:
    if fsum(shares) > 1:
        raise ValueError(
            f"power: the levels above the pupils hold {fsum(shares):g} of the variance; shares of "
            "it sum to at most 1"
        )
