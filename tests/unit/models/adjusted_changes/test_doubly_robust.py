"""Claims about effects adjusted by a regression and a propensity score."""

import numpy as np

from schooltrial.models.adjusted_changes.doubly_robust import adjust_doubly_robust
from schooltrial.models.adjusted_changes.outcome_regression import adjust_by_regression
from unit.models.adjusted_changes.test_outcome_regression import assert_influences, groups


def test_where_the_regression_explains_all_the_score_changes_nothing() -> None:
    given = groups()
    exact = (given.covariates @ [1.0, 2.0, -1.0] + 0.7 * given.treated)[:, None]
    for improved in (False, True):
        found = adjust_doubly_robust(groups(changes=exact), improved=improved)
        np.testing.assert_allclose(found.points, 0.7, rtol=1e-10)
        np.testing.assert_allclose(found.contributions, 0, atol=1e-10)


def test_without_covariates_it_is_the_difference_of_means() -> None:
    given = groups()
    plain = groups(covariates=given.covariates[:, :1], names=())
    found, expected = adjust_doubly_robust(plain), adjust_by_regression(plain)
    np.testing.assert_allclose(found.points, expected.points, rtol=1e-10)
    np.testing.assert_allclose(found.contributions, expected.contributions, atol=1e-12)


def test_points_are_their_loadings_times_the_changes() -> None:
    given = groups()
    for improved in (False, True):
        found = adjust_doubly_robust(given, improved=improved)
        np.testing.assert_allclose(found.loadings @ given.changes, found.points, atol=1e-12)


def test_contributions_are_the_derivatives_of_the_effect_in_the_weights() -> None:
    assert_influences(adjust_doubly_robust)


def test_by_tilting_the_effect_is_that_of_balanced_weights() -> None:
    """The odds balance covariates exactly, so that the regression drops out of the point."""
    given = groups()
    found = adjust_doubly_robust(given, improved=True)
    np.testing.assert_allclose(found.loadings @ given.covariates, 0, atol=1e-9)
