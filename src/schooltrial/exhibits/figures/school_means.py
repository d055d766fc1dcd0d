"""School means: every school's mean outcome, by block and arm, in the years analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.data.rows.ordering import places
from schooltrial.exhibits.style.figures import (
    FAINT,
    WIDTH,
    arm_styles,
    foot,
    new_figure,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_key
from schooltrial.protocol.sections import Arm, Outcome, StudyLine

LINE = 0.23
"""Inches of the line of a block."""


CLOSE_LINE = 0.13
"""Inches of it where there are more than `MANY_BLOCKS`."""


MANY_BLOCKS = 40


SMALLEST, LARGEST = 12.0, 57.0
"""Areas of the marks of the smallest and the largest school, in square points."""


CROWD = 120
"""Schools above which marks become smaller, so that a panel keeps its height."""


PANEL = 0.72
"""Share of a panel's place that its axis fills."""


ABREAST = 3
"""Panels abreast; further outcomes are below."""


def drawn(
    panel: pd.DataFrame, outcomes: Mapping[str, Outcome], years: Sequence[int]
) -> pd.DataFrame:
    """Return the mean of each school for each primary outcome, over the named years."""
    primary = [name for name, outcome in outcomes.items() if outcome["primary"]] or list(outcomes)
    cells = panel[panel["outcome"].isin(primary) & panel["year"].isin(list(years))].copy()
    cells["n_pupils"] = cells["n_pupils"].fillna(1)
    cells["total"] = cells["mean"] * cells["n_pupils"]
    keys = ["outcome", "block", "school", "arm", "treated"]
    sums = cells.groupby(keys, as_index=False)[["total", "n_pupils"]].sum()
    sums["mean"] = sums["total"] / sums["n_pupils"]
    sums["_order"] = sums["block"].astype("str").map(places(sums["block"]))
    sums = sums.sort_values(["outcome", "_order", "treated", "school"], ignore_index=True)
    return sums[[*keys, "mean", "n_pupils"]]


@dataclass(frozen=True)
class Places:
    """Where the schools of a panel are drawn.

    Attributes
    ----------
    height : Series
        Vertical place of each school, in lines of a block, by the index of the data.
    middle, size : dict of str to float
        Block → middle of its band, and lines that it takes.
    """

    height: pd.Series
    middle: dict[str, float]
    size: dict[str, float]


