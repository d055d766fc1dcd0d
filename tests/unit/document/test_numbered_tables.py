"""The tables of a document, taken out of it, keep their numbers, titles, captions and notes."""

from __future__ import annotations

import pandas as pd

from schooltrial.document.blocks import Details, Document, Exhibit, Paragraph, Picture, Section
from schooltrial.document.numbered_tables import tables_in
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.document.text import Cite, Link, Strong


def small(title: str) -> Table:
    return tabulate(title, pd.DataFrame({"x": ["1.5"]}), [Column("Number", "told", key="x")])


DOCUMENT = Document(
    "A trial", "Evaluation report",
    front=(Exhibit("first", "Effects", small("other"), caption=("See ", Cite("drawn"), ".")),),
    sections=(
        Section("one", "One", (
            Paragraph("Words."),
            Exhibit("drawn", "A figure", Picture(b"<svg/>", "alt")),
            Details("More", (Exhibit("closed", "Closed.", small("c"), data="checks/c.csv"),)),
        )),
        Section("last", "Last", (
            Exhibit("annexed", "In the annex", small("d"), notes=(
                (Strong("Note: "), Cite("one"), ", ", Cite("closed"), ", ", Link("data", "x.csv")),
                "A second.",
            )),
        ), annex=True),
    ),
)  # fmt: skip


def test_every_table_is_there_in_order_with_its_number_and_not_figures() -> None:
    found = tables_in(DOCUMENT)
    assert [one.name for one in found] == ["first", "closed", "annexed"]
    assert [one.title for one in found] == [
        "Table 1. Effects", "Table 2. Closed", "Table A1. In the annex",
    ]  # fmt: skip
    assert [one.table.cells.to_numpy().tolist() for one in found] == [[["1.5"]]] * 3


def test_captions_and_notes_call_what_they_cite_by_its_number() -> None:
    first, closed, annexed = tables_in(DOCUMENT)
    assert first.caption == "See Figure 1."
    assert annexed.notes == ("Note: Section 1, Table 2, data", "A second.")
    assert closed.notes == ("Data: `checks/c.csv`",)


def test_a_document_without_tables_has_none() -> None:
    assert tables_in(Document("A trial", "Summary", (Paragraph("Words."),))) == ()
