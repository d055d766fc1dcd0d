"""Draw the distribution of every outcome as it was read, by year."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.distributions import distributions_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Outcome, StudyLine


def main(
    *,
    distributions: str,
    heaping: str,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = drawn(read_check(distributions), read_check(heaping))
    write_figure(
        distributions_plot(data, outcomes, study), data, study, csv, svg=svg, pdf=pdf, png=png
    )


run_as_rule(main, globals())
