"""Draw the statistic among re-randomisations, with the observed one."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.exhibits.figures.re_randomisation import alt_text, drawn, re_randomisation_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine


def main(
    *,
    draws: Sequence[str],
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    tables = [pd.read_csv(path) for path in draws]
    filled = [table for table in tables if len(table)] or tables[:1]
    data = drawn(pd.concat(filled, ignore_index=True), models, outcomes)
    write_figure(re_randomisation_plot(data, study), data, alt_text(data), study, **files)


run_as_rule(main, globals())
