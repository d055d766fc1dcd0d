"""Draw what each school received of each component, month by month."""

from collections.abc import Mapping, Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.dosage import alt_text, dosage_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Component, StudyLine


def main(
    *,
    dosage: str,
    components: Mapping[str, Component],
    arms: Sequence[Arm],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = read_check(dosage)
    figure = dosage_plot(data, components, arms, study)
    write_figure(figure, data, alt_text(data, components, arms), study, **files)


run_as_rule(main, globals())
