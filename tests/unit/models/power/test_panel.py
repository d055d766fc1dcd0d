"""Power of difference-in-differences: closed forms by hand, least squares, simulated panels."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schooltrial.models.panel.difference_in_differences import two_way_effects
from schooltrial.models.panel.treatment_terms import programme_indicator
from schooltrial.models.power.allocation import counted_allocation, planned_allocation
from schooltrial.models.power.minimum_detectable_effect import Precision, power_of_test
from schooltrial.models.power.panel import (
    change_variance,
    covariance_adjusted_variance,
    panel_precision,
    year_covariance,
)

SETTINGS = settings(deadline=None, derandomize=True)
Years = st.tuples(st.integers(1, 6), st.integers(1, 6))


@SETTINGS
@given(Years, st.floats(0.01, 0.95))
def test_the_sums_over_years_are_the_closed_form_of_ar1(years: tuple[int, int], rho: float) -> None:
    m, r = years
    sigma = year_covariance(range(m + r), year_variance=0.7, correlation=rho)

    def square(k: int) -> float:
        return (k * (1 - rho**2) - 2 * rho * (1 - rho**k)) / (1 - rho) ** 2

    across = rho * (1 - rho**m) * (1 - rho**r) / (1 - rho) ** 2
    by_hand = 0.7 * (square(m) / m**2 + square(r) / r**2 - 2 * across / (m * r))
    assert change_variance(sigma, m) == pytest.approx(by_hand, rel=1e-8)


@SETTINGS
@given(Years, st.floats(0, 0.95), st.floats(0, 3))
def test_exchangeable_years_have_the_closed_form_whatever_lasts(
    years: tuple[int, int], rho: float, lasting: float
) -> None:
    m, r = years
    sigma = year_covariance(
        range(m + r), year_variance=0.7, correlation=rho, pattern="exchangeable",
        school_variance=lasting, sampling_variance=0.1,
    )  # fmt: skip
    by_hand = (0.7 * (1 - rho) + 0.1) * (1 / m + 1 / r)
    assert change_variance(sigma, m) == pytest.approx(by_hand, rel=1e-8)


@SETTINGS
@given(Years, st.integers(0, 10_000))
def test_any_covariance_gives_burlig_preonas_and_woermans_equation(
    years: tuple[int, int], seed: int
) -> None:
    m, r = years
    root = np.random.default_rng(seed).normal(size=(m + r, m + r))
    sigma = root @ root.T
    d = np.sqrt(np.diag(sigma))
    sigma = 2.0 * sigma / np.outer(d, d)
    psi_b = (sigma[:m, :m].sum() - 2 * m) / max(m * (m - 1), 1)
    psi_a = (sigma[m:, m:].sum() - 2 * r) / max(r * (r - 1), 1)
    psi_x = sigma[:m, m:].mean()
    equation = 2 * (1 / m + 1 / r) + (m - 1) / m * psi_b + (r - 1) / r * psi_a - 2 * psi_x
    assert change_variance(sigma, m) == pytest.approx(equation, rel=1e-8, abs=1e-10)


def test_years_that_are_not_measured_count_in_the_distance() -> None:
    gap = year_covariance([2018, 2019, 2021], year_variance=1.0, correlation=0.5)
    assert gap.tolist() == [[1, 0.5, 0.125], [0.5, 1, 0.25], [0.125, 0.25, 1]]


def test_serial_correlation_hurts_long_panels_and_helps_short_ones() -> None:
    def variance(m: int, r: int, rho: float) -> float:
        return change_variance(year_covariance(range(m + r), year_variance=1.0, correlation=rho), m)

    assert variance(1, 1, 0.5) < variance(1, 1, 0.0)
    assert variance(6, 6, 0.5) > variance(6, 6, 0.0)


# Simulated panels

SIGMA: dict[str, Any] = {
    "year_variance": 0.03, "correlation": 0.6, "school_variance": 0.05, "sampling_variance": 0.01,
}  # fmt: skip
BEFORE, AFTER = (2017, 2018, 2019), (2020, 2022)


def _panels(trials: int, schools: int) -> NDArray[np.float64]:
    sigma = year_covariance([*BEFORE, *AFTER], **SIGMA)
    rng = np.random.default_rng(7)
    return rng.multivariate_normal(np.zeros(5), sigma, size=(trials, schools))


def _tests(
    outcome: NDArray[np.float64], z: NDArray[np.float64], extra: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return estimate and t-statistic of z in each trial's least squares over schools."""
    trials, schools = outcome.shape
    x = np.broadcast_to(np.column_stack([np.ones(schools), z]), (trials, schools, 2))
    if extra is not None:
        x = np.concatenate([x, extra[:, :, None]], axis=2)
    inverse = np.linalg.inv(np.swapaxes(x, 1, 2) @ x)
    beta = (inverse @ np.swapaxes(x, 1, 2) @ outcome[:, :, None])[:, :, 0]
    residual = outcome - (x @ beta[:, :, None])[:, :, 0]
    s2 = (residual**2).sum(axis=1) / (schools - x.shape[2])
    return beta[:, 1], beta[:, 1] / np.sqrt(s2 * inverse[:, 1, 1])


