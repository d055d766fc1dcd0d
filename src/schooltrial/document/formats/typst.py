"""A document as PDF: tagged for screen readers (PDF/UA-1), the same bytes on every run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

from schooltrial.document.blocks import (
    SYNTHETIC,
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
    Section,
)
from schooltrial.document.drawing import shipped_fonts
from schooltrial.document.fitted_table import fit_table
from schooltrial.document.inline_code import code_parts
from schooltrial.document.letters import printable
from schooltrial.document.numbering import Numbers, number_document
from schooltrial.document.table_layout import breakable
from schooltrial.document.tables import Table
from schooltrial.document.text import Cite, Link, Strong, Text, spans

PAGE_WIDTH, PAGE_HEIGHT = 482.0, 716.0
"""Points that the text of a page of A4 is wide, and of a turned one."""

STEPS = "steps"
"""Exhibit with the rule of each step, where a source is explained."""


def pdf_bytes(document: Document) -> bytes:
    """Return a document as PDF, with figures as vectors and their alt texts.

    Every word goes to Typst as data, so that none is read as markup.
    """
    import typst

    source = files("schooltrial.document.formats").joinpath("page.typ").read_bytes()
    content = json.dumps(as_data(document), ensure_ascii=False)
    made = typst.compile(
        source, font_paths=shipped_fonts(), format="pdf", pdf_standards=["ua-1"],
        sys_inputs={"document": content}, timestamp=0,
    )  # fmt: skip
    if not isinstance(made, bytes):
        raise TypeError("Typst made no PDF in one piece")
    return made


def as_data(document: Document) -> dict[str, Any]:
    """Return a document as plain lists and texts, with its numbers."""
    numbers = number_document(document)
    sections = (block for section in document.sections for block in _section(section, numbers))
    told = {
        "title": document.title,
        "kind": document.kind,
        "short": not document.sections,
        "synthetic": document.synthetic,
        "warning": SYNTHETIC,
        "foot": document.foot,
        "record": [
            {"what": what, "value": _spans(value, numbers)} for what, value in document.record
        ],
        "front": list(_turned(_blocks(document.front, numbers))),
        "body": list(_turned(sections)),
    }
    return {key: _printed(value) for key, value in told.items()}


def _printed(value: Any) -> Any:
    """Return data whose texts hold only letters that can be printed."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printed(one) for one in value]
    if isinstance(value, dict):
        return {key: _printed(one) for key, one in value.items()}
    return value


def _section(section: Section, numbers: Numbers) -> Iterator[dict[str, Any]]:
    number = numbers.sections[section.name]
    label = f"Annex {number}. " if section.annex else f"{number} "
    yield {"type": "section", "words": label + section.title, "name": section.name}
    yield from _blocks(section.blocks, numbers)


def _turned(blocks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield blocks, those that a turned page shows together: tables with headings before them."""
    turned: list[dict[str, Any]] = []
    headings: list[dict[str, Any]] = []
    for block in blocks:
        if block["type"] in ("section", "heading"):
            headings.append(block)
        elif block.get("table", {}).get("flipped"):
            turned += [*headings, block]
            headings = []
        else:
            if turned:
                yield {"type": "turned", "blocks": turned}
                turned = []
            yield from headings
            headings = []
            yield block
    if turned:
        yield {"type": "turned", "blocks": turned}
    yield from headings


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
            case Details(summary, inside, _, printed):
                if not printed:
                    continue
                # On paper nothing is opened: a single exhibit is named by its own title
                if not (len(inside) == 1 and isinstance(inside[0], Exhibit)):
                    yield {"type": "heading", "words": summary, "name": ""}
                yield from _blocks(inside, numbers)


def _exhibit(exhibit: Exhibit, numbers: Numbers) -> dict[str, Any]:
    content, more = exhibit.content, list[Any]()
    if isinstance(content, Picture):
        shown: dict[str, Any] = {
            "kind": "figure", "svg": content.svg.decode("utf-8"),
            "alt": content.alt, "width": _width(content.svg),
        }  # fmt: skip
    else:
        made, more = _table(content, numbers)
        shown = {"kind": "table", "table": made}
    return {
        "type": "exhibit",
        "name": exhibit.name,
        "number": numbers.exhibits[exhibit.name],
        "title": exhibit.title.removesuffix("."),
        "caption": _spans(exhibit.caption, numbers),
        "notes": [*more, *(_spans(note, numbers) for note in exhibit.notes)],
        "data": exhibit.data,
        "source": "" if "#" in exhibit.source else exhibit.source,
        "steps": STEPS if STEPS in numbers.exhibits else "",
        **shown,
    }


def _width(svg: bytes) -> float:
    """Return how wide a picture is as drawn, in points; as a page where it does not say."""
    found = re.search(rb'<svg[^>]*\bwidth="([\d.]+)pt"', svg)
    return min(PAGE_WIDTH, float(found[1])) if found else PAGE_WIDTH


def _table(table: Table, numbers: Numbers) -> tuple[dict[str, Any], list[Any]]:
    """Return a table and the notes that it brings; one that is too wide is condensed."""
    fitted = fit_table(table, (PAGE_WIDTH, PAGE_HEIGHT))
    shown, layout = fitted.shown, fitted.layout
    made = {
        "columns": [
            {"name": breakable(column.name), "right": column.right, "weight": width}
            for column, width in zip(shown.columns, layout.widths, strict=True)
        ],
        "size": layout.size,
        "flipped": layout.flipped,
        "whole": layout.whole,
        "groups": [
            {
                "name": name,
                "rows": [[_spans(breakable(cell), numbers) for cell in row] for row in rows],
            }
            for name, rows in shown.groups
        ],
    }
    return made, [_spans(note, numbers) for note in shown.notes]


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
                parts += [
                    {"kind": "code" if code else "text", "words": words}
                    for words, code in code_parts(span)
                ]
    return parts


def _words(words: str) -> str:
    return words.replace("`", "")
