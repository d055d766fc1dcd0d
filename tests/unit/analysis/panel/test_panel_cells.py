"""Cells of schools by year that a panel model takes, made of the pupils whom it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators import difference_in_differences, staggered_adoption
from schooltrial.analysis.fitting import FittedModel, PlannedModel
from schooltrial.analysis.panel.panel_cells import cells_of_pupils
from schooltrial.protocol.content.sections import Model
from schooltrial.refusal import Refusal
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
    assert by_hand["n_individuals"].max() == len(kept)


def test_variables_of_schools_split_the_effect_and_those_of_pupils_are_refused(
    pupils: pd.DataFrame, model: Callable[..., Model]
) -> None:
    kind = np.where(pupils["school"].str[1:].astype(int) < 6, "a", "b")
    split = fit(pupils.assign(kind=kind), model(estimator="staggered_adoption", effects_by="kind"))
    rows = split.table[split.table["term"].str.contains("kind")]
    assert list(rows["term"]) == ["treated[kind=a]", "treated[kind=b]",
                                  "effects are equal across kind"]  # fmt: skip
    assert list(rows["n_schools"]) == [6, 6, 12]
    with pytest.raises(Refusal, match="'girl' varies within 12 of 12 schools"):
        fit(pupils, model(estimator="staggered_adoption", effects_by="girl"))


def test_categories_are_balanced_by_their_levels(
    pupils: pd.DataFrame, model: Callable[..., Model]
) -> None:
    number = pupils["school"].str[1:].astype(int)
    kind = np.array(["a", "b", "a", "b"])[(number // 3) % 4]
    asked = model(estimator="staggered_adoption", comparison_on=["kind"])
    told = fit(pupils.assign(kind=kind), asked).diagnostics["score"]["comparison_schools"]
    assert [row["variable"] for row in told[0]["balance"]] == ["kind=b"]
    assert told[0]["balance"][0]["cohort_mean"] == told[0]["balance"][0]["mean_after"]
    assert told[0]["compared_with"] == ["never treated"]
