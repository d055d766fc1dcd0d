"""How a table fits a printed page: size of its letters, widths of its columns, page turned or not.

Widths are of the letters of the page's typeface, in ems, a little generous.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil, fsum

SIZES = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
"""Points that letters of a table may have."""

GAP = 7.0
"""Points between two columns."""

NARROW, USUAL, WIDE = 0.34, 0.53, 0.78
"""Ems of the letters of each kind, in bold."""

KINDS = {
    **dict.fromkeys("',.|:;·’!()/\\ijltfI[]{}`- \u00a0", NARROW),
    **dict.fromkeys("ABCDGHKNOQRUVXmw%&", WIDE - 0.08),
    **dict.fromkeys("MW@→∞—", 1.05),
}
"""Letters that are not of usual width."""

LONGEST_RUN, PIECE = 20, 16
"""Letters without a space that are kept on one line; and of the pieces of a longer run."""

LONG_RUN = re.compile(rf"\S{{{LONGEST_RUN + 1},}}")
AFTER_MARK = re.compile(r"(?<=[/_.\-,;=])(?=[^\s\d])")

BREAK = "\u200b"

SMALLER, DIVIDED, TURNED = 0.8, 2.0, 45.0
"""What is as bad as a line more: per row, letters a point smaller and numbers divided between
lines; per table, a turned page, which leaves the one before it unfilled.
"""

NUMBERS = 22
"""Letters of a cell to the right, such as an interval, that stay on one line if they can."""

TALLEST_WHOLE = 12
"""Lines of a row that is not divided between pages."""

CUT = 1000.0
"""What an em by which words would overrun their columns is as bad as, in lines."""


PRINTED_WIDTH, PRINTED_GAP = 510.0, 4.5
"""Points of a table, and between its columns, on A4 as the style of pages prints it."""

PRINTED, SMALLEST_PRINTED = 6.6, 4.6
"""Points of the letters of a printed table, as a rule and at least."""

HALVINGS = 40
"""Steps in which the best widths are found."""

KEPT = 10_000
"""Texts whose widths are kept: each format lays out the same tables."""


@dataclass(frozen=True)
class TableLayout:
    """How a table fits a page.

    Attributes
    ----------
    size : float
        Points of its letters.
    flipped : bool
        Whether its page is turned.
    widths : tuple of float
        Of its columns with the gaps between them, in ems.
    whole : bool
        Whether no row is divided between pages.
    lines : float
        Of a row, on average.
    """

    size: float
    flipped: bool
    widths: tuple[float, ...]
    whole: bool
    lines: float


@dataclass(frozen=True)
class Wanted:
    """What the texts of a column want.

    Attributes
    ----------
    longest : float
        Ems of its longest line.
    squares : float
        Sum of the squared ems of its cells.
    """

    longest: float
    squares: float

    @property
    def weight(self) -> float:
        """What the best width goes with."""
        return float(self.squares ** (1 / 3))


def fitted_layout(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[bool],
    pages: tuple[float, float],
    sizes: Sequence[float] = SIZES,
) -> TableLayout:
    """Return the layout with the fewest lines, weighed against small letters and turned pages.

    Parameters
    ----------
    heads : sequence of str
        Headings of the columns.
    rows : sequence of sequence of str
        Cells; a line break is one.
    right : sequence of bool
        Whether the cells of each column stand to the right, as numbers do.
    pages : (float, float)
        Points that a page is wide, and a turned one.
    sizes : sequence of float
        Points that letters may have.
    """
    columns = [[row[at] for row in rows] for at in range(len(heads))]
    lines = [[[width_of(line) for line in text.split("\n")] for text in row] for row in rows]
    words, whole, wanted = [], [], []
    for at, (head, texts) in enumerate(zip(heads, columns, strict=True)):
        longest = [max(row[at]) for row in lines]
        words.append(max(map(_widest_word, (head, *texts))))
        numbers = [width_of(text) for text in texts if len(text) <= NUMBERS] if right[at] else []
        whole.append(max([words[at], *numbers]))
        wanted.append(Wanted(max([words[at], *longest]), fsum(width**2 for width in longest)))
    fewest = [max([1, *(len(cell) for cell in row if any(cell))]) for row in lines] or [1]
    best: tuple[float, TableLayout] | None = None
    for page, size, (divided, least) in product(pages, sizes, enumerate((whole, words))):
        turned = page == pages[1]
        each = SMALLER * (SIZES[0] - size) + DIVIDED * divided
        more = each * len(fewest)
        if best is not None and fsum(fewest) + more + TURNED * turned >= best[0]:
            continue  # nor would it be better if no cell were divided
        room = (page - GAP * len(least)) / size
        widths = shared_widths(least, wanted, room)
        heights = [_height(row, widths) for row in lines] or [1]
        mean = fsum(heights) / len(heights)
        over = max(0.0, fsum(least) - room)
        cost = fsum(heights) + more + TURNED * turned + CUT * over
        if best is None or cost < best[0]:
            gapped = tuple(width + GAP / size for width in widths)
            layout = TableLayout(size, turned, gapped, max(heights) <= TALLEST_WHOLE, mean)
            best = (cost, layout)
    if best is None:
        raise ValueError("a table has one size of letters or more")
    return best[1]


def shared_widths(
    least: Sequence[float], wanted: Sequence[Wanted], room: float
) -> tuple[float, ...]:
    """Return the widths of columns at which the squared lines of all cells are fewest.

    No column is narrower than its widest word, nor wider than its longest line. Between these,
    the sum over cells of (text / width)² is least where widths go with the cube root of the sum
    of squared texts.

    Parameters
    ----------
    least : sequence of float
        Ems of the widest word of each column.
    wanted : sequence of Wanted
        What the texts of each column want.
    room : float
        Ems of all columns together.
    """
    if fsum(least) >= room:
        return tuple(least)
    most = [one.longest for one in wanted]
    if fsum(most) <= room:
        return tuple(most)
    weights = [one.weight for one in wanted]
    few, many = 0.0, max(most) / min(weight for weight in weights if weight)
    for _ in range(HALVINGS):
        scale = (few + many) / 2
        shared = [
            min(long, max(short, scale * weight))
            for short, long, weight in zip(least, most, weights, strict=True)
        ]
        few, many = (scale, many) if fsum(shared) <= room else (few, scale)
    return tuple(shared)


def printed_size(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> float | None:
    """Return the points of a table's letters on a printed page of HTML, so that no word is divided.

    A browser gives each column what its longest word takes, and cuts what is wider than the page.

    Parameters
    ----------
    heads : sequence of str
        Headings of the columns.
    rows : sequence of sequence of str
        Cells.

    Returns
    -------
    float or None
        None where words must be divided, as letters would be too small.
    """
    columns = [[head, *(row[at] for row in rows)] for at, head in enumerate(heads)]
    ems = fsum(
        max((width_of(word) for text in texts for word in re.split("[ \n]+", text)), default=0.0)
        for texts in columns
    )
    fitting = (PRINTED_WIDTH - PRINTED_GAP * len(columns)) / max(ems, 1.0)
    return min(fitting, PRINTED) if fitting >= SMALLEST_PRINTED else None


def _height(row: Sequence[Sequence[float]], widths: Sequence[float]) -> int:
    """Return the lines of a row, as many as its longest cell has."""
    return max(
        sum(max(1, ceil(line / width)) for line in cell) if width else 1
        for cell, width in zip(row, widths, strict=True)
    )


def breakable(text: str) -> str:
    """Return a text in which long runs of letters, such as paths, may break over lines."""
    return LONG_RUN.sub(lambda run: BREAK.join(_pieces(run[0])), text)


@lru_cache(KEPT)
def width_of(text: str) -> float:
    """Return how wide a text is, in ems."""
    return fsum(KINDS.get(letter, USUAL) for letter in text)


def _pieces(run: str) -> Iterator[str]:
    for part in AFTER_MARK.split(run):
        yield from (part[at : at + PIECE] for at in range(0, len(part), PIECE))


@lru_cache(KEPT)
def _widest_word(text: str) -> float:
    words = re.split(rf"[ \n{BREAK}]+", breakable(text))
    return max(map(width_of, words), default=0.0)
