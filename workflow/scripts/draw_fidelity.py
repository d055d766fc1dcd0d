"""Draw the fidelity matrix."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from figure_files import write_figure
from rule_adapter import run_as_rule
from schooltrial.exhibits.fidelity_plot import fidelity_plot


def main(
    *, fidelity: str, study: Mapping[str, Any], svg: str, pdf: str, png: str, csv: str
) -> None:
    """Write the figure in three formats, and what it draws."""
    data = pd.read_csv(fidelity)
    write_figure(fidelity_plot(data, study), data, study, svg, pdf, png, csv)


run_as_rule(main, globals())
