"""The flow diagram: boxes of schools and people, from assignment to analysis, by arm."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from schooltrial.exhibits.figure_style import FAINT, INK, arm_styles, foot, new_figure, styled

ALL = "all"
STAGES = {"allocated": "Allocation", "followed up": "Follow-up", "analysed": "Analysis"}
LINE = 0.155
"""Inches of a line of text."""
PAD, GAP = 0.10, 0.22
CHARACTERS = 130
"""Characters that fit across the figure at the size of the text."""


@styled
def flow_plot(
    boxes: pd.DataFrame,
    arms: Sequence[Mapping[str, str]],
    labels: Mapping[str, str],
    study: Mapping[str, Any],
    randomised: bool = True,
) -> Figure:
    """Draw the diagram: what is before the arms part, then one column per arm.

    Parameters
    ----------
    boxes : DataFrame
        From ``checks.flow_diagram.flow_boxes``.
    arms : sequence of mapping
        The arms.
    labels : mapping
        Outcome → its name.
    study : mapping
        What stands under every exhibit.
    randomised : bool
        Whether units came to their arm by lot, for the heading of the first box.
    """
    width = CHARACTERS // len(arms) - 4
    top = _top(boxes, randomised)
    columns = {arm["name"]: _column(boxes, arm["name"], labels, width) for arm in arms}
    heights = {
        stage: max(len(columns[arm["name"]].get(stage, [])) for arm in arms) for stage in STAGES
    }
    stages = [stage for stage, lines in heights.items() if lines]
    total = _inches(len(top)) + GAP + 0.2
    total += sum(_inches(heights[stage] + 1) + GAP for stage in stages)
    figure, (panel,) = new_figure(total + 0.35)
    panel.set_axis_off()
    panel.set_xlim(0, len(arms))
    panel.set_ylim(total, 0)
    y = _box(panel, len(arms) / 2, 0, min(1.3, len(arms)) * 0.96, top, INK)
    _split(panel, y, len(arms))
    y += GAP + 0.2
    for stage in stages:
        tall = _inches(heights[stage] + 1)
        for at, arm in enumerate(arm_styles(arms)):
            heading = f"{STAGES[stage]}: {arm.label}" if stage == "allocated" else STAGES[stage]
            lines = [heading, *columns[arm.name].get(stage, ["none"])]
            _box(panel, at + 0.5, y, 0.94, lines, arm.colour, tall)
            if stage != stages[-1]:
                _arrow(panel, at + 0.5, y + tall, y + tall + GAP)
        y += tall + GAP
    foot(figure, study)
    return figure


def _top(boxes: pd.DataFrame, randomised: bool) -> list[str]:
    rows = boxes[boxes["arm"] == ALL]
    lines = ["Assigned by lot" if randomised else "Assigned, not by lot"]
    return lines + [_line(row) for row in rows.itertuples()]


def _column(
    boxes: pd.DataFrame, arm: str, labels: Mapping[str, str], width: int
) -> dict[str, list[str]]:
    """Return stage → lines of an arm's box, wrapped to its width."""
    found: dict[str, list[str]] = {}
    for stage, rows in boxes[boxes["arm"] == arm].groupby("stage", sort=False):
        lines: list[str] = []
        for outcome, part in rows.groupby("outcome", sort=False):
            if outcome:
                lines.append(f"{labels.get(outcome, outcome)}, {part['year'].iloc[0]}")
            for row in part.itertuples():
                indent = "    " if row.kind == "lost" else "  " if outcome else ""
                lines += textwrap.wrap(_line(row, labels), width, subsequent_indent=indent + "  ",
                                       initial_indent=indent)  # fmt: skip
        found[str(stage)] = lines
    return found


def _line(row: Any, labels: Mapping[str, str] = MappingProxyType({})) -> str:
    text = str(row.text)
    if row.outcome and text.startswith(f"{row.outcome} "):
        text = labels.get(row.outcome, row.outcome) + text.removeprefix(str(row.outcome))
    return f"{'− ' if row.kind == 'lost' else ''}{text}: {row.n:,}"


def _inches(lines: int) -> float:
    return LINE * lines + 2 * PAD


def _box(
    panel: Axes, x: float, y: float, width: float, lines: Sequence[str], colour: str,
    tall: float | None = None,
) -> float:  # fmt: skip
    """Draw a box of lines from its upper edge, the first line being its heading."""
    tall = tall or _inches(len(lines))
    panel.add_patch(
        FancyBboxPatch(
            (x - width / 2, y), width, tall, boxstyle="square,pad=0", fc="white", ec=colour, lw=1.1
        )
    )
    for at, line in enumerate(lines):
        panel.text(
            x - width / 2 + 0.025, y + PAD + LINE * (at + 0.5), line, fontsize=7.2, va="center",
            color=INK, fontweight="bold" if at == 0 else "normal", parse_math=False,
        )  # fmt: skip
    return y + tall


def _split(panel: Axes, y: float, arms: int) -> None:
    middle = y + (GAP + 0.2) / 2
    panel.plot([arms / 2, arms / 2], [y, middle], color=FAINT, lw=0.9)
    panel.plot([0.5, arms - 0.5], [middle, middle], color=FAINT, lw=0.9)
    for at in range(arms):
        _arrow(panel, at + 0.5, middle, y + GAP + 0.2)


def _arrow(panel: Axes, x: float, start: float, end: float) -> None:
    drawn = {"arrowstyle": "-|>", "color": FAINT, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", (x, end), (x, start), arrowprops=drawn)
