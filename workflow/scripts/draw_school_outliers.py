"""Draw school means as they were read, and the schools that lie far from the others."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.school_outliers import alt_text, school_outliers_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Outcome, StudyLine


def main(
    *,
    outliers: str,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = read_check(outliers)
    figure = school_outliers_plot(data, outcomes, study)
    write_figure(figure, data, alt_text(data, outcomes), study, **files)


run_as_rule(main, globals())
