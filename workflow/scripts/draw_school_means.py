"""Draw the mean of every school by block and arm."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.exhibits.figures.school_means import (
    alt_text,
    drawn,
    school_means_plot,
    since_all_began,
)
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Outcome, StudyLine


def main(
    *,
    panel: str,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    analysis_years: Sequence[int],
    block_label: str,
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    cells = pd.read_parquet(panel)
    data = drawn(cells, outcomes, analysis_years)
    _, shown = since_all_began(cells, analysis_years)
    named = ", ".join(map(str, shown))
    figure = school_means_plot(data, outcomes, arms, study, block_label, named)
    write_figure(figure, data, alt_text(data, outcomes, arms), study, **files)


run_as_rule(main, globals())
