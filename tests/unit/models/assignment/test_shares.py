"""Shares of blocks of any size: whole numbers by group whose expectation is the share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.models.assignment.design import AssignmentError, probability_design
from schooltrial.models.assignment.draws import draw_assignments
from schooltrial.models.assignment.shares import numbers_by_arm, share_design

SETTINGS = settings(deadline=None, derandomize=True)


@SETTINGS
@given(st.integers(1, 60), st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_each_arm_expects_its_share_and_gets_it_within_one_unit(n: int, parts: list[int]) -> None:
    shares = [part / sum(parts) for part in parts]
    options = numbers_by_arm(n, shares)
    assert sum(chance for _, chance in options) == pytest.approx(1, abs=1e-12)
    for counts, chance in options:
        assert chance > 0
        assert sum(counts) == n
        assert all(abs(k - n * share) < 1 + 1e-6 for k, share in zip(counts, shares, strict=True))
    expected = np.sum([chance * np.array(counts) for counts, chance in options], axis=0)
    np.testing.assert_allclose(expected, n * np.array(shares), atol=1e-5)


def test_thirds_of_ten_leave_one_unit_that_goes_to_each_arm_alike() -> None:
    assert dict(numbers_by_arm(10, [1 / 3] * 3)) == pytest.approx(
        {(4, 3, 3): 1 / 3, (3, 4, 3): 1 / 3, (3, 3, 4): 1 / 3}
    )


def test_a_share_that_comes_out_even_leaves_nothing_to_chance() -> None:
    assert numbers_by_arm(8, [0.5, 0.25, 0.25]) == (((4, 2, 2), 1.0),)


def test_two_arms_are_the_design_of_a_probability() -> None:
    block = np.repeat([1, 2, 3], [7, 8, 5])
    ours = share_design(np.arange(20), {0: 0.6, 1: 0.4}, block)
    theirs = probability_design(20, 0.4, block)
    assert len(ours.blocks) == 3
    for one, other in zip(ours.blocks, theirs.blocks, strict=True):
        assert dict(one.options) == pytest.approx(dict(other.options))


def test_draws_give_each_unit_its_share_of_three_arms() -> None:
    design = share_design(np.arange(12), {"c": 0.5, "a": 0.3, "b": 0.2}, np.repeat([1, 2], [5, 7]))
    codes = draw_assignments(design, 20_000, np.random.default_rng(1))
    for arm, share in enumerate((0.5, 0.3, 0.2)):
        bound = 4.5 * np.sqrt(share * (1 - share) / 20_000)
        assert (np.abs((codes == arm).mean(axis=0) - share) < bound).all()


@pytest.mark.parametrize(
    ("shares", "told"),
    [({"c": 1.0, "a": 0.0}, "share of 1, not in"), ({"c": 0.5, "a": 0.4}, "add up to 0.9")],
)
def test_impossible_shares_are_named(shares: dict[str, float], told: str) -> None:
    with pytest.raises(AssignmentError, match=told):
        share_design(np.arange(4), shares)
