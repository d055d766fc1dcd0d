"""Names that the pipeline gives itself are refused, and other names are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial


@pytest.fixture
def trial(tmp_path: Path) -> SmallTrial:
    return SmallTrial(tmp_path)


def _refusal(trial: SmallTrial) -> str:
    trial.write()
    with pytest.raises(Refusal) as refused:
        trial.read()
    return str(refused.value)


@pytest.mark.parametrize("name", ["arm", "block", "treated", "cluster", "cohort", "school", "year"])
def test_no_outcome_bears_the_name_of_a_column_of_the_sample(trial: SmallTrial, name: str) -> None:
    trial.protocol["outcomes"][name] = {"label": "A score", "family": "tests"}
    said = _refusal(trial)
    assert f"key 'outcomes.{name}'" in said
    assert f"`{name}_measured`" in said


@pytest.mark.parametrize("name", ["treated", "cluster"])
def test_no_variable_that_is_read_or_made_is_taken_for_the_treatment_or_the_unit(
    trial: SmallTrial, name: str
) -> None:
    trial.protocol["variables"][name] = {"from": "sex", "equals": "girl", "label": "A girl"}
    assert f"key 'variables.{name}'" in _refusal(trial)
    del trial.protocol["variables"][name]
    trial.reading("pupils")["columns"][name] = {"column": "grade", "type": "integer"}
    assert f"key 'tables.pupils.0.columns.{name}'" in _refusal(trial)


def test_no_variable_bears_the_name_of_an_outcomes_own_baseline(trial: SmallTrial) -> None:
    trial.protocol["variables"]["maths_before"] = {"from": "sex", "equals": "girl"}
    assert "`baseline_year` of outcome 'maths' makes" in _refusal(trial)


def test_a_variable_called_baseline_is_no_covariate(trial: SmallTrial) -> None:
    trial.reading("pupils")["columns"]["baseline"] = {"column": "grade", "type": "integer"}
    trial.write()
    trial.read()
    trial.protocol["models"]["itt"]["covariates"] = ["baseline"]
    assert "the outcome's own baseline" in _refusal(trial)


@pytest.mark.parametrize("name", ["all", "nan", "null", "true"])
def test_no_arm_has_a_name_that_results_cannot_keep(trial: SmallTrial, name: str) -> None:
    trial.protocol["design"]["arms"][1]["name"] = name
    trial.reading("assignment")["columns"]["arm"]["codes"]["T"] = name
    said = _refusal(trial)
    assert "key 'design.arms.1.name'" in said
    assert f"the name '{name}'" in said


def test_an_outcome_called_as_a_raw_column_or_a_column_of_results_is_read(
    trial: SmallTrial,
) -> None:
    for name in ("value", "n_pupils", "estimate", "score"):
        trial.protocol["outcomes"][name] = {
            "label": "A sum", "family": "tests", "sum_of": ["maths", "reading"],
        }  # fmt: skip
    trial.write()
    trial.read()


def test_a_year_that_is_read_as_a_category_is_refused(trial: SmallTrial) -> None:
    trial.reading("pupils")["columns"]["cohort"] = {"column": "grade", "type": "category"}
    assert "'cohort' as a year" in _refusal(trial)
