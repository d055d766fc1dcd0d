"""Timeline of a study: when units were assigned, who had the programme when, and the tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.exhibits.style.alt_words import few
from schooltrial.exhibits.style.figures import (
    ARM_COLOURS,
    FAINT,
    INK,
    LETTERS,
    MUTED,
    arm_styles,
    foot,
    new_figure,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key, key_lines
from schooltrial.exhibits.style.year_axis import set_years
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import (
    Arm,
    Design,
    Outcome,
    StudyLine,
    Years,
    all_years,
    programme_lasts,
)
from schooltrial.wording import plural_of, year_spans

ASSIGNED, PROGRAMME, NONE, TEST = "assignment", "programme", "no programme", "test"
"""What a row of the data is."""

BEFORE, DURING, AFTER = "before", "during", "after"
"""When outcomes were measured, by the programme years of the protocol."""

MARKS = {BEFORE: ("o", "white"), DURING: ("o", INK), AFTER: ("D", "white")}
"""Marker and filling of the years in which an outcome was measured."""

KEY_WORDS = {
    BEFORE: "measured before the programme",
    DURING: "measured in its years",
    AFTER: "measured after it",
}

LANE, COUNTED = 0.36, 0.42
"""Inches of a lane, and of one whose marks bear their numbers."""

FEW = 7
"""Years up to which there is room for the numbers of those measured."""

HEAD, KEY = 0.75, 0.2
"""Inches above and below the lanes, and of a line of the key."""

BAR = 0.5
"""Height of a programme in lanes."""

COLUMNS = ["kind", "lane", "arm", "cohort", "start", "end", "when", "n", "counted"]


def drawn(
    design: Design,
    years: Years,
    outcomes: Mapping[str, Outcome],
    assignment: pd.DataFrame,
    samples: Mapping[str, pd.DataFrame],
    panel: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row per assignment, programme of a group, and year in which outcomes were seen.

    Parameters
    ----------
    design, years, outcomes : mapping
        Sections of the protocol.
    assignment : DataFrame
        The assignment table: how many units are in each group.
    samples : mapping of str to DataFrame
        Level (pupil, teacher) → sample, with the outcomes that it measures.
    panel : DataFrame
        Means by school and year: what is measured on schools, and what no sample has.
    """
    unit = DesignLevels.of(design).unit
    listed = assignment.assign(arm=assignment["arm"].astype("str")).drop_duplicates(unit)
    rows = _assigned(design, years, listed)
    for at, arm in enumerate(design["arms"]):
        mine = listed[listed["arm"] == str(arm["name"])]
        rows += _programmes(arm, at == 0, mine, years, plural_of(unit), design)
    ends = [int(str(row["end"])) for row in rows if row["kind"] == PROGRAMME]
    last = max(ends, default=max(years["programme"]))
    for name, outcome in outcomes.items():
        level = outcome["measured_on"]
        seen = _measured(name, level, samples.get(level), panel)
        rows += [
            {"kind": TEST, "lane": outcome["label"], "start": year, "end": year,
             "when": _when(year, years, last), "n": n, "counted": plural_of(level)}
            for year, n in seen.items() if n
        ]  # fmt: skip
    found = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return found.astype({"start": "Int64", "end": "Int64", "cohort": "Int64"})


def _assigned(design: Design, years: Years, listed: pd.DataFrame) -> list[dict[str, object]]:
    """Return the row of the assignment; groups that were chosen over the years have none."""
    if design["kind"] == "staggered" and not design["randomised"]:
        return []
    head = "Randomised" if design["randomised"] else "Assigned, not randomised"
    unit = DesignLevels.of(design).unit
    return [
        {"kind": ASSIGNED, "lane": head, "start": min(years["programme"]),
         "end": min(years["programme"]), "when": _date(design, listed),
         "n": len(listed) + sum(design["no_data"].values()), "counted": plural_of(unit)}
    ]  # fmt: skip


def _date(design: Design, listed: pd.DataFrame) -> str:
    """Return when units were assigned: as the protocol says, else the one day of the list."""
    stated = str(design["randomisation"]["date"] or "")
    days = [] if "drawn" not in listed else list(listed["drawn"].dropna().unique())
    return stated or (str(days[0])[:10] if len(days) == 1 else "")


