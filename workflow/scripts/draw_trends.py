"""Draw the mean of each group by year."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.figures.trends import alt_text, drawn, trends_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import Design, Outcome, StudyLine, Years


def main(
    *,
    panel: str,
    outcomes: Mapping[str, Outcome],
    years: Years,
    design: Design,
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(pd.read_parquet(panel), outcomes=outcomes)
    unit = "school" if DesignLevels.of(design).in_schools else "pupil"
    figure = trends_plot(data, outcomes, years, design["arms"], study, unit)
    words = alt_text(data, outcomes, design["arms"])
    write_figure(figure, data, words, study, **files)


run_as_rule(main, globals())
