"""The figure of the sizes of a panel's rows: how far they range, by design and kind of row."""

from __future__ import annotations

import numpy as np
import pandas as pd
from benchmarks.panel_report import COLUMNS, MAIN
from benchmarks.panel_table import HIGH, LOW
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.exhibits.style.figures import CONTROL, FAINT, SHADE, TREATED, new_figure, styled

MARKS = (("normal", CONTROL, "o", -0.16), ("t5", TREATED, "D", 0.16))


@styled
def panel_figure(table: pd.DataFrame) -> Figure:
    """Draw a panel for each design: the range of single rows over scenarios without effects."""
    base = table[
        (table["rule"] == "rule") & (table["effects"] == "none") & (table["setting"] == "")
        & (table["method"] == "")
        & (table["controls"] == "never_treated") & (table["answered"] > 0)
    ]  # fmt: skip
    designs = [one for one in MAIN if base.loc[base["design"] == one, "kind"].isin(COLUMNS).any()]
    figure, panels = new_figure(2.1 * -(-len(designs) // 2) + 0.6, -(-len(designs) // 2), 2)
    for at, panel in enumerate(panels):
        if at >= len(designs):
            panel.set_axis_off()
            continue
        _panel(panel, base[base["design"] == designs[at]])
        panel.set_title(designs[at])
        panel.tick_params(axis="y", length=0, labelleft=at % 2 == 0)
        if at >= len(designs) - 2:
            panel.set_xlabel("rejected of true nulls (5% is right)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame) -> None:
    place = np.arange(len(COLUMNS), dtype=float)
    panel.axvspan(LOW, HIGH, color=SHADE, zorder=0, label=".03 to .07")
    panel.axvline(0.05, color=FAINT, linewidth=0.6, zorder=1)
    for errors, colour, marker, shift in MARKS:
        of = rows[rows["errors"] == errors].groupby("kind")
        low, high, mean = (
            of[name].agg(how).reindex(COLUMNS).to_numpy(dtype=float)
            for name, how in (("lowest", "min"), ("highest", "max"), ("rejected", "mean"))
        )
        panel.errorbar(
            mean, place + shift, xerr=np.array([mean - low, high - mean]), fmt=marker,
            color=colour, markersize=3.2, elinewidth=1.1, capsize=0, label=f"{errors} errors",
            zorder=2,
        )  # fmt: skip
    panel.set_yticks(place, COLUMNS)
    panel.set_ylim(len(COLUMNS) - 0.5, -0.5)
    panel.set_xlim(0, 0.1)
    panel.set_xticks(np.arange(0, 0.11, 0.02))
    panel.xaxis.set_major_formatter(lambda x, _: f"{x:.2f}".lstrip("0") if x else "0")
