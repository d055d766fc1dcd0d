"""A document as PDF: tagged for screen readers (PDF/UA-1), the same bytes on every run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib as mpl

from schooltrial.document.blocks import (
    Block,
    Bullets,
    Details,
    Document,
    Equation,
    Exhibit,
    Heading,
    Paragraph,
    Picture,
    Preformatted,
)
from schooltrial.document.html import SYNTHETIC
from schooltrial.document.inline_code import BETWEEN_BACKTICKS
from schooltrial.document.numbering import Numbers, number_document
from schooltrial.document.tables import Table, row_groups
from schooltrial.document.text import Cite, Link, Strong, Text, spans

LONGEST_CELL = 34
"""Letters of a cell that still make its column wider; longer texts are broken into lines."""

UNBROKEN = 12
"""Letters without a space after which a line may break."""

BREAK = "\u200b"

PAGE_WIDTH, PAGE_HEIGHT = 482.0, 716.0
"""Points that the text of a page of A4 is wide, and of a turned one."""

SIZES = (8.0, 7.5, 7.0, 6.5, 6.0, 5.5)
"""Points of the letters of a table, the largest that fit being used."""

READABLE = 4
"""Sizes of which a smaller one is better than to break texts into lines."""

EASY = 24
"""Letters of a text that are then kept on one line."""

LETTER, INSET = 0.62, 5.0
"""Width of a letter, in its own size; and points between the columns of a table."""


def pdf_bytes(document: Document) -> bytes:
    """Return a document as PDF, with figures as vectors and their alt texts.

    Every word goes to Typst as data, so that none is read as markup.
    """
    import typst

    source = files("schooltrial.document").joinpath("page.typ").read_bytes()
    content = json.dumps(as_data(document), ensure_ascii=False)
    made = typst.compile(
        source, font_paths=_fonts(), format="pdf", pdf_standards=["ua-1"],
        sys_inputs={"document": content}, timestamp=0,
    )  # fmt: skip
    if not isinstance(made, bytes):
        raise TypeError("Typst made no PDF in one piece")
    return made


@cache
def _fonts() -> Any:
    """Return the fonts that every machine has: Typst's own, and Matplotlib's DejaVu."""
    import typst

    return typst.Fonts(
        include_system_fonts=False, font_paths=[str(Path(mpl.get_data_path()) / "fonts" / "ttf")]
    )


def as_data(document: Document) -> dict[str, Any]:
    """Return a document as plain lists and texts, with its numbers."""
    numbers = number_document(document)
    return {
        "title": document.title,
        "kind": document.kind,
        "short": not document.sections,
        "synthetic": document.synthetic,
        "warning": SYNTHETIC,
        "foot": document.foot,
        "record": [
            {"what": what, "value": _spans(value, numbers)} for what, value in document.record
        ],
        "front": list(_blocks(document.front, numbers)),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "number": numbers.sections[section.name],
                "blocks": list(_blocks(section.blocks, numbers)),
            }
            for section in document.sections
        ],
    }


def _blocks(blocks: Iterable[Block], numbers: Numbers) -> Iterator[dict[str, Any]]:
    """Yield blocks as data; details are open in print, below their summary."""
    for block in blocks:
        match block:
            case Paragraph(text, role):
                yield {"type": "paragraph", "role": role, "text": _spans(text, numbers)}
            case Bullets(items, numbered):
                told = [_spans(item, numbers) for item in items]
                yield {"type": "bullets", "numbered": numbered, "items": told}
            case Heading(words, name):
                yield {"type": "heading", "words": words, "name": name}
            case Equation(formula):
                yield {"type": "equation", "formula": formula}
            case Preformatted(text):
                yield {"type": "preformatted", "text": text}
            case Exhibit():
                yield _exhibit(block, numbers)
            case Details(summary, inside, _):
                yield {"type": "heading", "words": summary, "name": ""}
                yield from _blocks(inside, numbers)


def _exhibit(exhibit: Exhibit, numbers: Numbers) -> dict[str, Any]:
    content = exhibit.content
    if isinstance(content, Picture):
        shown: dict[str, Any] = {
            "kind": "figure", "svg": content.svg.decode("utf-8"), "alt": content.alt,
            "width": _width(content.svg),
        }  # fmt: skip
    else:
        shown = {"kind": "table", "table": _table(content, numbers)}
    return {
        "type": "exhibit",
        "name": exhibit.name,
        "number": numbers.exhibits[exhibit.name],
        "title": exhibit.title.removesuffix("."),
        "caption": _spans(exhibit.caption, numbers),
        "notes": [_spans(note, numbers) for note in exhibit.notes],
        "data": exhibit.data,
        **shown,
    }


def _width(svg: bytes) -> float:
    """Return the share of the page's width, in per cent, that a picture takes as drawn.

    A tall one is made smaller, so that it and its caption fit a page.
    """
    found = re.search(rb'<svg[^>]* height="([\d.]+)pt"[^>]* width="([\d.]+)pt"', svg)
    if found is None:
        found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
        if found is None:
            return 100.0
        width, height = float(found[1]), float(found[2])
    else:
        height, width = float(found[1]), float(found[2])
    share = min(1.0, width / PAGE_WIDTH)
    tallest = 600.0
    return 100 * min(share, tallest * width / height / PAGE_WIDTH)


def _table(table: Table, numbers: Numbers) -> dict[str, Any]:
    groups = list(row_groups(table))
    rows = [row for _, inside in groups for row in inside]
    heads = [column.name for column in table.columns]
    cells = list(zip(heads, *rows, strict=True))
    layout = fitted_layout(
        [max(_longest_word(text) for text in texts) for texts in cells],
        [max(len(line) for text in texts for line in text.split("\n")) for texts in cells],
    )
    return {
        "columns": [
            {"name": column.name, "right": column.right, "weight": weight}
            for column, weight in zip(table.columns, layout.widths, strict=True)
        ],
        "size": layout.size,
        "flipped": layout.flipped,
        "groups": [
            {
                "name": name,
                "rows": [[_spans(_breakable(cell), numbers) for cell in row] for row in inside],
            }
            for name, inside in groups
        ],
    }


def _longest_word(text: str) -> int:
    return max((min(len(word), 2 * UNBROKEN) for word in text.split()), default=1)


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
        Of its columns, in letters.
    """

    size: float
    flipped: bool
    widths: tuple[float, ...]


