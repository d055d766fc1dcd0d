"""Cohorts: how each changed by years since its own start, against comparison schools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from schooltrial.exhibits.style.alt_words import few, signed
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    LETTERS,
    TREATED,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key, head_of_line, key_lines
from schooltrial.exhibits.style.year_axis import named_times
from schooltrial.protocol.content.sections import Outcome, StudyLine
from schooltrial.wording import plural

COMPARISON = "comparison"

NEVER, NOT_YET = "never treated", "not yet treated"
"""Who the comparison schools are."""

APART = 5
"""Cohorts above which there is a panel of their mean too."""

ALL = "all cohorts"
"""The mean of the changes, weighted by schools, where there are many cohorts."""

UNKNOWN = "no year to compare with"

WIDE, PAGE = 3, 8
"""Panels abreast where there are few, and lines of panels that fit a page."""

HIGH, LOW = 1.9, 1.15
"""Inches of a line of panels, and of one of several."""

KEY = 0.2
"""Inches of a line of the key."""

TICKS = {1: 9, 2: 7, 3: 4, 4: 3}
"""Panels abreast → years since the start that are named at most."""

MARK, LONG = 4.0, 15
"""Points of a mark, and years above which marks are half as large."""

ROOM = 0.06
"""Share of the span of all changes that is left free below them; above are six times as much."""

OTHERS = "#bbbbbb"
"""Of the other cohorts behind a cohort."""

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


def since_start(rows: pd.DataFrame) -> float:
    """Return the mean change over the years since the start, each school and year counting once."""
    begun = rows[rows["begun"].astype("bool") & rows["change"].notna()]
    total = float(begun["n_changed"].sum())
    return float((begun["change"] * begun["n_changed"]).sum()) / total if total else nan


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> str:
    """Return what the figure shows, in numbers: each cohort's mean change since its start."""
    if data.empty:
        return "No school has a first treated year: there is no cohort."
    parts = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        rows = data[(data["outcome"] == name) & (data["cohort"] != COMPARISON)]
        label, unit = outcomes[name]["label"], outcomes[name]["units_label"]
        for cohort, mine in rows.groupby("cohort", sort=False):
            schools = plural(int(mine["n_schools"].iloc[0]), "school")
            size = signed(since_start(mine))
            parts.append(f"{label} ({unit}), cohort of {cohort} ({schools}): {size}")
    first = "Mean change of each cohort since its start, less that of comparison schools."
    return f"{first} {few(parts, 'cohorts', 12)}"


@dataclass(frozen=True)
class _Cell:
    """A panel: an outcome, a cohort or (None) all of them, and its place."""

    outcome: str
    cohort: str | None
    row: int
    column: int


