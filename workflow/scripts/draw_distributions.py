"""Draw the distribution of every outcome as it was read, by year."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.distributions import alt_text, distributions_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Outcome, StudyLine


def main(
    *,
    distributions: str,
    heaping: str,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(read_check(distributions), read_check(heaping))
    figure = distributions_plot(data, outcomes, study)
    write_figure(figure, data, alt_text(data, outcomes), study, **files)


run_as_rule(main, globals())
