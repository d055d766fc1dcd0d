"""Power of tests of trends before a programme, against draws and closed forms."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy import special

from schooltrial.models.parallel_trends.event_coefficients import EventCoefficients
from schooltrial.models.parallel_trends.pretrend_power import PretrendTest

BEFORE, AFTER = 4, 2
YEARS = np.array([-4, -3, -2, -1, 1, 2])


def _coefficients() -> EventCoefficients:
    root = np.random.default_rng(2).normal(size=(12, BEFORE + AFTER))
    return EventCoefficients.of(np.zeros(6), 0.01 * root.T @ root, BEFORE, [0.5, 0.5])


def test_without_a_drift_the_power_is_the_size_of_the_test() -> None:
    for df in (5.0, inf):
        assert PretrendTest.of_slope(_coefficients(), df).power(0.0) == pytest.approx(0.05)


def test_the_slope_that_is_found_with_a_power_has_that_power() -> None:
    for test in (
        PretrendTest.of_slope(_coefficients(), 4.5),
        PretrendTest.of_slope(_coefficients(), inf),
        PretrendTest.of_all_years(_coefficients(), 9.0),
        PretrendTest.of_all_years(_coefficients(), inf),
    ):
        for power in (0.5, 0.8):
            assert test.power(test.slope_with_power(power)) == pytest.approx(power, abs=1e-8)
        assert test.power(-0.1) == pytest.approx(test.power(0.1))


def test_the_slope_is_tested_by_student_s_t() -> None:
    test = PretrendTest.of_slope(_coefficients(), 6.0)
    error = np.sqrt(_coefficients().covariance[0, 0]) / BEFORE
    critical, centre = special.stdtrit(6.0, 0.975), 0.2 / error
    expected = 1 - special.nctdtr(6.0, centre, critical) + special.nctdtr(6.0, centre, -critical)
    assert test.power(0.2) == pytest.approx(expected, abs=1e-8)


def test_few_schools_see_less() -> None:
    of_slope = [PretrendTest.of_slope(_coefficients(), df).slope_with_power(0.8)
                for df in (3.0, 10.0, inf)]  # fmt: skip
    assert (np.diff(of_slope) < 0).all()


@pytest.mark.parametrize("kind", ["slope", "all years"])
def test_power_and_bias_where_it_passes_are_those_of_draws(kind: str) -> None:
    coefficients = _coefficients()
    test = (
        PretrendTest.of_slope(coefficients, inf) if kind == "slope"
        else PretrendTest.of_all_years(coefficients, inf)
    )  # fmt: skip
    slope = test.slope_with_power(0.6)
    draws = np.random.default_rng(4).multivariate_normal(
        slope * YEARS, coefficients.covariance, size=300_000
    )
    before = draws @ test.contrasts.T
    inverse = np.linalg.inv(test.contrasts @ coefficients.covariance @ test.contrasts.T)
    form = np.einsum("ij,jk,ik->i", before, inverse, before)
    passed = form <= special.chdtri(len(test.contrasts), 0.05)
    assert passed.mean() == pytest.approx(0.4, abs=0.005)
    off = draws[passed][:, BEFORE:] @ coefficients.weights
    assert test.bias_when_passed(slope) == pytest.approx(off.mean(), abs=5 * off.std() / 300)
    assert test.bias(slope) == pytest.approx(1.5 * slope)


def test_a_joint_test_of_more_years_than_degrees_of_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="do not bear a joint test of 4 years"):
        PretrendTest.of_all_years(_coefficients(), 3.0)


def test_a_power_below_the_size_is_refused() -> None:
    with pytest.raises(ValueError, match="above the size"):
        PretrendTest.of_slope(_coefficients(), 5.0).slope_with_power(0.05)


def test_a_power_that_next_to_no_degrees_of_freedom_never_reach_is_refused() -> None:
    with pytest.raises(ValueError, match=r"with 0\.2 degrees of freedom"):
        PretrendTest.of_slope(_coefficients(), 0.2).slope_with_power(0.8)
