"""Draw the mean of each arm by year."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.exhibits.figures.trends import cohort_starts, drawn, trends_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Outcome, StudyLine, Years


def main(
    *,
    panel: str,
    outcomes: Mapping[str, Outcome],
    years: Years,
    arms: Sequence[Arm],
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    cells = pd.read_parquet(panel)
    data = drawn(cells)
    figure = trends_plot(data, outcomes, years, arms, study, cohort_starts(cells))
    write_figure(figure, data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
