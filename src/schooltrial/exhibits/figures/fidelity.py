"""The fidelity matrix: which components were carried out as planned, by year."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from schooltrial.exhibits.style.figures import (
    INK,
    LETTERS,
    MUTED,
    SETTINGS,
    foot,
    new_figure,
    styled,
)
from schooltrial.exhibits.style.text_fitting import fit_texts
from schooltrial.exhibits.style.text_lines import width_of, wrap
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.wording import exact

MET, NOT_MET = "#dbe8d9", "#f6dccb"


ROW = 0.62
"""Inches of the line of a component."""


SHARE, LINE, APART = 0.15, 0.16, 0.05
"""Inches of the share, of a line of words, and between the two, where words take several lines."""


FILLED = 0.94
"""Share of a cell's width that its words may take."""


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: who met the threshold."""
    told = [
        f"{row['label']}, {row['year']}: {row['n_met']:,.0f} of {row['n_recorded']:,.0f} on record"
        for _, row in data.iterrows()
        if pd.notna(row["n_met"]) and pd.notna(row["n_recorded"])
    ]
    counts = "; ".join(told) or "None recorded"
    return f"Units that met the threshold, by component and year. {counts}."


@styled
def fidelity_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw one line per component and one column per year: units that met their threshold.

    Where the words of a cell are wider than it, they take several lines, and cells are higher.
    """
    components = data.drop_duplicates("component").reset_index(drop=True)
    years = sorted(data["year"].unique())
    figure, (panel,) = new_figure(1.6 + ROW * len(components))
    cells = [
        (years.index(row.year), int((components["component"] == row.component).argmax()), row)
        for row in data.itertuples()
    ]
    for x, y, row in cells:
        colour = MET if row.met == "yes" else NOT_MET
        panel.add_patch(Rectangle((x - 0.48, y - 0.45), 0.96, 0.9, color=colour))
    panel.set_xlim(-0.55, len(years) - 0.45)
    panel.set_ylim(len(components) - 0.5, -0.5)
    panel.set_xticks(range(len(years)), [str(year) for year in years])
    panel.set_yticks(range(len(components)), [_line(row) for row in components.itertuples()])
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.xaxis.tick_top()
    figure.suptitle("Who received the planned amount, by school year", x=0.01, ha="left",
                    fontweight="bold")  # fmt: skip
    panel.set_xlabel("met: at least the planned share received it", color=MUTED)
    foot(figure, study)
    fit_texts(figure)  # the width of a cell is only known once the layout is settled
    room = FILLED * 0.96 * panel.get_window_extent().width / figure.dpi / (len(years) + 0.1)
    told = [_words(row, room) for _, _, row in cells]
    lines = max((len(words) for words in told), default=1)
    figure.set_figheight(figure.get_figheight() + LINE * (lines - 1) * len(components))
    tall = ROW + LINE * (lines - 1)
    middle = SHARE / 2 - (SHARE + APART + LINE * lines) / 2  # of the share, from that of the cell
    for (x, y, row), words in zip(cells, told, strict=True):
        share, below = (-0.1, 0.24)
        if lines > 1:
            share, below = middle / tall, (middle + SHARE / 2 + APART) / tall
        panel.text(x, y + share, f"{row.share_met:.0%}", ha="center", va="center", color=INK,
                   fontweight="bold")  # fmt: skip
        panel.text(x, y + below, "\n".join(words), ha="center", fontsize=LETTERS, color=INK,
                   va="top" if lines > 1 else "center")  # fmt: skip
    return figure


def _words(row: Any, room: float) -> list[str]:
    """Return the count and the verdict of a cell, in lines that are no wider than its room."""
    count = f"{row.n_met:,} of {row.n_units:,}"
    verdict = "met" if row.met == "yes" else "NOT met"
    font = FontProperties(family=SETTINGS["font.family"], size=LETTERS)
    if width_of(f"{count} · {verdict}", font) <= room:
        return [f"{count} · {verdict}"]
    return [*wrap(count, room, font), *wrap(verdict, room, font)]


def _line(row: Any) -> str:
    planned = (
        f"{exact(row.unit_threshold)} or more for {row.share_required:.0%} of {row.unit_kind}s"
    )
    return f"{row.label}\nplanned: {planned}"
