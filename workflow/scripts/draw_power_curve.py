"""Draw what the study could see: power over the effect, least detectable effect over schools."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.exhibits.figures.power_curve import drawn, power_plot
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Outcome


def main(
    *,
    power: str,
    outcomes: Mapping[str, Outcome],
    study: Mapping[str, Any],
    svg: str,
    pdf: str,
    png: str,
    csv: str,
) -> None:
    """Write the figure in three formats, and what it draws."""
    data = drawn(pd.read_csv(power), outcomes)
    write_figure(power_plot(data, study), data, study, svg, pdf, png, csv)


run_as_rule(main, globals())
