"""The sample-ratio test, exact where it can be."""

from __future__ import annotations

from math import comb, factorial, prod

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from schooltrial.models.assignment.sample_ratio import sample_ratio_test


def test_two_arms_alike_are_the_binomial_by_hand() -> None:
    # 2 or fewer, or 8 or more, of 10 at one half.
    expected = 2 * sum(comb(10, k) for k in range(3)) / 2**10
    found = sample_ratio_test([8, 2], [0.5, 0.5])
    assert found.p_value == pytest.approx(expected, rel=1e-12)
    assert found.method == "exact binomial"


def test_three_arms_add_up_all_numbers_that_are_no_likelier() -> None:
    shares, counts = [0.5, 0.3, 0.2], (1, 3, 3)

    def chance(k: tuple[int, ...]) -> float:
        ways = factorial(7) / prod(factorial(x) for x in k)
        return ways * prod(s**x for s, x in zip(shares, k, strict=True))

    every = [(a, b, 7 - a - b) for a in range(8) for b in range(8 - a)]
    expected = sum(chance(k) for k in every if chance(k) <= chance(counts) * (1 + 1e-9))
    found = sample_ratio_test(counts, shares)
    assert found.p_value == pytest.approx(expected, rel=1e-9)
    assert found.method == "exact multinomial"


def test_many_units_of_several_arms_are_held_to_chi_squared() -> None:
    counts = [1500, 1400, 1600, 1500]
    found = sample_ratio_test(counts, [0.25] * 4)
    assert found.method == "chi-squared"
    assert found.p_value == pytest.approx(
        stats.chi2.sf(np.square([0, 100, 100, 0]).sum() / 1500, 3)
    )


@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.02, 0.98))
def test_two_arms_are_scipys_binomial_test_to_all_digits_that_are_written(
    control: int, treated: int, share: float
) -> None:
    assume(control + treated > 0)
    found = sample_ratio_test([control, treated], [1 - share, share])
    expected = stats.binomtest(treated, control + treated, share).pvalue
    assert found.p_value == pytest.approx(float(expected), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("n", [1, 2, 3, 39, 40, 1000, 20_001])
def test_every_count_of_a_fair_draw_has_scipys_p_value(n: int) -> None:
    for treated in {0, n // 3, n // 2, n // 2 + 1, n}:
        found = sample_ratio_test([n - treated, treated], [0.5, 0.5])
        expected = stats.binomtest(treated, n, 0.5).pvalue
        assert found.p_value == pytest.approx(float(expected), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("n", range(2, 101, 3))
def test_counts_that_are_equally_likely_are_counted_together(n: int) -> None:
    # (n + 1)/3 and the number before it are both the likeliest where a third is treated.
    for treated in ((n + 1) // 3, (n + 1) // 3 - 1):
        assert sample_ratio_test([n - treated, treated], [2 / 3, 1 / 3]).p_value == 1.0


def test_several_arms_have_scipys_multinomial_chances() -> None:
    counts, shares = np.array([4, 9, 2]), np.array([0.5, 0.3, 0.2])
    every = [(a, b, 15 - a - b) for a in range(16) for b in range(16 - a)]
    chance = stats.multinomial.pmf(every, 15, shares)
    own = stats.multinomial.pmf(counts, 15, shares)
    expected = chance[chance <= own * (1 + 1e-7)].sum()
    assert sample_ratio_test(counts.tolist(), shares.tolist()).p_value == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize(
    ("counts", "shares"), [([0, 0], [0.5, 0.5]), ([1, 2], [0.5, 0.6]), ([1, 2, 3], [0.5, 0.5])]
)
def test_what_is_no_ratio_is_refused(counts: list[int], shares: list[float]) -> None:
    with pytest.raises(ValueError, match="sample ratio"):
        sample_ratio_test(counts, shares)
