"""The attrition figure: a study's attrition with the boundaries of What Works Clearinghouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from schooltrial.checks.attrition.analyses import analysing_models
from schooltrial.exhibits.style.alt_words import few, told
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    LETTERS,
    READABLE,
    SHADE,
    arm_styles,
    foot,
    new_figure,
    styled,
)
from schooltrial.exhibits.style.label_placement import (
    Box,
    free_place,
    marker_box,
    place_label,
    segment_box,
    text_box,
)
from schooltrial.exhibits.style.text_fitting import add_key, fit_texts
from schooltrial.exhibits.style.text_lines import width_of, wrap
from schooltrial.models.missing_outcomes.attrition_bias import Assumption, boundary_table
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine
from schooltrial.wording import plural_of

COLUMNS = [
    "level", "outcome", "year", "arm", "outcome_label", "detail", "overall", "differential",
    "verdict_cautious", "verdict_optimistic", "colour",
]  # fmt: skip


LOW, BETWEEN, HIGH = "#dfe8dc", SHADE, "#f4e3df"


MARKS = {
    "unit": ("s", 9.5, "white"), "pupils in": ("D", 6.5, "white"), "pupils": ("o", 4.0, None),
    "teachers in": ("^", 8.5, "white"), "teachers": ("v", 4.5, None),
}  # fmt: skip
"""Of units, of people in units that stay, and of all: nested where points coincide."""


DIRECT = 4
"""Places of points up to which their names are beside them; of more, numbers that a list names."""


LIST, APART, BELOW, LINE = 0.6, 0.25, 42, 0.15
"""Inches of a list's margin and between its columns, points from the panel to it, and inches of a
line of it."""


LEAST_WIDTH, LEAST_HEIGHT = 20.0, 13.0  # per cent; both boundaries show their highest point


def drawn(
    attrition: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    years: Sequence[int],
) -> pd.DataFrame:
    """Return what the figure draws: a row per point, in per cent and percentage points.

    Parameters
    ----------
    attrition : DataFrame
        From ``checks.attrition``.
    outcomes, arms : protocol sections
        For names and colours.
    years : sequence of int
        Years that are drawn, and with them those of every primary model; where there are several,
        ``detail`` names the year, and where several models analyse an outcome in it, the model.
    """
    lost = attrition[(attrition["kind"] == "lost") & attrition["overall"].notna()]
    lost = lost.assign(model=analysing_models(lost))
    lost = lost[lost["year"].isin(list(years)) | (lost["model"] != "")]
    models = lost.groupby(["outcome", "year"])["model"].transform("nunique")
    styles = {style.name: style for style in arm_styles(arms)}
    rows = []
    for row in lost.assign(models=models).to_dict("records"):
        year = str(row["year"]) if lost["year"].nunique() > 1 else ""
        model = str(row["model"]) if row["models"] > 1 else ""
        detail = ", ".join(filter(None, (year, model)))
        name = outcomes[row["outcome"]]["label"]
        rows.append(
            [
                row["level"], row["outcome"], row["year"], styles[row["arm"]].label, name, detail,
                100 * row["overall"], 100 * row["differential"], row["verdict_cautious"],
                row["verdict_optimistic"], styles[row["arm"]].colour,
            ]
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


@styled
def attrition_plot(
    data: pd.DataFrame, boundary: Assumption, study: StudyLine, unit: str = "school"
) -> Figure:
    """Draw both boundaries, their zones, and a point per outcome and level.

    Parameters
    ----------
    data : DataFrame
        From `drawn`.
    boundary : {"cautious", "optimistic"}
        The boundary that decides in this study; its line is the heavier.
    study : mapping
        Title, whether synthetic, and protocol hash.
    unit : {"school", "teacher", "pupil"}
        What was assigned.
    """
    figure, (panel,) = new_figure(4.8)
    width = max(LEAST_WIDTH, 1.12 * data["overall"].max()) if len(data) else LEAST_WIDTH
    gap = data["differential"].abs().max() if len(data) else 0.0
    height = max(LEAST_HEIGHT, 1.12 * gap)
    _draw_zones(panel, width, height, boundary)
    for level in data["level"].unique():
        marker, size, filling = MARKS[_kind(level, unit)]
        for colour, rows in data[data["level"] == level].groupby("colour", sort=False):
            panel.plot(
                rows["overall"], rows["differential"].abs(), marker, color=colour, ms=size,
                mfc=filling or colour, zorder=3, clip_on=False,
            )  # fmt: skip
        panel.plot([], [], marker, color=INK, mfc=filling or INK, ms=size, label=level)
    panel.set_xlim(-0.015 * width, width)
    panel.set_ylim(-0.02 * height, height)
    panel.set_xlabel("overall attrition (per cent)")
    panel.set_ylabel("differential attrition (percentage points)")
    panel.set_title("Attrition and the boundaries of What Works Clearinghouse")
    if data["arm"].nunique() > 1:
        for arm, colour in dict(zip(data["arm"], data["colour"], strict=True)).items():
            panel.plot([], [], "_", color=colour, ms=9, mew=3, label=arm)
    handles, names = panel.get_legend_handles_labels()
    entries = len(names)
    columns = min(entries, 5) if entries <= 6 else 3
    add_key(
        figure, handles, names, loc="outside upper left", columns=columns, size=LETTERS,
        columnspacing=1.4,
    )  # fmt: skip
    foot(figure, study)
    labels = _point_labels(data)
    if len(labels) > DIRECT:
        named = _listed([text for _, text in labels])
        labels = [(place, str(at)) for at, (place, _) in enumerate(labels, 1)]
        _write_list(panel, named)
        figure.set_figheight(figure.get_figheight() + LINE * named[0].count("\n"))
    fit_texts(figure)  # settles the layout, which labels must not change
    _write_labels(panel, data, labels, width, height)
    return figure


def _kind(level: str, unit: str) -> str:
    """Return which of `MARKS` a level has."""
    if level == plural_of(unit) != "pupils":
        return "unit"
    whom, *within = level.split(" ")
    return f"{whom} in" if within else whom


def _limits(width: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return overall attrition and both boundaries in per cent; 0 if it is always high."""
    table = boundary_table()
    columns = [np.array(table[name]) for name in ("overall", "cautious", "optimistic")]
    overall, cautious, optimistic = (100 * np.nan_to_num(column) for column in columns)
    beyond = np.arange(overall[-1] + 1, max(width, overall[-1]) + 2)
    nothing = np.zeros(len(beyond))
    return (
        np.r_[overall, beyond],
        np.r_[cautious, nothing],
        np.r_[optimistic, nothing],
    )


