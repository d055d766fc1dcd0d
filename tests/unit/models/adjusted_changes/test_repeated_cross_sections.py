"""Claims about effects from rows that are seen once."""

from typing import get_args

import numpy as np
import pytest

from schooltrial.models.adjusted_changes.repeated_cross_sections import (
    CrossSections,
    compare_cross_sections,
)
from schooltrial.models.adjusted_changes.two_groups import Adjustment


def _rows(weights: np.ndarray | None = None, n: int = 120, seed: int = 5) -> CrossSections:
    rng = np.random.default_rng(seed)
    d, after = np.arange(n) % 3 == 0, np.arange(n) % 2 == 0
    x = np.column_stack([np.ones(n), rng.normal(size=n) + 0.3 * d])
    y = 2 * x[:, 1] + after * (1 + x[:, 1]) + d * after * 0.5 + rng.normal(0, 0.1, n)
    return CrossSections(d, after, y, x, np.ones(n) if weights is None else weights, ("x",))


@pytest.mark.parametrize("adjustment", get_args(Adjustment))
def test_contributions_are_the_derivatives_of_the_effect_in_the_weights(
    adjustment: Adjustment,
) -> None:
    weights, step = 1.0 + np.arange(120) % 4, 1e-5
    found = compare_cross_sections(_rows(weights), adjustment)
    for row in (0, 1, 2, 3, 4, 9):
        up, down = weights.copy(), weights.copy()
        up[row] *= 1 + step
        down[row] *= 1 - step
        moved = (
            compare_cross_sections(_rows(up), adjustment).point
            - compare_cross_sections(_rows(down), adjustment).point
        )
        assert moved / (2 * step) == pytest.approx(found.contributions[row], abs=1e-6)
    assert found.contributions.sum() == pytest.approx(0, abs=1e-12)


def test_the_effect_is_recovered_where_groups_differ_in_a_covariate_that_changes_slopes() -> None:
    for adjustment in ("regression", "doubly_robust"):
        found = compare_cross_sections(_rows(n=6000), adjustment)
        error = np.sqrt((found.contributions**2).sum())
        assert abs(found.point - 0.5) < 3 * error < 0.5


def test_a_group_that_was_not_seen_in_a_year_is_refused() -> None:
    rows = _rows()
    with pytest.raises(ValueError, match="no row treated in the earlier year"):
        CrossSections(
            rows.treated & rows.after, rows.after, rows.outcome, rows.covariates, rows.weights
        )
