"""Cells of schools by year that a panel model takes, made of the pupils whom it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators import difference_in_differences, staggered_adoption
from schooltrial.analysis.fitting import FittedModel, PlannedModel
from schooltrial.analysis.panel_cells import cells_of_pupils
from schooltrial.protocol.sections import Model
from support.sections import planned_outcome

YEARS: Any = {"baseline": [2019, 2020], "programme": [2021, 2022], "reference": None, "lasts": None}


@pytest.fixture
def pupils() -> pd.DataFrame:
    """Return ten pupils of 12 schools in four years; two cohorts begin in 2021 and 2022."""
    rng = np.random.default_rng(8)
    school, year, _ = (part.ravel() for part in np.indices((12, 4, 10)))
    cohort = np.array([np.nan, 2021, 2022])[school % 3]
    return pd.DataFrame({
        "school": [f"S{at:02d}" for at in school], "cluster": [f"S{at:02d}" for at in school],
        "block": "1", "arm": np.where(np.isnan(cohort), "control", "programme"),
        "treated": (~np.isnan(cohort)).astype(float), "cohort": pd.array(cohort, dtype="Int64"),
        "year": pd.array(2019 + year, dtype="Int64"), "girl": rng.integers(0, 2, len(school)),
        "score": rng.normal(0, 1, len(school)) + (2019 + year >= cohort),
    })  # fmt: skip


def fit(pupils: pd.DataFrame, model: Model) -> FittedModel[Any]:
    plan = PlannedModel("s", "m", model, {"score": planned_outcome()})
    cells = cells_of_pupils(pupils, plan)
    if model["estimator"] == "staggered_adoption":
        return staggered_adoption.fit_planned(plan, cells, seed=1)
    return difference_in_differences.fit_planned(plan, cells, years=YEARS)


@pytest.mark.parametrize("estimator", ["difference_in_differences", "staggered_adoption"])
@pytest.mark.parametrize("where", [{}, {"girl": [1]}], ids=["all", "girls"])
def test_a_panel_model_of_pupils_is_that_of_the_means_of_those_whom_it_keeps(
    pupils: pd.DataFrame, model: Callable[..., Model], estimator: str, where: dict[str, Any]
) -> None:
    planned = model(estimator=estimator, where=where)
    kept = pupils[pupils["girl"] == 1] if where else pupils
    identity = ["school", "block", "arm", "treated", "cohort", "year"]
    means = kept.groupby(identity, dropna=False)["score"].agg(["mean", "size"]).reset_index()
    cells = means.rename(columns={"size": "n_pupils"}).assign(outcome="score")
    plan = PlannedModel("s", "m", planned, {"score": planned_outcome()})
    by_hand: pd.DataFrame = (
        staggered_adoption.fit_planned(plan, cells, seed=1)
        if estimator == "staggered_adoption"
        else difference_in_differences.fit_planned(plan, cells, years=YEARS)
    ).table
    pd.testing.assert_frame_equal(fit(pupils, planned).table, by_hand)
    assert by_hand["n_pupils"].max() == len(kept)
