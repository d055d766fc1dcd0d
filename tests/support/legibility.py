"""Whether the series of a figure are told apart without colour vision, and in print without colour.

Dichromatic vision is simulated by the matrices of Machado, Oliveira and Fernandes (2009), "A
Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE Transactions on
Visualization and Computer Graphics 15(6), for a severity of 1, which apply to linear RGB. Grey is
the lightness L* of CIELAB (D65). Differences of colour are those of CIE 1976.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text
from numpy.typing import NDArray

from schooltrial.exhibits.figures.school_means import paler

VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to CIE XYZ (IEC 61966-2-1)."""

WHITE = TO_XYZ.sum(axis=1)

LEAST_DIFFERENCE, LEAST_LIGHTNESS = 20.0, 15.0
"""Differences from which two colours are told apart at a glance, in colour and in grey."""

PALE = 88.0
"""Lightness above which a colour is that of a background; such areas may be parted by a line."""

Look = tuple[Any, ...]


def seen_as(colour: str, vision: str) -> NDArray[np.float64]:
    """Return a colour in CIELAB as somebody with a vision sees it."""
    parts = np.array(to_rgba(colour)[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(VISIONS[vision] @ linear, 0, 1)
    x, y, z = (
        part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116
        for part in TO_XYZ @ seen / WHITE
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def told_apart(one: str, other: str) -> bool:
    """Return whether two colours differ enough to every vision, and in grey."""
    pairs = [(seen_as(one, vision), seen_as(other, vision)) for vision in VISIONS]
    in_colour = all(np.linalg.norm(a - b) >= LEAST_DIFFERENCE for a, b in pairs)
    return bool(in_colour and abs(pairs[0][0][0] - pairs[0][1][0]) >= LEAST_LIGHTNESS)


def confusable(figure: Figure) -> list[str]:
    """Return pairs of colours of a figure that neither they nor a second channel tell apart.

    A second channel is a marker, hollow or filled, a dash, a hatch, the kind of mark (line, mark or
    area), its width, or words in the colour itself, or in the one of which it is the paler. Pale
    areas may be parted by a line that the key calls a boundary.
    """
    found = []
    for panel in figure.axes:
        if not panel.axison:
            continue
        looks = _looks(panel)
        named = {to_hex(text.get_color()) for text in panel.findobj(Text) if _words(text)}
        named |= {to_hex(paler(colour)) for colour in named}
        bounded = any("boundary" in str(line.get_label()) for line in panel.lines)
        for one, other in combinations(sorted(looks), 2):
            shared = looks[one] & looks[other]
            if shared and not {one, other} <= named and not told_apart(one, other):
                if bounded and all(seen_as(pale, "normal")[0] > PALE for pale in (one, other)):
                    continue
                title = panel.get_title("left") or panel.get_ylabel()
                found.append(f"{title}: {one} and {other} are both {sorted(map(str, shared))}")
    return found


def _words(artist: Any) -> str:
    return str(artist.get_text()).strip()


def _looks(panel: Axes) -> dict[str, set[Look]]:
    """Return colour → all that is drawn in it, without colour."""
    looks: dict[str, set[Look]] = defaultdict(set)
    for artist in panel.get_children():
        if artist.get_visible() and not isinstance(artist, Spine | QuadMesh):
            for colour, look in _of(artist):
                if to_rgba(colour)[3] > 0 and to_hex(colour) != "#ffffff":
                    looks[to_hex(colour)].add(look)
    return looks


def _of(artist: Artist) -> Iterator[tuple[Any, Look]]:
    """Yield the colours of an artist, each with what it looks like without colour."""
    if isinstance(artist, Line2D):
        marker, hollow = str(artist.get_marker()), False
        if marker in ("None", "", " "):
            marker = ""
        else:
            hollow = to_hex(artist.get_markerfacecolor()) == "#ffffff"
        dash, width = str(artist.get_linestyle()), round(2 * float(artist.get_linewidth()))
        if dash in ("None", "", " ") or len(np.asarray(artist.get_xdata())) < 2:
            dash, width = "", 0
        elif dash == "--":
            dash = str(getattr(artist, "_unscaled_dash_pattern", dash))
        filled = bool(marker) and not hollow
        colour: Any = artist.get_markerfacecolor() if filled else artist.get_color()
        if marker or dash:
            yield colour, ("line", marker, hollow, dash, width)
    elif isinstance(artist, LineCollection):
        for colour in artist.get_edgecolor():
            width = round(2 * float(np.max(artist.get_linewidth())))
            yield colour, ("interval", str(artist.get_linestyle()), width)
    elif isinstance(artist, PathCollection | Collection):
        for colour in artist.get_facecolor():
            yield colour, ("area", artist.get_hatch(), "")
    elif isinstance(artist, Patch) and artist is not getattr(artist.axes, "patch", None):
        edge = str(artist.get_linestyle()) if artist.get_linewidth() else ""
        yield artist.get_facecolor(), ("area", artist.get_hatch(), edge)
