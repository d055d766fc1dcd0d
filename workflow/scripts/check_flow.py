"""Gather the flow of schools and people through the trial, box by box."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rule_adapter import run_as_rule
from schooltrial.checks.flow_diagram import as_text, flow_boxes


def main(
    *,
    flow: str,
    sample: str,
    teacher_sample: str,
    assignment: str,
    schools: str,
    design: Mapping[str, Any],
    models: Mapping[str, Any],
    outcomes: Mapping[str, Any],
    labels: Mapping[str, str],
    baseline: int,
    years: Sequence[int],
    take_up: str | None,
    check: str,
    text: str,
) -> None:
    """Write every line of every box (CSV), and the same as an indented list (text)."""
    boxes = flow_boxes(
        pd.read_csv(flow, keep_default_na=False),
        samples={
            level: pd.read_parquet(path, columns=["year", "arm"])
            for level, path in (("pupil", sample), ("teacher", teacher_sample))
        },
        assignment=pd.read_parquet(assignment),
        n_schools=len(pd.read_parquet(schools)),
        unit=design["unit"],
        arms=design["arms"],
        models=models,
        outcomes=outcomes,
        baseline=baseline,
        years=years,
        take_up=take_up,
    )
    boxes.to_csv(check, index=False)
    Path(text).write_text(as_text(boxes, design["arms"], labels), encoding="utf-8")


run_as_rule(main, globals())
