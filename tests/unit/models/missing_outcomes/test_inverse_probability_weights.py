"""The response model is the maximum of its likelihood, and its weights restore the whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from schooltrial.models.missing_outcomes.inverse_probability_weights import (
    fit_response,
    response_weights,
)


def _pupils(seed: int = 0, n: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    X = np.column_stack([np.ones(n), x, rng.integers(0, 2, n)])
    r = rng.random(n) < 1 / (1 + np.exp(-(X @ [0.8, 0.9, -0.7])))
    return r.astype(float), X, x


def test_the_coefficients_are_those_that_a_general_optimiser_finds() -> None:
    r, X, _ = _pupils()

    def minus_log_likelihood(g: np.ndarray) -> float:
        return float(np.sum(np.logaddexp(0, X @ g) - r * (X @ g)))

    model = fit_response(r, list(X.T), ["(Intercept)", "x", "z"])
    best = optimize.minimize(minus_log_likelihood, np.zeros(3), method="BFGS", tol=1e-10)
    assert model.coefficients == pytest.approx(best.x, abs=1e-5)
    assert model.deviance == pytest.approx(2 * best.fun, rel=1e-12)
    assert model.converged
    assert X.T @ (r - model.probability) == pytest.approx(np.zeros(3), abs=1e-8)


def test_of_cells_the_fitted_probabilities_are_the_shares_observed() -> None:
    cell = np.repeat([0, 1, 2], [10, 20, 40])
    r = np.r_[[1] * 5, [0] * 5, [1] * 15, [0] * 5, [1] * 10, [0] * 30]
    model = fit_response(r, [cell == k for k in range(3)], ["a", "b", "c"])
    assert model.probability[[0, 10, 30]] == pytest.approx([0.5, 0.75, 0.25])
    answer = response_weights(r, model)
    assert np.bincount(cell, weights=answer.weights) == pytest.approx([10, 20, 40])
    assert answer.weights[r == 0].sum() == 0
    assert answer.largest == pytest.approx(4 / (70 / 30))
    assert answer.unrepresented == 0


def test_the_weighted_mean_of_the_observed_is_that_of_all_where_response_follows_the_model() -> (
    None
):
    r, X, x = _pupils(3, 40_000)
    answer = response_weights(r, fit_response(r, list(X.T), ["(Intercept)", "x", "z"]))
    plain, weighted = x[r == 1].mean(), np.average(x, weights=answer.weights)
    assert abs(plain - x.mean()) > 0.15
    assert weighted == pytest.approx(x.mean(), abs=0.02)
    assert answer.effective_size < r.sum()


@pytest.mark.parametrize("seen", [0, 1])
def test_a_block_observed_wholly_or_not_at_all_is_no_breakdown(seen: int) -> None:
    rng = np.random.default_rng(5)
    block = np.repeat([0, 1], [60, 40])
    r = np.where(block == 1, seen, rng.integers(0, 2, 100))
    model = fit_response(r, [np.ones(100), block], ["(Intercept)", "block"])
    assert model.converged
    assert model.certain == 40
    assert model.probability[block == 1] == pytest.approx(np.full(40, seen), abs=1e-6)
    assert model.probability[block == 0] == pytest.approx(np.full(60, r[block == 0].mean()))
    answer = response_weights(r, model)
    assert answer.unrepresented == (0 if seen else 40)
    assert np.isfinite(answer.weights).all()


def test_a_column_that_others_determine_changes_no_probability() -> None:
    r, X, _ = _pupils(2, 500)
    plain = fit_response(r, list(X.T), ["(Intercept)", "x", "z"])
    more = fit_response(r, [*X.T, X[:, 1] + 2 * X[:, 2]], ["(Intercept)", "x", "z", "both"])
    assert more.probability == pytest.approx(plain.probability, abs=1e-8)


def test_the_scale_of_a_column_does_not_matter() -> None:
    r, X, _ = _pupils(2, 500)
    plain = fit_response(r, list(X.T), ["(Intercept)", "x", "z"])
    large = fit_response(r, list((X * [1, 1e6, 1]).T), ["(Intercept)", "x", "z"])
    assert large.coefficients * [1, 1e6, 1] == pytest.approx(plain.coefficients)


@pytest.mark.parametrize(
    ("r", "x", "said"),
    [
        ([1, 1], [0.0, 1.0], "everybody was observed"),
        ([0, 0], [0.0, 1.0], "nobody was observed"),
        ([0, 1], [0.0, float("nan")], "'x' is missing for a pupil"),
    ],
)
def test_what_cannot_be_modelled_is_refused(r: list[int], x: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_response(r, [x], ["x"])
