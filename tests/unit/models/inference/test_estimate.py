"""A row of the estimates table: what follows from a point, its error and its df."""

from math import inf, isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from schooltrial.models.inference.estimate import f_estimate, t_estimate
from schooltrial.models.inference.student_t import t_quantile, t_tail

COUNTS = {"n_individuals": 100, "n_schools": 10, "method": "m"}


@given(
    estimate=st.floats(-5, 5),
    std_error=st.floats(0.01, 5),
    df=st.one_of(st.floats(1, 200), st.just(inf)),
    level=st.floats(0.5, 0.999),
)
@settings(deadline=None, derandomize=True)
def test_the_interval_excludes_zero_just_where_p_is_below_one_minus_the_level(
    estimate: float, std_error: float, df: float, level: float
) -> None:
    found = t_estimate("t", estimate, std_error, df, level=level, **COUNTS)  # type: ignore[arg-type]
    excludes = found.conf_low > 0 or found.conf_high < 0
    if abs(found.p_value - (1 - level)) > 1e-9:
        assert excludes == (found.p_value < 1 - level)
    assert found.conf_low + found.conf_high == pytest.approx(2 * estimate, abs=1e-9)


def test_p_and_interval_are_those_of_students_t() -> None:
    found = t_estimate("t", 1.2, 0.5, 7.3, **COUNTS)  # type: ignore[arg-type]
    assert found.statistic == pytest.approx(2.4)
    assert found.p_value == pytest.approx(2 * stats.t.sf(2.4, 7.3), rel=1e-12)
    assert found.conf_high == pytest.approx(1.2 + stats.t.ppf(0.975, 7.3) * 0.5, rel=1e-12)


def test_infinite_degrees_of_freedom_are_the_normal() -> None:
    assert t_tail(1.96, inf) == pytest.approx(stats.norm.sf(1.96), rel=1e-12)
    assert t_quantile(0.975, inf) == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)
    assert t_quantile(0.975, 1e9) == pytest.approx(t_quantile(0.975, inf), rel=1e-8)


@pytest.mark.parametrize(("std_error", "df"), [(0.0, 5.0), (nan, 5.0), (1.0, nan), (1.0, 0.0)])
def test_without_an_error_or_df_nothing_follows(std_error: float, df: float) -> None:
    found = t_estimate("t", 1.0, std_error, df, **COUNTS)  # type: ignore[arg-type]
    assert found.estimate == 1
    assert all(map(isnan, (found.statistic, found.p_value, found.conf_low, found.conf_high)))


def test_a_test_of_one_hypothesis_by_f_is_that_by_t_squared() -> None:
    by_t = t_estimate("t", 1.2, 0.5, 11, **COUNTS)  # type: ignore[arg-type]
    by_f = f_estimate("t", by_t.statistic**2, 1, 11, **COUNTS)  # type: ignore[arg-type]
    assert by_f.p_value == pytest.approx(by_t.p_value, rel=1e-12)
    assert by_f.note == "F(1, 11)"
    assert isnan(by_f.estimate)


def test_a_joint_test_keeps_its_note_behind_its_degrees_of_freedom() -> None:
    found = f_estimate("t", 2.0, 3, 12.5, note="singular", **COUNTS)  # type: ignore[arg-type]
    assert found.note == "F(3, 12.5); singular"
    assert isnan(f_estimate("t", 2.0, 3, nan, **COUNTS).p_value)  # type: ignore[arg-type]
    none = f_estimate("t", 2.0, 3, -7.02, note="no F", **COUNTS)  # type: ignore[arg-type]
    assert isnan(none.df)
    assert isnan(none.p_value)
    assert none.note == "F of 3 hypotheses; no F"


def test_a_joint_test_without_limit_of_degrees_of_freedom_is_a_chi_square_and_says_so() -> None:
    found = f_estimate("t", 2.0, 3, inf, **COUNTS)  # type: ignore[arg-type]
    assert found.note == "chi-square(3)/3"
    assert found.p_value == pytest.approx(stats.chi2.sf(6.0, 3), rel=1e-12)
    assert f_estimate("t", 2.0, 1, inf, **COUNTS).note == "chi-square(1)"  # type: ignore[arg-type]
