"""Draw the fidelity matrix."""

import pandas as pd

from schooltrial.exhibits.figures.fidelity import fidelity_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import StudyLine


def main(
    *,
    fidelity: str,
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = pd.read_csv(fidelity)
    write_figure(fidelity_plot(data, study), data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
