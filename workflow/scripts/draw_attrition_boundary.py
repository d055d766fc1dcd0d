"""Draw the study's attrition beside the boundaries of What Works Clearinghouse."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from figure_files import write_figure
from rule_adapter import run_as_rule
from schooltrial.exhibits.attrition_plot import attrition_plot, drawn
from schooltrial.models.attrition_model import Assumption
from schooltrial.protocol import Arm, Outcome


def main(
    *,
    attrition: str,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    analysis_years: Sequence[int],
    boundary: Assumption,
    unit: str,
    study: Mapping[str, Any],
    svg: str,
    pdf: str,
    png: str,
    csv: str,
) -> None:
    """Write the figure in three formats, and what it draws."""
    data = drawn(pd.read_csv(attrition), outcomes, arms, analysis_years)
    write_figure(attrition_plot(data, boundary, study, unit), data, study, svg, pdf, png, csv)


run_as_rule(main, globals())