def _programmes(
    arm: Arm,
    control: bool,
    listed: pd.DataFrame,
    years: Years,
    counted: str,
    design: Design,
) -> list[dict[str, object]]:
    """Return when a group, or each cohort of it, had the programme; the control group had none."""
    every = [*all_years(years), *years["to_come"]]
    count = len(listed) + design["no_data"].get(str(arm["name"]), 0)
    whole = {"arm": str(arm["name"]), "lane": str(arm["label"]), "counted": counted}
    if control:
        return [{**whole, "kind": NONE, "start": min(every), "end": max(every), "n": count}]
    cohorts = listed["cohort"].dropna() if "cohort" in listed else pd.Series(dtype="Int64")
    if cohorts.empty:
        first, last = min(years["programme"]), max(years["programme"])
        return [{**whole, "kind": PROGRAMME, "start": first, "end": last, "n": count}]
    return [
        {**whole, "kind": PROGRAMME, "lane": f"{arm['label']} that began in {start}",
         "cohort": start, "start": start, "end": _last_year(start, years, every),
         "n": int((cohorts == start).sum())}
        for start in sorted({int(one) for one in cohorts})
    ]  # fmt: skip


def _last_year(start: int, years: Years, every: Sequence[int]) -> int:
    """Return the last year of the programme of a cohort: as long as it lasts, else to the end."""
    lasts = programme_lasts(years)
    length = lasts.get(start) if isinstance(lasts, dict) else lasts
    return max(every) if length is None else start + length - 1


def _measured(
    name: str, level: str, sample: pd.DataFrame | None, panel: pd.DataFrame
) -> dict[int, int]:
    """Return year → how many have the outcome."""
    if sample is not None and name in sample and sample[name].notna().any():
        counts = sample.loc[sample[name].notna(), "year"].value_counts()
    else:
        cells = panel[(panel["outcome"] == name) & panel["mean"].notna()]
        by_year = cells.groupby("year")
        counts = by_year["school"].nunique() if level == "school" else by_year["n_pupils"].sum()
    return {int(year): int(n) for year, n in counts.sort_index().items()}


def _when(year: int, years: Years, last: int) -> str:
    """Return whether a year is before the programme, in its years up to the last, or after."""
    if year < min(years["programme"]):
        return BEFORE
    return DURING if year <= last else AFTER


@styled
def timeline_plot(
    data: pd.DataFrame, arms: Sequence[Arm], years: Years, study: StudyLine
) -> Figure:
    """Draw a lane for each group with its programme, and one for each outcome with its years."""
    groups = data[data["kind"].isin([PROGRAMME, NONE])]
    tests = data[data["kind"] == TEST]
    outcomes = list(dict.fromkeys(tests["lane"]))
    numbered = tests["start"].nunique() <= FEW
    each = COUNTED if numbered else LANE
    tall = LANE * len(groups) + each * len(outcomes)
    figure, (panel,) = new_figure(HEAD + tall)
    spot, names, y = [], [], 0.0
    colours = _colours(groups, arms)
    for (_, row), colour in zip(groups.iterrows(), colours, strict=True):
        y += LANE
        _draw_group(panel, row, y - LANE / 2, colour)
        spot.append(y - LANE / 2)
        names.append(f"{row['lane']}\n{_of(int(row['n']), row['counted'])}")
    for lane in outcomes:
        y += each
        mine = tests[tests["lane"] == lane]
        _draw_tests(panel, mine, y - each / 2, numbered=numbered)
        spot.append(y - each / 2)
        names.append(f"{lane}\n{_counts(mine, numbered=numbered)}")
    panel.axhline(LANE * len(groups), color=FAINT, lw=0.6)
    panel.set_yticks(spot, names)
    panel.tick_params(axis="y", length=0)
    panel.set_ylim(y, 0)
    panel.spines["left"].set_visible(False)
    set_years(panel, range(int(data["start"].min()), int(data["end"].max()) + 1))
    panel.set_xlabel(years["label"])
    for _, row in data[data["kind"] == ASSIGNED].iterrows():
        panel.axvline(float(row["start"]) - 0.5, color=INK, lw=1.1)
        panel.set_title(_assignment_words(row), fontsize=LETTERS, loc="center", fontweight="normal")
    key = add_shared_key(figure, [panel], columns=3, size=LETTERS)
    figure.set_figheight(figure.get_figheight() + KEY * key_lines(key))
    foot(figure, study)
    return figure


