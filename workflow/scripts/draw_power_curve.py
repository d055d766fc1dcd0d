"""Draw what the study could see: power over the effect, least detectable effect over schools."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from figure_files import write_figure
from rule_adapter import run_as_rule
from schooltrial.exhibits.power_plot import drawn, power_plot
from schooltrial.protocol import Outcome


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
