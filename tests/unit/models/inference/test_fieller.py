"""Claims about the confidence set of a ratio."""

from collections.abc import Callable
from math import inf, isnan, sqrt

import numpy as np
import pytest

from schooltrial.models.inference.fieller import fieller_set
from schooltrial.models.inference.student_t import t_quantile

V = np.array([[1.0, 0.3], [0.3, 0.5]])


def judge(V: np.ndarray, df: float) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    def judged(combined: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        variance = np.einsum("ij,jk,ik->i", combined, V, combined)
        return np.sqrt(variance), np.full(len(combined), df)

    return judged


def closed_form(a: float, b: float, V: np.ndarray, df: float) -> tuple[float, float]:
    """Fieller's own roots, for one number of degrees of freedom."""
    t2 = t_quantile(0.975, df) ** 2
    A, B, C = b**2 - t2 * V[1, 1], a * b - t2 * V[0, 1], a**2 - t2 * V[0, 0]
    root = sqrt(B**2 - A * C)
    low, high = sorted(((B - root) / A, (B + root) / A))
    return low, high


@pytest.mark.parametrize(("a", "b"), [(4.0, 6.0), (-4.0, 6.0), (4.0, -6.0), (0.0, 5.0)])
def test_ends_are_the_roots_of_fieller_where_the_degrees_of_freedom_are_one_number(
    a: float, b: float
) -> None:
    found = fieller_set(a, b, judge(V, 9.0))
    assert found.bounded
    assert (found.low, found.high) == pytest.approx(closed_form(a, b, V, 9.0), rel=1e-9)
    assert found.low <= found.ratio <= found.high


def test_a_denominator_that_cannot_be_told_from_zero_leaves_two_rays() -> None:
    a, b = 4.0, 1.0
    found = fieller_set(a, b, judge(V, 9.0))
    low, high = closed_form(a, b, V, 9.0)
    assert (found.low, found.high) == (-inf, inf)
    told = f"set is (−∞, {low:.3g}] ∪ [{high:.3g}, ∞)"
    assert found.told == told.replace("-", "−")
    assert not low < found.ratio < high


def test_two_estimates_that_cannot_be_told_from_zero_leave_the_whole_line() -> None:
    found = fieller_set(0.1, 0.1, judge(V, 9.0))
    assert (found.low, found.high, found.told) == (-inf, inf, "the ratio cannot be estimated")


@pytest.mark.parametrize("a", [0.5, 1.5, 3.0, 4.5, 6.0, 8.0])
def test_the_set_holds_zero_and_one_just_where_the_tests_beside_it_do_not_reject(a: float) -> None:
    """Also where each combination has degrees of freedom of its own."""
    b = 5.0

    def own(combined: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        errors, _ = judge(V, 1.0)(combined)
        return errors, 3.0 + 5.0 * combined[:, 0] ** 2 / (combined**2).sum(1)

    def rejects(first: float, second: float) -> bool:
        errors, df = own(np.array([[first, second]]))
        limit = t_quantile(0.975, float(df[0])) * float(errors[0])
        return abs(first * a + second * b) > limit

    found = fieller_set(a, b, own)
    assert found.bounded == rejects(0.0, 1.0)
    assert (found.low <= 0 <= found.high) != rejects(1.0, 0.0)
    assert (found.low <= 1 <= found.high) != rejects(1.0, -1.0)


def test_without_a_standard_error_there_is_no_set() -> None:
    found = fieller_set(1.0, 2.0, judge(np.full((2, 2), np.nan), 5.0))
    assert isnan(found.low)
    assert isnan(found.high)
    assert found.ratio == 0.5


def test_ninety_five_in_a_hundred_sets_hold_the_true_ratio() -> None:
    rng = np.random.default_rng(3)
    truth, held = np.array([2.0, 4.0]), 0
    root = np.linalg.cholesky(V)
    for _ in range(400):
        a, b = truth + root @ rng.normal(size=2)
        scale = rng.chisquare(8) / 8
        found = fieller_set(a, b, judge(V * scale, 8.0))
        if found.bounded:
            held += found.low <= 0.5 <= found.high
        else:
            held += abs(a - 0.5 * b) <= t_quantile(0.975, 8) * sqrt(
                scale * (V[0, 0] - V[0, 1] + V[1, 1] / 4)
            )
    assert 0.92 <= held / 400 <= 0.98


def test_the_set_agrees_with_the_tests_beside_it_where_combinations_have_no_one_covariance() -> (
    None
):
    def wider(combined: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        error, df = judge(V, 9.0)(combined)
        return np.where(np.abs(combined.sum(axis=1)) < 0.1, 1.3 * error, error), df

    bound = t_quantile(0.975, 9.0) * wider(np.array([[1.0, -1.0]]))[0][0]
    for apart, holds in ((0.99, True), (1.01, False)):
        found = fieller_set(9.0 - apart * bound, 9.0, wider)
        assert (found.low <= 1.0 <= found.high) == holds
