"""What a figure shows as plain numbers and words, for tests that assert on what is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text

Place = tuple[float, float]


def points(line: Line2D) -> list[Place]:
    """Return the points of a line or of a series of marks."""
    return [(float(x), float(y)) for x, y in np.asarray(line.get_xydata(), dtype=float)]


def labelled(panel: Axes, label: str) -> Line2D:
    """Return the one line of a panel that bears a label."""
    (line,) = [line for line in panel.lines if line.get_label() == label]
    return line


def with_marker(panel: Axes, *markers: str) -> list[Line2D]:
    """Return the lines that are drawn with one of the markers and hold a point."""
    return [line for line in panel.lines if line.get_marker() in markers and len(points(line))]


def segments(panel: Axes) -> list[list[Place]]:
    """Return the ends of every segment that ``vlines`` drew."""
    return [
        [(float(x), float(y)) for x, y in segment]
        for found in panel.collections
        if isinstance(found, LineCollection)
        for segment in found.get_segments()
    ]


def zone_colours(panel: Axes, x: float, y: float) -> list[str]:
    """Return the colours of the filled areas in which a place lies."""
    return [
        to_hex(np.asarray(area.get_facecolor())[0])
        for area in panel.collections
        if isinstance(area, PolyCollection)
        and any(path.contains_point((x, y)) for path in area.get_paths())
    ]


def written(panel: Axes) -> dict[str, Place]:
    """Return every text of a panel that is no annotation, with its place."""
    return {
        text.get_text(): text.get_position()
        for text in panel.texts
        if not isinstance(text, Annotation)
    }


def pointed_at(panel: Axes) -> dict[str, Place]:
    """Return every annotation of a panel, with the point to which it belongs."""
    return {
        text.get_text(): (float(text.xy[0]), float(text.xy[1]))
        for text in panel.texts
        if isinstance(text, Annotation)
    }


def words(figure: Artist) -> list[str]:
    """Return every text of a figure that is not empty."""
    return [
        text.get_text()
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_text()
    ]


def legend_words(figure: Figure) -> list[str]:
    """Return the entries of the figure's one legend."""
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def tick_words(axis: Axis) -> list[str]:
    """Return what stands at the ticks of an axis."""
    return [tick.get_text() for tick in axis.get_ticklabels()]


def hues(colours: Iterable[Any]) -> list[str]:
    """Return colours as hexadecimal words."""
    return [to_hex(colour) for colour in colours]


def _seen_texts(figure: Figure) -> list[Text]:
    """Return the texts that are seen: no tick beyond its axis, and none of a panel switched off."""
    unseen: set[Text] = set()
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                inside = low - 1e-9 <= tick.get_loc() <= high + 1e-9
                if not (inside and panel.axison and tick.label1.get_visible()):
                    unseen.add(tick.label1)
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text)
        and text.get_text().strip()
        and text.get_visible()
        and text not in unseen
    ]


def smallest_letters(figure: Figure, millimetres: float) -> float:
    """Return the points of the smallest letters where the figure is printed at a width."""
    scale = millimetres / 25.4 / figure.get_figwidth()
    return round(scale * min(float(text.get_fontsize()) for text in _seen_texts(figure)), 2)


def overlapping_texts(figure: Figure) -> list[tuple[str, str]]:
    """Return pairs of texts that lie over one another, and texts that leave the figure.

    The figure must have been rendered. A title whose first line is free for a head of the line of
    panels is left out.
    """
    figure.draw_without_rendering()
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in _seen_texts(figure)]
    width, height = figure.get_size_inches() * figure.dpi
    found = [
        (words, "the edge")
        for words, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    for at, (words, box) in enumerate(boxes):
        found += [
            (words, other)
            for other, beside in boxes[:at]
            if not words.startswith(" \n")
            and not other.startswith(" \n")
            and min(box.x1, beside.x1) - max(box.x0, beside.x0) > 2
            and min(box.y1, beside.y1) - max(box.y0, beside.y0) > 2
        ]
    return found
