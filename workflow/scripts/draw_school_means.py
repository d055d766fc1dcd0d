"""Draw the mean of every school before and after, by group."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.exhibits.figures.school_means import alt_text, drawn, school_means_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine, Years


def main(
    *,
    panel: str,
    pupils: Sequence[str],
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    years: Years,
    analysis_years: Sequence[int],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    sample = pd.read_parquet(pupils[0]) if pupils else None
    control = str(arms[0]["name"])
    data = drawn(pd.read_parquet(panel), outcomes, years, analysis_years, sample, control)
    figure = school_means_plot(data, outcomes, arms, study, years["label"])
    write_figure(figure, data, alt_text(data, outcomes, arms), study, **files)


run_as_rule(main, globals())
