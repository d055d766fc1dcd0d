"""A covariate that no column of a fit stands for is named in the note: it adjusted nothing."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from schooltrial.analysis.estimators.registry import ESTIMATORS
from schooltrial.analysis.fitting import PlannedModel, covariates_left_out
from schooltrial.protocol.content.sections import Model
from support.sections import planned_model, planned_outcome


@pytest.mark.parametrize("name", ["cluster_robust", "multilevel", "wild_bootstrap"])
def test_covariates_that_do_not_vary_or_that_blocks_determine_are_named(
    name: str, sample: pd.DataFrame, model: Callable[..., Model]
) -> None:
    rows = sample.assign(urban=1.0, region=sample["block"].map({"1": 0.0, "2": 1.0, "3": 0.0}))
    planned = model(estimator=name, covariates=["age", "urban", "region"], replications=199)
    estimator = ESTIMATORS[name]
    plan = PlannedModel("s", "m", planned, {"score": planned_outcome()})
    found = estimator.fit(plan, rows, **dict.fromkeys(estimator.needs, 1)).table
    assert found["note"].str.contains("left out: urban, region (constant", regex=False).all()
    alone = PlannedModel("s", "m", {**planned, "covariates": ["age"]}, plan.outcomes)
    plain = estimator.fit(alone, rows, **dict.fromkeys(estimator.needs, 1)).table
    assert not plain["note"].astype("str").str.contains("left out").any()
    pd.testing.assert_series_equal(found["std_error"], plain["std_error"])


@pytest.mark.parametrize("blocks", ["fixed", "none"])
@pytest.mark.parametrize("name", ["cluster_robust", "multilevel", "wild_bootstrap"])
def test_a_covariate_that_divides_pupils_as_the_arms_do_is_named_as_confounded(
    name: str, blocks: str, sample: pd.DataFrame, model: Callable[..., Model]
) -> None:
    rows = sample.assign(
        trained=1 - sample["treated"], urban=1.0,
        shifted=sample["treated"] + 10 * (sample["block"] == "2"),
    )  # fmt: skip
    planned = model(
        estimator=name, covariates=["age", "trained", "urban"], blocks=blocks, replications=199
    )
    estimator = ESTIMATORS[name]
    plan = PlannedModel("s", "m", planned, {"score": planned_outcome()})
    found = estimator.fit(plan, rows, **dict.fromkeys(estimator.needs, 1)).table
    note = found["note"].iloc[0]
    assert "left out: trained (divides the rows analysed as the groups do" in note
    assert "left out: urban (constant" in note
    if blocks == "fixed":
        within: Model = {**planned, "covariates": ["shifted"]}
        plan = PlannedModel("s", "m", within, {"score": planned_outcome()})
        found = estimator.fit(plan, rows, **dict.fromkeys(estimator.needs, 1)).table
        assert "left out: shifted (divides the rows" in found["note"].iloc[0]


def test_a_covariate_of_which_any_level_cell_or_part_is_there_is_not_left_out() -> None:
    terms = ["baseline", "sector", "half:sector", "age"]
    planned = planned_model(outcomes=["score"], estimator="cluster_robust", covariates=terms)
    columns = ["score_before", "sector=Arab", "half=upper:sector=Arab", "age=missing"]
    assert covariates_left_out(planned, "score", columns, []) == []
    assert covariates_left_out(planned, "score", columns, ["sector=Arab"]) == ["sector"]
    assert covariates_left_out(planned, "score", columns[:1], []) == terms[1:]
