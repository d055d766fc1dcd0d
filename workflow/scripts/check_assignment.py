"""Check that the recorded assignment is the one that was drawn, or one that could have been."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.checks.assignment.blocks import assignment_check
from schooltrial.checks.assignment.chance_tests import Redraws
from schooltrial.checks.assignment.unit_attributes import known_of_units
from schooltrial.checks.assignment.verdict import verify_assignment
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Outcome
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import read_record
from schooltrial.version import software_versions


def main(
    *,
    assignment: str,
    arms: Sequence[Mapping[str, str]],
    kind: str,
    check: str,
    design: Mapping[str, Any] | None = None,
    sample: str | None = None,
    schools: str | None = None,
    scores: str | None = None,
    panel: str | None = None,
    frame: str | None = None,
    record: str | None = None,
    drawn_from: Sequence[str] = (),
    key: str | None = None,
    teachers: str | None = None,
    variables: Sequence[str] = (),
    outcomes: Mapping[str, Outcome] | None = None,
    year: int | None = None,
    before: Sequence[int] = (),
    take_up: str | None = None,
    thresholds: Mapping[str, Any] | None = None,
    seed: int = 0,
    tests: str | None = None,
    units: str | None = None,
    verdict: str | None = None,
    study: str = "",
) -> None:
    """Write one row per block; with ``design`` also tests, units and a verdict with its reasons."""
    names = [arm["name"] for arm in arms]
    listed = pd.read_parquet(assignment)
    if design is None or sample is None or tests is None or units is None or verdict is None:
        assignment_check(listed, names, kind).to_csv(check, index=False)
        return
    unit, settings = str(design["unit"]), thresholds or {}
    known = known_of_units(
        pd.read_parquet(sample), listed, unit,
        schools=pd.read_parquet(schools) if schools else None,
        scores=pd.read_parquet(scores) if scores else None,
        frame=read_frame(frame, design) if frame else None,
        panel=pd.read_parquet(panel) if panel else None,
        teachers=pd.read_parquet(teachers) if teachers else None,
        primary={k: v["label"] for k, v in (outcomes or {}).items() if v["primary"]},
        variables=variables, baseline=year, before=before, take_up=take_up,
    )  # fmt: skip
    found = verify_assignment(
        listed, design, known=known,
        record=read_record(Path(record).read_text("utf-8"), record) if record else None,
        key=Path(key).read_bytes() if key and Path(key).is_file() else None, study=study,
        software=software_versions(),
        alpha=settings.get("alpha", 0.01),
        redraws=Redraws(draws=settings.get("redraws", 10_000), seed=seed),
    )  # fmt: skip
    found.tests.to_csv(tests, index=False, float_format="%.10g")
    found.units.to_csv(units, index=False, float_format="%.10g")
    assignment_check(listed, names, kind, found.units).to_csv(check, index=False)
    told = json.dumps(found.told(), indent=2, ensure_ascii=False)
    Path(verdict).write_text(told + "\n", "utf-8")


run_as_rule(main, globals())
