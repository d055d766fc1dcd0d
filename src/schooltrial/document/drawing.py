"""A drawing in SVG as a page of PDF and as PNG, the same bytes on every run."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl

from schooltrial.document.letters import printable

DOTS = 200
"""Dots of a PNG to the inch."""

PAGE = b"""#let given = sys.inputs
#set document(title: given.title, date: none)
#set page(width: float(given.width) * 1pt, height: float(given.height) * 1pt, margin: 0pt)
#image(bytes(given.svg), format: "svg", width: 100%, height: 100%, alt: given.alt)
"""


def printed(svg: bytes, kind: Literal["pdf", "png"], title: str = "", alt: str = "") -> bytes:
    """Return a drawing as a page of its size, with its words as words.

    Parameters
    ----------
    svg : bytes
        Its width and height are in points.
    kind : {"pdf", "png"}
        A PDF is tagged for screen readers (PDF/UA-1), and the letters of its fonts lie in it.
    title, alt : str
        Of the PDF: what it is, and what it shows.
    """
    import typst

    width, height = size_of(svg)
    given = {
        "svg": svg.decode("utf-8"), "width": f"{width}", "height": f"{height}",
        "title": printable(title) or "Figure", "alt": printable(alt) or "Figure",
    }  # fmt: skip
    told: dict[str, Any] = {"ppi": DOTS} if kind == "png" else {"pdf_standards": ["ua-1"]}
    made = typst.compile(
        PAGE, font_paths=shipped_fonts(), format=kind, sys_inputs=given, timestamp=0, **told
    )
    if not isinstance(made, bytes):
        raise TypeError("Typst made no picture in one piece")
    return made


def size_of(svg: bytes) -> tuple[float, float]:
    """Return the width and the height of a drawing, in points."""
    head = svg[svg.index(b"<svg") : svg.index(b">", svg.index(b"<svg"))]
    width, height = (re.search(rb' %s="([\d.]+)pt"' % name, head) for name in (b"width", b"height"))
    if width is None or height is None:
        raise ValueError("the drawing does not say its size in points")
    return float(width[1]), float(height[1])


@cache
def shipped_fonts() -> Any:
    """Return the fonts that every machine has: Typst's own, and Matplotlib's DejaVu."""
    import typst

    return typst.Fonts(
        include_system_fonts=False, font_paths=[str(Path(mpl.get_data_path()) / "fonts" / "ttf")]
    )
