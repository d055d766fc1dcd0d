"""Block-adjusted differences, re-drawn: they are regression coefficients, draw by draw."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.assignment.draws import draw_assignments
from schooltrial.models.randomisation_inference.covariate_differences import (
    adjusted_differences,
    numbers_as_drawn,
    redrawn_differences,
)
from schooltrial.models.randomisation_inference.inference import randomisation_inference

RNG = np.random.default_rng(8)
BLOCK = np.array([1, 1, 1, 1, 2, 2, 2, 3, 3, 3])
ARM = np.array([0, 1, 0, 1, 1, 0, 0, 0, 1, 1])
SIZES = RNG.integers(3, 9, 10)
SCHOOL = np.repeat(np.arange(10), SIZES)
VALUES = RNG.normal(size=(SCHOOL.size, 3)) + RNG.normal(size=10)[SCHOOL, None]
VALUES[RNG.random(VALUES.shape) < 0.15] = np.nan


def _sums() -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(VALUES)
    parts = [(np.where(known, VALUES, 0.0)), known.astype(float)]
    one, other = (np.array([part[j == SCHOOL].sum(axis=0) for j in range(10)]) for part in parts)
    return one, other


def _coefficient(z: np.ndarray, k: int) -> float:
    """Regress on the group and on an indicator of each block, by least squares."""
    known = np.isfinite(VALUES[:, k])
    blocks = (BLOCK[SCHOOL][:, None] == np.unique(BLOCK)).astype(float)
    X = np.column_stack([z[SCHOOL], blocks])[known]
    return float(np.linalg.lstsq(X, VALUES[known, k], rcond=None)[0][0])


def test_each_draw_gives_the_coefficient_of_a_regression_with_block_effects() -> None:
    design = numbers_as_drawn(np.arange(10), ARM, BLOCK, (0, 1))
    statistic = adjusted_differences(*_sums(), BLOCK)
    codes = draw_assignments(design, 12, np.random.default_rng(1))
    expected = [[_coefficient(row.astype(float), k) for k in range(3)] for row in codes]
    np.testing.assert_allclose(statistic(codes), expected, rtol=1e-9, atol=1e-12)


def test_the_order_of_units_and_labels_of_blocks_do_not_matter() -> None:
    order = RNG.permutation(10)
    sums, counts = _sums()
    labels = np.array(["b", "c", "a"])[BLOCK - 1]
    one = adjusted_differences(sums, counts, BLOCK)(ARM[None, :].astype(np.int8))
    other = adjusted_differences(sums[order], counts[order], labels[order])
    np.testing.assert_allclose(one, other(ARM[None, order].astype(np.int8)), rtol=1e-12)


def test_p_values_are_those_of_randomisation_inference_with_the_coefficient() -> None:
    values = np.where(np.isfinite(VALUES[:, 0]), VALUES[:, 0], 0.0)
    sums = np.array([[values[j == SCHOOL].sum()] for j in range(10)])
    design = numbers_as_drawn(np.arange(10), ARM, BLOCK, (0, 1))
    ours = redrawn_differences(
        design, ARM, adjusted_differences(sums, SIZES[:, None].astype(float), BLOCK)
    )
    theirs = randomisation_inference(
        values, ARM[SCHOOL], SCHOOL, block=BLOCK[SCHOOL], statistic="coefficient"
    )
    assert ours.exact
    assert ours.observed[0] == pytest.approx(theirs.coefficients[0], rel=1e-10)
    assert ours.p_value()[0] == pytest.approx(theirs.p_values[0], abs=1e-12)


def test_a_block_of_one_arm_stays_as_it_is_and_adds_nothing() -> None:
    block, arm = np.append(BLOCK, [4, 4]), np.append(ARM, [1, 1])
    design = numbers_as_drawn(np.arange(12), arm, block, (0, 1))
    assert design.possible == numbers_as_drawn(np.arange(10), ARM, BLOCK, (0, 1)).possible
    sums, counts = _sums()
    more = adjusted_differences(
        np.vstack([sums, [[9, 9, 9], [4, 4, 4]]]), np.vstack([counts, np.ones((2, 3))]), block
    )
    one = adjusted_differences(sums, counts, BLOCK)(ARM[None, :].astype(np.int8))
    np.testing.assert_allclose(more(arm[None, :].astype(np.int8)), one, rtol=1e-12)


def test_a_draw_that_leaves_nothing_to_compare_is_undefined() -> None:
    counts = np.array([[2.0], [0.0]])
    statistic = adjusted_differences(np.array([[3.0], [0.0]]), counts, np.array([1, 1]))
    assert np.isnan(statistic(np.array([[1, 0]], dtype=np.int8))).all()
