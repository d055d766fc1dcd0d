"""Entropy balancing: exact means, the weights that theory names, and what cannot be balanced."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from schooltrial.models.comparison_schools.entropy_balancing import entropy_weights

SETTINGS = settings(deadline=None, max_examples=25, derandomize=True)


def _schools(n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = rng.normal(50, 12, n)
    return np.column_stack([level, 0.02 * level + rng.normal(0, 1, n), rng.random(n) < 0.3])


NAMES = ["level", "trend", "charter"]


@SETTINGS
@given(st.integers(0, 500))
def test_the_weighted_means_are_the_cohorts(seed: int) -> None:
    x = _schools(60, seed)
    goal = x[np.random.default_rng(seed + 1).choice(60, 9, replace=False)].mean(axis=0)
    weights = entropy_weights(x, goal, NAMES)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights @ x, goal, rtol=1e-8, atol=1e-8)


def test_with_one_flag_the_weights_are_its_shares() -> None:
    flag = np.array([1.0] * 30 + [0.0] * 70)
    weights = entropy_weights(flag[:, None], np.array([0.8]), ["charter"])
    np.testing.assert_allclose(weights, np.where(flag == 1, 0.8 / 30, 0.2 / 70), rtol=1e-8)


def test_a_cohort_that_is_like_the_others_leaves_all_weights_equal() -> None:
    x = _schools(40)
    np.testing.assert_allclose(entropy_weights(x, x.mean(axis=0), NAMES), 1 / 40, rtol=1e-8)


def test_the_log_of_the_weights_is_linear_in_the_characteristics() -> None:
    """The first-order condition: no other weights with these means are nearer to equal ones."""
    x = _schools(50)
    weights = entropy_weights(x, np.array([44.0, 1.2, 0.6]), NAMES)
    design = np.column_stack([np.ones(50), x])
    fitted = design @ np.linalg.lstsq(design, np.log(weights), rcond=None)[0]
    np.testing.assert_allclose(np.log(weights), fitted, atol=1e-8)


def test_a_general_optimiser_of_the_primal_problem_finds_the_same_weights() -> None:
    x, goal = _schools(14, 3), np.array([47.0, 0.9, 0.5])
    found = minimize(
        lambda w: float((w * np.log(w)).sum()), np.full(14, 1 / 14),
        jac=lambda w: np.log(w) + 1, method="SLSQP", bounds=[(1e-12, 1)] * 14,
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1},
                     {"type": "eq", "fun": lambda w: (w @ x - goal) / x.std(axis=0)}],
        options={"maxiter": 500, "ftol": 1e-15},
    )  # fmt: skip
    np.testing.assert_allclose(entropy_weights(x, goal, NAMES), found.x, atol=1e-5)


def test_units_and_the_order_of_schools_change_no_weight() -> None:
    x, goal = _schools(40), np.array([45.0, 0.7, 0.5])
    weights = entropy_weights(x, goal, NAMES)
    scale, shift = np.array([1e-3, 40.0, 1.0]), np.array([7.0, -3.0, 0.0])
    np.testing.assert_allclose(
        entropy_weights(x * scale + shift, goal * scale + shift, NAMES), weights, rtol=1e-7
    )
    order = np.random.default_rng(2).permutation(40)
    np.testing.assert_allclose(entropy_weights(x[order], goal, NAMES), weights[order], rtol=1e-7)


def test_a_characteristic_that_is_given_twice_changes_nothing() -> None:
    x, goal = _schools(40), np.array([45.0, 0.7, 0.5])
    twice = entropy_weights(x[:, [0, 1, 2, 0]], goal[[0, 1, 2, 0]], [*NAMES, "again"])
    np.testing.assert_allclose(twice, entropy_weights(x, goal, NAMES), rtol=1e-7)


def test_a_cohort_of_charter_schools_alone_is_compared_with_charter_schools_alone() -> None:
    x = _schools(60)
    charter = x[:, 2] == 1
    weights = entropy_weights(x, np.array([48.0, 1.1, 1.0]), NAMES)
    assert (weights[~charter] == 0).all()
    np.testing.assert_allclose(
        weights[charter], entropy_weights(x[charter][:, :2], np.array([48.0, 1.1]), NAMES[:2]),
        rtol=1e-7,
    )  # fmt: skip


def test_an_edge_that_two_flags_form_together_is_kept_to() -> None:
    """No school is both rural and a charter; all of the cohort are one or the other."""
    x = np.array([[1, 0]] * 10 + [[0, 1]] * 20 + [[0, 0]] * 30, dtype=float)
    weights = entropy_weights(x, np.array([0.25, 0.75]), ["rural", "charter"])
    np.testing.assert_allclose(weights[:10], 0.025, rtol=1e-6)
    np.testing.assert_allclose(weights[10:30], 0.0375, rtol=1e-6)
    np.testing.assert_allclose(weights[30:], 0, atol=1e-8)


def test_a_mean_beyond_all_comparison_schools_is_refused_by_name() -> None:
    x = _schools(30)
    with pytest.raises(
        ValueError, match=r"mean of trend is 99, and its 30 comparison schools have .* to .*: no "
        r"weights can reach it\. Take 'trend' out of `comparison_on`",
    ):  # fmt: skip
        entropy_weights(x, np.array([50.0, 99.0, 0.3]), NAMES)
    x[:, 2] = 0
    with pytest.raises(ValueError, match=r"mean of charter is 0\.79, .* all have 0: no weights"):
        entropy_weights(x, np.array([50.0, 1.0, 0.79]), NAMES)


def test_a_combination_that_no_weights_reach_is_refused_with_the_mean_that_is_missed() -> None:
    x = np.array([[1, 0]] * 10 + [[0, 1]] * 20 + [[0, 0]] * 30, dtype=float)
    with pytest.raises(
        ValueError, match="no weights give .* means of rural and charter at once, though each "
        r"alone .*: nearest are weights with a mean (rural|charter) of 0\.\d+ in place of 0\.\d",
    ):  # fmt: skip
        entropy_weights(x, np.array([0.6, 0.7]), ["rural", "charter"])


def test_unknown_values_and_an_empty_pool_are_refused() -> None:
    x = _schools(10)
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match="trend: some schools have no value"):
        entropy_weights(x, np.array([50.0, 1.0, 0.3]), NAMES)
    with pytest.raises(ValueError, match="no comparison school"):
        entropy_weights(np.empty((0, 3)), np.array([50.0, 1.0, 0.3]), NAMES)
