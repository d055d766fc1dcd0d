from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.models.effect_size.cluster_level import (
    ArmSizes,
    cluster_effect_size,
    cluster_g_std_error,
    cluster_scale,
    corrected_t,
    eef_effect_size,
    total_sd_effect_size,
    within_sd_effect_size,
)
from schooltrial.models.effect_size.months_of_progress import convert_to_months
from schooltrial.models.effect_size.pupil_level import (
    cox_effect_size,
    cox_index,
    cox_index_std_error,
    exact_small_sample_correction,
    hedges_effect_size,
    hedges_g,
    improvement_index,
    pooled_pupil_sd,
    pooled_sd,
    small_sample_correction,
    standardise,
)
from schooltrial.models.inference.estimate import Estimate, t_estimate

SETTINGS = settings(deadline=None, max_examples=25, derandomize=True)


def _row(effect: float = 2.0, std_error: float = 0.8, n: int = 1000, schools: int = 40) -> Estimate:
    return t_estimate("z", effect, std_error, 38, n_individuals=n, n_schools=schools, method="REML")


def test_worked_case_of_forty_schools_of_twenty_five() -> None:
    scale = cluster_scale(1000, 25, 0.2)
    assert sqrt(scale.gamma) == pytest.approx(0.9952, abs=5e-5)
    assert scale.design_effect == pytest.approx(5.8)
    assert scale.df == pytest.approx(516, abs=0.5)


def test_omega_is_the_correction_of_n_minus_two_degrees_of_freedom() -> None:
    assert small_sample_correction(50) == pytest.approx(1 - 3 / (4 * 48 - 1))
    assert small_sample_correction(50) == pytest.approx(exact_small_sample_correction(48), rel=1e-4)


def test_g_of_a_tiny_trial_by_hand() -> None:
    y, z = np.array([1.0, 3.0, 5.0, 2.0, 4.0, 9.0]), np.array([1, 1, 1, 0, 0, 0])
    sd = pooled_pupil_sd(y, z)
    assert sd == pytest.approx(sqrt((8 + 26) / 4))
    assert hedges_g(-2.0, sd, 6) == pytest.approx((1 - 3 / 15) * -2 / sqrt(8.5))


@SETTINGS
@given(st.floats(-3, 3), st.floats(0.1, 9), st.floats(-50, 50), st.floats(0.2, 20))
def test_effect_size_keeps_p_and_does_not_depend_on_shift_or_scale(
    effect: float, std_error: float, shift: float, factor: float
) -> None:
    rng = np.random.default_rng(1)
    y, z = rng.normal(size=60), np.arange(60) % 2
    plain = hedges_effect_size(_row(effect, std_error), pooled_pupil_sd(y, z))
    moved = hedges_effect_size(
        _row(factor * effect, factor * std_error), pooled_pupil_sd(shift + factor * y, z)
    )
    assert moved.effect_size == pytest.approx(plain.effect_size, rel=1e-9)
    assert moved.conf_low == pytest.approx(plain.conf_low, rel=1e-9)
    assert plain.effect_size / plain.std_error == pytest.approx(effect / std_error, rel=1e-9)


def test_without_intra_school_correlation_schools_do_not_matter() -> None:
    scale = cluster_scale(800, 20, 0.0)
    assert (scale.gamma, scale.design_effect) == (1.0, 1.0)
    assert scale.df == pytest.approx(798)
    naive = cluster_g_std_error(0.3, scale, n_treated=400, n_control=400)
    assert naive == pytest.approx(sqrt(2 / 400 + 0.09 / (2 * 798)))
    assert corrected_t(2.5, 800, scale)[:2] == pytest.approx((2.5, 798))


def test_covariates_shrink_the_sampling_part_alone() -> None:
    scale = cluster_scale(1000, 25, 0.2)
    half = cluster_g_std_error(0.2, scale, n_treated=500, n_control=500, r_squared=0.5)
    assert half**2 == pytest.approx(0.5 * 5.8 * 2 / 500 + 0.04 / (2 * scale.df))


def test_model_that_knows_the_schools_adds_only_the_error_of_the_scale() -> None:
    found = cluster_effect_size(_row(), sd=10.0, icc=0.2)
    scale = cluster_scale(1000, 25, 0.2)
    g = small_sample_correction(1000) * sqrt(scale.gamma) * 0.2
    assert found.effect_size == pytest.approx(g)
    assert found.std_error**2 == pytest.approx(0.08**2 * scale.gamma + g**2 / (2 * scale.df))
    assert found.conf_low < found.effect_size < found.conf_high


