"""Draw the love plot of the baseline check."""

from collections.abc import Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.love_plot import balance_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Balance, StudyLine


def main(
    *,
    balance: str,
    settings: Balance,
    study: StudyLine,
    year_label: str,
    svg: str,
    csv: str,
    arms: Sequence[Arm] = (),
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = drawn(read_check(balance))
    figure = balance_plot(data, settings, study, year_label, arms)
    write_figure(figure, data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
