"""Draw the comparisons of cohorts that two-way effects average, by weight and kind."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.figures.bacon_weights import alt_text, bacon_weights_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine


def main(
    *,
    comparisons: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(pd.read_csv(comparisons), models, outcomes)
    figure = bacon_weights_plot(data, study)
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
