"""Balance before and after weighting, and how many schools the weights are worth."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from schooltrial.models.comparison_schools.balance import (
    characteristics_balance,
    effective_number,
    largest_share,
)
from schooltrial.models.comparison_schools.entropy_balancing import entropy_weights

RNG = np.random.default_rng(3)
OTHERS = np.column_stack([RNG.normal(50, 10, 80), RNG.random(80) < 0.3])
COHORT = np.column_stack([RNG.normal(45, 10, 8), RNG.random(8) < 0.8])


def test_entropy_balancing_leaves_no_difference_and_the_scale_is_one() -> None:
    weights = entropy_weights(OTHERS, COHORT.mean(axis=0), ["level", "charter"])
    level, charter = characteristics_balance(COHORT, OTHERS, weights, ["level", "charter"])
    pooled = np.sqrt((7 * COHORT[:, 0].var(ddof=1) + 79 * OTHERS[:, 0].var(ddof=1)) / 86)
    assert level.difference_before == pytest.approx(
        (COHORT[:, 0].mean() - OTHERS[:, 0].mean()) / pooled
    )
    assert charter.mean_before == pytest.approx(OTHERS[:, 1].mean())
    assert charter.mean_after == pytest.approx(charter.cohort_mean, abs=1e-8)
    assert level.difference_after == pytest.approx(0, abs=1e-8)


def test_the_scale_of_the_weights_does_not_matter() -> None:
    weights = RNG.random(80)
    one, _ = characteristics_balance(COHORT, OTHERS, weights, ["a", "b"])
    other, _ = characteristics_balance(COHORT, OTHERS, 7 * weights, ["a", "b"])
    assert other.difference_after == pytest.approx(one.difference_after)
    assert one.difference_after != pytest.approx(one.difference_before)
    assert effective_number(7 * weights) == pytest.approx(effective_number(weights))
    assert largest_share(7 * weights) == pytest.approx(largest_share(weights))


def test_equal_weights_are_worth_their_number_and_one_school_is_worth_one() -> None:
    assert effective_number(np.full(12, 0.3)) == pytest.approx(12)
    assert effective_number(np.array([0.0, 5.0, 0.0])) == 1
    assert largest_share(np.array([0.0, 5.0, 0.0])) == 1
    assert largest_share(np.full(12, 0.3)) == pytest.approx(1 / 12)


def test_a_cohort_of_one_school_has_standardised_differences() -> None:
    (one, _) = characteristics_balance(COHORT[:1], OTHERS, np.ones(80), ["level", "charter"])
    expected = (COHORT[0, 0] - OTHERS[:, 0].mean()) / OTHERS[:, 0].std(ddof=1)
    assert one.difference_before == pytest.approx(expected)


def test_what_does_not_vary_is_alike_or_without_a_scale() -> None:
    same = np.full((6, 1), 0.1)
    (alike,) = characteristics_balance(same[:3], same, np.ones(6), ["share"])
    assert alike.difference_before == 0
    (apart,) = characteristics_balance(same[:3] + 1, same, np.ones(6), ["share"])
    assert isnan(apart.difference_after)
