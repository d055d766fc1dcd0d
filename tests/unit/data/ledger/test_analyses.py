"""Who is in an analysis is told by what the analysis needs."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.refusal import Refusal
from support.standard_study import build, model, roster, scores

PUPILS = roster(
    [(f"p{at}", 2020, f"S{1 + at % 4}", None if at == 1 else at % 2) for at in range(8)], "female"
)
SCORES = scores([(f"p{at}", 2020, None if at == 0 else float(at)) for at in range(8)])


def told(**keys: Any) -> dict[str, list[int]]:
    """Return arm → the entered and remained of each reason in turn."""
    tables = {"pupils": PUPILS, "scores": SCORES}
    flow = build(tables, models={"itt": model(outcomes=["maths"], **keys)}).flow
    flow = flow[flow["step"] == "analysed: itt, maths"]
    return {
        str(arm): rows[["entered", "remained"]].to_numpy().ravel().tolist()
        for arm, rows in flow.groupby("arm")
    }


def test_the_outcome_comes_first_then_covariates() -> None:
    found = told(covariates=["female"], missing_covariates="drop")
    assert found == {"control": [4, 3, 3, 3], "programme": [4, 4, 4, 3]}


def test_who_lacks_a_covariate_stays_and_is_counted_on_a_line_of_its_own() -> None:
    assert told(covariates=["female"]) == {"control": [4, 3, 3, 3], "programme": [4, 4, 4, 4]}
    tables = {"pupils": PUPILS, "scores": SCORES}
    itt = model(outcomes=["maths"], covariates=["female"])
    flow = build(tables, models={"itt": itt}).flow
    kept = flow[flow["step"] == "missing covariates: itt, maths"]
    assert kept[["arm", "entered", "left", "remained"]].to_numpy().tolist() == [
        ["programme", 1, 0, 1]
    ]


def test_estimators_of_school_means_need_no_covariates_of_pupils() -> None:
    found = told(covariates=["female"], estimator="difference_in_differences")
    assert found == {"control": [4, 3, 3, 3], "programme": [4, 4, 4, 4]}


def test_only_the_arms_that_are_compared_are_in_the_population() -> None:
    lot = pd.DataFrame(
        {"school": ["S1", "S2", "S3", "S4"], "arm": ["control", "programme", "letters", "letters"]}
    )
    sample = build(
        {"pupils": PUPILS, "scores": SCORES, "assignment": lot},
        arms=[{"name": "control"}, {"name": "programme"}, {"name": "letters"}],
        models={"itt": model(outcomes=["maths"], arms=["control", "letters"])},
    )
    flow = sample.flow[sample.flow["step"] == "analysed: itt, maths"]
    assert set(flow["arm"]) == {"control", "letters"}
    assert set(sample.flow["arm"]) == {"control", "programme", "letters"}


def test_a_model_that_uses_what_its_table_does_not_hold_is_refused() -> None:
    with pytest.raises(Refusal, match="model 'itt' uses 'experience' for 'maths'"):
        told(covariates=["experience"], role="sensitivity")
