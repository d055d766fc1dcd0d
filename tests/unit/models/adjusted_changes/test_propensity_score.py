"""Claims about the logit of belonging to a cohort."""

import numpy as np
import pytest

from schooltrial.models.adjusted_changes.propensity_score import (
    fit_propensity_score,
    tilt_propensity_score,
)
from schooltrial.models.adjusted_changes.two_groups import TwoGroups


def _groups(shift: float = 0.5, n: int = 60, treated: int = 15, seed: int = 4) -> TwoGroups:
    rng = np.random.default_rng(seed)
    d = np.arange(n) < treated
    x = np.column_stack([np.ones(n), rng.normal(size=n) + shift * d, rng.normal(2000, 30, n)])
    return TwoGroups(d, rng.normal(size=(n, 1)), x, rng.uniform(0.5, 2, n), ("need", "opened"))


def test_the_score_equations_of_the_logit_hold() -> None:
    given = _groups()
    found = fit_propensity_score(given)
    gap = given.weights * (given.treated - found.probabilities)
    np.testing.assert_allclose(gap @ given.covariates, 0, atol=1e-7)


def test_odds_by_tilting_give_the_comparison_schools_the_means_of_the_treated() -> None:
    given = _groups()
    odds = tilt_propensity_score(given).odds * given.weights
    own = given.weights * given.treated
    x = given.covariates
    np.testing.assert_allclose(odds @ x / odds.sum(), own @ x / own.sum(), rtol=1e-9)
    np.testing.assert_allclose(odds.sum(), own.sum(), rtol=1e-9)


def test_with_a_constant_alone_all_have_the_share_of_the_treated() -> None:
    given = _groups()
    plain = TwoGroups(given.treated, given.changes, given.covariates[:, :1], np.ones(60))
    np.testing.assert_allclose(fit_propensity_score(plain).probabilities, 0.25, rtol=1e-12)


@pytest.mark.parametrize(
    "column", [np.r_[np.ones(15), np.zeros(45)], np.r_[np.full(15, 9.0), np.arange(45) / 6]]
)
def test_a_covariate_that_separates_the_treated_is_refused_by_name(column: np.ndarray) -> None:
    given = _groups()
    x = np.column_stack([given.covariates[:, 0], column])
    separated = TwoGroups(given.treated, given.changes, x, given.weights, ("charter",))
    with pytest.raises(
        ValueError, match=r"'charter' alone separates them; 15 treated, 45 others.*regression"
    ):
        fit_propensity_score(separated)


def test_a_category_that_no_treated_school_has_is_refused_as_predicting_who_is_treated() -> None:
    given = _groups()
    alone = np.r_[np.zeros(40), np.ones(20)]
    x = np.column_stack([given.covariates[:, :2], alone])
    with pytest.raises(ValueError, match="predict for some schools without error"):
        fit_propensity_score(TwoGroups(given.treated, given.changes, x, given.weights))


def test_a_comparison_school_that_is_almost_certain_to_be_treated_is_left_out() -> None:
    given = _groups(shift=3.0, n=200, treated=60)
    x = given.covariates.copy()
    x[100, 1] = 5.5
    found = fit_propensity_score(TwoGroups(given.treated, given.changes, x, given.weights))
    assert found.trimmed == 1
    assert found.probabilities[100] > 0.995
    assert found.odds[100] == 0.0
    assert (found.odds[given.treated] == 0).all()
