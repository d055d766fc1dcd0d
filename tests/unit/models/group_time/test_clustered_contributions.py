"""Claims about variances of contributions that are added up by cluster."""

import numpy as np
import pytest
from scipy import stats

from schooltrial.models.group_time.clustered_contributions import clustered_error


def test_of_a_difference_of_means_of_clusters_it_is_welchs() -> None:
    rng = np.random.default_rng(9)
    y, d = rng.normal(size=30), np.arange(30) < 8
    share = np.where(d, 1 / 8, 1 / 22)
    contributions = share * (y - np.where(d, y[d].mean(), y[~d].mean()))
    error, df = clustered_error(contributions, np.arange(30), d)
    welch = stats.ttest_ind(y[d], y[~d], equal_var=False)
    assert error == pytest.approx((y[d].mean() - y[~d].mean()) / welch.statistic)
    assert df == pytest.approx(welch.df)


def test_rows_of_a_cluster_count_together_and_clusters_of_both_groups_as_one_group() -> None:
    contributions = np.array([1.0, 2.0, -1.0, -2.0, 3.0, -3.0])
    nested = clustered_error(contributions, np.array([0, 0, 1, 1, 2, 3]), np.arange(6) < 4)
    assert nested[0] ** 2 == pytest.approx(2 * (9 + 9) + 2 * (9 + 9))
    crossed = clustered_error(contributions, np.array([0, 1, 2, 0, 1, 2]), np.arange(6) < 3)
    assert crossed == pytest.approx((np.sqrt(1.5 * (1 + 25 + 16)), 2))


def test_a_group_of_one_cluster_has_no_error() -> None:
    found = clustered_error(np.ones(4), np.array([0, 0, 1, 2]), np.arange(4) < 2)
    assert np.isnan(found).all()
