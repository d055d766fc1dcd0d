"""Trends: mean outcome of each group, or of each cohort, by year, and when the programme was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from schooltrial.document.numbers import effect_decimals, interval, number
from schooltrial.exhibits.style.axis_limits import interval_limits
from schooltrial.exhibits.style.end_labels import LineEnd, height_of, label_ends
from schooltrial.exhibits.style.figures import (
    ARM_COLOURS,
    ARM_MARKERS,
    LETTERS,
    MUTED,
    SHADE,
    ArmStyle,
    arm_styles,
    foot,
    new_figure,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_key, add_shared_key, head_of_line, key_lines
from schooltrial.exhibits.style.year_axis import MOST, set_years
from schooltrial.models.inference.student_t import t_quantile
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine, Years
from schooltrial.protocol.content.shown_units import as_shown, mean_unit
from schooltrial.wording import plural

BEGAN = "Began "

EACH_COHORT = "schools that began in the year above the panel; hollow: before that"

STACKED = 4
"""Outcomes up to which panels are one below the other, with room for labels at line ends."""

TOGETHER = 5
"""Cohorts up to which they share a panel; more have a panel each."""

ABREAST = 3
"""Panels of cohorts abreast."""

LABEL = 1.3
"""Inches for a label at the end of a line."""

HEAD, SMALL = 0.85, 1.1
"""Inches above and below all panels, and of a line of panels of cohorts."""

EACH = {1: 2.3, 2: 1.8, 3: 1.7, 4: 1.7}
"""Lines of panels → inches of each; more than the last are as it."""

AROUND = 0.4
"""Inches of a line of panels that its title and the gap below it take."""

MARK, CROWD = 4.5, 15
"""Points of a mark, and years above which marks are half as large."""

KEY = 0.2
"""Inches of a line of a key."""

FEW = 3
"""Years that a panel of a cohort has room to name."""

THICK, THIN = 5.5, 1.3
"""Points of the intervals of the first line and of the last, which lies over it."""

ABOVE = 0.12
"""Share of the height above all intervals for the name of what is shaded."""

PALE = 0.6
"""Share of white in the colour of an interval, but for the last line's."""


@dataclass(frozen=True)
class _Series:
    """A line: a group, or the schools of a group that began in one year."""

    style: ArmStyle
    label: str
    rows: pd.DataFrame
    begins: int | None = None

    def end(self, *, numbers: bool = False) -> LineEnd:
        """Return where the line ends, with its label and, if wanted, its last mean and interval."""
        last = self.rows.sort_values("year").iloc[-1]
        label = f"{self.label}\n{_last(last)}" if numbers else self.label
        return LineEnd(float(last["year"]), float(last["mean"]), label, self.style.colour)


def _last(row: pd.Series) -> str:
    """Return the mean of a year and its interval."""
    # The mean of an outcome standardised by these schools is zero but for its last digits.
    sizes = [round(float(row[name]), 9) for name in ("mean", "conf_low", "conf_high")]
    digits = 2 if max(abs(size) for size in sizes if isfinite(size)) < 10 else 1
    digits = effect_decimals(digits, *sizes)
    ends = interval(sizes[1], sizes[2], digits)
    told = f"{int(row['year'])}: {number(sizes[0], digits)}"
    return f"{told}\n({ends})" if ends else told


