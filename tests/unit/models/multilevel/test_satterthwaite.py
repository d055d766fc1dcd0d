"""One F of several t statistics: its denominator degrees of freedom, also where some are few.

A squared t on ν degrees has the mean ν/(ν − 2), which is infinite up to ν = 2; F on ν degrees has
the same. The degrees of the whole match the sum E of the means that there are: 2E/(E − k).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from schooltrial.models.multilevel.satterthwaite import Satterthwaite, satterthwaite_f


def _degrees(*df: float) -> float:
    return satterthwaite_f(np.ones(len(df)), np.array(df)).df_denom


@pytest.mark.parametrize(
    ("df", "expected"),
    [
        # E = 6/4 + 10/8 = 2.75, so 5.5/0.75.
        ((6.0, 10.0), 5.5 / 0.75),
        # The mean of the first is infinite and left out: E = 2.5/0.5 = 5, so 10/3.
        ((1.5, 2.5), 10 / 3),
        # At ν = 2 itself there is no mean either: E = 3/1, so 6/1.
        ((2.0, 3.0), 6.0),
        # E = 4/2 + 3/1 = 5 of three, so 10/2.
        ((0.5, 4.0, 3.0), 5.0),
    ],
)
def test_the_degrees_match_the_sum_of_the_means_that_there_are(
    df: tuple[float, ...], expected: float
) -> None:
    assert _degrees(*df) == pytest.approx(expected, rel=1e-12)
    assert _degrees(*df[::-1]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "df",
    [
        (1.5, 10.0),  # E = 10/8 is less than two
        (1.0, 4.0),  # E = 4/2 is two, and 2E/(E − 2) would divide by zero
        (1.0, 1.5),  # there is no mean at all
        (2.0, 1.0),
        (0.5, 1.5, 8.0),
    ],
)
def test_where_the_means_do_not_reach_the_number_of_contrasts_the_degrees_are_two(
    df: tuple[float, ...],
) -> None:
    assert _degrees(*df) == 2.0


def test_just_above_the_number_of_contrasts_the_degrees_are_many() -> None:
    # ν = 4 − 1e-6 has a mean a little above two: E − 2 is about 5e-7.
    assert _degrees(1.0, 4.0 - 1e-6) > 1e6


@pytest.mark.parametrize("df", [0.7, 1.5, 2.0, 2.5, 30.0])
def test_equal_degrees_are_kept_however_few(df: float) -> None:
    assert _degrees(df) == df
    assert _degrees(df, df, df) == df
    assert _degrees(df, df + 5e-9) == df


def test_degrees_further_apart_than_rounding_are_not_equal() -> None:
    assert _degrees(1.5, 1.5 + 1e-7) == 2.0


def test_f_is_the_mean_square_of_the_t_statistics_and_is_not_scaled() -> None:
    found = satterthwaite_f(np.array([1.0, -2.0, 3.0]), np.array([6.0, 7.0, 8.0]))
    assert found.statistic == pytest.approx(14 / 3)
    assert (found.df_num, found.scaling) == (3, 1.0)
    # The degrees are such that F on them has the mean of the three squared t, E/k.
    mean = (6 / 4 + 7 / 5 + 8 / 6) / 3
    assert stats.f.mean(3, found.df_denom) == pytest.approx(mean)


def test_degrees_of_a_contrast_are_twice_its_squared_variance_over_that_of_its_variance() -> None:
    # Φ has one derivative for each of two variances, whose covariance is diagonal:
    # 2 (c'Φc)²/Σ A_ii (c'Φ_i c)².
    phi = np.array([[2.0, 0.5], [0.5, 1.0]])
    gradient = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 3.0]]])
    found = Satterthwaite(phi, gradient, np.diag([4.0, 0.25])).degrees(
        np.array([[1.0, 0.0], [1.0, 1.0]])
    )
    # First c: c'Φc = 2, gradients 1 and 0. Second: c'Φc = 4, gradients 1 and 5.
    assert found.tolist() == pytest.approx([2 * 4 / 4, 2 * 16 / (4 + 0.25 * 25)])
