"""Draw the flow diagram."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.flow import alt_text, flow_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Design, StudyLine


def main(
    *,
    boxes: str,
    design: Design,
    labels: Mapping[str, str],
    study: StudyLine,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = read_check(boxes, keep_default_na=False)
    figure = flow_plot(data, design["arms"], labels, study, design["randomised"])
    write_figure(figure, data, alt_text(data, design["arms"], labels), study, **files)


run_as_rule(main, globals())