def drawn(
    panel: pd.DataFrame, level: float = 0.95, outcomes: Mapping[str, Outcome] | None = None
) -> pd.DataFrame:
    """Return the mean of each group by outcome and year, weighted by pupils where all are known.

    Where schools began in different years, each cohort of a group has rows of its own. The interval
    takes schools as the units: the squared deviations of school means from the mean of their
    group, weighted by pupils squared, with schools − 1 degrees of freedom. Yes/no outcomes, as
    ``outcomes`` state them, are in per cent.
    """
    keys = ["outcome", "year", "treated", "arm"]
    by_cohort = "cohort" in panel and panel["cohort"].notna().any()
    keys += ["cohort"] if by_cohort else []
    rows = []
    for key, cells in panel.groupby(keys, sort=True, dropna=False):
        pupils = cells["n_pupils"].astype("float64")
        counted = pupils if pupils.notna().all() else pupils * 0 + 1
        weight = counted.fillna(1) / counted.fillna(1).sum()
        mean = float((weight * cells["mean"]).sum())
        n = len(cells)
        half = np.nan
        if n > 1:
            deviation = float((weight**2 * (cells["mean"] - mean) ** 2).sum())
            half = t_quantile((1 + level) / 2, n - 1) * (deviation * n / (n - 1)) ** 0.5
        rows.append([*key, mean, mean - half, mean + half, n, int(pupils.sum())])
    data = pd.DataFrame(
        rows, columns=[*keys, "mean", "conf_low", "conf_high", "n_schools", "n_pupils"]
    )
    data = as_shown(data, outcomes or {}, ["mean", "conf_low", "conf_high"])
    return data.astype({"cohort": "Int64"}) if by_cohort else data


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome], arms: Sequence[Arm]) -> str:
    """Return what the figure shows, in numbers: each line's means in its first and last year."""
    names = {str(arm["name"]): str(arm["label"]) for arm in arms}
    keys = ["arm", "cohort"] if "cohort" in data else ["arm"]
    told = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        parts = []
        of_outcome = data[data["outcome"] == name]
        for key, rows in of_outcome.groupby(keys, sort=False, dropna=False):
            ends = rows.sort_values("year").iloc[[0, -1]]
            first, last = (
                f"{number(float(row['mean']), 2)} in {int(row['year'])}"
                for _, row in ends.iterrows()
            )
            began = f" that began in {int(key[1])}" if len(key) > 1 and pd.notna(key[1]) else ""
            parts.append(f"{names.get(str(key[0]), key[0])}{began} {first}, {last}")
        told.append(f"{outcomes[name]['label']} ({mean_unit(outcomes[name])}): " + "; ".join(parts))
    by = "cohort" if "cohort" in data else "group"
    return f"Means by {by} and year. " + "".join(f"{text}. " for text in told).strip()


def cohort_starts(panel: pd.DataFrame) -> list[int]:
    """Return the years of the panel in which cohorts begin; none if all begin together."""
    if "cohort" not in panel:
        return []
    seen = {int(year) for year in panel["year"]}
    return sorted({int(start) for start in panel["cohort"].dropna()} & seen)


@styled
def trends_plot(
    data: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    years: Years,
    arms: Sequence[Arm],
    study: StudyLine,
    unit: str = "school",
) -> Figure:
    """Draw a line per group, or per cohort, by outcome: means at their years, with intervals.

    Lines are named where they end, with their last mean where there is room. Where there are many
    outcomes a key names them; where there are many cohorts, each has a panel beside the line of the
    comparison. Programme years are shaded; where cohorts begin in different years, marks are hollow
    until they do.

    Parameters
    ----------
    data : DataFrame
        Of ``drawn``.
    outcomes, years, arms : mapping and sequence
        The protocol's sections.
    study : mapping
        Title, whether synthetic, and protocol hash.
    unit : str
        What is counted: schools, or pupils in a trial without schools.
    """
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    series = {name: _series(data[data["outcome"] == name], arms, unit) for name in names}
    limits = _limits(data, names, outcomes)
    n_cohorts = data["cohort"].nunique() if "cohort" in data else 0
    if n_cohorts > TOGETHER:
        figure = _by_cohort(data, series, outcomes, years, limits)
    else:
        figure = _by_outcome(data, series, outcomes, years, limits)
    foot(figure, study)
    return figure


