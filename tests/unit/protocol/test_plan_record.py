"""The plan is recorded together with the reading of outcomes, and the first record stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from record_plan import main as record_plan
from schooltrial.protocol.content.sections import Content, Deviation
from schooltrial.protocol.plan import PlanToRecord, first_plan, section_checksums
from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial


def _keep(trial: SmallTrial, rehearsal: bool = False) -> dict[str, str]:
    trial.write()
    first = trial.path("plan_first.json")
    PlanToRecord(first, {} if rehearsal else section_checksums(trial.read().content)).keep()
    return first_plan(first)


def _record(trial: SmallTrial, content: Content) -> dict[str, Any]:
    """Run the rule, and return what it tells of the study."""
    record_plan(
        protocol=content,
        models_to_come={},
        study=trial.study(),
        first=trial.path("plan_first.json"),
        plan=trial.path("plan.json"),
        study_file=trial.path("study.json"),
    )
    told: dict[str, Any] = json.loads(Path(trial.path("study.json")).read_text("utf-8"))
    return told


def test_the_first_estimates_seal_the_plan(trial: SmallTrial) -> None:
    trial.obtain()
    trial.clean()
    assert not Path(trial.path("plan_first.json")).exists()
    trial.fit()
    assert first_plan(trial.path("plan_first.json")) == section_checksums(trial.read().content)


def test_the_first_record_is_kept_through_every_later_run(trial: SmallTrial) -> None:
    first = _keep(trial)
    trial.protocol["models"]["itt"]["covariates"] = []
    assert _keep(trial) == first
    plan = trial.path("plan.json")
    _record(trial, trial.read().content)
    assert json.loads(Path(plan).read_text("utf-8"))["changed"] == ["models"]


def test_a_rehearsal_seals_nothing(trial: SmallTrial) -> None:
    assert _keep(trial, rehearsal=True) == {}
    trial.protocol["models"]["itt"]["covariates"] = []
    assert _keep(trial) == section_checksums(trial.read().content)


def test_a_model_that_cannot_record_the_plan_writes_no_estimate(trial: SmallTrial) -> None:
    trial.obtain()
    trial.clean()
    Path(trial.path("plan_first.json")).write_text("{", "utf-8")
    with pytest.raises(Refusal, match="the record of the plan is damaged"):
        trial.fit()
    assert not Path(trial.path("itt.csv")).exists()


def test_a_model_that_is_refused_records_no_plan(trial: SmallTrial) -> None:
    for row in range(2, 162):
        trial.set("scores_2020.csv", 2 * row - 2, "score", "200")
    trial.obtain()
    trial.clean()
    with pytest.raises(Refusal, match="model itt, outcome maths"):
        trial.fit()
    assert not Path(trial.path("plan_first.json")).exists()


def test_without_any_estimate_no_section_is_told_to_have_changed(trial: SmallTrial) -> None:
    trial.write()
    content = trial.read().content
    record_plan(
        protocol=content, models_to_come={}, study=trial.study(), first=[],
        plan=trial.path("plan.json"), study_file=trial.path("study.json"),
    )  # fmt: skip
    found = json.loads(Path(trial.path("plan.json")).read_text("utf-8"))
    assert found["first"] == {}
    assert found["changed"] == []


def test_what_the_study_is_is_told_with_its_outcomes_years_and_deviations(
    trial: SmallTrial,
) -> None:
    trial.write()
    deviation: Deviation = {
        "date": "2020-05-01",
        "what": "No test was held",
        "why": "schools were shut",
    }
    told = _record(trial, {**trial.read().content, "deviations": [deviation]})
    assert told["title"] == "A small trial"
    assert told["primary_outcomes"] == ["maths"]
    assert set(told["outcome_levels"]) == {"maths", "reading", "attendance"}
    assert set(told["outcome_levels"].values()) == {"pupil"}
    assert (told["analysis_years"], told["deviations"]) == ([2020], [deviation])
