"""The figure of the coverage study: error rates by method, schools and intraclass correlation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from benchmarks.coverage_methods import METHODS
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.exhibits.style.figures import CONTROL, FAINT, SHADE, TREATED, new_figure, styled

BAND = (0.04, 0.06)
RATES = (
    ("type I error", "type_1_error", "type_1_low", "type_1_high", CONTROL, "o", -0.16),
    ("coverage error", "missed", "missed_low", "missed_high", TREATED, "D", 0.16),
)


@styled
def coverage_figure(table: pd.DataFrame) -> Figure:
    """Draw a panel for each cell: rows by number of schools, columns by intraclass correlation."""
    drawn = table.assign(
        missed=1 - table["coverage"],
        missed_low=1 - table["coverage_high"],
        missed_high=1 - table["coverage_low"],
    )
    schools = drawn["schools"].unique()
    correlations = drawn["icc"].unique()
    figure, panels = new_figure(8.2, len(schools), len(correlations))
    farthest = 0.01 + max(drawn["type_1_high"].max(), drawn["missed_high"].max())
    for k, panel in enumerate(panels):
        row, column = divmod(k, len(correlations))
        cell = drawn[
            (drawn["schools"] == schools[row]) & (drawn["icc"] == correlations[column])
        ].set_index("method")
        _panel(panel, cell, [method for method in METHODS if method in cell.index], farthest)
        panel.set_title(f"{schools[row]} schools, ICC {correlations[column]:g}")
        panel.tick_params(axis="y", length=0, labelleft=column == 0)
        if row == len(schools) - 1:
            panel.set_xlabel("error rate (5% is right)")
    panels[0].figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=3
    )
    return figure


def _panel(panel: Axes, cell: pd.DataFrame, methods: list[str], farthest: float) -> None:
    place = np.arange(len(methods), dtype=float)
    band = f"{BAND[0]:g} to {BAND[1]:g}".replace("0.", ".")
    panel.axvspan(*BAND, color=SHADE, zorder=0, label=band)
    panel.axvline(0.05, color=FAINT, linewidth=0.6, zorder=1)
    for label, at, low, high, colour, marker, shift in RATES:
        rows = cell.reindex(methods)
        reach = np.abs(rows[[low, high]].to_numpy().T - rows[at].to_numpy())
        panel.errorbar(
            rows[at], place + shift, xerr=reach, fmt=marker, color=colour, markersize=3.2,
            markerfacecolor="white" if marker == "D" else colour, markeredgewidth=0.9,
            elinewidth=1.1, capsize=0, label=label, zorder=2,
        )  # fmt: skip
    panel.set_yticks(place, [METHODS[method] for method in methods])
    panel.set_ylim(len(methods) - 0.5, -0.5)
    panel.set_xlim(0, farthest)
    panel.set_xticks(np.arange(0, farthest, 0.05))
    panel.xaxis.set_major_formatter(lambda x, _: f"{x:.2f}".lstrip("0") if x else "0")
    panel.grid(axis="y", color=SHADE, linewidth=0.6)
    panel.set_axisbelow(True)
