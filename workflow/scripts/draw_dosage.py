"""Draw what each school received of each component, month by month."""

from collections.abc import Mapping, Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.dosage import dosage_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Component, StudyLine


def main(
    *,
    dosage: str,
    components: Mapping[str, Component],
    arms: Sequence[Arm],
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = read_check(dosage)
    write_figure(
        dosage_plot(data, components, arms, study), data, study, csv, svg=svg, pdf=pdf, png=png
    )


run_as_rule(main, globals())
