"""Claims about two groups of schools: what is refused, and how much a fit takes from a residual."""

from typing import Any

import numpy as np
import pytest

from schooltrial.models.adjusted_changes.two_groups import (
    TwoGroups,
    dependent_columns,
    leverage_of,
    means_of,
)


def _given(**changed: np.ndarray) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    given = {
        "treated": np.arange(12) < 4,
        "changes": rng.normal(size=(12, 2)),
        "covariates": np.column_stack([np.ones(12), rng.normal(size=12)]),
        "weights": np.ones(12),
    }
    return given | changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"treated": np.zeros(12, dtype=bool)}, "a treated school and one to compare with"),
        ({"treated": np.ones(12, dtype=bool)}, "a treated school and one to compare with"),
        (
            {"weights": np.r_[0.0, np.ones(11)]},
            "1 school has a weight .*such as 0.*`weights: schools`",
        ),
        ({"weights": np.r_[np.nan, -1.0, np.ones(10)]}, "2 schools have a weight"),
        ({"weights": np.ones(11)}, "12 schools, but 12 changes, 12 rows of covariates and 11"),
        ({"covariates": np.full((12, 2), np.nan)}, "missing or infinite in the base year"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(
    changed: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        TwoGroups(**_given(**changed))


def test_a_covariate_of_large_numbers_is_not_taken_for_a_constant() -> None:
    year_opened = 1900.0 + np.arange(40) % 7
    columns = np.column_stack([np.ones(40), 1e6 + year_opened])
    assert dependent_columns(columns, np.ones(40)) == []
    assert dependent_columns(np.column_stack([columns, columns[:, 1] * 2 - 5]), np.ones(40)) == [2]
    assert dependent_columns(np.column_stack([np.ones(40), np.full(40, 0.1)]), np.ones(40)) == [1]


def test_leverage_is_the_diagonal_of_the_hat_matrix_and_that_of_a_mean_1_over_n() -> None:
    x = _given()["covariates"]
    inverse = np.linalg.inv(x.T @ x)
    hat = x @ inverse @ x.T
    found = leverage_of(x, np.ones(12), inverse, None)
    np.testing.assert_allclose(found, np.diag(hat), rtol=1e-12)
    mean = leverage_of(np.ones((5, 1)), np.ones(5), np.array([[0.2]]), None)
    np.testing.assert_allclose(mean, 0.2)


@pytest.mark.parametrize("units", [None, np.array([0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 4, 5])])
def test_leverage_is_what_a_units_residual_lacks_of_its_error(units: np.ndarray | None) -> None:
    """By the residual maker itself: units err alike, independently of each other."""
    rng = np.random.default_rng(2)
    x, w = _given()["covariates"], rng.uniform(0.5, 2, 12)
    inverse = np.linalg.inv(x.T @ (w[:, None] * x))
    code = np.arange(12) if units is None else units
    belongs = (code[:, None] == np.unique(code)).astype(float)
    average = belongs.T / belongs.sum(axis=0)[:, None]
    kept = average @ (np.eye(12) - x @ inverse @ (w[:, None] * x).T) @ belongs
    expected = 1 - (kept**2).sum(axis=1)
    np.testing.assert_allclose(leverage_of(x, w, inverse, units), expected[code], rtol=1e-10)


def test_a_row_that_alone_determines_a_coefficient_has_leverage_1() -> None:
    x = np.column_stack([np.ones(6), np.eye(6)[0]])
    found = leverage_of(x, np.ones(6), np.linalg.inv(x.T @ x), None)
    assert found[0] == 1.0
    np.testing.assert_allclose(found[1:], 0.2)


def test_means_are_weighted() -> None:
    assert means_of(np.array([[1.0], [4.0]]), np.array([2.0, 1.0])) == pytest.approx([2.0])
