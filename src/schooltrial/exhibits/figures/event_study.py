"""Event study: effects by years since the programme began, with intervals and bands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import fsum

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.document.numbers import effect_decimals, interval, signed
from schooltrial.exhibits.style.alt_words import few, span, with_ends
from schooltrial.exhibits.style.axis_limits import interval_limits
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    LETTERS,
    MUTED,
    READABLE,
    SHADE,
    TREATED,
    blank_figure,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key, key_lines
from schooltrial.exhibits.style.text_lines import width_of, wrap
from schooltrial.exhibits.style.year_axis import named_times
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine, Years, reference_year
from schooltrial.protocol.content.shown_units import as_shown, effect_unit
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

OF_BEFORE = "before: should be near zero"
OF_PARTLY = "some cohorts not begun"
OF_SINCE = "effect of the programme"
REFERENCE = "reference: zero"
BEGINS = "a cohort begins"
NO_INTERVAL = "no interval: variance not known"
"""Entries of the key."""

MANY = 3
"""Outcomes up to which all models are drawn; of more, the first primary model alone."""

TICKS = {1: 11, 2: 6, 3: 4}
"""Panels abreast → times since the start that an axis names at most."""

YEARS = {1: 8, 2: 3, 3: 2}
"""Panels abreast → calendar years that an axis names at most."""

HIGH, LOW = 2.3, 1.5
"""Inches of a panel as wide as the figure, and of one of several abreast."""

TALL, FLAT, LESS = 1.5, 0.5, 0.6
"""Inches of the panels of the first of several models, at least of the others, and how much
smaller the marks of the others are."""

NAME, BETWEEN = 1.9, 0.5
"""Inches for the names of models and the numbers right of them, and for those numbers."""

LINE, KEY = 0.148, 0.2
"""Inches of a line of a name, and of a line of the key."""

THICK, THIN, MARK = (0.5, 2.6), (0.14, 0.7), (0.9, 4.5)
"""Of intervals, bands and marks: share of the room of a year that each takes, and most points."""

LEAST = 1.5
"""Points of the smallest mark."""

AXIS, APART = 0.85, 0.06
"""Inches left and right of a panel as wide as the figure, and between the numbers of two times."""

SIZES = ("estimate", "conf_low", "conf_high", "band_low", "band_high")
"""Columns in the unit of the outcome."""

COLUMNS = [
    "model", "model_label", "outcome", "outcome_label", "units_label", "axis", "time", "beyond",
    "part",
    "reference", "estimate", "conf_low", "conf_high", "band_low", "band_high", "conf_level",
    "n_treated_schools", "n_schools", "n_cohorts", "cohorts", "begins", "base", "method",
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
    shown = {
        name: model
        for name, model in models.items()
        if model["estimator"] in OF_PANELS and name.rpartition("__")[0] not in models
    }
    # The main model comes first: its panels are the larger ones.
    order = sorted(shown, key=lambda name: shown[name]["role"] != "primary")
    parts = [
        _points(rows, models[name], outcome, outcomes[outcome], years, starts)
        for name in order
        for model in [models[name]]
        for outcome in primary
        for rows in [estimates[(estimates["model"] == name) & (estimates["outcome"] == outcome)]]
    ]
    filled = [part for part in parts if len(part)]
    if filled and len({part["outcome"].iloc[0] for part in filled}) > MANY:
        first = filled[0]["model"].iloc[0]
        filled = [part for part in filled if part["model"].iloc[0] == first]
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
        units_label=effect_unit(outcome),
        axis=axis,
        part=_parts(found["time"], first, max(starts, default=first) if axis == "year" else first),
        conf_level=model["confidence_level"],
        n_cohorts=[len(one) for one in named],
        cohorts=[" ".join(map(str, one)) for one in named],
        begins=found["time"].isin(starts) if axis == "year" else found["time"] == 0,
        base=own,
    )
    shown = shown.reindex(columns=COLUMNS).sort_values("time", ignore_index=True)
    return as_shown(shown, {name: outcome}, SIZES)


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
    """Draw points, intervals and bands: a column for each outcome, a line for each model.

    Outcomes of one unit share a scale. The first model's panels are higher, and bear below each
    year who carries it. A model alone has its outcomes in as many lines as they need.
    """
    if data.empty:
        return nothing_drawn("The protocol's panel models estimate no event study.", study)
    limits = _limits(data)
    models, outcomes = list(dict.fromkeys(data["model"])), list(dict.fromkeys(data["outcome"]))
    if len(models) > 1:
        figure, panels = _lines_of_models(data, models, outcomes, limits, year_label)
    else:
        figure, panels = _one_model(data, outcomes, limits, year_label)
    title = "" if len(models) > 1 else str(data["model_label"].iloc[0])
    key = add_shared_key(figure, panels, columns=2, size=LETTERS, title=title)
    figure.set_figheight(figure.get_figheight() + KEY * (key_lines(key) + bool(title)))
    foot(figure, study)
    return figure


def _one_model(
    data: pd.DataFrame,
    outcomes: Sequence[str],
    limits: Mapping[str, tuple[float, float]],
    year_label: str,
) -> tuple[Figure, list[Axes]]:
    """Return the panels of a model: as wide as the figure, or abreast where outcomes are many."""
    columns = 1 if len(outcomes) <= MANY else 2 if len(outcomes) <= 2 * MANY else 3
    rows = -(-len(outcomes) // columns)
    each = HIGH if columns == 1 else LOW
    figure, panels = new_figure(0.9 + each * rows, rows, columns)
    for at, (panel, outcome) in enumerate(zip(panels, outcomes, strict=False)):
        mine = data[data["outcome"] == outcome].reset_index(drop=True)
        _draw(panel, mine, limits[outcome], inches=(READABLE - 0.8) / columns)
        _name_times(panel, mine, year_label, columns, carried=columns == 1)
        panel.set_title(_outcome_head(mine), fontsize=LETTERS)
        panel.set_ylabel("" if at % columns else f"effect, {mine['units_label'].iloc[0]}")
        panel.tick_params(labelleft=at % columns == 0 or not _alike(data))
        if at + columns < len(outcomes):
            panel.set_xlabel("")
            panel.tick_params(labelbottom=columns == 1)
    for spare in panels[len(outcomes) :]:
        spare.set_axis_off()
    return figure, panels[: len(outcomes)]


def _lines_of_models(
    data: pd.DataFrame,
    models: Sequence[str],
    outcomes: Sequence[str],
    limits: Mapping[str, tuple[float, float]],
    year_label: str,
) -> tuple[Figure, list[Axes]]:
    """Return the panels of several models, the name of each left of its line."""
    labels = dict(zip(data["model"], data["model_label"], strict=True))
    axes = dict(zip(data["model"], data["axis"], strict=True))
    font = FontProperties(size=LETTERS)
    texts = [wrap(labels[model], NAME - BETWEEN, font) for model in models]
    tall = [max(FLAT, LINE * len(lines)) for lines in texts]
    tall[0] = max(TALL, tall[0])
    figure = blank_figure(READABLE, fsum(tall) + 0.08 * len(models) + 1.9)
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(h_pad=0.03, hspace=0.0)
    grid = figure.add_gridspec(
        len(models), 1 + len(outcomes), height_ratios=tall,
        width_ratios=[NAME - BETWEEN, *[(READABLE - NAME) / len(outcomes)] * len(outcomes)],
    )  # fmt: skip
    panel_width = (READABLE - NAME) / len(outcomes)
    panels = []
    for line, model in enumerate(models):
        beside = figure.add_subplot(grid[line, 0])
        beside.set_axis_off()
        beside.text(0, 0.5, "\n".join(texts[line]), va="center", fontsize=LETTERS, linespacing=1.05,
                    fontweight="bold" if line == 0 else "normal").set_in_layout(False)  # fmt: skip
        # Panels below one another name their times once, at the lowest.
        named = line == 0 or axes[model] not in [axes[other] for other in models[line + 1 :]]
        among = data[data["axis"] == axes[model]]["time"].astype("int64")
        for column, outcome in enumerate(outcomes):
            mine = data[(data["model"] == model) & (data["outcome"] == outcome)]
            panel = figure.add_subplot(grid[line, 1 + column])
            if mine.empty:
                panel.set_axis_off()
                continue
            panels.append(panel)
            mine = mine.reset_index(drop=True)
            _draw(
                panel, mine, limits[outcome], among, inches=panel_width * (1 if line == 0 else LESS)
            )
            below = _name_times(panel, mine, year_label, len(outcomes), carried=line == 0,
                                among=among)  # fmt: skip
            panel.tick_params(labelbottom=named, labelleft=column == 0 or not _alike(data))
            panel.set_xlabel("")
            if named and column == 0:
                panel.annotate(
                    "\n".join(below), (0, 0), (-14, -7), xycoords="axes fraction", va="top",
                    ha="right", textcoords="offset points", fontsize=LETTERS, color=MUTED,
                ).set_in_layout(False)  # fmt: skip
            if line == 0:
                panel.set_title(f"{_outcome_head(mine)}\n({mine['units_label'].iloc[0]})",
                                fontsize=LETTERS)  # fmt: skip
    return figure, panels


def _outcome_head(rows: pd.DataFrame) -> str:
    """Return the outcome and how many schools its effects are of."""
    label, count = str(rows["outcome_label"].iloc[0]), rows["n_schools"].max()
    return f"{label}, {plural(int(count), 'school')}" if count > 0 else label


def _alike(data: pd.DataFrame) -> bool:
    """Return whether all outcomes are of one unit, so that one axis serves a line of panels."""
    return bool(data["units_label"].nunique() == 1)


def _limits(data: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return outcome → ends of its axis, the same for all models and outcomes of one unit."""
    of_unit = {unit: vertical_limits(rows) for unit, rows in data.groupby("units_label")}
    return {
        outcome: of_unit[unit]
        for outcome, unit in zip(data["outcome"], data["units_label"], strict=True)
    }


