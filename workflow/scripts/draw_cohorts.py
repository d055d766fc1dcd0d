"""Draw the change of each cohort by years since its own start."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.figures.cohorts import alt_text, cohorts_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Outcome, StudyLine


def main(
    *,
    panel: str,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(pd.read_parquet(panel), outcomes)
    figure = cohorts_plot(data, outcomes, study)
    write_figure(figure, data, alt_text(data, outcomes), study, **files)


run_as_rule(main, globals())
