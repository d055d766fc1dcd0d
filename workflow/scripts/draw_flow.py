"""Draw the flow diagram."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.exhibits.figures.flow import flow_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule


def main(
    *,
    boxes: str,
    design: Mapping[str, Any],
    labels: Mapping[str, str],
    study: Mapping[str, Any],
    svg: str,
    csv: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write the figure in its formats, and what it draws."""
    data = pd.read_csv(boxes, keep_default_na=False)
    figure = flow_plot(data, design["arms"], labels, study, design["randomised"])
    write_figure(figure, data, study, csv, svg=svg, pdf=pdf, png=png)


run_as_rule(main, globals())
