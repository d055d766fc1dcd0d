"""Intervals that allow for trends that were not parallel, by identities and brute force."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from schooltrial.models.parallel_trends.bounded_trend import BoundedTrend
from schooltrial.models.parallel_trends.event_coefficients import EventCoefficients
from schooltrial.models.parallel_trends.relative_magnitudes import (
    identified_set,
    relative_magnitudes_breakdown,
    relative_magnitudes_interval,
)
from schooltrial.models.parallel_trends.smoothness import (
    folded_normal_quantile,
    smoothness_breakdown,
    smoothness_interval,
)

BEFORE, AFTER = 4, 3
WEIGHTS = np.array([0.5, 0.3, 0.2])


def _coefficients(effect: float = 1.0, scale: float = 1.0, seed: int = 3) -> EventCoefficients:
    """Return an event study with correlated errors, as years that share a reference have."""
    years = np.arange(BEFORE + AFTER + 1)
    of_years = 0.6 ** np.abs(np.subtract.outer(years, years))
    contrasts = np.delete(np.eye(len(years)), BEFORE, axis=0)
    contrasts[:, BEFORE] = -1.0
    sigma = 0.02 * scale * contrasts @ of_years @ contrasts.T
    noise = np.random.default_rng(seed).multivariate_normal(np.zeros(len(sigma)), sigma)
    points = noise + np.concatenate([np.zeros(BEFORE), np.full(AFTER, effect)])
    return EventCoefficients.of(points, sigma, BEFORE, WEIGHTS)


def _normal(coefficients: EventCoefficients) -> list[float]:
    half = 1.959963984540054 * coefficients.std_error
    return [coefficients.estimate - half, coefficients.estimate + half]


def test_without_a_violation_relative_magnitudes_give_the_usual_interval() -> None:
    coefficients = _coefficients()
    for hybrid in (True, False):
        found = relative_magnitudes_interval(coefficients, 0.0, hybrid=hybrid)
        assert [found.low, found.high] == pytest.approx(_normal(coefficients), abs=1e-6)


def test_intervals_are_wider_the_larger_the_violation_and_hold_the_identified_set() -> None:
    coefficients = _coefficients()
    bounds = [0.0, 0.25, 0.5, 1.0, 2.0]
    relative = [relative_magnitudes_interval(coefficients, mbar) for mbar in bounds]
    smooth = [smoothness_interval(coefficients, m / 10) for m in bounds]
    for found in (relative, smooth):
        assert (np.diff([one.high - one.low for one in found]) > 0).all()
    for mbar, one in zip(bounds, relative, strict=True):
        low, high = identified_set(coefficients, mbar)
        assert one.low <= low <= high <= one.high


def test_the_statistic_is_the_value_of_its_linear_programme() -> None:
    """The vertices that are written down are all that matter."""
    coefficients = _coefficients()
    rng = np.random.default_rng(5)
    for _ in range(10):
        differences = np.tril(rng.normal(size=(AFTER, AFTER)))
        rows = np.hstack([rng.normal(size=(AFTER, BEFORE)), differences])
        bound = np.concatenate([rng.normal(size=BEFORE), np.zeros(AFTER)])
        trend = BoundedTrend(coefficients, rows, bound, 0.1)
        moments = np.vstack([rows - bound, -rows - bound])
        errors = np.sqrt(np.diag(moments @ coefficients.covariance @ moments.T))
        nuisance = np.linalg.svd(WEIGHTS[None])[2][1:].T
        for effect in (-1.0, 0.5, 3.0):
            by_year = WEIGHTS / (WEIGHTS @ WEIGHTS) * effect
            values = moments @ coefficients.estimates - 0.1 - moments[:, BEFORE:] @ by_year
            programme = linprog(
                np.array([1.0, 0, 0]),
                A_ub=-np.column_stack([errors, moments[:, BEFORE:] @ nuisance]),
                b_ub=-values,
                bounds=[(None, None)] * 3,
            )
            contrasts, of_effect = trend._vertices
            vertices = contrasts @ coefficients.estimates + trend._constants() + of_effect * effect
            assert vertices.max() == pytest.approx(programme.fun, abs=1e-8)


def test_the_least_favourable_critical_value_is_that_of_many_draws() -> None:
    coefficients = _coefficients()
    changes = np.zeros((AFTER, BEFORE + AFTER))
    changes[:, BEFORE:] = np.eye(AFTER) - np.eye(AFTER, k=-1)
    trend = BoundedTrend(coefficients, changes, coefficients.changes_before[1], alpha=0.5)
    draws = np.random.default_rng(7).multivariate_normal(
        np.zeros(BEFORE + AFTER), coefficients.covariance, size=400_000
    )
    drawn = np.quantile((draws @ trend._vertices[0].T).max(axis=1), 0.95)
    assert trend._least_favourable == pytest.approx(drawn, abs=0.01)


def test_the_interval_of_fixed_length_is_the_shortest_of_those_that_a_search_finds() -> None:
    coefficients = _coefficients()
    sigma, l_vec = coefficients.covariance, coefficients.weights
    years = np.concatenate([np.arange(-BEFORE, 0), np.arange(1, AFTER + 1)])

    def half(free: np.ndarray, m: float) -> float:
        """Half-length of the estimator with these multipliers of the years before but the last."""
        last = free @ years[: BEFORE - 1] + l_vec @ years[BEFORE:]  # unbiased under a line
        v = np.concatenate([free, [last], l_vec])
        # The worst bias: multipliers of second differences are sums of sums of the contrast, which
        # the reference year closes.
        contrast = np.insert(v, BEFORE, -v.sum())
        bias = m * np.abs(np.cumsum(np.cumsum(contrast))[:-2]).sum()
        error = np.sqrt(v @ sigma @ v)
        return float(error * folded_normal_quantile(bias / error, 0.95))

    for m in (0.0, 0.02, 0.1, 0.5):
        found = smoothness_interval(coefficients, m)
        searched = min(
            minimize(half, start, args=(m,), method="Nelder-Mead",
                     options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}).fun
            for start in (np.zeros(3), np.array([0.1, -0.1, 0.1]))
        )  # fmt: skip
        assert (found.high - found.low) / 2 == pytest.approx(searched, rel=1e-5)


def test_a_line_is_extrapolated_where_trends_may_not_bend() -> None:
    """With next to no error, smoothness 0 gives the effect less the line of the years before."""
    sigma = 1e-10 * np.eye(BEFORE + AFTER)
    drift = 0.3 * np.concatenate([np.arange(-BEFORE, 0), np.arange(1, AFTER + 1)])
    effect = np.concatenate([np.zeros(BEFORE), np.full(AFTER, 2.0)])
    coefficients = EventCoefficients.of(drift + effect, sigma, BEFORE, WEIGHTS)
    for method in ("fixed_length", "hybrid", "conditional"):
        found = smoothness_interval(coefficients, 0.0, method=method)
        assert [found.low, found.high] == pytest.approx([2.0, 2.0], abs=1e-3)


def test_folded_quantiles_are_those_of_the_normal_at_zero_and_one_sided_far_from_it() -> None:
    assert folded_normal_quantile(0.0, 0.95) == pytest.approx(1.959963985, abs=1e-8)
    assert folded_normal_quantile(-9.0, 0.95) == pytest.approx(9 + 1.644853627, abs=1e-8)


@pytest.mark.parametrize("effect", [1.0, -1.0])
def test_the_breakdown_value_is_the_bound_at_which_an_end_is_zero(effect: float) -> None:
    coefficients = _coefficients(effect)
    mbar = relative_magnitudes_breakdown(coefficients)
    at = relative_magnitudes_interval(coefficients, mbar)
    assert min(abs(at.low), abs(at.high)) < 0.01 * (at.high - at.low)
    m = smoothness_breakdown(coefficients, 2.0)
    at = smoothness_interval(coefficients, m)
    assert min(abs(at.low), abs(at.high)) < 0.01 * (at.high - at.low)
    assert relative_magnitudes_interval(coefficients, 0.9 * mbar).excludes_zero
    assert not relative_magnitudes_interval(coefficients, 1.1 * mbar).excludes_zero


def test_an_effect_within_its_error_breaks_down_at_once_and_a_vast_one_never() -> None:
    assert relative_magnitudes_breakdown(_coefficients(0.0)) == 0.0
    assert smoothness_breakdown(_coefficients(0.0), 1.0) == 0.0
    assert relative_magnitudes_breakdown(_coefficients(1e3)) == inf
    assert smoothness_breakdown(_coefficients(1e3), 1.0) == inf


def test_in_small_samples_the_interval_without_a_violation_is_that_of_student_s_t() -> None:
    coefficients = _coefficients()
    enlarged = coefficients.in_small_samples(5.0)
    half = 2.570581836 * coefficients.std_error
    usual = [coefficients.estimate - half, coefficients.estimate + half]
    found = relative_magnitudes_interval(enlarged, 0.0)
    assert [found.low, found.high] == pytest.approx(usual, abs=1e-6)
    known = coefficients.in_small_samples(inf).covariance
    assert known == pytest.approx(coefficients.covariance)
    with pytest.raises(ValueError, match="above 0"):
        coefficients.in_small_samples(0.0)


def test_one_year_before_the_reference_bears_both_bounds() -> None:
    coefficients = EventCoefficients.of([0.1, 1.0], [[0.01, 0.002], [0.002, 0.01]], 1)
    usual = relative_magnitudes_interval(coefficients, 0.0)
    wider = relative_magnitudes_interval(coefficients, 1.0)
    assert wider.low < usual.low < usual.high < wider.high
    line = smoothness_interval(coefficients, 0.0)
    assert (line.low + line.high) / 2 == pytest.approx(1.1)  # the change before goes on


@pytest.mark.parametrize(
    ("points", "sigma", "before", "message"),
    [
        ([1.0, 2.0], np.eye(2), 0, "no coefficient of a year before"),
        ([1.0, 2.0], np.eye(2), 2, "none is of a year of the programme"),
        ([1.0, 2.0], np.eye(3), 1, "3 × 3"),
        ([1.0, np.nan], np.eye(2), 1, "missing"),
        ([1.0, 2.0], np.ones((2, 2)), 1, "singular"),
        ([1.0, 2.0], np.diag([0.0, 1.0]), 1, "variance of 0"),
        ([1.0, 2.0], [[1.0, 0.5], [0.0, 1.0]], 1, "not symmetric"),
    ],
)
def test_what_is_no_event_study_is_refused_by_name(
    points: list[float], sigma: np.ndarray, before: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        EventCoefficients.of(points, sigma, before)


def test_weights_must_fit_the_years_of_the_programme() -> None:
    for weights, message in (([1.0], "1 weights for 2"), ([0.0, 0.0], "are 0")):
        with pytest.raises(ValueError, match=message):
            EventCoefficients.of([0.1, 1.0, 2.0], np.eye(3), 1, weights)


def test_a_negative_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        relative_magnitudes_interval(_coefficients(), -1.0)
    with pytest.raises(ValueError, match="0 or more"):
        smoothness_interval(_coefficients(), -1.0)
