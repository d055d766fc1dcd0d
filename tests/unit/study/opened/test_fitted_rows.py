"""Claims about predictions of a model of a study."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.refusal import UserError
from schooltrial.study.opened.opened_study import OpenedStudy


@pytest.mark.parametrize("changes", [{}, {"blocks": "fixed"}, {"blocks": "random"}])
def test_residuals_of_a_multilevel_model_are_nil_on_average_once_schools_are_in(
    opened: OpenedStudy, changes: dict[str, str]
) -> None:
    fit = opened.refit("multilevel", **changes)
    assert len(fit.predict()) == fit.result.n_rows
    left, inside = fit.residuals(), fit.residuals(random_effects=True)
    assert (inside**2).sum() < (left**2).sum()
    assert inside.mean() == pytest.approx(0, abs=1e-6)


def test_residuals_of_least_squares_are_nil_in_each_block_that_is_absorbed(
    opened: OpenedStudy,
) -> None:
    fit = opened.refit("itt", "maths")
    rows = opened.sample(complete_for="itt", outcome="maths")
    assert np.allclose(fit.predict() + fit.residuals(), rows["maths"])
    by_block = rows.assign(left=fit.residuals()).groupby("block")["left"].mean()
    assert np.allclose(by_block, 0, atol=1e-9)
    assert float(fit.residuals() @ rows["treated"]) == pytest.approx(0, abs=1e-6)


def test_a_model_predicts_by_its_name(opened: OpenedStudy) -> None:
    assert np.array_equal(opened["itt"].predict("maths"), opened.refit("itt", "maths").predict())


def test_what_has_no_prediction_is_told(opened: OpenedStudy) -> None:
    with pytest.raises(
        UserError, match="bootstrap has no prediction of rows: wild_bootstrap keeps"
    ):
        opened.refit("bootstrap").predict()
    with pytest.raises(UserError, match="did has no prediction of rows"):
        opened.refit("did").predict()
    with pytest.raises(UserError, match="predicts the rows of its study"):
        opened.refit("multilevel").predict(opened.sample())
