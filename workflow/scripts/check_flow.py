"""Gather the flow of schools and people through the trial, box by box."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from schooltrial.checks.flow.analysed import primary_cells
from schooltrial.checks.flow.boxes import as_text, flow_boxes
from schooltrial.data.rows.analysed import columns_of_analyses
from schooltrial.pipeline.rule_adapter import run_as_rule


def main(
    *,
    flow: str,
    sample: str,
    teacher_sample: str,
    panel: str,
    bounded: str,
    assignment: str,
    schools: str,
    design: Mapping[str, Any],
    models: Mapping[str, Any],
    outcomes: Mapping[str, Any],
    labels: Mapping[str, str],
    baseline: int,
    years: Sequence[int],
    before: Sequence[int],
    take_up: str | None,
    check: str,
    text: str,
) -> None:
    """Write every line of every box (CSV), and the same as an indented list (text)."""
    known = pd.read_parquet(schools)
    people = {
        level: pd.read_parquet(
            path,
            columns=columns_of_analyses(
                pq.read_schema(path).names, level, models, outcomes, take_up
            ),
        )
        for level, path in (("pupil", sample), ("teacher", teacher_sample))
    }
    cells = primary_cells(
        pd.read_parquet(panel), pd.read_parquet(bounded), models, outcomes,
        first_year=max(before) + 1,
    )  # fmt: skip
    boxes = flow_boxes(
        pd.read_csv(flow, keep_default_na=False),
        samples=people | {"school": cells},
        assignment=pd.read_parquet(assignment),
        n_schools=len(known),
        unit=design["unit"],
        arms=design["arms"],
        models=models,
        outcomes=outcomes,
        baseline=baseline,
        years=years,
        take_up=take_up,
        lost_before=design["lost_before"],
    )
    boxes.to_csv(check, index=False)
    Path(text).write_text(as_text(boxes, design["arms"], labels), encoding="utf-8")


run_as_rule(main, globals())
