"""Draw the map of missing cells."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.missingness import alt_text, drawn, missingness_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import StudyLine


def main(
    *,
    missing: str,
    labels: Mapping[str, str],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(read_check(missing), labels)
    figure = missingness_plot(data, study)
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