@styled
def school_means_plot(
    data: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    study: StudyLine,
    block_label: str,
    year_label: str,
) -> Figure:
    """Draw one panel per primary outcome: a band per block, a mark per school sized by pupils.

    Schools of a block that would cover one another are moved apart within the band; where that
    takes more than two rows of marks, each arm has rows of its own.
    """
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    blocks = list(dict.fromkeys(data["block"]))
    columns = min(len(names), ABREAST)
    line = LINE if len(blocks) <= MANY_BLOCKS else CLOSE_LINE
    of_outcome = {name: data[data["outcome"] == name].reset_index(drop=True) for name in names}
    order = [arm.name for arm in arm_styles(arms)]
    placed = {
        name: place_schools(rows, blocks, order, columns, line) for name, rows in of_outcome.items()
    }
    height = max(sum(places.size.values()) for places in placed.values())
    lines = -(-len(names) // columns)
    figure, panels = new_figure(0.5 + lines * (1.0 + line * max(height, 6)), lines, columns)
    for at, (panel, name) in enumerate(zip(panels, names, strict=False)):
        _draw_outcome(panel, of_outcome[name], blocks, arms, placed[name])
        panel.set_title(f"{outcomes[name]['label']}, {year_label}")
        panel.set_xlabel(f"school mean, {outcomes[name]['units_label']}")
        if line == CLOSE_LINE:
            panel.tick_params(axis="y", labelsize=5.5)
        if at % columns:
            panel.set_yticklabels([])
        else:
            panel.set_ylabel(block_label)
    for spare in panels[len(names) :]:
        spare.set_axis_off()
    handles, texts = panels[0].get_legend_handles_labels()
    add_key(figure, handles, texts, loc="outside upper right", columns=4, size=8)
    foot(figure, study)
    return figure


def place_schools(
    data: pd.DataFrame, blocks: Sequence[str], arms: Sequence[str], columns: int, line: float
) -> Places:
    """Return where the schools of one outcome are drawn, none of them over another of its block.

    Parameters
    ----------
    data : DataFrame
        From `drawn`, of one outcome.
    blocks, arms : sequence of str
        In the order from the top.
    columns : int
        Panels abreast.
    line : float
        Inches of a block's line.
    """
    width = 72 * PANEL * WIDTH / columns  # points
    span = float(data["mean"].max() - data["mean"].min()) or 1.0
    mark = float(np.sqrt(_areas(data).max()))
    gap, row_height = mark / width * span, (mark + 1) / 72 / line
    height = pd.Series(0.0, index=data.index)
    middle: dict[str, float] = {}
    size: dict[str, float] = {}
    top = -0.5
    for block in blocks:
        inside = data[data["block"] == block]
        rows = _rows_of_marks(inside["mean"], gap)
        if len(inside) and rows.max() > 1:  # more than two: each arm has its own
            below = 0
            for arm in arms:
                here = inside[inside["arm"] == arm]
                rows.loc[here.index] = below + _rows_of_marks(here["mean"], gap)
                below = int(rows.loc[here.index].max()) + 1 if len(here) else below
        count = int(rows.max()) + 1 if len(rows) else 1
        size[str(block)] = max(1.0, (count + 0.5) * row_height) if count > 1 else 1.0
        middle[str(block)] = top + size[str(block)] / 2
        height.loc[inside.index] = middle[str(block)] + (rows - (count - 1) / 2) * row_height
        top += size[str(block)]
    return Places(height, middle, size)


def _rows_of_marks(means: pd.Series, gap: float) -> pd.Series:
    """Return the row of each mark, 0 or more: the first where it covers no other."""
    ends: list[float] = []
    rows = pd.Series(0, index=means.index)
    for at, mean in means.sort_values(kind="stable").items():
        free = next((row for row, end in enumerate(ends) if mean >= end), len(ends))
        ends[free : free + 1] = [mean + gap]
        rows.loc[at] = free
    return rows


def _areas(data: pd.DataFrame) -> pd.Series:
    """Return the areas of the marks: more pupils, a larger mark; many schools, smaller ones."""
    share = data["n_pupils"] / data["n_pupils"].max()
    crowd = max(min(1.0, CROWD / len(data)), 0.15)
    return crowd * (SMALLEST + (LARGEST - SMALLEST) * share)


def _draw_outcome(
    panel: Axes, data: pd.DataFrame, blocks: Sequence[str], arms: Sequence[Arm], places: Places
) -> None:
    for block, rows in data.groupby("block"):
        if len(rows) <= 2:
            panel.plot(
                [rows["mean"].min(), rows["mean"].max()],
                [places.middle[str(block)]] * 2,
                color=FAINT,
                lw=0.6,
            )
    area = _areas(data)
    for arm in arm_styles(arms):
        rows = data[data["arm"] == arm.name]
        panel.scatter(
            rows["mean"], places.height[rows.index], s=area[rows.index],
            marker=arm.marker, color=arm.colour, alpha=0.8, lw=0, label=arm.label, zorder=3,
        )  # fmt: skip
    ends = np.cumsum([places.size[str(block)] for block in blocks]) - 0.5
    if len(blocks) > 1 and max(places.size.values()) > 1:
        for end in ends[:-1]:
            panel.axhline(end, color=FAINT, lw=0.4, ls=":")
    panel.set_yticks([places.middle[str(block)] for block in blocks], list(blocks))
    panel.set_ylim(float(ends[-1]), -0.5)
