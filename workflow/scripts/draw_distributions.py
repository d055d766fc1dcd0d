"""Draw the distribution of every outcome as it was read, by year."""

from collections.abc import Mapping, Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.distributions import alt_text, distributions_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine


def main(
    *,
    distributions: str,
    heaping: str,
    means: str,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    checks = [read_check(path) for path in (distributions, heaping, means)]
    data = drawn(checks[0], checks[1], checks[2], outcomes, arms)
    figure = distributions_plot(data, outcomes, arms, study)
    write_figure(figure, data, alt_text(data, outcomes, arms), study, **files)


run_as_rule(main, globals())
