"""Gather the flow of schools and people through the trial, box by box."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from schooltrial.checks.flow.analysed import primary_cells
from schooltrial.checks.flow.boxes import as_text, flow_boxes, not_in_lists
from schooltrial.checks.written_tables import read_check
from schooltrial.data.rows.analysed import columns_of_analyses
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import (
    Arm,
    Compared,
    Design,
    Model,
    Outcome,
    TakeUp,
    analysis_years,
    baseline_year,
)


class Sections(Compared):
    """The sections that the boxes use."""

    design: Design
    outcomes: dict[str, Outcome]
    take_up: TakeUp
    models: dict[str, Model]


def main(
    *,
    protocol: Sections,
    arms: Sequence[Arm],
    labels: Mapping[str, str],
    flow: str,
    attrition: str,
    sample: str,
    teacher_sample: str,
    panel: str,
    bounded: str,
    assignment: str,
    schools: str,
    linking: str,
    check: str,
    text: str,
) -> None:
    """Write every line of every box (CSV), and the same as an indented list (text)."""
    design, models, outcomes = protocol["design"], protocol["models"], protocol["outcomes"]
    take_up = protocol["take_up"]["variable"]
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
        years=protocol["years"],
    )  # fmt: skip
    listed = pd.read_parquet(assignment)
    boxes = flow_boxes(
        read_check(flow, keep_default_na=False),
        samples=people | {"school": cells},
        assignment=listed,
        n_schools=_schools(schools, listed, people.values(), read_check(linking)),
        unit=design["unit"],
        arms=design["arms"],
        models=models,
        outcomes=outcomes,
        baseline=baseline_year(protocol),
        years=analysis_years(protocol),
        take_up=take_up,
        no_data=design["no_data"],
        attrition=read_check(attrition),
        in_schools=DesignLevels.of(design).in_schools,
    )
    boxes.to_csv(check, index=False)
    Path(text).write_text(as_text(boxes, arms, labels), encoding="utf-8")


def _schools(
    schools: str, assignment: pd.DataFrame, people: Iterable[pd.DataFrame], linking: pd.DataFrame
) -> int:
    """Return how many schools the files name.

    They are those described, else those listed, else those on rosters; and in each case those on
    rosters that are in no list.
    """
    described = pd.read_parquet(schools, columns=["school"])
    tables = [assignment] if "school" in assignment else people
    named = [described] if len(described) else [table for table in tables if "school" in table]
    every = {str(name) for table in named for name in table["school"].dropna()}
    return len(every | not_in_lists(linking))


run_as_rule(main, globals())
