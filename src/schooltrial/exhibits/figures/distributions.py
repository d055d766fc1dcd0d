"""Distributions of the outcomes as they were read, by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
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
    ArmStyle,
    arm_styles,
    foot,
    nothing_drawn,
    styled,
    two_column_figure,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine
from schooltrial.protocol.content.shown_units import is_binary
from schooltrial.wording import listed, percent, plural

MEASURED = ("scores", "observations", "school_scores")
"""Standard tables that hold outcomes."""


HEADROOM = 1.08
"""Height of a panel over its highest share."""


FIRST, BETWEEN, LAST = "first year", "years between", "last year"
HEAP = "a value that many have"
"""Entries of the key."""


FEW = 12
"""Up to so many values have bars of their own, more are a line through the middles of the bins."""


GROUP = 0.8
"""Share of the distance between two values that the bars of all years fill."""


NUMBERED = 10
"""Bars of a panel up to which each has its number; of more, those of the last year have."""


COLUMNS = ["outcome", "year", "arm", "bin_low", "bin_high", "n", "n_individuals", "share", "heap"]


def drawn(
    distributions: pd.DataFrame,
    heaps: pd.DataFrame,
    means: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
) -> pd.DataFrame:
    """Return what is drawn: bins or values by year; of yes/no outcomes, yes by year and group.

    Parameters
    ----------
    distributions, heaps, means : DataFrame
        Of ``checks/quality_distributions.csv``, ``quality_heaping.csv`` and ``codebook_means.csv``.
    outcomes, arms : protocol sections
    """
    yes = _shares_of_yes(means, outcomes, [str(arm["name"]) for arm in arms])
    rows = distributions[~distributions["outcome"].isin(yes["outcome"])].copy()
    found = heaps[heaps["verdict"] == "heap"]
    heap = pd.Series(False, index=rows.index)
    for one in found.itertuples():
        mine = (rows["outcome"] == one.outcome) & (rows["year"] == one.year)
        inside = (rows["bin_low"] <= one.value) & (one.value < rows["bin_high"])
        heap |= mine & (inside | (rows["bin_low"] == one.value) & (rows["bin_high"] == one.value))
    rows = rows.assign(heap=heap)
    every = [part for part in (rows, yes) if len(part)] or [rows]
    return pd.concat(every, ignore_index=True).reindex(columns=COLUMNS)


def _shares_of_yes(
    means: pd.DataFrame, outcomes: Mapping[str, Outcome], arms: Sequence[str]
) -> pd.DataFrame:
    """Return of each yes/no outcome the share of yes, by year and group."""
    binary = [name for name, outcome in outcomes.items() if is_binary(outcome)]
    rows = means[means["variable"].isin(binary) & means["table"].isin(MEASURED)]
    rows = rows[rows["arm"].isin(list(arms)) & rows["mean"].between(0, 1)]
    known = rows["rows"] - rows["missing"]
    return pd.DataFrame(
        {
            "outcome": rows["variable"].astype("str"), "year": rows["year"].astype("int64"),
            "arm": rows["arm"], "bin_low": 1.0, "bin_high": 1.0,
            "n": (known * rows["mean"]).round().astype("int64"), "n_individuals": known,
            "share": rows["mean"], "heap": False,
        }
    )  # fmt: skip


@styled
def distributions_plot(
    data: pd.DataFrame, outcomes: Mapping[str, Outcome], arms: Sequence[Arm], study: StudyLine
) -> Figure:
    """Draw one panel per outcome: a line or bars per year, or bars of yes per year and group."""
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    if not names:
        return nothing_drawn("No outcome was read.", study)
    figure, panels = two_column_figure(len(names), 1.0, 2.0)
    for panel, name in zip(panels, names, strict=False):
        rows = data[data["outcome"] == name]
        if rows["arm"].notna().any():
            _draw_yes(panel, rows, arm_styles(arms))
        else:
            _draw_outcome(panel, rows)
        panel.set_title(outcomes[name]["label"], fontsize=LETTERS)
    add_shared_key(figure, panels, columns=4, size=LETTERS)
    foot(figure, study)
    return figure


def _draw_yes(panel: Axes, data: pd.DataFrame, styles: Sequence[ArmStyle]) -> None:
    """Draw the share of yes in per cent, a bar for each group side by side in each year."""
    years = sorted(data["year"].unique())
    held = [style for style in styles if (data["arm"] == style.name).any()]
    width = GROUP / len(held)
    for place, style in enumerate(held):
        mine = data[data["arm"] == style.name].set_index("year")["share"].reindex(years)
        middles = [at + width * (place - (len(held) - 1) / 2) for at in range(len(years))]
        panel.bar(middles, mine, width, color=style.colour, edgecolor="white", lw=0.6,
                  label=style.label, hatch=HATCHES[styles.index(style) % len(HATCHES)])  # fmt: skip
        for middle, year, share in zip(middles, years, mine, strict=True):
            if pd.notna(share) and (len(data) <= NUMBERED or year == years[-1]):
                panel.text(middle, share, f"{100 * share:.0f}", ha="center", va="bottom",
                           fontsize=LETTERS)  # fmt: skip
    panel.set_xticks(range(len(years)), [str(year) for year in years])
    panel.tick_params(axis="x", length=0)
    panel.set_xlim(-0.6, len(years) - 0.4)
    panel.set_ylim(0, max(1.0, 1.18 * float(data["share"].max())))
    panel.set_yticks([0, 0.5, 1])
    panel.yaxis.set_major_formatter(PercentFormatter(1))
    panel.set_ylabel("share of yes")


def _draw_outcome(panel: Axes, data: pd.DataFrame) -> None:
    years = sorted(data["year"].unique())
    few = data.groupby("year").size().max() <= FEW
    step = _step(data)
    for place, year in enumerate(years):
        rows = data[data["year"] == year]
        label = _name(year, years)
        middle = (rows["bin_low"] + rows["bin_high"]) / 2
        if few:
            width = GROUP * step / len(years)
            middle = middle + width * (place - (len(years) - 1) / 2)
            panel.bar(middle, rows["share"], width, label=label, **BARS[label])
        else:
            panel.plot(middle, rows["share"], label=label, **LINES[label])
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
        values = _values(data)
        panel.set_xticks(values, [f"{value:g}" for value in values])
        panel.set_xlim(values[0] - step / 2, values[-1] + step / 2)


def _values(data: pd.DataFrame) -> list[float]:
    """Return the values, or the middles of bins, in their order."""
    return sorted(((data["bin_low"] + data["bin_high"]) / 2).unique())


def _step(data: pd.DataFrame) -> float:
    """Return the distance between two values, or middles of bins."""
    values = _values(data)
    return min((b - a for a, b in pairwise(values)), default=1.0)


LINES: dict[str, dict[str, Any]] = {
    LAST: {"color": INK, "lw": 1.3, "zorder": 3},
    FIRST: {"color": CONTROL, "lw": 1.3, "ls": (0, (4, 2)), "zorder": 2.5},
    BETWEEN: {"color": FAINT, "lw": 0.9, "zorder": 2},
}
BARS: dict[str, dict[str, Any]] = {
    LAST: {"color": INK, "edgecolor": INK, "lw": 0.8},
    FIRST: {"color": "white", "edgecolor": INK, "lw": 0.8},
    BETWEEN: {"color": FAINT, "edgecolor": FAINT, "lw": 0.8},
}
"""Entry of the key → its lines, and its bars: told apart without colour."""


HATCHES = ("", "////", "....", "xxxx", "----", "++++")
"""Of the bars of each group, so that they differ without colour."""


def _name(year: int, years: Sequence[int]) -> str:
    """Return the entry of a year in the key; all the years between the ends have one name."""
    return LAST if year == years[-1] else FIRST if year == years[0] else BETWEEN


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome], arms: Sequence[Arm]) -> str:
    """Return what the figure shows, in numbers: of each outcome the scores of its last year."""
    parts = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        rows = data[data["outcome"] == name]
        years = sorted(rows["year"].unique())
        last = rows[rows["year"] == years[-1]]
        if rows["arm"].notna().any():
            parts.append(f"{outcomes[name]['label']}: {_yes_told(rows, years, arms)}")
            continue
        held = last[last["n"] > 0]
        if held.empty:
            continue
        most = held.loc[held["share"].idxmax()]
        heaps = plural(int(rows["heap"].sum()), "heap") if rows["heap"].any() else "no heap"
        low, high = told(float(most["bin_low"])), told(float(most["bin_high"]))
        where = (
            f"are {low}, the most frequent value"
            if most["bin_low"] == most["bin_high"]
            else f"lie from {low} to {high}, the fullest bin"
        )
        parts.append(
            f"{outcomes[name]['label']}: {int(last['n'].sum()):,} values in {years[-1]}, from "
            f"{told(float(held['bin_low'].min()))} to {told(float(held['bin_high'].max()))}; "
            f"{percent(float(most['share']))} of them {where}; {plural(len(years), 'year')}, "
            f"{heaps}"
        )
    return f"Distributions of the outcomes by year. {few(parts, 'outcomes') or 'None was read.'}"


def _yes_told(rows: pd.DataFrame, years: Sequence[int], arms: Sequence[Arm]) -> str:
    """Return the shares of yes of each group, in the first and the last year."""
    words = []
    for style in arm_styles(arms):
        mine = rows[rows["arm"] == style.name].set_index("year")
        ends = [
            f"{percent(float(mine.loc[year, 'share']))} of {int(mine.loc[year, 'n_individuals']):,}"
            f" in {year}"
            for year in dict.fromkeys((years[0], years[-1]))
            if year in mine.index
        ]
        if ends:
            words.append(f"{style.label} {listed(ends)}")
    return f"share of yes, {'; '.join(words)}"
