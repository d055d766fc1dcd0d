"""The numbered tables of a document, each to be written on its own, with its number and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schooltrial.document.blocks import Document, exhibits_in
from schooltrial.document.numbering import Numbers, number_document
from schooltrial.document.tables import NotedTable, Table
from schooltrial.document.text import Cite, Link, Strong, Text, spans

NO_TABLES = "The report has no tables."
"""What a file of tables says where it has none."""


def tables_title(study: Mapping[str, Any]) -> str:
    """Return the title of a file with all tables of a study's report."""
    return f"{study['title']}: tables of the report"


def tables_in(document: Document) -> tuple[NotedTable, ...]:
    """Return the tables of a document in reading order, as it numbers, titles and notes them."""
    numbers = number_document(document)
    blocks = (document.front, *(section.blocks for section in document.sections))
    return tuple(
        NotedTable(
            exhibit.name,
            replace(exhibit.content, title=exhibit.title.removesuffix(".")),
            (
                *(_words(note, numbers) for note in exhibit.notes),
                *([f"Data: `{exhibit.data}`"] if exhibit.data else []),
            ),
            number=numbers.exhibits[exhibit.name].removeprefix(f"{exhibit.kind} "),
            caption=_words(exhibit.caption, numbers),
        )
        for part in blocks
        for exhibit in exhibits_in(part)
        if isinstance(exhibit.content, Table)
    )


def _words(text: Text, numbers: Numbers) -> str:
    """Return a text without links; what it cites is called by its number."""
    return "".join(_span(span, numbers) for span in spans(text))


def _span(span: str | Strong | Link | Cite, numbers: Numbers) -> str:
    match span:
        case Strong(words) | Link(words, _):
            return words
        case Cite():
            return numbers.cited(span)
        case _:
            return span