def _draw_zones(panel: Axes, width: float, height: float, boundary: Assumption) -> None:
    overall, cautious, optimistic = _limits(width)
    for low, high, colour in (
        (0 * cautious, cautious, LOW),
        (cautious, optimistic, BETWEEN),
        (optimistic, np.full(len(overall), 2 * height), HIGH),
    ):
        panel.fill_between(overall, low, high, step="mid", color=colour, lw=0)
    for name, limit, dashes in (("cautious", cautious, "-"), ("optimistic", optimistic, "--")):
        panel.plot(
            overall[limit > 0], limit[limit > 0], dashes, color=CONTROL, drawstyle="steps-mid",
            lw=1.8 if name == boundary else 0.9,
            label=f"{name} boundary{' (decides)' if name == boundary else ''}",
        )  # fmt: skip


def _listed(texts: Sequence[str]) -> list[str]:
    """Return numbered names of points in columns, as many as fit abreast."""
    font, room = FontProperties(size=LETTERS), READABLE - LIST
    names = [f"{at}  {text.replace(chr(10), ', ')}" for at, text in enumerate(texts, 1)]
    widest = max(width_of(name, font) for name in names)
    columns = max(int(room / (widest + APART)), 1)
    if columns == 1:
        return ["\n".join("\n     ".join(wrap(name, room, font, 0.2)) for name in names)]
    each = -(-len(names) // columns)
    return ["\n".join(names[at : at + each]) for at in range(0, len(names), each)]


def _write_list(panel: Axes, columns: Sequence[str]) -> None:
    """Write below a panel what its numbered points are."""
    font = FontProperties(size=LETTERS)
    aside = 0.0
    for text in columns:
        panel.annotate(
            text, (0, 0), (aside, -BELOW), xycoords="axes fraction", va="top",
            textcoords="offset points", fontsize=LETTERS, color=INK, annotation_clip=False,
        )  # fmt: skip
        aside += 72 * (max(width_of(line, font) for line in text.split("\n")) + APART)


def _write_labels(
    panel: Axes,
    data: pd.DataFrame,
    labels: Sequence[tuple[tuple[float, float], str]],
    width: float,
    height: float,
) -> None:
    """Write the zones' names where there is room, then the points' names, none over another."""
    points = [(row.overall, abs(row.differential)) for row in data.itertuples()]
    taken: list[Box] = [marker_box(panel, x, y, MARKS["unit"][1]) for x, y in points]
    taken += _curve_boxes(panel, width)
    for text, spots in _zone_spots(width, height).items():
        label = panel.text(0, 0, text, fontsize=LETTERS, color=FAINT, style="italic")
        label.set_in_layout(False)
        spot = free_place(panel, label, spots, taken)
        if spot is None:
            label.remove()
        else:
            label.set_position(spot)
            taken.append(text_box(label))
    for (x, y), text in labels:
        taken.append(place_label(panel, text, x, y, taken, size=LETTERS, colour=INK, line=FAINT))


def _zone_spots(width: float, height: float) -> dict[str, list[tuple[float, float]]]:
    """Return each zone's name, and places in its middle from the right to the left."""
    overall, cautious, optimistic = _limits(width)
    spots: dict[str, list[tuple[float, float]]] = {}
    for text, low, high in (
        ("high by both boundaries", optimistic, np.full(len(overall), height)),
        ("low by the optimistic one only", cautious, optimistic),
        ("low by both boundaries", 0 * cautious, cautious),
    ):
        starts = np.arange(0.55, 0.0, -0.05) * width
        spots[text] = [
            (float(x), float(low[round(x)] + share * (high[round(x)] - low[round(x)])))
            for share in (0.5, 0.7, 0.3)
            for x in starts
        ]
    return spots


def _curve_boxes(panel: Axes, width: float) -> list[Box]:
    """Return thin rectangles along both boundaries, which labels are not to cross."""
    overall, *limits = _limits(width)
    return [
        segment_box(panel, at - 0.5, at + 0.5, height)
        for limit in limits
        for at, height in zip(overall, limit, strict=True)
        if height > 0
    ]


def _point_labels(data: pd.DataFrame) -> list[tuple[tuple[float, float], str]]:
    """Return places and texts; where points coincide, one text names them all."""
    places: dict[tuple[float, float], dict[str, list[str]]] = {}
    for row in data.itertuples():
        place = (round(row.overall, 2), round(abs(row.differential), 2))
        names = places.setdefault(place, {}).setdefault(row.detail, [])
        if row.outcome_label not in names:
            names.append(row.outcome_label)
    every = list(dict.fromkeys(data["outcome_label"]))
    return [(place, _text(there, every)) for place, there in places.items()]


def _text(there: dict[str, list[str]], every: list[str]) -> str:
    """Return a line per set of outcomes: ``Maths, Reading: 2019; 2020``."""
    details: dict[tuple[str, ...], list[str]] = {}
    for detail, names in there.items():
        details.setdefault(tuple(names), []).append(detail)
    lines = []
    for outcomes, found in details.items():
        names = list(outcomes)
        named = "all outcomes" if len(every) > 2 and set(names) == set(every) else "\n".join(names)
        lines.append(": ".join(filter(None, (named, "; ".join(filter(None, found))))))
    return "\n".join(lines)


def alt_text(data: pd.DataFrame, boundary: Assumption) -> str:
    """Return what the figure shows, in numbers: attrition of each point, and its verdict.

    Parameters
    ----------
    data : DataFrame
        From `drawn`.
    boundary : {"cautious", "optimistic"}
        The boundary that decides in this study.
    """
    first = (
        "Overall against differential attrition, with the boundaries of What Works Clearinghouse; "
        f"the {boundary} one decides."
    )
    if data.empty:
        return f"{first} Attrition is not known."
    several = data["arm"].nunique() > 1
    parts = [
        f"{row['level'][:1].upper()}{row['level'][1:]}, "
        + ", ".join(
            filter(None, (row["outcome_label"], row["detail"], row["arm"] if several else ""))
        )
        + f": {told(row['overall'])}% lost, difference {told(abs(row['differential']))} percentage "
        f"points, {_verdict(row[f'verdict_{boundary}'])}"
        for row in data.to_dict("records")
    ]
    return f"{first} {few(parts, 'points')}"


def _verdict(found: object) -> str:
    return f"{found} attrition" if isinstance(found, str) and found else "no verdict"
