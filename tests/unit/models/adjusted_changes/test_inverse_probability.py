"""Claims about effects adjusted by weighting the comparison schools."""

from functools import partial

import numpy as np
import pytest

from schooltrial.models.adjusted_changes.inverse_probability import adjust_by_inverse_probability
from unit.models.adjusted_changes.test_outcome_regression import assert_influences, groups


def test_the_effect_is_a_gap_of_weighted_means() -> None:
    given = groups()
    found = adjust_by_inverse_probability(given)
    np.testing.assert_allclose(found.loadings[given.treated], 0.1)
    assert (found.loadings[~given.treated] < 0).all()
    assert found.loadings.sum() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.points, found.loadings @ given.changes)


def test_a_shift_of_all_changes_is_no_effect() -> None:
    given = groups()
    found = adjust_by_inverse_probability(groups(changes=given.changes + 7))
    np.testing.assert_allclose(found.points, adjust_by_inverse_probability(given).points)


@pytest.mark.parametrize("normalised", [True, False])
def test_contributions_are_the_derivatives_of_the_effect_in_the_weights(normalised: bool) -> None:
    assert_influences(partial(adjust_by_inverse_probability, normalised=normalised))
