"""Draw when units were assigned, who had the programme when, and when outcomes were measured."""

from collections.abc import Mapping

import pandas as pd
import pyarrow.parquet as pq

from schooltrial.exhibits.figures.timeline import alt_text, drawn, timeline_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Design, Outcome, StudyLine, Years


def main(
    *,
    sample: str,
    teacher_sample: str,
    panel: str,
    assignment: str,
    design: Design,
    years: Years,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    samples = {
        level: pd.read_parquet(
            path,
            columns=[name for name in pq.read_schema(path).names if name in {"year", *outcomes}],
        )
        for level, path in (("pupil", sample), ("teacher", teacher_sample))
    }
    data = drawn(
        design, years, outcomes, pd.read_parquet(assignment), samples, pd.read_parquet(panel)
    )
    figure = timeline_plot(data, design["arms"], years, study)
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
