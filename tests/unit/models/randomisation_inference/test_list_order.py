"""Order of the list: ranks and runs, against enumeration and by the design's own re-draws."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from schooltrial.models.assignment.design import complete_design, paired_design
from schooltrial.models.randomisation_inference.covariate_differences import numbers_as_drawn
from schooltrial.models.randomisation_inference.list_order import rank_test, runs_test


def test_p_of_ranks_is_that_of_all_rank_sums() -> None:
    arm = np.array([0, 0, 1, 0, 1, 1, 1])
    sums = np.array([sum(chosen) for chosen in combinations(range(7), 4)])
    away = np.abs(sums - 4 * 3.0)
    expected = (away >= abs(np.flatnonzero(arm).sum() - 12.0)).mean()
    found = rank_test(complete_design(7, 4), arm, np.arange(7))
    assert found.p_value == pytest.approx(expected, abs=1e-12)
    assert found.expected == 1


def test_p_of_runs_is_that_of_all_numbers_of_runs() -> None:
    arm = np.array([0, 0, 0, 1, 1, 1, 1])
    every = []
    for chosen in combinations(range(7), 4):
        z = np.zeros(7, int)
        z[list(chosen)] = 1
        every.append(1 + np.sum(z[1:] != z[:-1]))
    away = np.abs(np.array(every) - np.mean(every))
    found = runs_test(complete_design(7, 4), arm, np.arange(7))
    assert found.statistic == 2
    assert found.expected == pytest.approx(1 + 2 * 3 * 4 / 7)  # Wald & Wolfowitz
    assert found.p_value == pytest.approx((away >= abs(2 - np.mean(every)) - 1e-9).mean())


def test_the_first_of_every_pair_treated_is_seen_though_numbers_are_right() -> None:
    pair = np.repeat(np.arange(12), 2)
    arm = np.tile([1, 0], 12)
    found = rank_test(paired_design(np.arange(24), pair), arm, np.arange(24))
    assert found.p_value == 2 / 2**12


def test_place_is_compared_within_blocks_only() -> None:
    block = np.repeat([0, 1], 6)
    arm = np.array([0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1])  # the second block has more treated
    design = numbers_as_drawn(np.arange(12), arm, block, (0, 1))
    far = rank_test(design, arm, np.where(block == 0, np.arange(12), 1000 + np.arange(12)))
    near = rank_test(design, arm, np.arange(12))
    assert far.p_value == near.p_value


def test_order_of_rows_is_not_order_of_places() -> None:
    rng = np.random.default_rng(3)
    arm, place, order = rng.permutation(np.arange(10) % 2), np.arange(10), rng.permutation(10)
    for test in (rank_test, runs_test):
        one = test(complete_design(10, 5), arm, place)
        other = test(complete_design(10, 5), arm[order], place[order])
        assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
