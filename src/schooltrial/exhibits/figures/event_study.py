"""Event study: effects by years since the programme began, with intervals and bands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.exhibits.style.alt_words import few, span, with_ends
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    SHADE,
    TREATED,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key
from schooltrial.exhibits.style.year_axis import named_times
from schooltrial.protocol.sections import Model, Outcome, StudyLine, Years, reference_year
from schooltrial.wording import listed, plural

EVENT = re.compile(r"treated\[(since|year)(=|<=|>=)(-?\d+)\]")

BEYOND = {"=": "", "<=": "≤", ">=": "≥"}
"""What an event's term says of the years beyond it: those of an end are one."""

CELL = re.compile(r"treated\[cohort=(\d+), year=(\d+)\]")

PRETRENDS = "before"
SINCE = "since"
PARTLY = "partly"
"""Years that a model takes as treated, in which some cohorts had not begun."""

YEAR_BEFORE = "each year before the programme with the year before it"
"""What is compared with what where the base varies."""

NAMED = 3
"""Cohorts that are named below a year; where there are more, their number is."""

TICKS = {1: 16, 2: 11}
"""Panels abreast → times that an axis names at most."""

HIGH, LOW = 2.75, 2.1
"""Inches of a line of panels, and of one of more than `MANY` lines."""

MANY = 3

CROWD = 20
"""Points of a panel above which marks are smaller."""

REACH = 1.5
"""Times the span of points and usual intervals up to which longer ones are drawn."""

COLUMNS = [
    "model", "model_label", "outcome", "outcome_label", "unit", "axis", "time", "beyond", "part",
    "reference", "estimate", "conf_low", "conf_high", "band_low", "band_high", "level",
    "n_treated_schools", "n_cohorts", "cohorts", "begins", "base", "method",
]  # fmt: skip


def drawn(
    estimates: pd.DataFrame,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    starts: Sequence[int] = (),
) -> pd.DataFrame:
    """Return one row per point: the event studies of the primary outcomes, model by model.

    Parameters
    ----------
    estimates : DataFrame
        The long table.
    models, outcomes, years : mapping
        The protocol's sections; event studies of subgroups are in the tables alone.
    starts : sequence of int
        First years of the cohorts, where schools entered in different years.
    """
    primary = [name for name, one in outcomes.items() if one["primary"]] or list(outcomes)
    parts = [
        _points(rows, models[name], outcome, outcomes[outcome], years, starts)
        for name, model in models.items()
        if model["estimator"] in OF_PANELS and name.rpartition("__")[0] not in models
        for outcome in primary
        for rows in [estimates[(estimates["model"] == name) & (estimates["outcome"] == outcome)]]
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)


def _points(
    rows: pd.DataFrame,
    model: Model,
    name: str,
    outcome: Outcome,
    years: Years,
    starts: Sequence[int],
) -> pd.DataFrame:
    """Return the points of one model and outcome, the reference among them."""
    found = rows[(rows["estimand"] == "event study") & rows["estimate"].notna()]
    matches = [EVENT.fullmatch(str(term)) for term in found["term"]]
    found = found[[match is not None for match in matches]].copy()
    if found.empty:
        return pd.DataFrame(columns=COLUMNS)
    kinds = [(match[1], BEYOND[match[2]], int(match[3])) for match in matches if match]
    found["axis"], found["beyond"], found["time"] = zip(*kinds, strict=True)
    axis = str(found["axis"].iloc[0])
    # A model of several covariances has a row for each; the first is drawn.
    found = found[found["axis"] == axis].drop_duplicates("time")
    reference = _reference(model, axis, years)
    found["reference"] = (found["time"] == reference) & (found["estimate"] == 0)
    own = _base(model, axis, reference, found)
    if own.startswith("the year ") and not found["reference"].any():
        zero = {"time": reference, "beyond": "", "estimate": 0.0, "reference": True}
        found = pd.concat([found, pd.DataFrame([zero])], ignore_index=True)
    first = -int(model.get("anticipation") or 0)
    if axis == "year":
        first = min(starts, default=min(model["active_years"] or years["programme"])) + first
    carried = _cohorts_by_time(rows)
    named = [carried.get(int(time), []) if axis == SINCE else [] for time in found["time"]]
    shown = found.assign(
        model=rows["model"].iloc[0],
        model_label=model["label"],
        outcome=name,
        outcome_label=outcome["label"],
        unit=outcome["units_label"],
        axis=axis,
        part=_parts(found["time"], first, max(starts, default=first) if axis == "year" else first),
        level=model["confidence_level"],
        n_cohorts=[len(one) for one in named],
        cohorts=[" ".join(map(str, one)) for one in named],
        begins=found["time"].isin(starts) if axis == "year" else found["time"] == 0,
        base=own,
    )
    return shown.reindex(columns=COLUMNS).sort_values("time", ignore_index=True)


def _parts(times: pd.Series, first: int, all_begun: int) -> list[str]:
    """Return of each time whether it lies before, since, or between the first and last start."""
    return [PRETRENDS if at < first else PARTLY if at < all_begun else SINCE for at in times]


