"""Claims about cluster-robust models as protocols reach them."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from schooltrial.analysis.estimators.cluster_robust import DF, fit_planned


def test_each_covariance_has_rows_of_its_own_all_of_one_fit(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    kinds = ["CR0", "CR2"]
    fitted = fit_planned(plan(covariance=kinds, covariates=["girl"]), sample)
    assert len(fitted.table) == 2
    assert fitted.table["estimate"].nunique() == 1
    for kind, (_, row) in zip(kinds, fitted.table.iterrows(), strict=True):
        (said,) = fitted.results["score"].estimates(["treated"], vcov=kind, df=DF[kind])
        assert (row["std_error"], row["df"]) == (said.std_error, said.df)


def test_a_joint_hypothesis_has_a_row_of_its_name(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    terms = ["treated[half=lower]", "treated[half=upper]"]
    asked = plan(effects_by="half", covariates=["half"], tests={"no effect at all": terms})
    table = fit_planned(asked, sample).table.set_index("term")
    assert list(table.index) == [*terms, "no effect at all"]
    assert table.loc["no effect at all", "estimand"] == "joint test"


def test_without_blocks_and_fixed_effects_there_is_an_intercept(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    raised = sample.assign(score=sample["score"] + 100)
    fitted = fit_planned(plan(blocks="none", covariance=["CR1"]), raised)
    means = raised.groupby("treated")["score"].mean()
    assert fitted.table["estimate"].item() == pytest.approx(means[1] - means[0])
