"""Draw the comparisons of cohorts that two-way effects average, by weight and kind."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.figures.bacon_weights import bacon_weights_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model, Outcome, StudyLine


def main(
    *,
    comparisons: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = drawn(pd.read_csv(comparisons), models, outcomes)
    figure = bacon_weights_plot(data, study)
    write_figure(figure, data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