def fitted_layout(least: Sequence[int], wanted: Sequence[int]) -> TableLayout:
    """Return the largest letters at which no word of a table is cut, on a turned page if need be.

    Parameters
    ----------
    least, wanted : sequence of int
        Letters of the longest word, and of the longest line, of each column.
    """
    easy = [max(short, min(long, EASY)) for short, long in zip(least, wanted, strict=True)]
    tries = (
        (PAGE_WIDTH, SIZES[:READABLE], easy), (PAGE_WIDTH, SIZES, least),
        (PAGE_HEIGHT, SIZES, least),
    )  # fmt: skip
    for page, sizes, needed in tries:
        for size in sizes:
            room = (page - INSET * len(least)) / (LETTER * size)
            if sum(needed) <= room:
                return TableLayout(size, page == PAGE_HEIGHT, _shared(least, wanted, room))
    return TableLayout(SIZES[-1], True, tuple(float(width) for width in least))


def _shared(least: Sequence[int], wanted: Sequence[int], room: float) -> tuple[float, ...]:
    """Return the least widths, and of the room that is left what longer texts would take."""
    more = [
        min(long, LONGEST_CELL) - short if long > short else 0
        for short, long in zip(least, wanted, strict=True)
    ]
    more = [max(0, extra) for extra in more]
    left = room - sum(least)
    share = min(1.0, left / sum(more)) if sum(more) else 0.0
    return tuple(short + share * extra for short, extra in zip(least, more, strict=True))


def _breakable(text: str) -> str:
    """Return words in which long runs of letters may break over lines."""
    return re.sub(rf"(\S{{{UNBROKEN}}})(?=\S)", rf"\1{BREAK}", text) if text else text


def _spans(text: Text, numbers: Numbers) -> list[dict[str, str]]:
    """Return the parts of a text, code apart from words."""
    parts: list[dict[str, str]] = []
    for span in spans(text):
        match span:
            case Strong(words):
                parts.append({"kind": "strong", "words": words.replace("`", "")})
            case Link(words, target):
                parts.append({"kind": "link", "words": words.replace("`", ""), "target": target})
            case Cite(name):
                target = f"#{name}"
                parts.append({"kind": "link", "words": numbers.cited(span), "target": target})
            case _:
                found = BETWEEN_BACKTICKS.split(span)
                for at, words in enumerate(found):
                    if words:
                        parts.append({"kind": "code" if at % 2 else "text", "words": words})
    return parts
