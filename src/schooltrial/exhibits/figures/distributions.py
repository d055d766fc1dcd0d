"""Distributions of the outcomes as they were read, by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from schooltrial.exhibits.style.alt_words import few, told
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    LETTERS,
    TREATED,
    foot,
    nothing_drawn,
    styled,
    two_column_figure,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key
from schooltrial.protocol.content.sections import Outcome, StudyLine
from schooltrial.wording import percent, plural

HEADROOM = 1.08
"""Height of a panel over its highest share."""


FIRST, BETWEEN, LAST = "first year", "years between", "last year"
HEAP = "a value that many have"
"""Entries of the key."""


FEW = 12
"""Up to so many values have bars of their own, more are a line through the middles of the bins."""


GROUP = 0.8
"""Share of the distance between two values that the bars of all years fill."""


def drawn(distributions: pd.DataFrame, heaps: pd.DataFrame) -> pd.DataFrame:
    """Return the bins of every outcome and year, and whether a heap lies in them."""
    rows = distributions.copy()
    found = heaps[heaps["verdict"] == "heap"]
    heap = pd.Series(False, index=rows.index)
    for one in found.itertuples():
        inside = (rows["outcome"] == one.outcome) & (rows["year"] == one.year)
        heap |= inside & (rows["bin_low"] <= one.value) & (one.value < rows["bin_high"])
    return rows.assign(heap=heap)


@styled
def distributions_plot(
    data: pd.DataFrame, outcomes: Mapping[str, Outcome], study: StudyLine
) -> Figure:
    """Draw one panel per outcome, a line or bars per year; years between the ends are faint."""
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    if not names:
        return nothing_drawn("No outcome was read.", study)
    figure, panels = two_column_figure(len(names), 1.0, 2.0)
    for panel, name in zip(panels, names, strict=False):
        _draw_outcome(panel, data[data["outcome"] == name])
        panel.set_title(outcomes[name]["label"], fontsize=LETTERS)
    add_shared_key(figure, panels, columns=4, size=LETTERS)
    foot(figure, study)
    return figure


def _draw_outcome(panel: Axes, data: pd.DataFrame) -> None:
    years = sorted(data["year"].unique())
    few = data.groupby("year").size().max() <= FEW
    for place, year in enumerate(years):
        rows = data[data["year"] == year]
        label, look = _look(year, years)
        middle = (rows["bin_low"] + rows["bin_high"]) / 2
        if few:
            width = GROUP * float((rows["bin_high"] - rows["bin_low"]).iloc[0]) / len(years)
            middle = middle + width * (place - (len(years) - 1) / 2)
            panel.bar(middle, rows["share"], width, label=label, color=look["color"], lw=0)
        else:
            panel.plot(middle, rows["share"], label=label, **look)
        if rows["heap"].any():
            panel.plot(middle[rows["heap"]], rows.loc[rows["heap"], "share"], "v", color=TREATED,
                       ms=5, label=HEAP)  # fmt: skip
    span = str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
    panel.set_xlabel(f"value in the files, {span}")
    panel.set_ylabel("share of values")
    panel.yaxis.set_major_formatter(PercentFormatter(1))
    panel.yaxis.set_major_locator(MaxNLocator(4))
    panel.xaxis.set_major_locator(MaxNLocator(5))
    panel.set_ylim(0, HEADROOM * float(data["share"].max()))
    if few:
        _name_values(panel, data)


def _name_values(panel: Axes, data: pd.DataFrame) -> None:
    """Name every value that has bars, and nothing between two values."""
    bins = data.drop_duplicates(["bin_low", "bin_high"]).sort_values("bin_low")
    values = (bins["bin_low"] + bins["bin_high"]) / 2
    panel.set_xticks(list(values), [f"{value:g}" for value in values])
    panel.set_xlim(float(bins["bin_low"].min()), float(bins["bin_high"].max()))


def _look(year: int, years: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """Return the name and the line of a year; all the years between the ends have one name."""
    if year == years[-1]:
        return LAST, {"color": INK, "lw": 1.3, "zorder": 3}
    if year == years[0]:
        return FIRST, {"color": CONTROL, "lw": 1.3, "zorder": 2.5}
    return BETWEEN, {"color": FAINT, "lw": 0.9, "zorder": 2}


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> str:
    """Return what the figure shows, in numbers: of each outcome the scores of its last year."""
    parts = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        rows = data[data["outcome"] == name]
        years = sorted(rows["year"].unique())
        last = rows[rows["year"] == years[-1]]
        held = last[last["n"] > 0]
        if held.empty:
            continue
        most = held.loc[held["share"].idxmax()]
        heaps = plural(int(rows["heap"].sum()), "heap") if rows["heap"].any() else "no heap"
        parts.append(
            f"{outcomes[name]['label']}: {int(last['n'].sum()):,} values in {years[-1]}, from "
            f"{told(float(held['bin_low'].min()))} to {told(float(held['bin_high'].max()))}; "
            f"{percent(float(most['share']))} of them lie from {told(float(most['bin_low']))} to "
            f"{told(float(most['bin_high']))}, the fullest bin; {plural(len(years), 'year')}, "
            f"{heaps}"
        )
    return f"Distributions of the outcomes by year. {few(parts, 'outcomes') or 'None was read.'}"
