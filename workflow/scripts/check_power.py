"""State what the study could have seen: as planned, as randomised, as analysed."""

import json
from pathlib import Path

import pandas as pd

from schooltrial.checks.power.stages import PowerSections, StudyPlan
from schooltrial.checks.power.table import power_table
from schooltrial.pipeline.rule_adapter import run_as_rule


def main(
    *,
    protocol: PowerSections,
    assignment: str,
    sample: str,
    teacher_sample: str,
    school_sample: str,
    panel: str,
    estimates: str,
    diagnostics: str,
    check: str,
) -> None:
    """Write one row per outcome and stage: MDES (in SD), power, and their inputs."""
    found = power_table(
        StudyPlan.of(protocol),
        pd.read_parquet(assignment),
        {
            "pupil": pd.read_parquet(sample),
            "teacher": pd.read_parquet(teacher_sample),
            "school": pd.read_parquet(school_sample),
        },
        diagnostics=json.loads(Path(diagnostics).read_text("utf-8")),
        estimates=pd.read_csv(estimates),
        panel=pd.read_parquet(panel),
    )
    found.to_csv(check, index=False, float_format="%.10g")


run_as_rule(main, globals())
