"""Claims about multilevel models as protocols reach them."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from schooltrial.analysis.estimators.multilevel import fit_planned


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_the_row_is_what_the_fitted_model_says_by_the_planned_rule(
    plan: Callable[..., Any], sample: pd.DataFrame, df: Any
) -> None:
    fitted = fit_planned(
        plan(covariates=["girl"], df=df, blocks="none", confidence_level=0.9), sample
    )
    (row,) = fitted.table.to_dict("records")
    (said,) = fitted.results["score"].estimates(["treated"], df=df, level=0.9)
    for column in ("estimate", "std_error", "df", "p_value", "conf_low", "method"):
        assert row[column] == getattr(said, column)
    assert fitted.diagnostics["score"]["criterion"] == fitted.results["score"].criterion


def test_random_blocks_are_a_third_level_and_fixed_ones_are_regressors(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    levels = {
        blocks: fit_planned(plan(blocks=blocks), sample).diagnostics["score"]["variances"]
        for blocks in ("random", "fixed")
    }
    assert list(levels["random"]) == ["school", "block", "residual"]
    assert list(levels["fixed"]) == ["school", "residual"]
