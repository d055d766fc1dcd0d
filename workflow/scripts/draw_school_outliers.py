"""Draw school means as they were read, and the schools that lie far from the others."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.school_outliers import school_outliers_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Outcome, StudyLine


def main(
    *,
    outliers: str,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = read_check(outliers)
    write_figure(
        school_outliers_plot(data, outcomes, study), data, study, csv, svg=svg, pdf=pdf, png=png
    )


run_as_rule(main, globals())
