"""Minimum detectable effects of printed tables: forty schools, and the examples of PowerUpR."""

from __future__ import annotations

from math import sqrt

import pytest

from schooltrial.models.inference.student_t import t_quantile
from schooltrial.models.power.allocation import planned_allocation
from schooltrial.models.power.closed_form import (
    district_randomised,
    pupils_within_sites,
    school_randomised,
)
from schooltrial.models.power.minimum_detectable_effect import Precision

# 40 schools, 20 of them treated, of 148 pupils; two-sided 5% level, power .80. R² of schools and
# pupils in the head; one covariate of schools wherever there is an R².
R_SQUARED = [(0.0, 0.0), (0.5, 0.5), (0.7, 0.5), (0.8, 0.6), (0.9, 0.6)]
FORTY_SCHOOLS = {
    0.10: [".296", ".210", ".165", ".136", ".101"],
    0.15: [".359", ".254", ".199", ".164", ".120"],
    0.20: [".412", ".292", ".228", ".187", ".135"],
    0.23: [".441", ".312", ".243", ".200", ".144"],
}
CELLS = [
    (icc, r2, printed)
    for icc, row in FORTY_SCHOOLS.items()
    for r2, printed in zip(R_SQUARED, row, strict=True)
]


def forty_schools(icc: float, r2: tuple[float, float]) -> Precision:
    return school_randomised(
        planned_allocation(40), 148, icc, r2_school=r2[0], r2_pupil=r2[1],
        covariates=int(r2[0] > 0),
    )  # fmt: skip


@pytest.mark.parametrize(("icc", "r2", "printed"), CELLS)
def test_each_of_the_twenty_values_of_forty_schools_is_met_to_three_digits(
    icc: float, r2: tuple[float, float], printed: str
) -> None:
    design = forty_schools(icc, r2)
    assert design.df == (38 if r2 == (0.0, 0.0) else 37)
    assert f"{design.mdes_multiplier():.3f}"[1:] == printed


@pytest.mark.parametrize(("icc", "r2", "printed"), CELLS)
def test_the_exact_value_of_forty_schools_lies_below_by_less_than_any_printed_digit_can_show(
    icc: float, r2: tuple[float, float], printed: str
) -> None:
    design = forty_schools(icc, r2)
    assert abs(design.mdes() - float(printed)) < 0.00055
    assert 0 < design.mdes_multiplier() - design.mdes() < 1.5e-4
    assert design.power(design.mdes()) == pytest.approx(0.8, abs=1e-10)


# Output of the R package PowerUpR (Bulus, Dong, Kelcey & Spybrook) for its examples, after Dong &
# Maynard (2013), as quoted in the tests of its port pyPowerUp: degrees of freedom, standard error,
# and MDES with 95% interval.
POWERUPR = {
    "cra2: 20 schools of 15": (
        school_randomised(planned_allocation(20), 15, 0.17),
        (18, "0.212", "0.629", "0.183", "1.075"),
    ),
    "cra3: 60 districts of 3 schools of 15": (
        district_randomised(planned_allocation(60), 3, 15, 0.06, 0.17),
        (58, "0.094", "0.269", "0.08", "0.458"),
    ),
    "ira1: 250 pupils": (
        pupils_within_sites(planned_allocation(250), 0.0),
        (248, "0.126", "0.356", "0.107", "0.605"),
    ),
    "bira2, constant effect: 20 sites of 15 pupils": (
        pupils_within_sites(planned_allocation(300, blocks=20), 0.0),
        (279, "0.115", "0.325", "0.097", "0.552"),
    ),
    "bira2, fixed effects of sites": (
        pupils_within_sites(planned_allocation(300, blocks=20), 0.0, block_effects="fixed"),
        (260, "0.115", "0.325", "0.097", "0.552"),
    ),
    "bira2, random effects of sites": (
        pupils_within_sites(
            planned_allocation(300, blocks=20), 0.17, block_effects="random",
            effect_sd=sqrt(0.5 * 0.17),
        ),
        (19, "0.124", "0.366", "0.107", "0.625"),
    ),
    "bcra3, fixed effects of 5 blocks of 44 schools of 20": (
        school_randomised(planned_allocation(220, blocks=5), 20, 0.10, block_effects="fixed"),
        (210, "0.051", "0.145", "0.043", "0.246"),
    ),
    "bcra3, random effects of 24 blocks of 6 schools of 10": (
        school_randomised(
            planned_allocation(144, blocks=24), 10, 0.10, icc_block=0.13, block_effects="random",
            effect_sd=sqrt(0.4 * 0.13),
        ),
        (23, "0.084", "0.246", "0.072", "0.42"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("example", POWERUPR)
def test_the_examples_of_powerupr_are_met_to_every_printed_digit(example: str) -> None:
    design, (df, std_error, mdes, low, high) = POWERUPR[example]
    half = t_quantile(0.975, df) * design.std_error
    found = design.mdes_multiplier()
    assert design.df == df
    for value, printed in (
        (design.std_error, std_error), (found, mdes), (found - half, low), (found + half, high),
    ):  # fmt: skip
        assert round(value, 3) == float(printed)
