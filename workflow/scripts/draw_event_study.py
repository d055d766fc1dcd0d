"""Draw effects by year before and since the programme began, with intervals and bands."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.figures.event_study import alt_text, drawn, event_study_plot
from schooltrial.exhibits.figures.trends import cohort_starts
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine, Years


def main(
    *,
    estimates: str,
    panel: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    starts = cohort_starts(pd.read_parquet(panel))
    data = drawn(pd.read_csv(estimates), models, outcomes, years, starts)
    figure = event_study_plot(data, study, years["label"])
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
