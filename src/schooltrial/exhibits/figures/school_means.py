"""School means: every school's mean outcome before the programme and after, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from schooltrial.arrays import FloatArray
from schooltrial.data.variables.standardisation import standardised
from schooltrial.document.numbers import decimals_of, number
from schooltrial.exhibits.style.alt_words import few, signed, told
from schooltrial.exhibits.style.figures import (
    INK,
    LETTERS,
    READABLE,
    ArmStyle,
    arm_styles,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_lines import wrap
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine, Years
from schooltrial.protocol.content.shown_units import as_shown, mean_unit
from schooltrial.wording import plural

BEFORE, AFTER = "before", "after"


PRETEST = "pre-test"
"""What stands for the years of a pre-test in a column of its own."""


STEP = 2.9
"""From where one group begins to where the next does, a line being 1 wide."""


MANY = 80
"""Schools of a group above which lines are thinner and have no marks."""


CROWD, SHOWN = 150, 40
"""Schools of a group above which a ribbon stands for them, and lines that are drawn on it."""


RIBBON = (0.1, 0.9)
"""Parts of the schools between which the ribbon lies, at each time."""


PALE = 0.55
"""Share of white in the lines of single schools."""


ABOVE, BROAD = 0.11, 0.75
"""Share of the range for a line of a group's name, and of a group's place that it fills."""


HIGH, LOW, HEAD = 2.9, 2.4, 0.5
"""Inches of a panel that is alone, of a line of several, and of what stands around them all."""


COLUMNS = ["outcome", "block", "school", "arm", "treated", "when", "years", "mean", "n_pupils"]


def drawn(
    panel: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    years: Years,
    analysed: Sequence[int],
    pupils: pd.DataFrame | None = None,
    control: str = "",
) -> pd.DataFrame:
    """Return the mean of each school for each primary outcome, before and after.

    Before is the last baseline year with the outcome; after, the years analysed together, weighted
    by pupils. Where schools enter in cohorts, years before the last of them has begun are left out
    of the latter, and so are schools of cohorts that begin after these years: no school counts as
    treated before it was.

    An outcome without such a year, whose protocol names a pre-test on the same scale, has that
    before: means of the pupils with the outcome in the years analysed.

    Parameters
    ----------
    panel : DataFrame
        Means by school and year.
    outcomes, years : protocol sections
    analysed : sequence of int
        Years analysed.
    pupils : DataFrame, optional
        Sample of pupils, where an outcome has a pre-test.
    control : str
        Name of the control group, by which pre-tests are standardised as their outcomes are.
    """
    panel, after = since_all_began(panel, analysed)
    primary = [name for name, outcome in outcomes.items() if outcome["primary"]] or list(outcomes)
    parts = []
    for name in primary:
        cells = panel[panel["outcome"] == name]
        base = [year for year in years["baseline"] if (cells["year"] == year).any()][-1:]
        base = [year for year in base if year not in after]
        before = _means(cells, base, BEFORE)
        if before.empty and pupils is not None and outcomes[name]["pretest"]:
            before = _pretests(pupils, name, outcomes[name], after, control)
        parts += [before, _means(cells, after, AFTER)]
    return as_shown(pd.concat(parts, ignore_index=True)[COLUMNS], outcomes, ["mean"])


def _means(cells: pd.DataFrame, years: Sequence[int], time: str) -> pd.DataFrame:
    """Return the means of schools over years, weighted by pupils where their number is known."""
    cells = cells[cells["year"].isin(list(years))].copy()
    cells["n_pupils"] = cells["n_pupils"].fillna(1)
    cells["total"] = cells["mean"] * cells["n_pupils"]
    keys = ["outcome", "block", "school", "arm", "treated"]
    sums = cells.groupby(keys, as_index=False)[["total", "n_pupils"]].sum()
    sums["mean"] = sums["total"] / sums["n_pupils"]
    return sums.assign(when=time, years=", ".join(map(str, years)))


def _pretests(
    pupils: pd.DataFrame, name: str, outcome: Outcome, years: Sequence[int], control: str
) -> pd.DataFrame:
    """Return the mean of each school's pre-tests, of pupils whose outcome is known."""
    measure = str(outcome["pretest"])
    rows = pupils[pupils["year"].isin(list(years)) & pupils[name].notna()]
    rows = rows[rows[measure].notna()].drop_duplicates("pupil").astype({"arm": "str"})
    within = [column for column in ("grade", "year") if column in rows]
    value = standardised(rows, measure, outcome, control=control, within=within)
    keys = ["block", "school", "arm", "treated"]
    means = rows.assign(mean=value.astype("float64"), n_pupils=1.0).astype(
        {"block": "str", "school": "str"}
    )
    found = means.groupby(keys, as_index=False).agg(
        mean=("mean", "mean"), n_pupils=("mean", "size")
    )
    return found.assign(outcome=name, when=BEFORE, years=PRETEST)


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


