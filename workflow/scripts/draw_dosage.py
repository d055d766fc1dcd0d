"""Draw what each school received of each component, month by month."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from figure_files import write_figure
from rule_adapter import run_as_rule
from schooltrial.exhibits.dosage_plot import dosage_plot


def main(
    *,
    dosage: str,
    components: Mapping[str, Any],
    arms: Sequence[Mapping[str, str]],
    study: Mapping[str, Any],
    svg: str,
    pdf: str,
    png: str,
    csv: str,
) -> None:
    """Write the figure in three formats, and what it draws."""
    data = pd.read_csv(dosage, dtype={"school": str, "period": str})
    write_figure(dosage_plot(data, components, arms, study), data, study, svg, pdf, png, csv)


run_as_rule(main, globals())