def _cells(names: Sequence[str], cohorts: Sequence[str]) -> list[_Cell]:
    """Return the panels: for each outcome the cohorts, and their mean where they are many.

    Where these would fill more than a page, an outcome has the panel of the mean alone.
    """
    shown = [*cohorts, None] if len(cohorts) > APART else [*cohorts]
    columns = min(len(shown), WIDE if len(shown) <= 2 * WIDE else WIDE + 1)
    lines = -(-len(shown) // columns)
    if lines * len(names) > PAGE:
        return [_Cell(name, None, at // WIDE, at % WIDE) for at, name in enumerate(names)]
    return [
        _Cell(name, cohort, of * lines + at // columns, at % columns)
        for of, name in enumerate(names)
        for at, cohort in enumerate(shown)
    ]


@styled
def cohorts_plot(data: pd.DataFrame, outcomes: Mapping[str, Outcome], study: StudyLine) -> Figure:
    """Draw a panel for each cohort and outcome: its change against comparison schools.

    The other cohorts are grey behind it.
    """
    if data.empty:
        return nothing_drawn("No school has a first treated year: there is no cohort.", study)
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    changes = data[data["cohort"] != COMPARISON]
    cells = _cells(names, sorted(set(changes["cohort"]), key=int))
    rows, columns = (1 + max(getattr(one, side) for one in cells) for side in ("row", "column"))
    each = HIGH if rows <= 2 else LOW
    figure, panels = new_figure(0.9 + each * rows, rows, columns)
    for spare in panels:
        spare.set_axis_off()
    limits = _limits(changes, names, outcomes)
    alone = len(cells) == len(names)
    lowest = {one.column: one.row for one in cells}
    for at, cell in enumerate(cells):
        panel = panels[cell.row * columns + cell.column]
        panel.set_axis_on()
        rows_of = changes[changes["outcome"] == cell.outcome]
        _draw(panel, rows_of, cell.cohort, limits[cell.outcome], TICKS[columns])
        if at == 0 or cells[at - 1].outcome != cell.outcome:
            head_of_line(panel, outcomes[cell.outcome]["label"], alone=alone)
            panel.set_ylabel(outcomes[cell.outcome]["units_label"])
        if cell.row == lowest[cell.column]:
            panel.set_xlabel("years since start")
        panel.tick_params(
            labelleft=cell.column == 0 or (cell.cohort is None and len(cells) == len(names)),
            labelbottom=cell.row == lowest[cell.column],
        )
    key = add_shared_key(figure, panels[:1], columns=2, size=LETTERS)
    figure.set_figheight(figure.get_figheight() + KEY * key_lines(key))
    foot(figure, study)
    return figure


def _limits(
    changes: pd.DataFrame, names: Sequence[str], outcomes: Mapping[str, Outcome]
) -> dict[str, tuple[float, float]]:
    """Return outcome → ends of its axis, the same for outcomes of one unit."""
    found = {}
    for name in names:
        unit = outcomes[name]["units_label"]
        alike = [other for other in names if outcomes[other]["units_label"] == unit]
        known = changes.loc[changes["outcome"].isin(alike), "change"].dropna()
        low, high = min([0.0, *known]), max([0.0, *known])
        room = ROOM * ((high - low) or 1.0)
        found[name] = low - room, high + 6 * room  # the number of a panel is above its line
    return found


def _draw(
    panel: Axes,
    rows: pd.DataFrame,
    cohort: str | None,
    limits: tuple[float, float],
    ticks: int,
) -> None:
    """Draw the change of a cohort, or the mean of all, over the changes of the others."""
    panel.set_ylim(*limits)
    panel.axhline(0, color=CONTROL, lw=1.2, ls="--", label="comparison schools")
    panel.axvline(-0.5, color=FAINT, lw=0.8, ls=":")
    seen = rows[rows["change"].notna()]
    for other, line in seen.groupby("cohort", sort=False):
        if other != cohort:
            panel.plot(line["since"], line["change"], color=OTHERS, lw=0.7, zorder=1,
                       label="other cohorts" if cohort else "each cohort")  # fmt: skip
    mine = seen[seen["cohort"] == cohort] if cohort else _mean_of_all(seen)
    if len(mine):
        _line(panel, mine, "the cohort, from its start" if cohort else "mean, from the start")
        panel.text(
            0.03, 0.97, f"since: {signed(since_start(mine if cohort else seen))}", va="top",
            transform=panel.transAxes, fontsize=LETTERS, color=TREATED,
        )  # fmt: skip
    else:
        panel.text(0.03, 0.97, UNKNOWN, va="top", transform=panel.transAxes, fontsize=LETTERS)
    if len(seen):
        shown = named_times(seen["since"].astype("int64"), 0, ticks)
        panel.set_xticks(shown, [str(time).replace("-", "−") for time in shown])
        panel.set_xlim(seen["since"].min() - 0.5, seen["since"].max() + 0.5)
    panel.yaxis.set_major_locator(MaxNLocator(4))
    own = rows[rows["cohort"] == cohort] if cohort else rows.drop_duplicates("cohort")
    count = int(own["n_schools"].iloc[0]) if cohort else int(own["n_schools"].sum())
    panel.set_title(
        f"{cohort or ALL}: {plural(count, 'school')}", fontsize=LETTERS,
        fontweight="normal" if cohort else "bold",
    )  # fmt: skip


def _mean_of_all(seen: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the changes by years since the start, weighted by schools."""
    weighted = seen.assign(weighted=seen["change"] * seen["n_changed"]).groupby("since")
    mean = weighted["weighted"].sum() / weighted["n_changed"].sum()
    return pd.DataFrame({"since": mean.index, "change": mean.to_numpy(), "begun": mean.index >= 0})


def _line(panel: Axes, rows: pd.DataFrame, label: str) -> None:
    """Draw a line: thin with open marks before the start, thick with filled ones since."""
    begun = rows["begun"].astype("bool")
    size = MARK if len(rows) <= LONG else MARK / 2
    panel.plot(rows["since"], rows["change"], color=TREATED, lw=0.9, marker="o", ms=size,
               mfc="white", label="before its start")  # fmt: skip
    panel.plot(rows["since"][begun], rows["change"][begun], color=TREATED, lw=1.6, marker="o",
               ms=size, label=label)  # fmt: skip
