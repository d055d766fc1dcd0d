"""The love plot: standardised differences of the arms at baseline, with the bands of WWC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from schooltrial.exhibits.figure_style import FAINT, INK, SHADE, foot, new_figure, styled

LEVELS = {"pupil": ("o", INK, "pupils"), "school": ("D", "white", "school means")}
WHITE_BAND, OUTER_BAND = "#dfe8dc", SHADE


def drawn(balance: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure draws: one row per variable and level."""
    kept = balance[["level", "label", "standardised_difference", "band"]]
    return kept.dropna(subset=["standardised_difference"]).reset_index(drop=True)


@styled
def balance_plot(
    data: pd.DataFrame, settings: Mapping[str, Any], study: Mapping[str, Any], year_label: str
) -> Figure:
    """Draw standardised differences, treated minus control, pupils above schools.

    Parameters
    ----------
    data : DataFrame
        From `drawn`.
    settings : mapping
        The protocol's ``balance`` section, for the bands.
    study : mapping
        Title, whether synthetic, and protocol hash.
    year_label : str
        Name of the baseline year.
    """
    figure, (panel,) = new_figure(1.3 + 0.24 * len(data))
    inner, outer = settings["satisfied"], settings["adjustable"]
    panel.axvspan(-outer, outer, color=OUTER_BAND, lw=0, label=f"within {outer:g}: adjust")
    panel.axvspan(-inner, inner, color=WHITE_BAND, lw=0, label=f"within {inner:g}: satisfied")
    panel.axvline(0, color=FAINT, lw=0.8)
    for level, (marker, filling, name) in LEVELS.items():
        rows = data[data["level"] == level]
        panel.plot(
            rows["standardised_difference"],
            rows.index,
            marker,
            color=INK,
            mfc=filling,
            ms=5,
            label=name,
        )
    panel.set_yticks(list(data.index), list(data["label"]))
    last_pupil = int((data["level"] == "pupil").sum())
    if 0 < last_pupil < len(data):
        panel.axhline(last_pupil - 0.5, color=FAINT, lw=0.8, ls=":")
    panel.set_ylim(len(data) - 0.5, -0.5)
    reach = max(outer * 1.3, data["standardised_difference"].abs().max() * 1.1)
    panel.set_xlim(-reach, reach)
    panel.set_xlabel("standardised difference (treated − control, pooled SD)")
    panel.set_title(f"Balance at baseline, {year_label}")
    panel.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    foot(figure, study)
    return figure
