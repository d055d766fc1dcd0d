"""Labels at the ends of lines, in their colours, instead of a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties

from schooltrial.exhibits.style.text_lines import wrap

SPACING = 1.15
"""Height of a line of text in sizes of its letters."""

APART = 0.35
"""Lines between two labels."""


@dataclass(frozen=True)
class LineEnd:
    """Where a line ends, and what is written there."""

    x: float
    y: float
    text: str
    colour: str


def label_ends(
    panel: Axes, ends: Sequence[LineEnd], *, room: float, height: float, size: float
) -> None:
    """Write labels right of a panel, each as near to the end of its line as others allow.

    Parameters
    ----------
    panel : Axes
        Its vertical limits must be set.
    ends : sequence of LineEnd
    room : float
        Inches that a label may be wide; longer ones are wrapped.
    height : float
        Inches of the panel, about.
    size : float
        Points of the letters.
    """
    order = sorted(ends, key=lambda end: end.y)
    texts = _wrapped(order, room, size)
    low, high = panel.get_ylim()
    tall = [inches / height for inches in _heights(texts, size)]
    places = spread([(end.y - low) / ((high - low) or 1.0) for end in order], tall)
    for end, text, place in zip(order, texts, places, strict=True):
        panel.annotate(
            text, (end.x, end.y), (1.0, place), textcoords=("axes fraction", "axes fraction"),
            ha="left", va="center", fontsize=size, color=end.colour, annotation_clip=False,
            linespacing=SPACING,
            arrowprops={
                "arrowstyle": "-", "color": end.colour, "lw": 0.6, "shrinkA": 0, "shrinkB": 4,
                "relpos": (0, 0.5),
            },
        )  # fmt: skip


def height_of(ends: Sequence[LineEnd], *, room: float, size: float) -> float:
    """Return the inches that labels take one below the other."""
    return fsum(_heights(_wrapped(ends, room, size), size))


def _wrapped(ends: Sequence[LineEnd], room: float, size: float) -> list[str]:
    font = FontProperties(size=size)
    return ["\n".join(wrap(end.text, room, font)) for end in ends]


def _heights(texts: Sequence[str], size: float) -> list[float]:
    return [size * SPACING / 72 * (text.count("\n") + 1 + APART) for text in texts]


def spread(wanted: Sequence[float], tall: Sequence[float]) -> list[float]:
    """Return the middles of labels that do not overlap, as near as can be to those wanted.

    Parameters
    ----------
    wanted : sequence of float
        The middles, in order, as shares of the panel's height.
    tall : sequence of float
        Their heights, in the same shares.
    """
    groups = [([at], wanted[at], tall[at]) for at in range(len(wanted))]
    merged: list[tuple[list[int], float, float]] = []
    for group in groups:
        merged.append(group)
        while len(merged) > 1 and _touch(merged[-2], merged[-1]):
            one, other = merged[-2:]
            members = [*one[0], *other[0]]
            middle = (one[1] * len(one[0]) + other[1] * len(other[0])) / len(members)
            merged[-2:] = [(members, middle, one[2] + other[2])]
    places = [0.0] * len(wanted)
    for members, middle, height in merged:
        bottom = middle - height / 2
        for at in members:
            places[at] = bottom + tall[at] / 2
            bottom += tall[at]
    return places


def _touch(lower: tuple[list[int], float, float], upper: tuple[list[int], float, float]) -> bool:
    return lower[1] + lower[2] / 2 > upper[1] - upper[2] / 2
