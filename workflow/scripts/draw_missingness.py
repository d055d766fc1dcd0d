"""Draw the map of missing cells."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.missingness import drawn, missingness_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import StudyLine


def main(
    *,
    missing: str,
    labels: Mapping[str, str],
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = drawn(read_check(missing), labels)
    write_figure(missingness_plot(data, study), data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
