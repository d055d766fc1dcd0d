"""Draw the love plot of the baseline check."""

from collections.abc import Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.love_plot import alt_text, balance_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Balance, StudyLine


def main(
    *,
    balance: str,
    settings: Balance,
    study: StudyLine,
    year_label: str,
    control: str,
    arms: Sequence[Arm] = (),
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(read_check(balance))
    figure = balance_plot(data, settings, study, year_label, arms, control)
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
