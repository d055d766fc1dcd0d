"""School means: every school's mean outcome, by block and arm, in the years analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.data.rows.ordering import places
from schooltrial.exhibits.style.alt_words import few, span, told
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
from schooltrial.wording import plural

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
    """Return the mean of each school for each primary outcome, over the named years.

    Where schools enter in cohorts, years before the last of them has begun are left out, and so
    are schools of cohorts that begin after these years: no school counts as treated before it was.
    """
    panel, years = since_all_began(panel, years)
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


def since_all_began(panel: pd.DataFrame, years: Sequence[int]) -> tuple[pd.DataFrame, list[int]]:
    """Return the panel and the years in which all its cohorts had begun.

    Cohorts that begin after the last of the years leave. Without cohorts, all stays as it is.
    """
    if "cohort" not in panel or not len(years):
        return panel, list(years)
    begun = ~(panel["cohort"] > max(years)).fillna(False).to_numpy("bool")
    panel = panel[begun]
    last = panel["cohort"].max()
    return panel, [year for year in years if pd.isna(last) or year >= last]


@dataclass(frozen=True)
class Rows:
    """The rows of marks in which the schools of one outcome are drawn.

    Attributes
    ----------
    of_school : Series
        Row of each school within its block, by the index of the data; the first is 0.
    count : dict of str to int
        Block → rows that it takes.
    """

    of_school: pd.Series
    count: dict[str, int]


@dataclass(frozen=True)
class Bands:
    """The bands of the blocks, alike in all panels, in lines of a block from the top.

    Attributes
    ----------
    middle, size : dict of str to float
        Block → middle of its band, and lines that it takes.
    row : float
        Height of a row of marks.
    """

    middle: dict[str, float]
    size: dict[str, float]
    row: float

    def places(self, data: pd.DataFrame, rows: Rows) -> pd.Series:
        """Return the vertical place of each school."""
        block = data["block"].astype("str")
        centred = rows.of_school - (block.map(rows.count).astype("float64") - 1) / 2
        return block.map(self.middle).astype("float64") + centred * self.row


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
    rows = {name: rows_of_marks(found, order, columns) for name, found in of_outcome.items()}
    largest = max(float(_areas(found).max()) for found in of_outcome.values())
    bands = bands_of_blocks(blocks, list(rows.values()), (np.sqrt(largest) + 1) / 72 / line)
    height = sum(bands.size.values())
    lines = -(-len(names) // columns)
    figure, panels = new_figure(0.5 + lines * (1.0 + line * max(height, 6)), lines, columns)
    for at, (panel, name) in enumerate(zip(panels, names, strict=False)):
        _draw_outcome(panel, of_outcome[name], arms, bands, rows[name])
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


def rows_of_marks(data: pd.DataFrame, arms: Sequence[str], columns: int) -> Rows:
    """Return the rows in which the schools of one outcome cover no other of their block.

    Where a block takes more than two, each of its arms has rows of its own.

    Parameters
    ----------
    data : DataFrame
        From `drawn`, of one outcome.
    arms : sequence of str
        In the order from the top.
    columns : int
        Panels abreast.
    """
    width = 72 * PANEL * WIDTH / columns  # points
    span = float(data["mean"].max() - data["mean"].min()) or 1.0
    gap = float(np.sqrt(_areas(data).max())) / width * span
    found = pd.Series(0, index=data.index)
    count: dict[str, int] = {}
    for block, inside in data.groupby(data["block"].astype("str"), sort=False):
        rows = _packed(inside["mean"], gap)
        if rows.max() > 1:
            below = 0
            for arm in arms:
                here = inside.loc[inside["arm"] == arm, "mean"]
                if len(here):
                    rows.loc[here.index] = below + _packed(here, gap)
                    below = int(rows.loc[here.index].max()) + 1
        found.loc[inside.index] = rows
        count[str(block)] = int(rows.max()) + 1
    return Rows(found, count)


def bands_of_blocks(blocks: Sequence[str], rows: Sequence[Rows], row: float) -> Bands:
    """Return bands from the top that hold the rows of marks of every panel.

    Parameters
    ----------
    blocks : sequence of str
        In the order from the top.
    rows : sequence of Rows
        Of each panel.
    row : float
        Height of a row of marks, in lines of a block.
    """
    middle: dict[str, float] = {}
    size: dict[str, float] = {}
    top = -0.5
    for block in map(str, blocks):
        count = max(panel.count.get(block, 1) for panel in rows)
        size[block] = max(1.0, (count + 0.5) * row) if count > 1 else 1.0
        middle[block] = top + size[block] / 2
        top += size[block]
    return Bands(middle, size, row)


def _packed(means: pd.Series, gap: float) -> pd.Series:
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
    panel: Axes, data: pd.DataFrame, arms: Sequence[Arm], bands: Bands, rows: Rows
) -> None:
    for block, pair in data.groupby("block"):
        if len(pair) <= 2:
            span = [pair["mean"].min(), pair["mean"].max()]
            panel.plot(span, [bands.middle[str(block)]] * 2, color=FAINT, lw=0.6)
    area, height = _areas(data), bands.places(data, rows)
    for arm in arm_styles(arms):
        mine = data[data["arm"] == arm.name]
        panel.scatter(
            mine["mean"], height[mine.index], s=area[mine.index],
            marker=arm.marker, color=arm.colour, alpha=0.8, lw=0, label=arm.label, zorder=3,
        )  # fmt: skip
    ends = np.cumsum(list(bands.size.values())) - 0.5
    if len(ends) > 1 and max(bands.size.values()) > 1:
        for end in ends[:-1]:
            panel.axhline(end, color=FAINT, lw=0.4, ls=":")
    panel.set_yticks(list(bands.middle.values()), list(bands.middle))
    panel.set_ylim(float(ends[-1]), -0.5)


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome], arms: Sequence[Arm]) -> str:
    """Return what the figure shows, in numbers: the school means of each arm."""
    parts = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        rows = data[data["outcome"] == name]
        for arm in arm_styles(arms):
            mine = rows.loc[rows["arm"] == arm.name, "mean"]
            if len(mine):
                parts.append(
                    f"{outcomes[name]['label']} ({outcomes[name]['units_label']}), {arm.label}: "
                    f"{plural(len(mine), 'school')}, {span(mine)}, median "
                    f"{told(float(mine.median()))}"
                )
    return f"Means of schools. {few(parts, 'groups', 12)}"