@styled
def school_means_plot(
    data: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    study: StudyLine,
    year_label: str,
) -> Figure:
    """Draw one panel per primary outcome: a line per school from before to after, by group.

    The thick line joins the means of the schools of a group that are seen at both times, each
    counting once. An outcome that was not measured before has a mark per school instead.
    """
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    if not names:
        return nothing_drawn("No school has a mean of a primary outcome.", study)
    styles = arm_styles(arms)
    high = HIGH if len(names) == 1 else LOW
    figure, panels = new_figure(HEAD + high * len(names), len(names))
    for panel, name in zip(panels, names, strict=False):
        rows = data[data["outcome"] == name]
        unit = mean_unit(outcomes[name])
        alike = [other for other in names if mean_unit(outcomes[other]) == unit]
        ends = data.loc[data["outcome"].isin(alike), "mean"]
        labels = {style.name: _label(style, READABLE / len(styles)) for style in styles}
        above = ABOVE * (2 + max(label.count("\n") for label in labels.values()))
        span = float(np.ptp(ends)) or 1.0
        panel.set_ylim(float(ends.min()) - 0.05 * span, float(ends.max()) + above * span)
        _draw(panel, rows, styles, labels)
        panel.set_title(outcomes[name]["label"])
        panel.set_ylabel(f"school mean, {unit}")
        panel.set_xlabel(year_label)
    foot(figure, study)
    return figure


def _label(style: ArmStyle, room: float) -> str:
    """Return the name of a group in lines that fit its place, in inches."""
    font = FontProperties(size=LETTERS, weight="bold")
    return "\n".join(wrap(style.label, BROAD * room, font))


def _draw(
    panel: Axes, rows: pd.DataFrame, styles: Sequence[ArmStyle], labels: Mapping[str, str]
) -> None:
    digits = _digits(rows["mean"])
    ticks: list[float] = []
    words: list[str] = []
    for at, style in enumerate(styles):
        wide = pairs_of(rows[rows["arm"] == style.name])
        places = {BEFORE: STEP * at, AFTER: STEP * at + 1}
        if wide[BEFORE].notna().any():
            _slopes(panel, wide, places, style, digits)
        else:
            _marks(panel, wide[AFTER].dropna(), STEP * at + 0.5, style, digits)
            places = {AFTER: STEP * at + 0.5}
        count = plural(len(wide), "school")
        panel.text(STEP * at + 0.5, 1.0, f"{labels[style.name]}\n{count}", ha="center", va="top",
                   transform=panel.get_xaxis_transform(), fontsize=LETTERS, color=style.colour,
                   fontweight="bold")  # fmt: skip
        ticks += places.values()
        words += [_years(rows, time) for time in places]
    panel.set_xticks(ticks, words, fontsize=LETTERS)
    panel.tick_params(axis="x", length=0)
    panel.tick_params(axis="y", labelsize=LETTERS)
    panel.set_xlim(-0.95, STEP * (len(styles) - 1) + 1.9)