def _reference(model: Model, axis: str, years: Years) -> int:
    """Return the time that is zero by definition where a model has one base."""
    return reference_year(years) if axis == "year" else -1 - int(model.get("anticipation") or 0)


def _base(model: Model, axis: str, reference: int, found: pd.DataFrame) -> str:
    """Say what each year is compared with: one year, the year before it, or a prediction."""
    method = model.get("method") or "callaway_santanna"
    if method == "imputation":
        return "what the years before the programme predict"
    if axis == "year":
        return f"the year {reference}"
    varying = method == "callaway_santanna" and model.get("base_period") != "universal"
    varying &= model["estimator"] == "staggered_adoption"
    if varying and ((found["time"] <= reference) & ~found["reference"]).any():
        return YEAR_BEFORE
    return f"the year {_minus(reference)} of each cohort"


def _cohorts_by_time(rows: pd.DataFrame) -> dict[int, list[int]]:
    """Return years since the start → the cohorts that are seen then."""
    cells = [CELL.fullmatch(str(term)) for term in rows["term"]]
    pairs = {(int(cell[2]) - int(cell[1]), int(cell[1])) for cell in cells if cell}
    times = sorted({time for time, _ in pairs})
    return {time: sorted(cohort for at, cohort in pairs if at == time) for time in times}


