"""Level and trend before a cohort began: means and slopes, and years that a school lacks."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.comparison_schools.prior_path import prior_level, prior_trend

YEARS = [2010, 2011, 2012, 2014, 2015, 2016]
RNG = np.random.default_rng(8)
Y = RNG.normal(50, 10, (20, 6))


def test_where_all_years_are_known_they_are_the_mean_and_the_least_squares_slope() -> None:
    np.testing.assert_allclose(prior_level(Y, YEARS, 2015), Y[:, :4].mean(axis=1))
    slopes = [np.polyfit(YEARS[:4], row[:4], 1)[0] for row in Y]
    np.testing.assert_allclose(prior_trend(Y, YEARS, 2015), slopes, atol=1e-10)


def test_years_from_the_start_on_change_nothing() -> None:
    later = Y.copy()
    later[:, 4:] += 100
    np.testing.assert_array_equal(prior_level(later, YEARS, 2015), prior_level(Y, YEARS, 2015))
    np.testing.assert_array_equal(prior_trend(later, YEARS, 2015), prior_trend(Y, YEARS, 2015))


def test_a_year_that_a_school_lacks_does_not_move_its_place_among_the_others() -> None:
    """Schools with parallel paths keep their distance, though a hard test fell in that year."""
    path = np.array([50.0, 51, 40, 53, 54, 55])
    parallel = path + np.arange(5.0)[:, None]
    parallel[2, 2] = np.nan
    level, trend = prior_level(parallel, YEARS, 2015), prior_trend(parallel, YEARS, 2015)
    np.testing.assert_allclose(level - level[0], np.arange(5.0), atol=1e-12)
    np.testing.assert_allclose(trend, trend[0], atol=1e-12)


def test_a_school_that_was_seen_too_seldom_has_none() -> None:
    sparse = Y.copy()
    sparse[0, :4] = np.nan
    sparse[1, 1:4] = np.nan
    level, trend = prior_level(sparse, YEARS, 2015), prior_trend(sparse, YEARS, 2015)
    assert list(np.flatnonzero(np.isnan(level))) == [0]
    assert list(np.flatnonzero(np.isnan(trend))) == [0, 1]


def test_a_start_without_years_before_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0 of the panel's years .* before 2010, .* 'level' out"):
        prior_level(Y, YEARS, 2010)
    with pytest.raises(ValueError, match=r"1 of the panel's years .* before 2011, .* 'trend' out"):
        prior_trend(Y, YEARS, 2011)
