"""Draw the study's attrition with the boundaries of What Works Clearinghouse."""

from collections.abc import Mapping, Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.attrition_boundary import alt_text, attrition_plot, drawn
from schooltrial.exhibits.writing import write_figure
from schooltrial.models.missing_outcomes.attrition_bias import Assumption
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine


def main(
    *,
    attrition: str,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    analysis_years: Sequence[int],
    boundary: Assumption,
    unit: str,
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(read_check(attrition), outcomes, arms, analysis_years)
    figure = attrition_plot(data, boundary, study, unit)
    write_figure(figure, data, alt_text(data, boundary), study, **files)


run_as_rule(main, globals())
