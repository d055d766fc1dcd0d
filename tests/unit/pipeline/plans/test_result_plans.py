"""Results say by which plan they were made, and what another study saw of the same outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schooltrial.pipeline.plans.result_plans import check_compared, sections_unlike, seen_elsewhere
from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.plan import section_checksums
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import UserError
from support.small_trial import ROOT, schema

RAW = "file,sheet,rows,bytes,sha256,tables\n"


def _plan(folder: Path, name: str, *changes: tuple[str, str]) -> Protocol:
    text = (ROOT / "examples" / "minimal" / "trial.yaml").read_text("utf-8")
    text = text.replace("name: my_trial", f"name: {name}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return read_protocol(file, schema())


def _results(folder: Path, plan: Protocol, scores: str = "1", schools: str = "2") -> Path:
    checks = folder / "results" / plan.name / "checks"
    checks.mkdir(parents=True)
    sums = section_checksums(plan.content)
    (checks / "plan.json").write_text(json.dumps({"first": {}, "now": sums}), "utf-8")
    (checks / "plan_first.json").write_text(json.dumps(sums), "utf-8")
    rows = f"pupils.csv,,9,9,{scores},pupils; scores × 2\nschools.csv,,9,9,{schools},assignment\n"
    (checks / "raw_files.csv").write_text(RAW + rows, "utf-8")
    return checks.parent


CHANGED = ("estimator: multilevel", "estimator: cluster_robust")


def test_two_protocols_of_one_study_are_not_compared_with_the_same_results(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    plan, other = _plan(tmp_path, "one"), _plan(tmp_path, "two", CHANGED)
    results = _results(tmp_path, plan)
    with pytest.raises(UserError) as told:
        list(check_compared([(first, plan), (second, other)], [results, results]))
    assert f"not made by {second}, which has another plan (1 section differs: models)" in str(
        told.value
    )
    assert f"not made by {first}" not in str(told.value)
    assert "another study.name, or run it with --output FOLDER" in str(told.value)


def test_results_that_an_earlier_plan_made_are_told(tmp_path: Path) -> None:
    plan, changed = _plan(tmp_path, "one"), _plan(tmp_path, "two", CHANGED)
    made, other = _results(tmp_path, plan), _results(tmp_path, changed)
    given = [(tmp_path / "a.yaml", changed), (tmp_path / "b.yaml", changed)]
    (told,) = check_compared(given, [made, other])
    assert "were not made by" in told
    assert "(changed since: models)" in told
    assert sections_unlike(plan, made) == []
    assert sections_unlike(plan, tmp_path) is None


def test_outcomes_that_another_study_saw_are_told_with_what_differs(tmp_path: Path) -> None:
    renamed = _plan(tmp_path, "renamed")
    made = _results(tmp_path, renamed)
    _results(tmp_path, _plan(tmp_path, "first"))
    _results(tmp_path, _plan(tmp_path, "second", CHANGED))
    _results(tmp_path, _plan(tmp_path, "third_rehearsal"))
    _results(tmp_path, _plan(tmp_path, "other_scores"), scores="3")
    unseen = _results(tmp_path, _plan(tmp_path, "unseen"))
    (unseen / "checks" / "plan_first.json").unlink()
    first, second = seen_elsewhere(renamed, tmp_path / "results", made)
    assert first.startswith(
        "study 'first' estimated effects from the same outcomes (pupils.csv), by the same plan"
    )
    assert "study 'second'" in second
    assert "by another plan (differs in: models)" in second
