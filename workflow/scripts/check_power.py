"""State what the study could have seen: as planned, as randomised, as analysed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.checks.power.stages import StudyPlan
from schooltrial.checks.power.table import power_table
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Model, Outcome


def main(
    *,
    assignment: str,
    sample: str,
    settings: Mapping[str, Any],
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    unit: str,
    kind: str,
    baseline: int,
    check: str,
    teacher_sample: str | None = None,
    estimates: str | None = None,
    diagnostics: str | None = None,
    panel: str | None = None,
    lost_before: Mapping[str, int] | None = None,
    years: Mapping[str, Sequence[int]] | None = None,
    seed: int = 0,
) -> None:
    """Write one row per outcome and stage: least detectable effect, power, and their inputs."""
    samples = {"pupil": sample} | ({"teacher": teacher_sample} if teacher_sample else {})
    found = power_table(
        StudyPlan(
            settings,
            models,
            outcomes,
            arms,
            unit,
            kind,
            baseline,
            lost_before or {},
            years["before"] if years else (),
            [*years["during"], *years["after"]] if years else (),
            seed,
        ),
        pd.read_parquet(assignment),
        {level: pd.read_parquet(path) for level, path in samples.items()},
        diagnostics=json.loads(Path(diagnostics).read_text("utf-8")) if diagnostics else None,
        estimates=pd.read_csv(estimates) if estimates else None,
        panel=pd.read_parquet(panel) if panel else None,
    )
    found.to_csv(check, index=False, float_format="%.10g")


run_as_rule(main, globals())
