"""Labels of points that cover neither one another nor the points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from schooltrial.exhibits.style.text_lines import wrap

_RADII = (9, 14, 20, 28, 38, 50, 64, 80, 98, 118, 140)  # typographic points


_ANGLES = (0, 1, -1, 2, -2, 3, -3, 4, 5, -5, 6, -6, 7, -7, 8)  # eighths of a half-turn


_LINE_FROM = 14


WIDEST = 0.45
"""Share of the width of its panel that a label takes; what is wider is wrapped."""


_STEPS = [at / 12 for at in range(13)]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Return whether the two have any area in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def inside(self, other: Box) -> bool:
        """Return whether it lies within the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


def text_box(text: Text) -> Box:
    """Return the rectangle of a text, with a margin.

    Letters are spaced by whole pixels, so that a text is relatively longer at another resolution;
    the margin of a twelfth of its length allows for that.
    """
    text.get_window_extent()  # an annotation settles its place
    extent = Text.get_window_extent(text)  # and its line does not count
    aside = 1.5 + extent.width / 24
    return Box(extent.x0 - aside, extent.y0 - 1.5, extent.x1 + aside, extent.y1 + 1.5)


def marker_box(panel: Axes, x: float, y: float, size: float) -> Box:
    """Return the rectangle of a marker of a size in typographic points."""
    across, up = panel.transData.transform((x, y))
    half = size * _pixels(panel) / 2
    return Box(across - half, up - half, across + half, up + half)


def segment_box(panel: Axes, start: float, end: float, height: float) -> Box:
    """Return the rectangle, two pixels thick, of a level line from ``start`` to ``end``."""
    left, up = panel.transData.transform((start, height))
    right, _ = panel.transData.transform((end, height))
    return Box(left, up - 1, right, up + 1)


def free_place(
    panel: Axes, text: Text, places: Iterable[tuple[float, float]], taken: Sequence[Box]
) -> tuple[float, float] | None:
    """Return the first place, in data coordinates, where a text covers nothing."""
    for place in places:
        text.set_position(place)
        box = text_box(text)
        if box.inside(_panel_box(panel)) and not any(box.overlaps(other) for other in taken):
            return place
    return None


def place_label(
    panel: Axes,
    text: str,
    x: float,
    y: float,
    taken: Sequence[Box],
    *,
    size: float,
    colour: str,
    line: str,
    backed: bool = False,
) -> Box:
    """Write a label as near to its point as is free, with a line to it if it is not adjacent.

    Parameters
    ----------
    panel : Axes
        Its layout must be settled.
    text, x, y
        What is written, and the point in data coordinates.
    taken : sequence of Box
        Rectangles that are not to be covered.
    size : float
        Of the letters.
    colour, line : str
        Of the letters and of the line.
    backed : bool
        Whether the label has a white ground, on which it is read above marks.

    Returns
    -------
    Box
        The rectangle of the label. Where nothing is free it is that of the place that is covered
        least.
    """
    room = WIDEST * panel.get_window_extent().width / panel.figure.dpi
    text = "\n".join(wrap(text, room, FontProperties(size=size)))
    best: tuple[int, float, float, str] | None = None
    for across, up, side in _offsets():
        label = _write(panel, text, x, y, across, up, side, size, colour, line, backed)
        box = text_box(label)
        covered = 10 * sum(box.overlaps(other) for other in taken)
        covered += _crossings(panel, (x, y), box, taken)  # less bad than to cover a text
        covered += 0 if box.inside(_panel_box(panel)) else 1000
        if covered == 0:
            return box
        label.remove()
        if best is None or covered < best[0]:
            best = (covered, across, up, side)
    assert best is not None
    return text_box(_write(panel, text, x, y, *best[1:], size, colour, line, backed))


def _crossings(panel: Axes, point: tuple[float, float], label: Box, taken: Sequence[Box]) -> int:
    """Return how many texts a line from a point to its label would run through."""
    x, y = panel.transData.transform(point)
    across, up = (label.left + label.right) / 2 - x, (label.bottom + label.top) / 2 - y
    along = [Box(x + t * across, y + t * up, x + t * across, y + t * up) for t in _STEPS]
    texts = [box for box in taken if box.top - box.bottom > 4 and not along[0].inside(box)]
    return sum(any(step.inside(box) for step in along) for box in texts)


def _offsets() -> Iterator[tuple[float, float, str]]:
    for radius in _RADII:
        for eighths in _ANGLES:
            angle = eighths * pi / 8
            across, up = radius * cos(angle), radius * sin(angle)
            side = "left" if across > 0.4 * radius else "right" if across < -0.4 * radius else ""
            yield across, up, side or "center"


def _write(
    panel: Axes,
    text: str,
    x: float,
    y: float,
    across: float,
    up: float,
    side: str,
    size: float,
    colour: str,
    line: str,
    backed: bool,
) -> Text:
    far = hypot(across, up) > _LINE_FROM
    arrow: dict[str, Any] | None = None
    if far:
        arrow = {"arrowstyle": "-", "color": line, "lw": 0.6, "shrinkA": 1, "shrinkB": 3}
    vertical = "center" if side != "center" else "bottom" if up > 0 else "top"
    label: Text = panel.annotate(
        text, (x, y), (across, up), textcoords="offset points", ha=side, va=vertical,
        fontsize=size, color=colour, arrowprops=arrow, annotation_clip=False, linespacing=1.05,
        bbox={"fc": "white", "alpha": 0.8, "lw": 0, "pad": 0.6} if backed else None,
    )  # fmt: skip
    label.set_in_layout(False)
    return label


def _panel_box(panel: Axes) -> Box:
    extent = panel.get_window_extent()
    return Box(extent.x0, extent.y0, extent.x1, extent.y1)


def _pixels(panel: Axes) -> float:
    """Return the pixels of a typographic point."""
    return float(panel.figure.dpi) / 72