def _by_outcome(
    data: pd.DataFrame,
    series: Mapping[str, Sequence[_Series]],
    outcomes: Mapping[str, Outcome],
    years: Years,
    limits: Mapping[str, tuple[float, float]],
) -> Figure:
    """Draw a panel for each outcome, all lines in it."""
    each = EACH[min(max(len(series), 1), max(EACH))]
    inside = each - AROUND
    fits = {
        numbers: all(
            height_of([one.end(numbers=numbers) for one in lines], room=LABEL, size=LETTERS)
            <= inside
            for lines in series.values()
        )
        for numbers in (True, False)
    }
    stacked = len(series) <= STACKED and fits[False]
    columns = 1 if len(series) <= STACKED else 2
    rows = max(-(-len(series) // columns), 1)
    figure, panels = new_figure(HEAD + each * rows, rows, columns)
    for at, (panel, name) in enumerate(zip(panels, series, strict=False)):
        _draw(panel, series[name], years, limits[name], named=at < columns)
        _name_years(panel, data, years, bottom=at + columns >= len(series))
        panel.set_title(outcomes[name]["label"])
        panel.set_ylabel(mean_unit(outcomes[name]))
        if stacked:
            ends = [one.end(numbers=fits[True]) for one in series[name]]
            label_ends(panel, ends, room=LABEL, height=inside, size=LETTERS)
    for spare in panels[len(series) :]:
        spare.set_axis_off()
    if not stacked:
        key = add_shared_key(figure, panels, columns=3, size=LETTERS)
        figure.set_figheight(figure.get_figheight() + KEY * key_lines(key))
    return figure


def _by_cohort(
    data: pd.DataFrame,
    series: Mapping[str, Sequence[_Series]],
    outcomes: Mapping[str, Outcome],
    years: Years,
    limits: Mapping[str, tuple[float, float]],
) -> Figure:
    """Draw a panel for each cohort and outcome, with the line of those that never began."""
    cohorts = sorted({int(one) for one in data["cohort"].dropna()})
    lines = -(-len(cohorts) // ABREAST)
    rows = lines * len(series)
    figure, panels = new_figure(HEAD + SMALL * rows, rows, ABREAST)
    for of, name in enumerate(series):
        block = panels[of * lines * ABREAST : (of + 1) * lines * ABREAST]
        beside = [one for one in series[name] if one.begins is None]
        for at, (panel, cohort) in enumerate(zip(block, cohorts, strict=False)):
            mine = [one for one in series[name] if one.begins == cohort]
            _draw(panel, [*beside, *mine], years, limits[name], keyed=not at)
            bottom = at + ABREAST >= len(cohorts) and of == len(series) - 1
            _name_years(panel, data, years, bottom=bottom, most=FEW)
            label = mine[0].label.removeprefix(BEGAN).replace("\n", ": ") if mine else str(cohort)
            panel.set_title(label, fontsize=LETTERS, fontweight="normal")
            if at == 0:
                head_of_line(panel, outcomes[name]["label"])
            panel.set_ylabel("" if at else mean_unit(outcomes[name]))
            panel.tick_params(labelleft=at % ABREAST == 0)
        for spare in block[len(cohorts) :]:
            spare.set_axis_off()
    handles, names = panels[0].get_legend_handles_labels()
    names = [EACH_COHORT if name.startswith(BEGAN) else name for name in names]
    add_key(figure, handles, names, loc="outside upper left", columns=2, size=LETTERS)
    return figure


def _series(rows: pd.DataFrame, arms: Sequence[Arm], unit: str) -> list[_Series]:
    """Return the lines of an outcome: groups that began together, and cohorts in their order."""
    found: list[_Series] = []
    styles = arm_styles(arms)
    if "cohort" not in rows:
        for style in styles:
            mine = rows[rows["arm"] == style.name]
            if len(mine):
                found.append(_Series(style, f"{style.label}\n{_count(mine, unit)}", mine))
        return found
    starts = sorted({int(start) for start in rows["cohort"].dropna()})
    never = rows[rows["cohort"].isna()]
    for style in styles:
        mine = never[never["arm"] == style.name]
        if len(mine):
            found.append(_Series(style, f"{style.label}\n{_count(mine, unit)}", mine))
    begun = [
        (start, style) for start in starts for style in styles
        if ((rows["cohort"] == start) & (rows["arm"] == style.name)).any()
    ]  # fmt: skip
    several = len({style.name for _, style in begun}) > 1
    for at, (start, style) in enumerate(begun):
        mine = rows[(rows["cohort"] == start) & (rows["arm"] == style.name)]
        label = f"{BEGAN}{start}{f', {style.label}' if several else ''}\n{_count(mine, unit)}"
        place = 1 + at % (len(ARM_COLOURS) - 1) if len(starts) <= TOGETHER else 1
        own = ArmStyle(style.name, label, ARM_COLOURS[place], ARM_MARKERS[place])
        found.append(_Series(own, label, mine, start))
    return found


def _count(rows: pd.DataFrame, unit: str) -> str:
    """Return how many there are in the years drawn, such as 19–20 schools."""
    counts = rows["n_pupils" if unit == "pupil" else "n_schools"]
    low, high = int(counts.min()), int(counts.max())
    return plural(high, unit) if low == high else f"{low:,}–{plural(high, unit)}"


def _limits(
    data: pd.DataFrame, names: Sequence[str], outcomes: Mapping[str, Outcome]
) -> dict[str, tuple[float, float]]:
    """Return outcome → ends of its axis, the same for all outcomes of one unit."""
    found = {}
    for name in names:
        unit = mean_unit(outcomes[name])
        alike = [other for other in names if mean_unit(outcomes[other]) == unit]
        found[name] = vertical_limits(data[data["outcome"].isin(alike)])
    return found


def vertical_limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis of means and their intervals, all in one unit."""
    half = (rows["conf_high"] - rows["conf_low"]) / 2
    return interval_limits(list(rows["mean"]), list(half), [*rows["conf_low"], *rows["conf_high"]])


def _draw(
    panel: Axes,
    series: Sequence[_Series],
    years: Years,
    limits: tuple[float, float],
    *,
    keyed: bool = True,
    named: bool = False,
) -> None:
    """Draw lines at their years; intervals of one year lie over one another, the last thinnest."""
    panel.set_ylim(*limits)
    starts = [one for one in series if one.begins is not None]
    if not starts:
        # The room above the intervals is for its name.
        panel.set_ylim(limits[0], limits[1] + ABOVE * (limits[1] - limits[0]))
        first, last = min(years["programme"]), max(years["programme"])
        panel.axvspan(first - 0.5, last + 0.5, color=SHADE, lw=0, zorder=0)
        if named:
            panel.text((first + last) / 2, 1.0, "programme", transform=panel.get_xaxis_transform(),
                       ha="center", va="top", fontsize=LETTERS, color=MUTED)  # fmt: skip
    for one in starts:
        panel.axvline(_begins(one) - 0.5, color=one.style.colour, lw=0.9, ls=":", zorder=1)
    last = max(len(series) - 1, 1)
    for at, one in enumerate(series):
        rows, style = one.rows.sort_values("year"), one.style
        wide = THICK - (THICK - THIN) * at / last
        colour = style.colour if at == len(series) - 1 else _paler(style.colour)
        _intervals(panel, rows, limits, colour=colour, wide=wide)
        begun = rows["year"] >= one.begins if one.begins is not None else rows["year"] > -np.inf
        size = MARK if len(rows) <= CROWD else MARK / 2
        panel.plot(rows["year"], rows["mean"], color=style.colour, lw=1.4, zorder=4,
                   marker=style.marker, ms=size,
                   label=one.label.replace("\n", ", ") if keyed else "_")  # fmt: skip
        panel.plot(rows["year"][~begun], rows["mean"][~begun], style.marker, mec=style.colour,
                   mfc="white", ms=size, zorder=5)  # fmt: skip


def _begins(one: _Series) -> int:
    assert one.begins is not None
    return one.begins


def _intervals(
    panel: Axes, rows: pd.DataFrame, limits: tuple[float, float], *, colour: str, wide: float
) -> None:
    """Draw intervals at their years, with an arrowhead where one runs beyond the panel."""
    seen = rows[rows["conf_low"].notna()]
    if seen.empty:
        return
    low, high = seen["conf_low"].clip(*limits), seen["conf_high"].clip(*limits)
    panel.vlines(seen["year"], low, high, color=colour, lw=wide, zorder=2)
    for marker, bound, beyond in (
        ("v", limits[0], seen["conf_low"] < limits[0]),
        ("^", limits[1], seen["conf_high"] > limits[1]),
    ):
        if beyond.any():
            panel.plot(seen["year"][beyond], [bound] * int(beyond.sum()), marker, color=colour,
                       ms=MARK, zorder=3, clip_on=False)  # fmt: skip


def _paler(colour: str) -> str:
    """Return a colour mixed with white, so that what lies over it is seen."""
    red, green, blue = (1 - (1 - part) * (1 - PALE) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def _name_years(
    panel: Axes, data: pd.DataFrame, years: Years, *, bottom: bool, most: int = MOST
) -> None:
    """Give panels the same years; those of the lowest in a column are named."""
    set_years(panel, [*data["year"], *years["programme"]], most)
    panel.tick_params(labelbottom=bottom)
    panel.set_xlabel(years["label"] if bottom else "")
