"""Draw the fidelity matrix."""

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.fidelity import alt_text, fidelity_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import StudyLine


def main(
    *,
    fidelity: str,
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = read_check(fidelity)
    figure = fidelity_plot(data, study)
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
