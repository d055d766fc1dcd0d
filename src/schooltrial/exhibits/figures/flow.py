"""The flow diagram: boxes of schools and people, from assignment to analysis, by group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from schooltrial.checks.flow.boxes import SIGNS, heading
from schooltrial.checks.flow.follow_up import PLURAL
from schooltrial.exhibits.style.alt_words import few
from schooltrial.exhibits.style.figures import (
    ARM_COLOURS,
    FAINT,
    INK,
    SETTINGS,
    TREATED,
    arm_styles,
    blank_figure,
    foot_text,
    styled,
)
from schooltrial.exhibits.style.text_lines import width_of, wrap
from schooltrial.protocol.content.sections import Arm, StudyLine

ALL = "all"


STAGES = {"allocated": "Allocation", "followed up": "Follow-up", "analysed": "Analysis"}


SINGULAR = {many: one for one, many in PLURAL.items()}


COUNTED = re.compile(rf"\b(?:{'|'.join(SINGULAR)})\b")
"""The first noun of a line: units or people, in the plural."""


COLUMN, NARROW = 1.8, 1.2
"""Inches of a column, and of one of three: two or three fit a printed column, four a page."""


SIZE, LINE = 6.5, 0.122
"""Points of the text, and inches of a line of it."""


LEAST = 0.6
"""Share of a box's width that a text has beside its number; else the number is below it."""


BETWEEN = 0.06
"""Inches between a text and its number."""


MARGIN, PAD, GAP, STEP = 0.06, 0.06, 0.2, 0.09


@dataclass(frozen=True)
class _Line:
    """One line of a box: its text, as wrapped, in inches from the box's edge, and its number.

    Numbers are aligned at the right edge of their box.
    """

    text: str
    indent: float = 0.0
    bold: bool = False
    number: str = ""


@dataclass(frozen=True)
class _Group:
    """A column of the diagram: a group, or a cohort of it."""

    rows: pd.DataFrame
    label: str
    colour: str


def _groups(boxes: pd.DataFrame, arms: Sequence[Arm]) -> list[_Group]:
    """Return the columns: groups and, where boxes tell cohorts apart, cohorts of a group."""
    found: list[_Group] = []
    for style in arm_styles(arms):
        rows = boxes[boxes["arm"] == style.name]
        cohorts = [one for one in dict.fromkeys(rows.get("cohort", ())) if one]
        for at, cohort in enumerate(cohorts):
            colour = ARM_COLOURS[1 + at % (len(ARM_COLOURS) - 1)]
            label = f"{style.label} that began in {cohort}"
            found.append(_Group(rows[rows["cohort"] == cohort], label, colour))
        if not cohorts:
            found.append(_Group(rows, style.label, style.colour))
    return found


@styled
def flow_plot(
    boxes: pd.DataFrame,
    arms: Sequence[Arm],
    labels: Mapping[str, str],
    study: StudyLine,
    randomised: bool = True,
) -> Figure:
    """Draw the diagram: what is before allocation, then one column per group or cohort.

    Parameters
    ----------
    boxes : DataFrame
        From ``checks.flow.boxes.flow_boxes``, or of ``checks.flow.cohorts.boxes_by_cohort``.
    arms : sequence of mapping
        The groups, the control group first.
    labels : mapping
        Outcome → its name.
    study : mapping
        Title, whether synthetic, and protocol hash.
    randomised : bool
        Whether the groups were randomised.
    """
    groups = _groups(boxes, arms)
    each = NARROW if len(groups) == 3 else COLUMN
    width, inside = max(each * len(groups), 2 * COLUMN), each - 2 * MARGIN
    each = width / len(groups)
    upper = min(1.4 * COLUMN, width) - 2 * MARGIN
    top = _top(boxes, randomised, upper - 2 * PAD)
    columns = [_column(boxes, group, labels, inside - 2 * PAD) for group in groups]
    tall = {
        stage: max(_inches(column.get(stage, [])) for column in columns)
        for stage in STAGES
        if any(stage in column for column in columns)
    }
    below = _wrapped(foot_text(study), width - 2 * MARGIN)
    height = MARGIN + _inches(top) + fsum(GAP + size for size in tall.values())
    figure = blank_figure(width, height + MARGIN + LINE * (len(below) + 0.5))
    figure.set_layout_engine("none")
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_axis_off()
    panel.set_xlim(0, width)
    panel.set_ylim(figure.get_figheight(), 0)
    _box(panel, (width - upper) / 2, MARGIN, upper, _inches(top), top, INK)
    y = MARGIN + _inches(top)
    _split(panel, y, [each * (at + 0.5) for at in range(len(groups))], width / 2)
    for stage, size in tall.items():
        y += GAP
        for at, (group, column) in enumerate(zip(groups, columns, strict=True)):
            lines = column.get(stage, [_Line(STAGES[stage], bold=True), _Line("none", STEP)])
            _box(panel, each * (at + 0.5) - inside / 2, y, inside, size, lines, group.colour)
            if stage != list(tall)[-1]:
                _arrow(panel, each * (at + 0.5), y + size, y + size + GAP)
        y += size
    colour = TREATED if study["synthetic"] else FAINT
    for at, text in enumerate(below):
        _write(panel, MARGIN, y + MARGIN + LINE * (at + 0.5), _Line(text), colour)
    return figure


def _top(boxes: pd.DataFrame, randomised: bool, width: float) -> list[_Line]:
    rows = boxes[boxes["arm"] == ALL]
    head = "Randomised" if randomised else "Assigned, not randomised"
    lines = _lines(head, width, bold=True)
    for row in rows.itertuples():
        lines += _told(row, width)
    return lines


