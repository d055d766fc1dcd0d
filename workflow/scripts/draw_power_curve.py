"""Draw what the study could see: power over the effect, least detectable effect over schools."""

from collections.abc import Mapping, Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.power_curve import drawn, power_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Outcome, StudyLine


def main(
    *,
    power: str,
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    svg: str,
    csv: str,
    arms: Sequence[Arm] = (),
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = drawn(read_check(power), outcomes)
    write_figure(power_plot(data, study, arms), data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