def pairs_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the means of schools before and after, a row for each; NaN where not seen."""
    wide = rows.pivot_table(index="school", columns="when", values="mean", aggfunc="mean")
    return wide.reindex(columns=[BEFORE, AFTER])


def _slopes(
    panel: Axes, wide: pd.DataFrame, places: Mapping[str, float], style: ArmStyle, digits: int
) -> None:
    """Draw the lines of schools as one, which is a tenth as many bytes as one each."""
    both = wide.dropna()
    crowded = len(both) > CROWD
    thin = len(wide) > MANY
    ends = both.mean()
    if crowded:
        low, high = (both.quantile(part) for part in RIBBON)
        times = [BEFORE, AFTER]
        panel.fill_between(list(places.values()), low[times], high[times],
                           color=style.colour, alpha=0.18, lw=0)  # fmt: skip
    whole, both = both, sample_of(both)
    x = np.tile([places[BEFORE], places[AFTER], np.nan], len(both))
    y = np.column_stack([both[BEFORE], both[AFTER], np.full(len(both), np.nan)]).ravel()
    pale = paler(style.colour)
    panel.plot(x, y, color=pale, lw=0.35 if thin else 0.8, solid_capstyle="round",
               marker=None if thin else style.marker, ms=2.5)  # fmt: skip
    for time, place in places.items():
        lone = wide.loc[wide.isna().any(axis=1), time].dropna()
        panel.plot([place] * len(lone), lone, style.marker, color=pale, ms=2.5, mfc="white")
    if whole.empty:
        return
    panel.plot(list(places.values()), ends[[BEFORE, AFTER]], color=style.colour, lw=2.6,
               marker=style.marker, ms=5, mec="white", mew=0.7, zorder=4)  # fmt: skip
    for time, side, reach in ((BEFORE, "right", -6), (AFTER, "left", 6)):
        panel.annotate(
            number(float(ends[time]), digits), (places[time], float(ends[time])), (reach, 0),
            textcoords="offset points", ha=side, va="center", fontsize=LETTERS, color=INK,
            fontweight="bold", zorder=5,
        )  # fmt: skip


def sample_of(both: pd.DataFrame) -> pd.DataFrame:
    """Return the schools whose lines are drawn: of a crowd, an even choice by the mean before."""
    if len(both) <= CROWD:
        return both
    ordered = both.sort_values(BEFORE, kind="stable")
    return ordered.iloc[np.linspace(0, len(both) - 1, SHOWN).round().astype("int64")]


def _marks(panel: Axes, means: pd.Series, place: float, style: ArmStyle, digits: int) -> None:
    """Draw a mark per school, moved aside where many are near, and a bar at their mean."""
    if means.empty:
        return
    panel.plot(place + _spread(means), means, style.marker, color=paler(style.colour), ms=3)
    mean = float(means.mean())
    panel.plot([place - 0.45, place + 0.45], [mean, mean], color=style.colour, lw=2.6, zorder=4)
    panel.annotate(
        number(mean, digits), (place + 0.45, mean), (4, 0),
        textcoords="offset points", ha="left", va="center", fontsize=LETTERS, color=INK,
        fontweight="bold",
    )  # fmt: skip


def _digits(means: pd.Series) -> int:
    """Return the decimals at which groups differ: 2 of SDs, 1 of points from 0 to 100."""
    span = float(np.ptp(means))
    return decimals_of(span) if 0 < span < 0.1 else 2 if span < 10 else 1 if span < 1000 else 0


def _spread(means: pd.Series) -> FloatArray:
    """Return the sideways shift of each mark: those of a thirtieth of the range share the width."""
    bins = np.floor(30 * (means - means.min()) / (float(np.ptp(means)) or 1.0))
    place = means.groupby(bins).cumcount()
    count = means.groupby(bins).transform("size")
    most = float(count.max())
    aside = (place - (count - 1) / 2) * (0.8 / max(most, 8.0))
    return np.asarray(aside, dtype="float64")


def paler(colour: str) -> tuple[float, float, float]:
    """Return a colour mixed with white, which looks alike where lines cross."""
    red, green, blue = (PALE + (1 - PALE) * part for part in to_rgb(colour))
    return red, green, blue


def _years(rows: pd.DataFrame, time: str) -> str:
    """Return the years of a time as written below it, two to a line."""
    found = rows.loc[rows["when"] == time, "years"]
    named = str(found.iloc[0]).split(", ") if len(found) else []
    return f"{named[0]}–{named[-1]}" if len(named) > 2 else "\n".join(named)


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome], arms: Sequence[Arm]) -> str:
    """Return what the figure shows, in numbers: of each group the means, and how many rose."""
    parts = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        rows = data[data["outcome"] == name]
        label = f"{outcomes[name]['label']} ({mean_unit(outcomes[name])})"
        for arm in arm_styles(arms):
            wide = pairs_of(rows[rows["arm"] == arm.name])
            both = wide.dropna()
            if len(both):
                ends, rose = both.mean(), int((both[AFTER] > both[BEFORE]).sum())
                parts.append(
                    f"{label}, {arm.label}: mean of {plural(len(both), 'school')} "
                    f"{told(float(ends[BEFORE]))} before, {told(float(ends[AFTER]))} after "
                    f"({signed(float(ends[AFTER] - ends[BEFORE]))}); {rose:,} rose"
                )
            elif wide[AFTER].notna().any():
                after = wide[AFTER].dropna()
                parts.append(
                    f"{label}, {arm.label}: mean of {plural(len(after), 'school')} "
                    f"{told(float(after.mean()))}, not measured before on this scale"
                )
    return f"Means of schools before and after. {few(parts, 'groups', 12)}"