def _column(
    boxes: pd.DataFrame, group: _Group, labels: Mapping[str, str], width: float
) -> dict[str, list[_Line]]:
    """Return stage → lines of a group's box, wrapped to its width."""
    found: dict[str, list[_Line]] = {}
    for stage, rows in group.rows.groupby("stage", sort=False):
        first = f"{STAGES[stage]}: {group.label}" if stage == "allocated" else STAGES[stage]
        lines = _lines(first, width, bold=True)
        for analysis, part in rows.groupby(["outcome", "year", "model"], sort=False):
            over = heading(boxes, labels, analysis)
            lines += _lines(over, width, bold=True) if over else []
            for row in part.itertuples():
                lines += _told(row, width)
        found[str(stage)] = lines
    return found


def _told(row: Any, width: float) -> list[_Line]:
    """Return the lines of one count; what left, came or is a part of the line above is set in.

    The number is right of the last of them.
    """
    number = f"{row.n:,}"
    room = width - BETWEEN - width_of(number, _font())
    text, indent = f"{SIGNS[row.kind]}{row.text}", 0.0 if row.kind == "in" else STEP
    *lines, last = _lines(text, width, indent)
    if last.indent + width_of(last.text, _font()) > room:
        if room < LEAST * width:  # a long number in a narrow box
            return [*lines, last, _Line("", number=number)]
        *lines, last = _lines(text, room, indent)
    return [*lines, replace(last, number=number)]


def _lines(text: str, width: float, indent: float = 0.0, bold: bool = False) -> list[_Line]:
    first, *others = _wrapped(text, width - indent, bold, hanging=STEP)
    return [_Line(first, indent, bold), *[_Line(more, indent + STEP, bold) for more in others]]


def _wrapped(text: str, width: float, bold: bool = False, hanging: float = 0.0) -> list[str]:
    return wrap(text, width, _font(bold), hanging)


def _font(bold: bool = False) -> FontProperties:
    weight = "bold" if bold else "normal"
    return FontProperties(family=SETTINGS["font.family"], size=SIZE, weight=weight)


def _inches(lines: Sequence[_Line]) -> float:
    return LINE * len(lines) + 2 * PAD


def _box(
    panel: Axes, x: float, y: float, width: float, tall: float, lines: Sequence[_Line], colour: str
) -> None:
    """Draw a box of lines from its upper edge."""
    panel.add_patch(Rectangle((x, y), width, tall, fc="white", ec=colour, lw=1.0))
    for at, line in enumerate(lines):
        middle = y + PAD + LINE * (at + 0.5)
        if line.text:
            _write(panel, x + PAD + line.indent, middle, line, INK)
        if line.number:
            panel.text(x + width - PAD, middle, line.number, fontsize=SIZE, va="center",
                       ha="right", color=INK)  # fmt: skip


def _write(panel: Axes, x: float, y: float, line: _Line, colour: str) -> None:
    panel.text(
        x, y, line.text, fontsize=SIZE, va="center", color=colour,
        fontweight="bold" if line.bold else "normal",
    )  # fmt: skip


def _split(panel: Axes, y: float, columns: Sequence[float], middle: float) -> None:
    bar = y + GAP / 2
    panel.plot([middle, middle], [y, bar], color=FAINT, lw=0.8)
    panel.plot([columns[0], columns[-1]], [bar, bar], color=FAINT, lw=0.8)
    for x in columns:
        _arrow(panel, x, bar, y + GAP)


def _arrow(panel: Axes, x: float, start: float, end: float) -> None:
    drawn = {
        "arrowstyle": "-|>", "color": FAINT, "lw": 0.8, "shrinkA": 0, "shrinkB": 0,
        "mutation_scale": 6,
    }  # fmt: skip
    panel.annotate("", (x, end), (x, start), arrowprops=drawn)


def alt_text(boxes: pd.DataFrame, arms: Sequence[Arm], labels: Mapping[str, str]) -> str:
    """Return what the figure shows, in numbers: of each group who was allocated and analysed."""
    parts = [_sums(boxes[boxes["arm"] == ALL], "Before allocation")]
    for group in _groups(boxes, arms):
        mine = group.rows
        parts.append(_sums(mine[mine["outcome"] == ""], group.label))
        for (outcome, year), rows in mine[mine["outcome"] != ""].groupby(
            ["outcome", "year"], sort=False
        ):
            ends = rows[rows["kind"] == "in"].tail(1)
            parts += [
                f"{group.label}, {labels.get(str(outcome), outcome)}, {year}: {_said(row)}"
                for _, row in ends.iterrows()
            ]
    return f"Participant flow. {few(list(filter(None, parts)), 'analyses', 12)}"


def _sums(rows: pd.DataFrame, whose: str) -> str:
    """Return who is there at each step, and how many left and came in between."""
    steps = []
    for _, row in rows.iterrows():
        if row["kind"] == "in":
            steps.append(_said(row))
        elif row["kind"] in ("lost", "joined") and int(row["n"]):
            steps.append(f"{'less' if row['kind'] == 'lost' else 'plus'} {_said(row)}")
    return f"{whose}: {', '.join(steps)}" if steps else ""


def _said(row: pd.Series) -> str:
    """Return a line of a box with its number first, and its first noun in that number."""
    count, text = int(row["n"]), str(row["text"])
    if count == 1:
        text = COUNTED.sub(lambda found: SINGULAR[found[0]], text, count=1)
    return f"{count:,} {text}"
