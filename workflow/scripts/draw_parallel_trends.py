"""Draw the effect's interval as larger differences in trend are allowed."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.figures.parallel_trends import alt_text, drawn, parallel_trends_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine


def main(
    *,
    checks: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(pd.read_csv(checks), models, outcomes)
    figure = parallel_trends_plot(data, study)
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
