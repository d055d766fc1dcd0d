"""Draw the flow diagram."""

from collections.abc import Mapping

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.figures.flow import flow_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Design, StudyLine


def main(
    *,
    boxes: str,
    design: Design,
    labels: Mapping[str, str],
    study: StudyLine,
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = read_check(boxes, keep_default_na=False)
    figure = flow_plot(data, design["arms"], labels, study, design["randomised"])
    write_figure(figure, data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