def test_two_way_effects_are_the_comparison_of_changes() -> None:
    y = _panels(1, 12)[0]
    z = (np.arange(12) < 5).astype(float)
    active = np.array([0, 0, 0, 1, 1.0])
    effects = np.column_stack(
        [np.repeat(np.eye(12), 5, axis=0), np.tile(np.eye(5)[:, 1:], (12, 1))]
    )
    x = np.column_stack([np.outer(z, active).ravel(), effects])
    two_way = np.linalg.lstsq(x, y.ravel(), rcond=None)[0][0]
    change = y[:, 3:].mean(axis=1) - y[:, :3].mean(axis=1)
    assert two_way == pytest.approx(change[z == 1].mean() - change[z == 0].mean(), rel=1e-9)


@pytest.mark.parametrize("estimator", ["change", "covariance"])
def test_simulated_panels_have_the_stated_variance_and_power(estimator: str) -> None:
    trials, schools = 12_000, 20
    y = _panels(trials, schools)
    z = (np.arange(schools) < 8).astype(float)
    before, after = y[:, :, :3].mean(axis=2), y[:, :, 3:].mean(axis=2)
    if estimator == "change":
        estimate, t = _tests(after - before, z, None)
        found = panel_precision(counted_allocation([8], [12]), BEFORE, AFTER, **SIGMA)
        t = estimate / _welch(after - before, z)
    else:
        estimate, t = _tests(after, z, before)
        found = panel_precision(
            counted_allocation([8], [12]), BEFORE, AFTER, **SIGMA, estimator="covariance"
        )
        assert found.df == 17
    assert estimate.var() == pytest.approx(found.std_error**2, rel=4 * sqrt(2 / trials))
    effect = 2.5 * found.std_error
    shifted = np.abs(t + effect * t / estimate)
    rejected = float((shifted > _critical(found.df)).mean())
    expected = float(power_of_test(effect, found.std_error, found.df))
    # The covariate's chance imbalance makes the variance differ between trials; its mean is exact,
    # and the power at the mean is not quite the mean power.
    curvature = 0.003 if estimator == "covariance" else 0.0
    assert rejected == pytest.approx(expected, abs=4 * sqrt(0.24 / trials) + curvature)


def _welch(change: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of each trial's difference of mean changes, by group."""
    parts = [change[:, z == arm].var(axis=1, ddof=1) / (z == arm).sum() for arm in (0.0, 1.0)]
    return np.asarray(np.sqrt(sum(parts)))


@pytest.mark.parametrize(("treated", "others"), [(3, 20), (7, 128), (12, 12)])
def test_degrees_of_freedom_are_those_of_the_fit(treated: int, others: int) -> None:
    years, schools = len(BEFORE + AFTER), treated + others
    y = _panels(1, schools)[0]
    z = np.repeat((np.arange(schools) < treated).astype(float), years)
    year = np.tile(np.array([*BEFORE, *AFTER]), schools)
    columns, names = programme_indicator(z, year, AFTER)
    fit = two_way_effects(
        y.ravel(), columns, names=names, school=np.repeat(np.arange(schools), years), year=year
    )
    planned = panel_precision(counted_allocation([treated], [others]), BEFORE, AFTER, **SIGMA)
    assert planned.df == pytest.approx(fit.estimates()[0].df, rel=1e-9)
    assert planned.basis == "Satterthwaite df of CR2, by group"


def _critical(df: float) -> float:
    from scipy import special

    return float(special.stdtrit(df, 0.975))


def test_the_covariate_helps_least_where_schools_differ_for_good() -> None:
    schools = planned_allocation(60)

    def gain(lasting: float) -> float:
        errors = [
            panel_precision(
                schools, [1], [2], year_variance=0.05, school_variance=lasting,
                estimator="covariance" if adjusted else "change",
            ).std_error
            for adjusted in (True, False)
        ]  # fmt: skip
        return errors[0] / errors[1]

    assert gain(0.0) < gain(0.05) < gain(5.0)
    assert gain(0.0) == pytest.approx(sqrt(0.5 * (1 + 1 / 56)), rel=1e-12)
    assert gain(5.0) == pytest.approx(sqrt(1 + 1 / 56), rel=0.01)


def test_adjusting_for_a_mean_that_does_not_vary_changes_nothing() -> None:
    sigma = np.diag([0.0, 1.0])
    assert covariance_adjusted_variance(sigma, 1) == 1.0


def _panel(schools: int, before: list[float], after: list[float], variance: float) -> Precision:
    return panel_precision(planned_allocation(schools), before, after, year_variance=variance)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: year_covariance([1, 1], year_variance=1.0), "each once"),
        (lambda: year_covariance([1, 2], year_variance=-1.0), "zero or more"),
        (lambda: year_covariance([1, 2], year_variance=1.0, correlation=1.0), "correlation"),
        (lambda: _panel(9, [3], [2], 1.0), "all of the first earlier"),
        (lambda: _panel(9, [], [2], 1.0), "one or more of each"),
        (lambda: _panel(9, [1], [2], 0.0), "do not vary from year to year"),
        (lambda: _panel(2, [1], [2], 1.0), "expected more than 2"),
        (lambda: change_variance(np.eye(2), 2), "at least one before"),
    ],
)
def test_numbers_that_make_no_panel_are_refused(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
