"""What step-down adjustment does not take, and what it says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from schooltrial.models.inference.multiple_testing import StepDown, step_down_max_t, step_down_min_p
from schooltrial.models.inference.reference_distribution import ReferenceDistribution

METHODS = pytest.mark.parametrize("method", [step_down_max_t, step_down_min_p])
Method = Callable[[ReferenceDistribution], StepDown]


def _family(
    observed: list[float],
    draws: np.ndarray,
    probability: np.ndarray | None = None,
    *,
    exact: bool = False,
) -> ReferenceDistribution:
    return ReferenceDistribution(np.array(observed), draws, probability, exact)


@METHODS
@pytest.mark.parametrize(
    ("draws", "shape"),
    [
        (np.zeros((5, 3)), r"\(5, 3\)"),
        (np.zeros((5, 1)), r"\(5, 1\)"),
        (np.zeros(2), r"\(2,\)"),
        (np.zeros((0, 2)), r"\(0, 2\)"),
        (np.zeros((2, 2, 2)), r"\(2, 2, 2\)"),
    ],
)
def test_draws_that_are_not_one_column_a_hypothesis_are_refused(
    method: Method, draws: np.ndarray, shape: str
) -> None:
    with pytest.raises(ValueError, match=f"2 statistics but draws of shape {shape}; give one"):
        method(_family([1.0, 2.0], draws))


@METHODS
@pytest.mark.parametrize(
    ("observed", "said"),
    [
        ([1.0, np.nan], "statistic 1 of the family is nan"),
        ([np.inf, 2.0], "statistic 0 of the family is inf"),
        ([1.0, -np.inf], "statistic 1 of the family is -inf"),
    ],
)
def test_a_statistic_that_was_not_estimated_is_refused_by_its_place(
    method: Method, observed: list[float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        method(_family(observed, np.zeros((5, 2))))


@METHODS
def test_one_draw_is_enough_to_be_told_of(method: Method) -> None:
    # Of one draw, which is more extreme, both p-values are (1 + 1)/(1 + 1).
    found = method(_family([1.0, 2.0], np.array([[3.0, 3.0]])))
    assert found.step_down.tolist() == [1.0, 1.0]


def test_minimum_p_is_refused_where_assignments_are_not_equally_likely() -> None:
    draws = np.array([[2.0, 1.0], [0.5, 3.0], [1.0, 0.2]])
    chance = np.array([0.5, 0.25, 0.25])
    with pytest.raises(
        ValueError, match="the assignments are not equally likely; use step_down_max_t"
    ):
        step_down_min_p(_family([2.0, 1.0], draws, chance, exact=True))
    assert step_down_max_t(_family([2.0, 1.0], draws, chance, exact=True)).raw.tolist() == [
        0.5, 0.75,
    ]  # fmt: skip


@METHODS
def test_a_draw_that_was_not_estimated_counts_as_the_most_extreme(method: Method) -> None:
    # Ten draws, of which one is undefined in the second: (1 + 0)/11 and (1 + 1)/11.
    draws = np.zeros((10, 2))
    draws[4, 1] = np.nan
    found = method(_family([3.0, 2.0], draws))
    assert found.raw.tolist() == pytest.approx([1 / 11, 2 / 11])
    # The first is judged by the most extreme of both, the second by itself alone.
    assert found.step_down.tolist() == pytest.approx([2 / 11, 2 / 11])


@METHODS
def test_draws_that_tie_with_what_was_observed_count_as_reached(method: Method) -> None:
    # The same numbers, summed in another order, may differ in the last digit.
    tied = 0.3 + 1e-16
    draws = np.array([[0.3, 0.1], [0.3, 0.1], [0.1, 0.1], [-0.3, 0.1]])
    found = method(_family([tied, 0.2], draws, exact=False))
    assert found.raw.tolist() == pytest.approx([4 / 5, 1 / 5])
    # By the largest |t| the second comes after the first, by the smallest p before it.
    expected = [4 / 5, 4 / 5 if method is step_down_max_t else 1 / 5]
    assert found.step_down.tolist() == pytest.approx(expected)
