"""Draw the flow diagram."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.checks.flow.analysed import primary_cells
from schooltrial.checks.flow.cohorts import boxes_by_cohort
from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.flow import alt_text, flow_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Design, Model, Outcome, StudyLine, Years


def main(
    *,
    boxes: str,
    assignment: str,
    panel: str,
    bounded: str,
    design: Design,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    labels: Mapping[str, str],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = read_check(boxes, keep_default_na=False)
    if design["kind"] == "staggered":
        cells = pd.read_parquet(panel)
        informing = primary_cells(cells, pd.read_parquet(bounded), models, outcomes, years=years)
        data = boxes_by_cohort(data, pd.read_parquet(assignment), cells, informing, models)
    figure = flow_plot(data, design["arms"], labels, study, design["randomised"])
    write_figure(figure, data, alt_text(data, design["arms"], labels), study, **files)


run_as_rule(main, globals())