def _counts(rows: pd.DataFrame, *, numbered: bool) -> str:
    """Return whose outcome it is and, where its marks bear no numbers, how many were measured."""
    low, high = int(rows["n"].min()), int(rows["n"].max())
    counted = str(rows["counted"].iloc[0])
    if numbered:
        return counted
    return _of(high, counted) if low == high else f"{low:,} to {_of(high, counted)}"


def _of(n: int, counted: str) -> str:
    return f"{n:,} {counted if n != 1 else counted.removesuffix('s')}"


def _colours(groups: pd.DataFrame, arms: Sequence[Arm]) -> list[str]:
    """Return the colour of each group, those of the figure of trends."""
    styles = {style.name: style.colour for style in arm_styles(arms)}
    starts = sorted({int(one) for one in groups["cohort"].dropna()})
    found = []
    for arm, cohort in zip(groups["arm"], groups["cohort"], strict=True):
        if pd.isna(cohort):
            found.append(styles[str(arm)])
        else:
            found.append(ARM_COLOURS[1 + starts.index(int(cohort)) % (len(ARM_COLOURS) - 1)])
    return found


def _draw_group(panel: Axes, row: pd.Series, y: float, colour: str) -> None:
    """Draw the programme of a group as a bar, or a line where it had none."""
    start, end = float(row["start"]) - 0.5, float(row["end"]) + 0.5
    if row["kind"] == NONE:
        panel.plot([start, end], [y, y], color=colour, lw=1.2, ls="--", label="no programme")
    else:
        panel.barh(y, end - start, left=start, height=BAR * LANE, color=colour, label="programme")


def _draw_tests(panel: Axes, rows: pd.DataFrame, y: float, *, numbered: bool) -> None:
    """Draw a mark for each year in which an outcome was measured, with how many were."""
    above = COUNTED / 6 if numbered else 0.0
    for when, (marker, face) in MARKS.items():
        mine = rows[rows["when"] == when]
        if len(mine):
            places = [y - above] * len(mine)
            panel.plot(mine["start"], places, marker, color=INK, mfc=face, ms=4.5,
                       label=KEY_WORDS[when])  # fmt: skip
    if numbered:
        for year, n in zip(rows["start"], rows["n"], strict=True):
            panel.text(year, y + above / 4, f"{int(n):,}", ha="center", va="top",
                       fontsize=LETTERS, color=MUTED)  # fmt: skip


def _assignment_words(row: pd.Series) -> str:
    units = f"{int(row['n']):,} {row['counted']}"
    on = _day(str(row["when"])) if isinstance(row["when"], str) and row["when"] else ""
    return f"{row['lane']}{f' on {on}' if on else ' before the programme'} (line): {units}"


def _day(text: str) -> str:
    """Return a date as it is read; what is no date stays as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B} {day.year}"


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: assignment, programmes, and years of tests."""
    parts = [
        _assignment_words(row).replace(" (line)", "")
        for _, row in data[data["kind"] == ASSIGNED].iterrows()
    ]
    for _, row in data[data["kind"].isin([PROGRAMME, NONE])].iterrows():
        group = f"{row['lane']} ({int(row['n']):,} {row['counted']})"
        span = year_spans(range(int(row["start"]), int(row["end"]) + 1))
        parts.append(f"{group}: no programme" if row["kind"] == NONE else f"{group}: {span}")
    for lane, rows in data[data["kind"] == TEST].groupby("lane", sort=False):
        counts = _counts(rows, numbered=False)
        parts.append(f"{lane}: measured in {year_spans(_whole(rows['start']))}, {counts} a year")
    return f"Timeline of the study. {few(parts, 'lanes', 16)}"


def _whole(years: Iterable[object]) -> list[int]:
    return [int(str(year)) for year in years]
