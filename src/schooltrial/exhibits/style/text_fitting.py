"""Room for the texts of a figure: labels of any length neither leave it nor cover one another.

Titles, labels of axes and names at ticks come from a protocol, in any language. What is wider than
its room is wrapped, and where the names of an axis then lie over one another the figure is higher.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import fsum
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.text import Text

from schooltrial.exhibits.style.text_lines import width_of, wrap

ALONE, ABREAST = 0.45, 0.36
"""Share of the figure's width for the names at the ticks of one panel, and of several abreast."""

EDGE = 0.12
"""Inches between a text and the next panel or the edge."""

BETWEEN = 8.0
"""Pixels between the names of two ticks."""

PASSES = 3
"""Times that texts are wrapped at most, as each may change the room of others."""

LEAST = 0.01
"""Inches for which a layout is not settled again."""

TITLE = 10
"""Size of the title of a key, as that of a panel."""

AXIS = 0.8
"""Inches that the numbers and the name of the first axis of a line take."""

SPACING = 1.2
"""Height of a line of text in sizes of its letters."""

HANDLE = 5.0
"""Widths of an m that the mark of an entry of a key takes, with the spaces around it."""


def fit_texts(figure: Figure) -> None:
    """Settle the layout of a figure in which every text has its room.

    Panels keep the height that they were given: lines that are added make the figure higher.
    """
    if not figure.get_layout_engine():
        return
    whole = dict[Text, str]()
    _wrap_around(figure, whole)  # first, as it does not depend on the layout
    _settle(figure)
    tall = _heights(figure)
    for _ in range(PASSES):  # names on fewer inches leave more room to the panel
        if not _wrap_texts(figure, whole):
            break
        _settle(figure)
        now = _heights(figure)
        _grow(figure, fsum(max(tall[row] - now[row], 0.0) for row in tall))
    _grow(figure, _lacking_height(figure))


def _heights(figure: Figure) -> dict[int, float]:
    """Return the inches of the highest panel of every row of panels."""
    found: dict[int, float] = {}
    for panel in _shown(figure):
        row, tall = _row_of(panel), panel.get_window_extent().height / figure.dpi
        found[row] = max(found.get(row, 0.0), tall)
    return found


def _row_of(panel: Axes) -> int:
    place = panel.get_subplotspec()
    return 0 if place is None else place.rowspan.start


def _grow(figure: Figure, inches: float) -> None:
    if inches > LEAST:
        figure.set_figheight(figure.get_figheight() + inches)
        _settle(figure)


