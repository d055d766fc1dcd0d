"""Check that the recorded assignment is the one that was drawn, or one that could have been."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from schooltrial.checks.assignment.blocks import assignment_check
from schooltrial.checks.assignment.chance_tests import Redraws
from schooltrial.checks.assignment.unit_attributes import known_of_units
from schooltrial.checks.assignment.verdict import verify_assignment
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import (
    Checks,
    Compared,
    Design,
    Outcome,
    Study,
    TakeUp,
    balance_variables,
    baseline_year,
)
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import open_record
from schooltrial.version import software_versions


class Sections(Compared):
    """The sections that the check uses."""

    study: Study
    design: Design
    outcomes: dict[str, Outcome]
    take_up: TakeUp
    checks: Checks


def main(
    *,
    protocol: Sections,
    labels: Mapping[str, str],
    groups: Mapping[str, str],
    assignment: str,
    sample: str,
    schools: str,
    scores: str,
    panel: str,
    teachers: str,
    check: str,
    tests: str,
    units: str,
    distances: str,
    verdict: str,
    frame: str | None = None,
    record: str | None = None,
    key: str | None = None,
    drawn_from: Sequence[str] = (),
) -> None:
    """Write the blocks, tests, units, distances of draws, and a verdict with its reasons."""
    design, checks = protocol["design"], protocol["checks"]
    listed, described = pd.read_parquet(assignment), pd.read_parquet(schools)
    primary = [name for name, outcome in protocol["outcomes"].items() if outcome["primary"]]
    known = known_of_units(
        pd.read_parquet(sample), listed, design["unit"],
        schools=described if len(described) else None,
        scores=pd.read_parquet(scores),
        frame=read_frame(frame, design) if frame else None,
        panel=pd.read_parquet(panel),
        teachers=pd.read_parquet(teachers),
        primary={name: labels.get(name, name) for name in primary},
        variables=balance_variables(protocol), baseline=baseline_year(protocol),
        before=protocol["years"]["baseline"], take_up=protocol["take_up"]["variable"],
    )  # fmt: skip
    found = verify_assignment(
        listed, design, known=known,
        record=open_record(record) if record else None,
        key=Path(key).read_bytes() if key and Path(key).is_file() else None,
        study=protocol["study"]["name"], software=software_versions(), alpha=checks["alpha"],
        redraws=Redraws(draws=checks["replications"], seed=protocol["study"]["seed"]),
        groups=groups,
    )  # fmt: skip
    found.tests.to_csv(tests, index=False, float_format="%.10g")
    found.units.to_csv(units, index=False, float_format="%.10g")
    found.distances.to_csv(distances, index=False, float_format="%.10g")
    arms = [arm["name"] for arm in design["arms"]]
    assignment_check(listed, arms, design["kind"], found.units).to_csv(check, index=False)
    told = json.dumps(found.told(), indent=2, ensure_ascii=False)
    Path(verdict).write_text(told + "\n", "utf-8")


run_as_rule(main, globals())
