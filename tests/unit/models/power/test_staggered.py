"""Power of a staggered roll-out: by hand, and beside the spread of the estimator itself."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

from schooltrial.models.group_time.cells import ComparisonGroup
from schooltrial.models.panel.staggered_adoption import fit_staggered_adoption
from schooltrial.models.power.allocation import counted_allocation
from schooltrial.models.power.panel import panel_precision, year_covariance
from schooltrial.models.power.staggered import school_weights, staggered_precision

YEARS_OF_FELLOWSHIP = list(range(2010, 2020))
COHORTS, NEVER, YEARS = {2013: 7, 2014: 5}, 24, list(range(2010, 2017))


def _panel(
    cohorts: dict[int, int], never: int, years: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return school, year and cohort of every cell, school by school."""
    entered = np.repeat([*map(float, cohorts), np.nan], [*cohorts.values(), never])
    each = np.arange(len(entered))
    return np.repeat(each, len(years)), np.tile(years, len(each)), np.repeat(entered, len(years))


@pytest.mark.parametrize("control", ["never_treated", "not_yet_treated"])
def test_the_weights_of_schools_are_those_of_the_estimator(control: ComparisonGroup) -> None:
    school, year, cohort = _panel(COHORTS, NEVER, YEARS)
    outcome = np.random.default_rng(3).normal(size=len(school))
    fit = fit_staggered_adoption(
        outcome, school=school, year=year, cohort=cohort, comparison_group=control, draws=0
    )
    weights = school_weights(COHORTS, NEVER, YEARS, control)
    each = np.concatenate([weights[int(c)] for c in np.nan_to_num(cohort[:: len(YEARS)])])
    assert fit.overall.estimate == pytest.approx(float(each @ outcome), abs=1e-10)


@pytest.mark.parametrize(
    "control", ["never_treated", pytest.param("not_yet_treated", marks=pytest.mark.slow)]
)
def test_the_closed_form_is_the_spread_of_estimates_of_simulated_panels(
    control: ComparisonGroup,
) -> None:
    rng = np.random.default_rng(11)
    school, year, cohort = _panel(COHORTS, NEVER, YEARS)
    root = np.linalg.cholesky(year_covariance(YEARS, year_variance=9.0, correlation=0.5))
    found = []
    trials = 200
    for _ in range(trials):
        lasting = rng.normal(0, 8, (COHORTS[2013] + COHORTS[2014] + NEVER, 1))
        shocks = rng.normal(size=(len(lasting), len(YEARS))) @ root.T
        fit = fit_staggered_adoption(
            (lasting + shocks).ravel(), school=school, year=year, cohort=cohort,
            comparison_group=control, draws=0,
        )  # fmt: skip
        found.append(fit.overall.estimate)
    closed = staggered_precision(
        COHORTS, NEVER, YEARS, year_variance=9.0, correlation=0.5, comparison_group=control
    )
    # the standard error of a standard deviation of so many draws is 1/√(2·trials) of it
    assert np.std(found) == pytest.approx(closed.std_error, rel=3 / sqrt(2 * trials))


def test_of_one_cohort_only_the_year_before_is_the_base() -> None:
    after, whole = [2014, 2015], counted_allocation([6], [18])
    noise: Any = {"year_variance": 4.0, "correlation": 0.3}
    one = staggered_precision({2014: 6}, 18, [2011, 2012, 2013, *after], **noise)
    assert one.std_error == pytest.approx(panel_precision(whole, [2013], after, **noise).std_error)
    every = panel_precision(whole, [2011, 2012, 2013], after, **noise)
    assert one.std_error > every.std_error
    # Satterthwaite for the difference of two means of as many schools, whatever varies
    assert one.df == pytest.approx((1 / 6 + 1 / 18) ** 2 / (1 / (36 * 5) + 1 / (324 * 17)))


def test_a_roll_out_like_the_fellowship_has_the_standard_error_reckoned_by_hand() -> None:
    cohorts, never, years = {2016: 17, 2017: 12}, 529, list(range(2010, 2020))
    found = staggered_precision(cohorts, never, years, year_variance=5.75**2, correlation=0.25)
    sigma = 5.75**2 * 0.25 ** np.abs(np.subtract.outer(np.arange(5), np.arange(5)))  # 2015 to 2019
    first, second = np.array([-4.0, 1, 1, 1, 1]), np.array([0.0, -3, 1, 1, 1])
    cells = 17 * 4 + 12 * 3
    control = 17 * first + 12 * second
    variance = 17 * first @ sigma @ first + 12 * second @ sigma @ second
    variance += control @ sigma @ control / never
    assert found.std_error == pytest.approx(sqrt(variance) / cells)
    assert found.std_error == pytest.approx(1.20, abs=0.03)


@pytest.mark.parametrize(
    ("cohorts", "never", "control"),
    [({2010: 5}, 9, "never_treated"), ({2013: 5}, 0, "never_treated"), ({}, 9, "never_treated")],
)
def test_where_nothing_can_be_compared_it_says_so(
    cohorts: dict[int, int], never: int, control: ComparisonGroup
) -> None:
    with pytest.raises(ValueError, match="no cohort has a year before"):
        staggered_precision(cohorts, never, YEARS, year_variance=1.0, comparison_group=control)


@pytest.mark.slow
def test_the_power_is_the_share_of_simulated_panels_in_which_the_estimate_is_told_from_zero() -> (
    None
):
    """Seven treated schools: a normal reference would promise 80% where there is 65%."""
    cohorts, never, years = {2013: 4, 2014: 3}, 60, list(range(2010, 2017))
    planned = staggered_precision(cohorts, never, years, year_variance=9.0, correlation=0.5)
    assert planned.df < 8
    effect = planned.mdes(power=0.8)
    school, year, cohort = _panel(cohorts, never, years)
    root = np.linalg.cholesky(year_covariance(years, year_variance=9.0, correlation=0.5))
    rng = np.random.default_rng(5)
    told, trials = 0, 200
    for _ in range(trials):
        shocks = rng.normal(size=(67, len(years))) @ root.T
        outcome = shocks.ravel() + effect * (year >= cohort)
        fit = fit_staggered_adoption(outcome, school=school, year=year, cohort=cohort, draws=0)
        told += fit.overall.p_value < 0.05
    assert told / trials == pytest.approx(0.8, abs=3 * sqrt(0.16 / trials))


def test_the_reference_is_that_of_the_rule_by_which_the_estimate_is_judged() -> None:
    many = staggered_precision({2016: 17, 2017: 12}, 529, YEARS_OF_FELLOWSHIP, year_variance=1.0)
    assert many.basis.startswith("own variances of cohorts")
    few = staggered_precision({2016: 4, 2017: 3}, 128, YEARS_OF_FELLOWSHIP, year_variance=1.0)
    assert few.basis.startswith("one variance of treated")
    assert few.df < many.df < 40
    with pytest.raises(ValueError, match="every cohort is one school"):
        staggered_precision({2016: 1, 2017: 1}, 59, YEARS_OF_FELLOWSHIP, year_variance=1.0)