def _draw(
    panel: Axes,
    rows: pd.DataFrame,
    limits: tuple[float, float],
    among: pd.Series | None = None,
    *,
    inches: float,
) -> None:
    """Draw an event study; ``among`` holds the times of all that share its axis."""
    times, axis = rows["time"].astype("int64"), str(rows["axis"].iloc[0])
    every = times if among is None else among.astype("int64")
    before = rows["part"] == PRETRENDS
    left, right = float(every.min()) - 0.6, float(every.max()) + 0.6
    if before.any():
        end = float(times[before].max()) + 0.5
        panel.axvspan(left, end, color=SHADE, lw=0)
    panel.axhline(0, color=FAINT, lw=0.8)
    level = f"{rows['conf_level'].iloc[0]:.0%}"
    room = 72 * inches / (right - left)
    thick, thin, size = (min(share * room, most) for share, most in (THICK, THIN, MARK))
    size = max(size, LEAST)
    if axis == "year":
        for at in rows["time"][rows["begins"]]:
            panel.axvline(at - 0.5, color=INK, lw=0.8, ls=":", label=BEGINS)
    for part, colour, face, marker, name in (
        (PRETRENDS, CONTROL, CONTROL, "s", OF_BEFORE),
        (PARTLY, TREATED, "white", "o", OF_PARTLY),
        (SINCE, TREATED, TREATED, "o", OF_SINCE),
    ):
        mine = rows[(rows["part"] == part) & ~rows["reference"]]
        if mine.empty:
            continue
        _whiskers(panel, mine, "band", limits, color=colour, lw=thin,
                  label=f"thin: {level} band of all years")  # fmt: skip
        _whiskers(panel, mine, "conf", limits, color=colour, lw=thick,
                  label=f"thick: {level} interval of a year")  # fmt: skip
        known = mine["conf_low"].notna()
        if known.any():
            edge, heavy = ("white", 0.6) if face == colour else (colour, 1.4)
            panel.plot(mine["time"][known], mine["estimate"][known], marker, color=colour,
                       mfc=face, ms=size, mec=edge, mew=heavy * size / MARK[1], zorder=4,
                       label=name)  # fmt: skip
        if not known.all():
            panel.plot(mine["time"][~known], mine["estimate"][~known], "x", color=colour, ms=size,
                       mew=1.5, label=NO_INTERVAL)  # fmt: skip
    reference = rows[rows["reference"]]
    if len(reference):
        panel.plot(reference["time"], reference["estimate"], "o", color=INK, mfc="white", ms=size,
                   zorder=4, label=REFERENCE)  # fmt: skip
    panel.set_ylim(*limits)
    panel.yaxis.set_major_locator(MaxNLocator(4))
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
            panel.plot(times, [bound] * len(times), marker, color=style["color"], ms=3)


