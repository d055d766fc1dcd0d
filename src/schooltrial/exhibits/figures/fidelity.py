"""The fidelity matrix: which components were carried out as planned, by year."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from schooltrial.exhibits.style.figures import FAINT, INK, foot, new_figure, styled
from schooltrial.protocol.sections import StudyLine
from schooltrial.wording import exact

MET, NOT_MET = "#dbe8d9", "#f6dccb"


@styled
def fidelity_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw one line per component and one column per year: units that met their threshold."""
    components = data.drop_duplicates("component").reset_index(drop=True)
    years = sorted(data["year"].unique())
    figure, (panel,) = new_figure(1.5 + 0.62 * len(components))
    for row in data.itertuples():
        x, y = years.index(row.year), int((components["component"] == row.component).argmax())
        met = row.met == "yes"
        panel.add_patch(Rectangle((x - 0.48, y - 0.45), 0.96, 0.9, color=MET if met else NOT_MET))
        panel.text(x, y - 0.1, f"{row.share_met:.0%}", ha="center", va="center", color=INK,
                   fontweight="bold")  # fmt: skip
        told = f"{row.n_met} of {row.n_units} {row.unit}s · {'met' if met else 'NOT met'}"
        panel.text(x, y + 0.24, told, ha="center", va="center", fontsize=7, color=INK)
    panel.set_xlim(-0.55, len(years) - 0.45)
    panel.set_ylim(len(components) - 0.5, -0.5)
    panel.set_xticks(range(len(years)), [str(year) for year in years])
    panel.set_yticks(range(len(components)), [_line(row) for row in components.itertuples()])
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.xaxis.tick_top()
    panel.set_title("Units that met their threshold, by school year", pad=22)
    note = "Met: at least the planned share of units reached the threshold."
    where = panel.transAxes
    panel.text(1, -0.06, note, transform=where, ha="right", va="top", fontsize=7, color=FAINT)
    foot(figure, study)
    return figure


def _line(row: Any) -> str:
    planned = f"{row.unit}: {exact(row.unit_threshold)} or more; sample: {row.share_required:.0%}"
    return f"{row.label}\n{planned}"
