"""Claims about effects adjusted by a regression among the schools compared with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from schooltrial.models.adjusted_changes.outcome_regression import adjust_by_regression
from schooltrial.models.adjusted_changes.two_groups import AdjustedEffects, TwoGroups


def groups(n: int = 40, treated: int = 10, seed: int = 3, p: int = 2, **keys: object) -> TwoGroups:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, p))])
    d = np.arange(n) < treated
    x[d, 1:] += 0.4
    change = x @ np.r_[1.0, 0.5 * np.ones(p)] + d * 0.3 + rng.normal(size=n)
    given: dict[str, Any] = {
        "treated": d, "changes": np.column_stack([change, rng.normal(size=n)]), "covariates": x,
        "weights": np.ones(n), "names": tuple(f"x{i}" for i in range(1, p + 1)),
    }  # fmt: skip
    return TwoGroups(**(given | keys))


def test_the_effect_is_the_mean_gap_to_what_the_controls_regression_predicts() -> None:
    given = groups()
    d, x, y = given.treated, given.covariates, given.changes
    beta = np.linalg.lstsq(x[~d], y[~d], rcond=None)[0]
    expected = (y - x @ beta)[d].mean(axis=0)
    found = adjust_by_regression(given)
    np.testing.assert_allclose(found.points, expected, rtol=1e-12)
    np.testing.assert_allclose(found.loadings @ y, expected, rtol=1e-12)


def test_without_covariates_it_is_the_difference_of_means_and_its_variance_welchs() -> None:
    given = groups()
    plain = groups(covariates=given.covariates[:, :1], names=())
    found = adjust_by_regression(plain)
    own, others = plain.changes[plain.treated], plain.changes[~plain.treated]
    np.testing.assert_allclose(found.points, own.mean(0) - others.mean(0), rtol=1e-12)
    scaled = found.contributions**2 / (1 - found.leverage)[:, None]
    welch = own.var(axis=0, ddof=1) / len(own) + others.var(axis=0, ddof=1) / len(others)
    np.testing.assert_allclose(scaled.sum(axis=0), welch, rtol=1e-12)


def test_a_change_that_covariates_explain_alone_is_no_effect() -> None:
    given = groups()
    shifted = groups(changes=given.changes + (given.covariates @ [3.0, -2.0, 5.0])[:, None])
    before, after = adjust_by_regression(given), adjust_by_regression(shifted)
    np.testing.assert_allclose(after.points, before.points, atol=1e-12)
    np.testing.assert_allclose(after.contributions, before.contributions, atol=1e-12)


def test_units_of_measurement_of_a_covariate_change_nothing() -> None:
    given = groups()
    other = groups(covariates=given.covariates * [1.0, 1000.0, 1.0] + [0.0, 5e5, 0.0])
    np.testing.assert_allclose(
        adjust_by_regression(other).points, adjust_by_regression(given).points, rtol=1e-8
    )


def test_weights_count_schools_as_if_they_were_there_more_than_once() -> None:
    given = groups()
    times = np.arange(40) % 3 + 1
    weighted = adjust_by_regression(groups(weights=times.astype(float)))
    repeated = adjust_by_regression(
        TwoGroups(
            np.repeat(given.treated, times), np.repeat(given.changes, times, axis=0),
            np.repeat(given.covariates, times, axis=0), np.ones(times.sum()),
        )
    )  # fmt: skip
    np.testing.assert_allclose(weighted.points, repeated.points, rtol=1e-12)
    scaled = adjust_by_regression(groups(weights=times * 1000.0))
    np.testing.assert_allclose(weighted.contributions, scaled.contributions, rtol=1e-10)


def test_contributions_are_the_derivatives_of_the_effect_in_the_weights() -> None:
    assert_influences(adjust_by_regression)


def assert_influences(
    adjust: Callable[[TwoGroups], AdjustedEffects], tolerance: float = 1e-6
) -> None:
    """Compare each contribution with what a little more weight of the school does."""
    weights = 1.0 + np.arange(40) % 3
    found = adjust(groups(weights=weights))
    step = 1e-5
    for school in (0, 5, 9, 10, 21, 39):
        up, down = weights.copy(), weights.copy()
        up[school] *= 1 + step
        down[school] *= 1 - step
        moved = adjust(groups(weights=up)).points - adjust(groups(weights=down)).points
        np.testing.assert_allclose(moved / (2 * step), found.contributions[school], atol=tolerance)
    np.testing.assert_allclose(found.contributions.sum(axis=0), 0, atol=1e-12)


def test_one_treated_school_tells_nothing_of_its_variance() -> None:
    found = adjust_by_regression(groups(treated=1))
    assert found.leverage[0] == 1.0
    assert found.contributions[0] == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.full(40, 7.0), r"'x1' is constant, or determined by .* the 30 schools compared with"),
        (np.r_[np.ones(10), np.zeros(30)], "'x1' is constant"),
    ],
)
def test_a_covariate_that_does_not_vary_among_those_compared_with_is_refused_by_name(
    column: np.ndarray, message: str
) -> None:
    given = groups().covariates.copy()
    given[:, 1] = column
    with pytest.raises(ValueError, match=message):
        adjust_by_regression(groups(covariates=given))


def test_collinear_covariates_and_too_few_schools_are_refused() -> None:
    given = groups().covariates
    twice = np.column_stack([given, given[:, 1] - given[:, 2]])
    with pytest.raises(ValueError, match=r"'x3' is .*determined.*Take 'x3' out of `covariates`"):
        adjust_by_regression(groups(covariates=twice, names=("x1", "x2", "x3")))
    with pytest.raises(ValueError, match=r"3 schools compared with are too few for 2 covariates"):
        adjust_by_regression(groups(n=13, treated=10))
