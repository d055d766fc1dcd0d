"""Draw the mean of each cohort by calendar year and by years since its own start."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.figures.cohorts import cohorts_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Outcome, StudyLine


def main(
    *,
    panel: str,
    outcomes: Mapping[str, Outcome],
    year_label: str,
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = drawn(pd.read_parquet(panel), outcomes)
    figure = cohorts_plot(data, outcomes, study, year_label)
    write_figure(figure, data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
