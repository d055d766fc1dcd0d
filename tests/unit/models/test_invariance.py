"""Units and origins are a matter of notation: no test may depend on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.moments.school_moments import compute_school_moments
from schooltrial.models.multilevel.random_slope import random_pupil_slope, random_treatment
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.models.panel.difference_in_differences import two_way_effects
from schooltrial.models.panel.treatment_terms import event_indicators

SCHOOLS, PUPILS = 24, 12
RNG = np.random.default_rng(11)
SCHOOL = np.repeat(np.arange(SCHOOLS), PUPILS)
DISTRICT = SCHOOL // 4
Z = (SCHOOL % 2).astype(float)
X = RNG.normal(size=len(SCHOOL)) + RNG.normal(size=SCHOOLS)[SCHOOL]
SLOPES = RNG.normal(0.5, 0.4, SCHOOLS)[SCHOOL]
Y = (
    0.3 * Z * (1 + RNG.normal(0, 1.5, 6)[DISTRICT])
    + SLOPES * X
    + RNG.normal(0, 0.6, SCHOOLS)[SCHOOL]
    + RNG.normal(size=len(SCHOOL))
)
UNITS = st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6])
ORIGINS = st.sampled_from([-1e4, 0.0, 10.0, 1e4])
Values = NDArray[np.float64]


def moments(y: Values, x: Values, z: Values = Z) -> Any:
    return compute_school_moments(
        [z, x, y], SCHOOL, names=["z", "x", "y"], group=DISTRICT, intercept=True, by_school=True
    )


def least_squares(y: Values, x: Values) -> LeastSquaresFit:
    columns = [np.ones(len(y)), Z, x, Z * x]
    return fit_least_squares_columns(y, columns, names=["one", "z", "x", "zx"], cluster=SCHOOL)


MODELS: dict[str, Callable[[Any], MultilevelFit]] = {
    "two levels": fit_two_level_moments,
    "three levels": fit_three_level,
    "treatment varies": lambda m: random_treatment(m, "z"),
    "treatment varies, uncorrelated": lambda m: random_treatment(m, "z", correlated=False),
    "slope varies": lambda m: random_pupil_slope(m, "x"),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "df", ["kenward-roger", pytest.param("satterthwaite", marks=pytest.mark.slow)]
)
@settings(max_examples=6, deadline=None)
@given(of_y=UNITS, of_x=UNITS, from_y=ORIGINS, from_x=ORIGINS)
def test_a_multilevel_effect_scales_with_the_outcome_and_with_nothing_else(
    model: str, df: str, of_y: float, of_x: float, from_y: float, from_x: float
) -> None:
    fit = MODELS[model]
    (plain,) = fit(moments(Y, X)).estimates(["z"], df=df)
    other = fit(moments(of_y * (Y + from_y), of_x * (X + from_x)))
    (moved,) = other.estimates(["z"], df=df)
    assert other.converged
    assert moved.estimate == pytest.approx(of_y * plain.estimate, rel=1e-5)
    assert moved.std_error == pytest.approx(of_y * plain.std_error, rel=1e-5)
    assert moved.df == pytest.approx(plain.df, rel=1e-4)
    assert moved.p_value == pytest.approx(plain.p_value, rel=1e-4)


@settings(max_examples=6, deadline=None)
@given(of_x=UNITS, from_x=ORIGINS)
def test_the_variance_of_a_slope_is_in_the_units_of_its_regressor(
    of_x: float, from_x: float
) -> None:
    def of_slope(fitted: MultilevelFit) -> float:
        return next(c.estimate for c in fitted.variance_components if c.first == "x")

    plain = of_slope(random_pupil_slope(moments(Y, X), "x"))
    moved = random_pupil_slope(moments(Y, of_x * (X + from_x)), "x")
    assert of_slope(moved) == pytest.approx(plain / of_x**2, rel=1e-4)


@settings(max_examples=6, deadline=None)
@given(of_y=UNITS, of_x=UNITS, from_x=ORIGINS)
def test_predicted_effects_of_schools_follow_the_units_of_the_slope(
    of_y: float, of_x: float, from_x: float
) -> None:
    plain = random_pupil_slope(moments(Y, X), "x").random_effects()
    moved = random_pupil_slope(moments(of_y * Y, of_x * (X + from_x)), "x").random_effects()
    size = of_y / of_x
    np.testing.assert_allclose(moved.effect[:, 1], size * plain.effect[:, 1], rtol=1e-3,
                               atol=1e-5 * size)  # fmt: skip
    np.testing.assert_allclose(moved.std_error[:, 1], size * plain.std_error[:, 1], rtol=1e-3)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR1S", "CR2", "CR3"])
@pytest.mark.parametrize("test", ["AHT", "naive-F"])
@settings(max_examples=6, deadline=None)
@given(of_y=UNITS, of_x=UNITS, from_x=ORIGINS)
def test_a_joint_test_does_not_depend_on_units_or_origins(
    kind: str, test: str, of_y: float, of_x: float, from_x: float
) -> None:
    plain = least_squares(Y, X).joint_test(["z", "zx"], vcov=kind, test=test)
    moved = least_squares(of_y * (Y + 7), of_x * (X + from_x))
    found = moved.joint_test(["z", "zx"], vcov=kind, test=test)
    assert found.statistic == pytest.approx(plain.statistic, rel=1e-4)
    assert found.df_denom == pytest.approx(plain.df_denom, rel=1e-4)
    assert found.p_value == pytest.approx(plain.p_value, rel=1e-4)


@settings(max_examples=6, deadline=None)
@given(of_y=UNITS, of_x=UNITS, from_x=ORIGINS)
def test_kenward_and_rogers_joint_test_does_not_depend_on_units_or_origins(
    of_y: float, of_x: float, from_x: float
) -> None:
    def both(y: Values, x: Values) -> Any:
        columns, names = [Z, x, Z * x, y], ["z", "x", "zx", "y"]
        taken = compute_school_moments(columns, SCHOOL, names=names, intercept=True)
        return fit_two_level_moments(taken).test(["z", "zx"])

    plain, moved = both(Y, X), both(of_y * Y, of_x * (X + from_x))
    assert moved.statistic == pytest.approx(plain.statistic, rel=1e-4)
    assert moved.df == pytest.approx(plain.df, rel=1e-4)


@settings(max_examples=6, deadline=None)
@given(of_y=UNITS, from_y=ORIGINS, years=st.sampled_from([0, 2019]))
def test_a_test_of_the_pre_trend_does_not_depend_on_units_or_on_the_name_of_a_year(
    of_y: float, from_y: float, years: int
) -> None:
    school, year = np.repeat(np.arange(16), 5), np.tile(np.arange(5), 16)
    outcome = np.random.default_rng(2).normal(size=80)

    def tested(y: Values, first: int) -> Any:
        columns, names = event_indicators((school % 2).astype(float), year + first, 2 + first)
        fit = two_way_effects(y, columns, names=names, school=school, year=year + first)
        return fit.test(names[:2])

    plain, moved = tested(outcome, 0), tested(of_y * (outcome + from_y), years)
    assert moved.statistic == pytest.approx(plain.statistic, rel=1e-5)
    assert moved.p_value == pytest.approx(plain.p_value, rel=1e-5)


@pytest.mark.parametrize("correlated", [True, False])
def test_with_one_school_of_each_arm_in_every_block_no_effect_varies_over_blocks(
    correlated: bool,
) -> None:
    pairs = compute_school_moments(
        [Z, Y], SCHOOL, names=["z", "y"], group=SCHOOL // 2, intercept=True
    )
    with pytest.raises(ValueError, match="one school of each in every group"):
        random_treatment(pairs, "z", correlated=correlated)


def test_random_blocks_that_are_the_arms_are_refused() -> None:
    arms = compute_school_moments([Z, Y], SCHOOL, names=["z", "y"], group=Z, intercept=True)
    with pytest.raises(ValueError, match="cannot tell these variances apart"):
        fit_three_level(arms)
