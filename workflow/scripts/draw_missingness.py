"""Draw the map of missing cells."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from figure_files import write_figure
from rule_adapter import run_as_rule
from schooltrial.exhibits.missingness_plot import drawn, missingness_plot


def main(
    *,
    missing: str,
    labels: Mapping[str, str],
    study: Mapping[str, Any],
    svg: str,
    pdf: str,
    png: str,
    csv: str,
) -> None:
    """Write the figure in three formats, and what it draws."""
    data = drawn(pd.read_csv(missing), labels)
    write_figure(missingness_plot(data, study), data, study, svg, pdf, png, csv)


run_as_rule(main, globals())