def _settle(figure: Figure) -> None:
    """Give panels and texts their places; nothing is drawn, which would take as long again."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def add_key(
    figure: Figure,
    handles: Sequence[Artist],
    names: Sequence[str],
    *,
    columns: int,
    size: float,
    loc: Literal["outside upper left", "outside upper right"],
    title: str = "",
    **more: Any,
) -> Legend:
    """Write a key outside the panels, in as many columns, up to a number, as fit abreast."""
    heading = FontProperties(size=TITLE, weight="bold")
    if title:
        title = "\n".join(wrap(title, figure.get_figwidth() - 2 * EDGE, heading))
        more |= {"title": title, "title_fontproperties": heading}
    font = FontProperties(size=size)
    room = figure.get_figwidth() - 2 * EDGE
    mark = HANDLE * size / 72
    shown = ["\n".join(wrap(name, room - mark, font)) for name in names]
    wide = [mark + max(width_of(line, font) for line in name.split("\n")) for name in shown]
    fitting = [n for n in range(1, columns + 1) if _breadth(wide, n) <= room]
    return figure.legend(
        handles, shown, loc=loc, ncols=max(fitting, default=1), fontsize=size, **more
    )


def add_shared_key(
    figure: Figure, panels: Sequence[Axes], *, columns: int, size: float = 7.5, title: str = ""
) -> Legend:
    """Write above the panels one key of all that is named in any of them, each name once."""
    entries: dict[str, Artist] = {}
    for panel in panels:
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(str(name), handle)
    return add_key(
        figure, list(entries.values()), list(entries), loc="outside upper left", columns=columns,
        size=size, title=title, alignment="left",
    )  # fmt: skip


def head_of_line(panel: Axes, text: str, *, alone: bool = False) -> None:
    """Write a bold head above the title of the first panel of a line of panels.

    It may run on above the panels right of it, as far as the figure goes; where the panel is
    ``alone`` under the head, it is wrapped to the panel.
    """
    title: Text = panel._left_title  # type: ignore[attr-defined]
    if alone:
        title.set_text(f"{text}\n{title.get_text()}")
        return
    size = float(title.get_fontsize())
    room = panel.figure.bbox.width / panel.figure.dpi - AXIS
    lines = wrap(text, room, FontProperties(size=size, weight="bold"))
    title.set_text("".join(" \n" for _ in lines) + title.get_text())
    panel.annotate(
        "\n".join(lines), (0, 1), (0, 1.7 * size), xycoords="axes fraction", va="bottom",
        textcoords="offset points", fontweight="bold", fontsize=size,
    ).set_in_layout(False)  # fmt: skip


def key_lines(key: Legend) -> int:
    """Return how many entries of a key are one below the other."""
    columns: int = key._ncols  # type: ignore[attr-defined]
    return -(-len(key.get_texts()) // columns)


def _breadth(wide: Sequence[float], columns: int) -> float:
    """Return the inches of a key in columns, each as wide as its widest entry."""
    each, more = divmod(len(wide), columns)
    total, at = 0.0, 0
    for column in range(columns):
        size = each + (column < more)
        total += max(wide[at : at + size], default=0.0)
        at += size
    return total


def _wrap_texts(figure: Figure, whole: dict[Text, str]) -> bool:
    """Wrap what is wider than its room; return whether anything was."""
    changed = []
    for panel in _shown(figure):
        left, right, before, after = _bounds(panel, figure)
        centre = (left + right) / 2
        # A gap between panels belongs to both.
        start = (before + left) / 2 if before else 0.0
        end = (after + right) / 2 if after < figure.get_figwidth() else after
        beside = 2 * min(centre - start, end - centre) - EDGE
        changed += [
            _wrap(panel.title, beside, whole),
            _wrap(panel._left_title, after - left - EDGE, whole),  # type: ignore[attr-defined]
            _wrap(panel.xaxis.label, max(beside, right - left), whole),
            _wrap(panel.yaxis.label, panel.get_window_extent().height / figure.dpi, whole),
        ]
        share = ALONE if after - before > 0.75 * figure.get_figwidth() else ABREAST
        changed.append(_wrap_names(panel.yaxis, share * figure.get_figwidth()))
    return any(changed)


def _wrap_around(figure: Figure, whole: dict[Text, str]) -> None:
    """Wrap the title above a figure and the text below it, and give their lines room."""
    room = figure.get_figwidth() - 2 * EDGE
    for text in _texts_of(figure):
        lines = text.get_text().count("\n")
        _wrap(text, room, whole)
        more = text.get_text().count("\n") - lines
        tall = SPACING * float(text.get_fontsize()) / 72
        figure.set_figheight(figure.get_figheight() + more * tall)


def _texts_of(figure: Figure) -> Iterator[Text]:
    """Yield the title above a figure and the text below it."""
    for text in (figure._suptitle, figure._supxlabel):  # type: ignore[attr-defined]
        if text is not None:
            yield text


def _shown(figure: Figure) -> list[Axes]:
    return [panel for panel in figure.axes if panel.axison]


def _bounds(panel: Axes, figure: Figure) -> tuple[float, float, float, float]:
    """Return left and right of a panel, the end of what is left of it, and where the next begins.

    All in inches from the left edge of the figure.
    """
    box = panel.get_window_extent()
    level = [
        other.get_window_extent()
        for other in _shown(figure)
        if other is not panel and _abreast(box, other.get_window_extent())
    ]
    before = max((other.x1 for other in level if other.x1 <= box.x0), default=0.0)
    after = min(
        (other.x0 for other in level if other.x0 >= box.x1),
        default=figure.get_figwidth() * figure.dpi,
    )
    left, right, before, after = (x / figure.dpi for x in (box.x0, box.x1, before, after))
    return left, right, before, after


def _abreast(one: Any, other: Any) -> bool:
    return bool(one.y0 < other.y1 and other.y0 < one.y1)


def _wrap(text: Text, room: float, whole: dict[Text, str]) -> bool:
    """Wrap a text that is wider than its room, in inches; return whether its lines changed.

    ``whole`` keeps every text as it was, so that one that was wrapped can be wrapped anew.
    """
    old = text.get_text()
    words = whole.setdefault(text, old)
    font = text.get_fontproperties()
    if max(width_of(line, font) for line in words.split("\n")) <= room:
        text.set_text(words)
    else:
        text.set_text("\n".join(wrap(words, room, font)))
    return text.get_text() != old


def _wrap_names(axis: Axis, room: float) -> bool:
    """Wrap the names at the ticks of an axis; numbers stay as they are."""
    labels = axis.get_ticklabels()
    old = [label.get_text() for label in labels]
    if not any(any(sign.isalpha() for sign in name) for name in old):
        return False
    font = labels[0].get_fontproperties()
    new = ["\n".join(wrap(name, room, font)) for name in old]
    if new == old:
        return False
    axis.set_ticks(axis.get_ticklocs(), new)
    return True


def _lacking_height(figure: Figure) -> float:
    """Return the inches that a figure lacks so that no name of a tick lies over the next."""
    lacking: dict[int, float] = {}
    for panel in _shown(figure):
        boxes = sorted(
            (
                label.get_window_extent()
                for label in panel.yaxis.get_ticklabels()
                if label.get_text()
            ),
            key=lambda box: (box.y0 + box.y1) / 2,
        )
        tall = panel.get_window_extent().height
        stretch = 1.0
        for lower, upper in pairwise(boxes):
            apart = (upper.y0 + upper.y1 - lower.y0 - lower.y1) / 2
            if apart > 1:
                stretch = max(stretch, ((lower.height + upper.height) / 2 + BETWEEN) / apart)
        row = _row_of(panel)
        lacking[row] = max(lacking.get(row, 0.0), (stretch - 1) * tall / figure.dpi)
    return fsum(lacking.values())
