"""The omnibus statistic: what it equals, what it expects, and that ranks and arms are right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.models.assignment.design import (
    complete_design,
    design_as_assigned,
    recorded_design,
    rerandomised,
)
from schooltrial.models.assignment.draws import draw_assignments, enumerate_assignments
from schooltrial.models.assignment.rerandomisation import mahalanobis_distance
from schooltrial.models.assignment.shares import share_design
from schooltrial.models.randomisation_inference.mahalanobis import (
    balanced_at_most,
    mahalanobis_balance,
    omnibus_balance,
)

SETTINGS = settings(deadline=None, max_examples=20, derandomize=True)
RNG = np.random.default_rng(4)
X = RNG.normal(size=(10, 3))


def test_in_one_block_it_is_the_distance_of_morgan_and_rubin() -> None:
    design = complete_design(10, 4)
    codes = draw_assignments(design, 50, np.random.default_rng(1))
    ours = mahalanobis_balance(design, X)(codes)
    np.testing.assert_allclose(ours, mahalanobis_distance(codes, X), rtol=1e-10)


@SETTINGS
@given(
    st.lists(st.sampled_from([(1, 1, 0), (2, 1, 1), (1, 2, 1), (1, 1, 2)]), min_size=1, max_size=3),
    st.integers(0, 99),
)
def test_over_all_assignments_it_expects_its_rank(
    numbers: list[tuple[int, int, int]], seed: int
) -> None:
    block = np.repeat(np.arange(len(numbers)), [sum(row) for row in numbers])
    arm = np.concatenate([np.repeat([0, 1, 2], row) for row in numbers])
    if (arm == 2).sum() == 0:
        return
    x = np.random.default_rng(seed).normal(size=(arm.size, 2))
    design = design_as_assigned(np.arange(arm.size), arm, block)
    statistic = mahalanobis_balance(
        design, np.column_stack([x, x[:, 0] + x[:, 1], np.ones(arm.size)])
    )
    total = sum(float(chance @ statistic(codes)) for codes, chance in enumerate_assignments(design))
    assert total == pytest.approx(statistic.rank, rel=1e-8)
    assert statistic.rank <= 4
    assert statistic.n_covariates == 4


def test_numbers_by_arm_that_are_drawn_enter_its_expectation() -> None:
    design = share_design(np.arange(9), {0: 0.4, 1: 0.35, 2: 0.25}, np.repeat([1, 2], [5, 4]))
    statistic = mahalanobis_balance(design, RNG.normal(size=(9, 2)))
    parts = list(enumerate_assignments(design))
    total = sum(float(chance @ statistic(codes)) for codes, chance in parts)
    assert total == pytest.approx(statistic.rank, rel=1e-9)


def test_a_recorded_list_has_its_own_mean_and_covariance() -> None:
    listed = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]])
    statistic = mahalanobis_balance(recorded_design(4, listed), RNG.normal(size=(4, 2)))
    assert statistic(listed.astype(np.int8)).mean() == pytest.approx(statistic.rank)


def test_it_does_not_depend_on_the_units_of_covariates_or_on_which_arm_comes_first() -> None:
    arm = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 1])
    one = omnibus_balance(design_as_assigned(np.arange(10), arm), arm, X)
    A = np.array([[1e4, 0, 0], [3, 1e-3, 0], [0, 1, 7.0]])
    other = omnibus_balance(design_as_assigned(np.arange(10), arm, arms=[2, 0, 1]), arm, X @ A + 5)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-7)
    assert other.p_value == pytest.approx(one.p_value, abs=1e-12)


def test_covariates_that_do_not_vary_inside_blocks_have_no_rank() -> None:
    block = np.repeat([1, 2], 4)
    arm = np.tile([0, 1], 4)
    found = omnibus_balance(design_as_assigned(np.arange(8), arm, block), arm, block / 3.0)
    assert (found.rank, found.statistic, found.p_value) == (0, 0.0, 1.0)


def test_disjoint_levels_are_as_unbalanced_as_the_design_allows() -> None:
    arm = np.repeat([0, 1], 4)
    found = omnibus_balance(complete_design(8, 4), arm, np.column_stack([arm == 0, arm == 1]))
    assert found.rank == 1
    assert found.p_value == 2 / 70  # this assignment and its mirror, of 8!/(4!4!)
    assert found.exact


@pytest.mark.slow
def test_honest_draws_are_rejected_as_often_as_the_level_says() -> None:
    block = np.repeat(np.arange(8), 4)
    x = RNG.normal(size=(32, 6))
    design = design_as_assigned(np.arange(32), np.tile([0, 1], 16), block)
    draws = draw_assignments(design, 400, np.random.default_rng(5))
    p = [omnibus_balance(design, row, x, draws=199, seed=k).p_value for k, row in enumerate(draws)]
    rejected = np.mean(np.array(p) <= 0.1)
    assert abs(rejected - 0.1) < 3 * np.sqrt(0.1 * 0.9 / 400)


def test_a_criterion_knows_blocks_and_keeps_its_share_of_draws() -> None:
    block = np.repeat([1, 2, 3], 4)
    x = RNG.normal(size=(12, 2))
    design = design_as_assigned(np.arange(12), np.tile([0, 1], 6), block)
    statistic = mahalanobis_balance(design, x)
    codes = np.concatenate([codes for codes, _ in enumerate_assignments(design)])
    threshold = float(np.quantile(statistic(codes), 0.25, method="inverted_cdf"))
    kept = balanced_at_most(statistic, threshold)
    drawn = draw_assignments(rerandomised(design, kept), 300, np.random.default_rng(2))
    assert kept(codes).mean() == pytest.approx(0.25, abs=2 / 216)
    assert (statistic(drawn) <= threshold * (1 + 1e-9)).all()


@pytest.mark.parametrize(
    ("x", "told"),
    [(np.ones((4, 1)), "4 units for a design of 10"), (np.full((10, 1), np.nan), "unit 0 is miss")],
)
def test_covariates_that_cannot_be_compared_are_named(x: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        mahalanobis_balance(complete_design(10, 4), x)