@styled
def event_study_plot(data: pd.DataFrame, study: StudyLine, year_label: str) -> Figure:
    """Draw one panel per model and outcome: points, intervals, bands, and who carries each."""
    if data.empty:
        return nothing_drawn("The protocol's panel models estimate no event study.", study)
    of_panel = data.groupby(["model", "outcome"], sort=False)
    panels_of = [rows.reset_index(drop=True) for _, rows in of_panel]
    columns = 2 if len(panels_of) > 1 else 1
    lines = -(-len(panels_of) // columns)
    high = HIGH if lines <= MANY else LOW
    figure, panels = new_figure(0.7 + high * lines, lines, columns)
    axes_of = [str(rows["axis"].iloc[0]) for rows in panels_of]
    for at, (panel, rows) in enumerate(zip(panels, panels_of, strict=False)):
        _draw(panel, rows, year_label, columns)
        if axes_of[at] in axes_of[at + columns :: columns]:
            panel.set_xlabel("")  # it is below another panel of this column
    for spare in panels[len(panels_of) :]:
        spare.set_axis_off()
    add_shared_key(figure, panels, columns=2)
    foot(figure, study)
    return figure


def _draw(panel: Axes, rows: pd.DataFrame, year_label: str, columns: int) -> None:
    times, axis = rows["time"].astype("int64"), str(rows["axis"].iloc[0])
    low, high = vertical_limits(rows)
    before = rows["part"] == PRETRENDS
    left, right = float(times.min()) - 0.6, float(times.max()) + 0.6
    if before.any():
        end = float(times[before].max()) + 0.5
        panel.axvspan(left, end, color=SHADE, lw=0, label="before the programme began")
    panel.axhline(0, color=FAINT, lw=0.8)
    level, size = f"{rows['level'].iloc[0]:.0%}", 1.0 if len(rows) <= CROWD else 0.65
    stepwise = rows["base"].iloc[0] == YEAR_BEFORE
    against = "each year less the year before it, " if stepwise else ""
    if axis == "year":
        for at in rows["time"][rows["begins"]]:
            panel.axvline(at - 0.5, color=INK, lw=0.8, ls=":", label="a cohort begins")
    for part, colour, face, marker, name in (
        (PRETRENDS, CONTROL, CONTROL, "s", f"before: {against}should be zero"),
        (PARTLY, TREATED, "white", "o", "some cohorts not begun, counted as if they had"),
        (SINCE, TREATED, TREATED, "o", "effect of the programme"),
    ):
        mine = rows[(rows["part"] == part) & ~rows["reference"]]
        if mine.empty:
            continue
        _whiskers(panel, mine, "band", (low, high), color=colour, lw=0.7,
                  label=f"thin: {level} band of all years together")  # fmt: skip
        _whiskers(panel, mine, "conf", (low, high), color=colour, lw=2.6 * size,
                  label=f"thick: {level} interval of one year")  # fmt: skip
        known = mine["conf_low"].notna()
        if known.any():
            edge, heavy = ("white", 0.6) if face == colour else (colour, 1.4)
            panel.plot(mine["time"][known], mine["estimate"][known], marker, color=colour,
                       mfc=face, ms=5 * size, mec=edge, mew=heavy * size, zorder=4,
                       label=name)  # fmt: skip
        if not known.all():
            panel.plot(mine["time"][~known], mine["estimate"][~known], "x", color=colour, ms=6,
                       mew=1.5, label="no interval: the variance is not known")  # fmt: skip
    reference = rows[rows["reference"]]
    if len(reference):
        panel.plot(reference["time"], reference["estimate"], "o", color=INK, mfc="white", ms=5.5,
                   zorder=4, label="reference, zero by definition")  # fmt: skip
    panel.set_title(f"{rows['outcome_label'].iloc[0]}. {rows['model_label'].iloc[0]}", fontsize=8)
    panel.set_ylabel(f"effect, {rows['unit'].iloc[0]}")
    panel.set_ylim(low, high)
    panel.yaxis.set_major_locator(MaxNLocator(6))
    _name_times(panel, rows, axis, year_label, TICKS[columns])
    panel.set_xlim(left, right)


def _whiskers(
    panel: Axes, rows: pd.DataFrame, ends: str, limits: tuple[float, float], **style: object
) -> None:
    """Draw intervals, with an arrowhead where one runs beyond the panel."""
    seen = rows[rows[f"{ends}_low"].notna() & rows[f"{ends}_high"].notna()]
    if seen.empty:
        return
    low, high = (seen[f"{ends}_{end}"].clip(*limits) for end in ("low", "high"))
    panel.vlines(seen["time"], low, high, zorder=3, **style)  # type: ignore[arg-type]
    for marker, bound, beyond in (
        ("v", limits[0], seen[f"{ends}_low"] < limits[0]),
        ("^", limits[1], seen[f"{ends}_high"] > limits[1]),
    ):
        times = seen["time"][beyond]
        if len(times):
            panel.plot(times, [bound] * len(times), marker, color=style["color"], ms=4)


def vertical_limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the vertical axis: points and usual intervals in, endless ones cut.

    A year that one or two schools carry has an interval many times as long as the others; drawn
    whole, it would press the others to a line.
    """
    points = [*rows["estimate"].dropna(), 0.0]
    half = ((rows["conf_high"] - rows["conf_low"]) / 2).dropna()
    usual = float(half.median()) if len(half) else 0.15 * (max(points) - min(points))
    low, high = min(points) - usual, max(points) + usual
    span = (high - low) or 1.0
    ends = rows[["conf_low", "conf_high", "band_low", "band_high"]].astype("float64").to_numpy()
    ends = ends[np.isfinite(ends)]
    low = max(min([low, *ends]), low - REACH * span / 2)
    high = min(max([high, *ends]), high + REACH * span / 2)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _name_times(panel: Axes, rows: pd.DataFrame, axis: str, year_label: str, ticks: int) -> None:
    """Name the times, and below each the intervention schools and cohorts that carry it."""
    by_time = rows.set_index(rows["time"].astype("int64"))
    shown = named_times(by_time.index, 0 if axis == SINCE else int(by_time.index.max()), ticks)
    several = rows["n_cohorts"].max() > 1
    most = int(rows["n_cohorts"].max())
    texts = [_told(by_time, time, axis, several=several, most=most) for time in shown]
    panel.set_xticks(shown, texts)
    panel.tick_params(axis="x", labelsize=6.5)
    what = year_label if axis == "year" else "years since the programme began"
    below = [] if rows["n_treated_schools"].isna().all() else ["intervention schools"]
    below += ["cohorts"] if several else []
    panel.set_xlabel(f"{what}\nbelow each: {listed(below)}" if below else what, fontsize=8)


def _told(by_time: pd.DataFrame, time: int, axis: str, *, several: bool, most: int) -> str:
    """Return what stands at a tick."""
    lines = [str(time) if axis == "year" else _minus(time)]
    if time not in by_time.index:
        return lines[0]
    row = by_time.loc[time]
    lines[0] = f"{row['beyond']}{lines[0]}"
    if bool(row["reference"]) and pd.isna(row["n_treated_schools"]):
        return lines[0]
    if pd.notna(row["n_treated_schools"]):
        lines.append(f"{int(row['n_treated_schools']):,}")
    if several and row["n_cohorts"]:
        named = most <= NAMED
        lines += row["cohorts"].split(" ") if named else [str(int(row["n_cohorts"]))]
    return "\n".join(lines)


def _minus(time: int) -> str:
    return str(time).replace("-", "−")


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: of each panel the years before and since."""
    if data.empty:
        return "No event study was estimated."
    parts = []
    for _, rows in data.groupby(["model", "outcome"], sort=False):
        first = rows.iloc[0]
        told_of = [
            f"{words}, {plural(len(mine), 'year')} {span(mine['estimate'])}, {_away(mine)}"
            for part, words in (
                (PRETRENDS, "before the programme"),
                (PARTLY, "while cohorts began"),
                (SINCE, "since the programme began"),
            )
            if len(mine := rows[(rows["part"] == part) & ~rows["reference"].astype("bool")])
        ]
        last = rows.sort_values("time").iloc[-1]
        ends = with_ends(last["estimate"], last["conf_low"], last["conf_high"])
        at = str(last["time"]) if first["axis"] == "year" else f"year {_minus(last['time'])}"
        parts.append(
            f"{first['outcome_label']}, {first['model_label']} ({first['unit']}): "
            f"{'; '.join(told_of)}; last, {at}: {ends}"
        )
    return f"Effects by year with {first['level']:.0%} intervals. {few(parts, 'panels')}"


def _away(rows: pd.DataFrame) -> str:
    """Say how many intervals do not include zero."""
    count = int(((rows["conf_low"] > 0) | (rows["conf_high"] < 0)).sum())
    verb = "excludes" if count == 1 else "exclude"
    return f"of which {count or 'none'} {verb} zero"
