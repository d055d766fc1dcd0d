"""Cohorts: mean outcome of each cohort by calendar year, and by years since its own start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from schooltrial.exhibits.style.alt_words import few, signed, told
from schooltrial.exhibits.style.figures import (
    ARM_COLOURS,
    CONTROL,
    FAINT,
    INK,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key
from schooltrial.exhibits.style.year_axis import named_times, set_years
from schooltrial.protocol.sections import Outcome, StudyLine
from schooltrial.wording import plural

COMPARISON = "comparison"

NEVER, NOT_YET = "never treated", "not yet treated"
"""Who the comparison schools are."""

MARKERS = ("D", "s", "^", "v", "P", "X")

APART = 5
"""Cohorts up to which each has a colour of its own; more are shades, the earliest the darkest."""

ALL = "all cohorts, own time"
"""The mean of the changes, weighted by schools, where there are many cohorts."""

HIGH = 2.5
"""Inches of a line of panels; where there are many cohorts, it is higher."""

TICKS = 11
"""Years since the start that are named at most."""

LONG = 15
"""Years above which a line has one mark, where its cohort begins."""

COLUMNS = [
    "outcome", "cohort", "n_schools", "year", "since", "begun", "mean", "n_seen", "change",
    "n_changed", "n_compared", "compared",
]  # fmt: skip


def drawn(panel: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Return the mean of each cohort by year for the primary outcomes, each school counting once.

    ``change`` is what its schools changed since the last year of the panel before they began, less
    what comparison schools changed between the same two years: those never treated or, where there
    are none, those treated in neither year. What strikes all schools in a year, such as another
    test, is in the means and not in the changes.
    """
    if "cohort" not in panel or panel["cohort"].isna().all():
        return pd.DataFrame(columns=COLUMNS)
    primary = [name for name, one in outcomes.items() if one["primary"]] or list(outcomes)
    rows: list[list[object]] = []
    for outcome in primary:
        cells = panel[panel["outcome"] == outcome]
        wide = cells.pivot_table(index="school", columns="year", values="mean")
        started = cells.groupby("school")["cohort"].first().astype("float64").reindex(wide.index)
        who = NEVER if started.isna().any() else NOT_YET
        if who == NEVER:
            beside = wide[started.isna()]
            rows += [
                [outcome, COMPARISON, len(beside), year, nan, False, beside[year].mean(),
                 beside[year].notna().sum(), nan, 0, 0, who]
                for year in wide if beside[year].notna().any()
            ]  # fmt: skip
        for start in sorted(started.dropna().unique()):
            mine = wide[started == start]
            changes = _changes(wide, started, int(start), who)
            rows += [
                [outcome, str(int(start)), len(mine), year, year - int(start), year >= start,
                 mine[year].mean(), mine[year].notna().sum(), *changes.get(year, (nan, 0, 0)), who]
                for year in wide if mine[year].notna().any()
            ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _changes(
    wide: pd.DataFrame, started: pd.Series, start: int, who: str
) -> dict[int, tuple[float, int, int]]:
    """Return year → a cohort's change less that of others, and the schools of both."""
    before = [year for year in wide if year < start]
    if not before:
        return {}
    base, found = before[-1], {}
    for year in wide:
        free = started.isna() if who == NEVER else (started > max(year, base)) & (started != start)
        change = wide[year] - wide[base]
        own, others = change[started == start].dropna(), change[free].dropna()
        if len(own) and len(others):
            found[int(year)] = (float(own.mean() - others.mean()), len(own), len(others))
    return found


def cohort_styles(cohorts: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return cohort → colour and marker, in the order in which cohorts began."""
    count = len(cohorts)
    if count <= APART:
        colours = list(ARM_COLOURS[1:])
    else:
        shades = mpl.colormaps["YlOrRd"]
        colours = [to_hex(shades(1 - 0.65 * at / (count - 1))) for at in range(count)]
    return {
        cohort: (colours[at], MARKERS[at % len(MARKERS)])
        for at, cohort in enumerate(sorted(cohorts, key=int))
    }


@styled
def cohorts_plot(
    data: pd.DataFrame, outcomes: Mapping[str, Outcome], study: StudyLine, year_label: str
) -> Figure:
    """Draw two panels per outcome: calendar time left, each cohort's own time right."""
    if data.empty:
        return nothing_drawn("No school has a first treated year: there is no cohort.", study)
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    styles = cohort_styles([one for one in data["cohort"].unique() if one != COMPARISON])
    high = HIGH if len(styles) <= APART else 1.4 * HIGH
    figure, panels = new_figure(0.9 + high * len(names), len(names), 2)
    for at, name in enumerate(names):
        rows = data[data["outcome"] == name]
        _draw_calendar(panels[2 * at], rows, outcomes[name], styles, year_label)
        _draw_own(panels[2 * at + 1], rows, outcomes[name], styles)
    add_shared_key(figure, panels, columns=4)
    foot(figure, study)
    return figure


def _draw_calendar(
    panel: Axes,
    rows: pd.DataFrame,
    outcome: Outcome,
    styles: Mapping[str, tuple[str, str]],
    year_label: str,
) -> None:
    beside = rows[rows["cohort"] == COMPARISON]
    if len(beside):
        label = f"{NEVER} ({plural(int(beside['n_schools'].iloc[0]), 'school')})"
        panel.plot(beside["year"], beside["mean"], "o--", color=CONTROL, lw=1.6, ms=3.5,
                   label=label)  # fmt: skip
    for cohort, (colour, marker) in styles.items():
        mine = rows[rows["cohort"] == cohort]
        if mine.empty:
            continue
        n = plural(int(mine["n_schools"].iloc[0]), "school")
        _line(panel, mine["year"], mine["mean"], mine, colour, marker, f"began {cohort} ({n})")
        panel.axvline(int(cohort) - 0.5, color=colour, lw=0.8, ls=":")
    panel.set_title(f"{outcome['label']}: calendar time", fontsize=8.5)
    panel.set_ylabel(f"mean, {outcome['units_label']}")
    panel.set_xlabel(f"{year_label}\ndotted: a cohort begins; thin: before its start", fontsize=8)
    set_years(panel, rows["year"])
    panel.tick_params(labelsize=7.5)


def _draw_own(
    panel: Axes, rows: pd.DataFrame, outcome: Outcome, styles: Mapping[str, tuple[str, str]]
) -> None:
    panel.axhline(0, color=CONTROL, lw=1.6, ls="--")
    panel.axvline(-0.5, color=FAINT, lw=0.8, ls=":")
    seen = rows[(rows["cohort"] != COMPARISON) & rows["change"].notna()]
    for cohort, (colour, marker) in styles.items():
        mine = seen[seen["cohort"] == cohort]
        if len(mine):
            # The key names it in calendar time already; what begins so is left out of keys.
            _line(panel, mine["since"], mine["change"], mine, colour, marker, f"_began {cohort}")
    if len(styles) > APART and len(seen):
        total = (seen["change"] * seen["n_changed"]).groupby(seen["since"]).sum()
        mean = total / seen["n_changed"].groupby(seen["since"]).sum()
        panel.plot(mean.index, mean, color=INK, lw=2.2, label=ALL)
    panel.set_title(f"{outcome['label']}: own time", fontsize=8.5)
    panel.set_ylabel(f"change, less comparison, {outcome['units_label']}", fontsize=8)
    panel.set_xlabel(
        f"years since the cohort began\nchange since the year before it, less that of schools "
        f"{rows['compared'].iloc[0]} (dashed)",
        fontsize=8,
    )
    if len(seen):
        shown = named_times(seen["since"].astype("int64"), 0, TICKS)
        panel.set_xticks(shown, [str(time).replace("-", "−") for time in shown])
    panel.tick_params(labelsize=7.5)


def _line(
    panel: Axes,
    times: pd.Series,
    values: pd.Series,
    rows: pd.DataFrame,
    colour: str,
    marker: str,
    label: str,
) -> None:
    """Draw a cohort: thin with open marks before its start, thick with filled ones from then on.

    A line of many years bears one mark, where the cohort begins.
    """
    begun = rows["begun"].astype("bool")
    few = len(rows) <= LONG
    until = ~begun | (begun.cumsum() == 1)  # up to the first point after the start
    open_marks = [at for at, one in enumerate(begun[until]) if not one] if few else []
    panel.plot(times[until], values[until], color=colour, lw=0.9, marker=marker, ms=4.5,
               mfc="white", markevery=open_marks)  # fmt: skip
    filled = None if few else [0]
    panel.plot(times[begun], values[begun], color=colour, lw=1.5, marker=marker, ms=4.5,
               markevery=filled, label=label)  # fmt: skip


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> str:
    """Return what the figure shows, in numbers: each cohort's means, and its last change."""
    if data.empty:
        return "No school has a first treated year: there is no cohort."
    parts = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        label, unit = outcomes[name]["label"], outcomes[name]["units_label"]
        for cohort, rows in data[data["outcome"] == name].groupby("cohort", sort=False):
            who = NEVER if cohort == COMPARISON else f"cohort of {cohort}"
            schools = plural(int(rows["n_schools"].iloc[0]), "school")
            ends = rows.sort_values("year").iloc[[0, -1]]
            first, last = (
                f"{told(float(row['mean']))} in {int(row['year'])}" for _, row in ends.iterrows()
            )
            seen = rows[rows["change"].notna() & (rows["since"] >= 0)].sort_values("year")
            change = (
                f"; in {int(seen['year'].iloc[-1])} {signed(float(seen['change'].iloc[-1]))} "
                "since its start, less the change of comparison schools"
                if len(seen)
                else ""
            )
            parts.append(f"{label} ({unit}), {who} ({schools}): mean {first}, {last}{change}")
    return f"Mean outcomes of cohorts by year. {few(parts, 'lines', 12)}"