def test_unequal_sizes_formula_is_the_equal_one_when_sizes_are_equal() -> None:
    arm = ArmSizes.of([25] * 20)
    scale = cluster_scale(1000, 25, 0.2)
    d, variance = total_sd_effect_size(3.0, 100.0, 0.2, arm, arm)
    assert d == pytest.approx(0.3 * sqrt(scale.gamma))
    # Hedges' second term has γ·d²/(2h): see tests/reference/test_es.py.
    assert variance == pytest.approx(2 / 500 * 5.8 + scale.gamma * d**2 / (2 * scale.df))


def test_single_pupils_as_schools_give_the_individual_variance() -> None:
    arm = ArmSizes.of([1] * 100)
    d, variance = total_sd_effect_size(1.0, 4.0, 0.0, arm, arm)
    assert d == pytest.approx(0.5)
    assert variance == pytest.approx(2 / 100 + 0.25 / (2 * 198))


def test_within_school_scale_is_larger_by_the_root_of_one_minus_icc() -> None:
    arm = ArmSizes.of([30, 10, 20])
    d, _ = within_sd_effect_size(1.0, 0.8, 0.2, arm, arm)
    assert d == pytest.approx(1 / sqrt(0.8))


def test_eef_divides_by_the_variance_of_the_empty_model() -> None:
    found = eef_effect_size(_row(), school_variance=20.0, pupil_variance=80.0)
    assert found.effect_size == pytest.approx(small_sample_correction(1000) * 0.2)
    assert found.rule == "Hedges g, unconditional total SD"


def test_cox_index_of_even_odds_and_its_mirror() -> None:
    assert cox_index(0.5, 0.5) == 0
    assert cox_index(0.7, 0.4) == pytest.approx(-cox_index(0.3, 0.6))
    assert cox_index(0.6, 0.5) == pytest.approx(np.log(1.5) / 1.65)
    single = cox_index_std_error(0.6, 100, 0.5, 100)
    assert cox_index_std_error(0.6, 100, 0.5, 100, design_effect=4) == pytest.approx(2 * single)


def test_linear_probability_effect_becomes_a_cox_index_with_its_interval() -> None:
    found = cox_effect_size(_row(effect=0.1, std_error=0.03), share_control=0.4)
    assert found.effect_size == pytest.approx(cox_index(0.5, 0.4))
    row = _row(effect=0.1, std_error=0.03)
    assert found.conf_high == pytest.approx(cox_index(0.4 + row.conf_high, 0.4))
    wide = cox_effect_size(_row(effect=0.1, std_error=0.4), share_control=0.4)
    assert (wide.conf_low, wide.conf_high) == (-inf, inf)


@pytest.mark.parametrize(("g", "index"), [(0.05, 2), (0.10, 4), (0.20, 8), (0.25, 10)])
def test_improvement_index_in_whole_percentile_points(g: float, index: int) -> None:
    assert round(improvement_index(g)) == index


TABLE = [
    (0.0, 0), (0.01, 0), (0.02, 1), (0.09, 1), (0.10, 2), (0.18, 2), (0.19, 3), (0.26, 3),
    (0.27, 4), (0.35, 4), (0.36, 5), (0.44, 5), (0.45, 6), (0.52, 6), (0.53, 7), (0.61, 7),
    (0.62, 8), (0.69, 8), (0.70, 9), (0.78, 9), (0.79, 10), (0.87, 10), (0.88, 11), (0.95, 11),
    (0.96, 12), (2.5, 12),
]  # fmt: skip


@pytest.mark.parametrize(("effect_size", "months"), TABLE)
def test_months_of_progress_are_the_toolkit_table_and_mirrored(
    effect_size: float, months: int
) -> None:
    assert convert_to_months(effect_size) == months
    assert convert_to_months(-effect_size) == -months


def test_months_round_the_effect_size_to_two_decimals_first() -> None:
    assert convert_to_months(0.0949) == 1
    assert convert_to_months(0.095) == 2
    assert convert_to_months(0.185) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: standardise(_row(), 0.0), "Is the outcome constant"),
        (lambda: hedges_g(1.0, float("nan"), 10), "standard deviation is nan"),
        (lambda: small_sample_correction(3), "at least 4"),
        (lambda: pooled_sd(1.0, 1, 1.0, 9), "1 treated and 9 control"),
        (lambda: pooled_pupil_sd([1.0, np.nan], [0, 1]), "1 of 2 outcomes are missing"),
        (lambda: cox_index(1.0, 0.5), "share of the intervention group is 1"),
        (lambda: cluster_scale(100, 10, 1.2), "not in \\[0, 1\\]"),
        (lambda: cluster_scale(100, 80, 0.2), "two schools"),
        (lambda: ArmSizes.of([30]), "1 schools"),
        (lambda: convert_to_months(float("nan")), "leave the months out"),
    ],
)
def test_errors_say_what_was_found_and_what_to_do(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
