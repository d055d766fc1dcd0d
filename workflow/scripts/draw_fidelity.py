"""Draw the fidelity matrix."""

from schooltrial.checks.written_tables import read_check
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
    data = read_check(fidelity)
    write_figure(fidelity_plot(data, study), data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
