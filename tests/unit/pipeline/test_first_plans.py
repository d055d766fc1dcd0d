"""Claims about the plan of a study of which some models were estimated, and one was refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from schooltrial.pipeline.first_plans import record_first_plans
from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.reading import read_protocol
from schooltrial.study.study import Study
from support.small_trial import ROOT, schema


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Protocol:
    """Return a protocol; results of its study would lie in a folder of the test."""
    monkeypatch.chdir(tmp_path)
    return read_protocol(ROOT / "examples" / "minimal" / "trial.yaml", schema())


def _record(plan: Protocol, estimated: bool) -> Path:
    study = Study.of(plan)
    if estimated:
        study.paths.estimates_of("itt").parent.mkdir(parents=True)
        study.paths.estimates_of("itt").write_text("estimate\n", "utf-8")
    record_first_plans({plan.name: study})
    return study.paths.check("plan_first.json")


def test_a_plan_is_recorded_where_a_model_was_estimated(plan: Protocol) -> None:
    found = json.loads(_record(plan, True).read_text("utf-8"))
    assert {"design", "models", "outcomes"} <= found.keys()


def test_a_plan_is_not_recorded_where_no_model_was_estimated_or_it_was_rehearsed(
    plan: Protocol,
) -> None:
    assert not _record(plan, False).exists()
    assert not _record(replace(plan, rehearsal=True), True).exists()


def test_the_first_plan_stays_as_it_was(plan: Protocol) -> None:
    first = _record(plan, True)
    first.write_text('{"design": "of the first run"}\n', "utf-8")
    record_first_plans({plan.name: Study.of(plan)})
    assert json.loads(first.read_text("utf-8")) == {"design": "of the first run"}
