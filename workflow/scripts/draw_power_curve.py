"""Draw power by effect size, and the MDES (in SD) by number of schools."""

from collections.abc import Mapping, Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.power_curve import alt_text, drawn, power_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine


def main(
    *,
    power: str,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    arms: Sequence[Arm] = (),
    randomised: bool = True,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(read_check(power), outcomes, randomised=randomised)
    figure = power_plot(data, study, arms)
    write_figure(figure, data, alt_text(data, arms), study, **files)


run_as_rule(main, globals())