def vertical_limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the vertical axis: points and usual intervals in, endless ones cut."""
    ends = rows[["conf_low", "conf_high", "band_low", "band_high"]].astype("float64").to_numpy()
    half = (rows["conf_high"] - rows["conf_low"]) / 2
    return interval_limits([*rows["estimate"].dropna(), 0.0], list(half), list(ends.ravel()))


def _name_times(
    panel: Axes,
    rows: pd.DataFrame,
    year_label: str,
    abreast: int,
    *,
    carried: bool,
    among: pd.Series | None = None,
) -> list[str]:
    """Name the times; where ``carried``, below each the schools and cohorts that carry it.

    Return what the lines of the names say.
    """
    axis = str(rows["axis"].iloc[0])
    by_time = rows.set_index(rows["time"].astype("int64"))
    every = by_time.index if among is None else among
    most = (TICKS if axis == SINCE else YEARS)[min(abreast, MANY)]
    shown = named_times(every, 0 if axis == SINCE else int(max(every)), most)
    several = carried and bool(rows["n_cohorts"].max() > 1)
    carried &= bool(rows["n_treated_schools"].notna().any())
    low, high = panel.get_xlim()
    numbers = _numbers(by_time, shown, (READABLE - AXIS) / (high - low)) if abreast == 1 else {}
    texts = [
        _told(by_time, time, axis, numbers.get(time, []), several=several, carried=carried)
        for time in shown
    ]
    panel.set_xticks(shown, texts)
    below = ["effect", f"{rows['conf_level'].iloc[0]:.0%} interval"] if numbers else []
    below += ["intervention schools"] if carried else []
    below += ["cohorts"] if several else []
    if abreast == 1 or not carried:
        what = year_label if axis == "year" else "years since the programme began"
        panel.set_xlabel(f"{what}\nbelow: {listed(below)}" if below else what)
    return [year_label if axis == "year" else "years since start", *below]


def _numbers(by_time: pd.DataFrame, times: Sequence[int], room: float) -> dict[int, list[str]]:
    """Return the effect of each time and its interval, in lines no wider than a number of inches.

    An interval takes two lines where one has no room. Where two have none, or not every time is
    named, there are no numbers.
    """
    held = [time for time in by_time.index if time in times]
    if len(held) < len(by_time):
        return {}
    font = FontProperties(size=LETTERS)
    sizes = by_time[["estimate", "conf_low", "conf_high"]].abs().to_numpy("float64")
    digits = 2 if sizes[np.isfinite(sizes)].max() < 10 else 1
    for parts in (1, 2):
        found = {time: _effect_lines(by_time.loc[time], digits, parts) for time in held}
        every = [line for lines in found.values() for line in lines]
        if max(width_of(line, font) for line in every) <= room - APART:
            return found
    return {}


def _effect_lines(row: pd.Series, digits: int, parts: int) -> list[str]:
    """Return an effect, with its sign, and its interval in so many lines."""
    if row["reference"]:
        return ["0", *["–"] * parts]
    sizes = [float(row[name]) for name in ("estimate", "conf_low", "conf_high")]
    digits = effect_decimals(digits, *sizes)
    effect = signed(sizes[0], digits)
    ends = interval(sizes[1], sizes[2], digits)
    if not ends:
        return [effect, *["–"] * parts]
    low, _, high = ends.partition(" to ")
    return [effect, ends] if parts == 1 else [effect, f"{low} to", high]


def _told(
    by_time: pd.DataFrame,
    time: int,
    axis: str,
    numbers: Sequence[str],
    *,
    several: bool,
    carried: bool,
) -> str:
    """Return what is at a tick."""
    lines = [str(time) if axis == "year" else _minus(time)]
    if time not in by_time.index:
        return lines[0]
    row = by_time.loc[time]
    lines[0] = f"{row['beyond']}{lines[0]}"
    lines += numbers
    if carried and pd.notna(row["n_treated_schools"]):
        lines.append(f"{int(row['n_treated_schools']):,}")
    if several and row["n_cohorts"]:
        lines.append(str(int(row["n_cohorts"])))
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
            f"{first['outcome_label']}, {first['model_label']} ({first['units_label']}): "
            f"{'; '.join(told_of)}; last, {at}: {ends}"
        )
    return f"Effects by year with {first['conf_level']:.0%} intervals. {few(parts, 'panels')}"


def _away(rows: pd.DataFrame) -> str:
    """Say how many intervals do not include zero."""
    count = int(((rows["conf_low"] > 0) | (rows["conf_high"] < 0)).sum())
    verb = "excludes" if count == 1 else "exclude"
    return f"of which {count or 'none'} {verb} zero"
