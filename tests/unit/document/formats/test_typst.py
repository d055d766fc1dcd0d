"""The PDF of a document: whole, tagged, the same on every run, whatever letters its data hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any

import pandas as pd
import pytest
from pypdf import PdfReader

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
    Section,
)
from schooltrial.document.formats.typst import pdf_bytes
from schooltrial.document.letters import printable
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.document.text import Cite, Link, Strong

A4 = (595.3, 841.9)


def picture(width: float, height: float) -> Picture:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}"><rect width="{width}" height="{height}" fill="#888"/>'
        "</svg>"
    )
    return Picture(svg.encode(), "A grey box of one size.")


def table(columns: int, rows: int, cell: str = "words") -> Table:
    frame = pd.DataFrame([[f"{cell}{r}x{c}" for c in range(columns)] for r in range(rows)])
    frame.columns = pd.Index([f"head{c}" for c in range(columns)])
    return tabulate("A table", frame, [Column(name) for name in frame.columns])


def document(sections: Sequence[tuple[str, tuple[Block, ...]]], front: str = "Answer") -> Document:
    made = tuple(Section(f"s{at}", name, blocks) for at, (name, blocks) in enumerate(sections))
    return Document(
        "A trial", "Evaluation report", (Paragraph(front),), made, synthetic=True,
        record=(("Design", "Blocked."),), foot="A trial. Protocol 01",
    )  # fmt: skip


def pages(made: Document) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf_bytes(made))).pages]


@cache
def whole() -> Document:
    return document([
        ("First part", (
            Paragraph(("See ", Cite("fig"), " and ", Strong("this"), ".")),
            Exhibit("fig", "Grey box", picture(400, 200), "A caption.", ("Note of figure.",)),
            Heading("Head"), Bullets(("one", "two `code`")), Equation("y = α + τT"),
            Preformatted("a  b"),
            Details("Hidden", (Exhibit("tab", "Words", table(3, 3), "", ("Note of table.",)),)),
            Paragraph((Link("web", "https://example.org"),), "note"),
        )),
        ("Second part", (Paragraph("End."),)),
    ])  # fmt: skip


def test_every_word_of_a_document_is_in_its_pdf_with_notes_below_figures_and_tables() -> None:
    told = " ".join(" ".join(pages(whole())).split())
    for words in (
        "Evaluation report", "Synthetic data.", "Blocked.", "Contents", "Answer", "1 First part",
        "See Figure 1 and this.", "Figure 1. Grey box. A caption.", "Note of figure.", "two code",
        "Table 1. Words.", "words2x2", "Note of table.", "web", "2 Second part",
    ):  # fmt: skip
        assert words in told, words


def test_the_pdf_is_tagged_for_screen_readers_and_pictures_say_what_they_show() -> None:
    made = pdf_bytes(whole())
    reader = PdfReader(BytesIO(made))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "en-GB"
    assert reader.metadata is not None
    assert reader.metadata.title == "A trial: Evaluation report"
    assert "pdfuaid" in root["/Metadata"].get_data().decode()
    alts = [found.get("/Alt") for found in elements(root["/StructTreeRoot"])]
    assert "A grey box of one size." in alts


def elements(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the elements of a structure tree."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from elements(one)
    elif isinstance(node, dict):
        yield node
        yield from elements(node.get("/K", []))


def test_the_first_page_bears_the_findings_and_the_warnings_and_no_other_part_of_the_summary() -> (
    None
):
    front = (
        Paragraph("The plan was changed.", "warning"), Paragraph("Other words."),
        Paragraph("Maths rose.", "lead"),
    )  # fmt: skip
    first = pages(replace(whole(), front=front))[0]
    assert "The plan was changed." in first
    assert "Maths rose." in first
    assert "Other words." not in first


def test_two_runs_give_the_same_bytes() -> None:
    assert pdf_bytes(whole()) == pdf_bytes(whole())


def test_the_head_of_a_page_names_the_section_that_begins_on_it() -> None:
    long = tuple(Paragraph("words " * 60) for _ in range(20))
    found = pages(document([("First part", long), ("Second part", long), ("Third", long)]))
    seen = 0
    for words in found[3:]:
        head = words.split("\n")[0] + words.split("\n")[1]
        begun = re.findall(r"^(\d (?:First part|Second part|Third))$", words, re.M)
        if begun:
            assert begun[0] in head
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize(
    "letter",
    [
        *("\x00", "\ud800", "你", "م"),
        *(
            pytest.param(letter, marks=pytest.mark.slow)
            for letter in ("\x07", "\x7f", "\xad", "\ufeff", "\ufffe", "\u200b", "\u202e", "😀")
        ),
    ],
)
def test_no_letter_in_the_data_stops_the_pdf(letter: str) -> None:
    words = f"be{letter}fore"
    frame = pd.DataFrame({"a": [words]}, dtype="object")
    exhibit = Exhibit("t", words, tabulate(words, frame, [Column("a")]), words, (words,))
    drawn = Exhibit("f", words, Picture(picture(10, 10).svg, words), words)
    blocks = (Heading(words), Paragraph((Strong(words),)), Bullets((words,)), Equation(words),
              Preformatted(words), exhibit, drawn, Details(words, (Paragraph(words),)))  # fmt: skip
    made = document([("Part", blocks)])
    assert len(pages(made)) > 3


def test_letters_without_shape_are_left_out_and_others_kept() -> None:
    assert printable("co\xadoperate\x07\ufeff, β −1\n\t2") == "cooperate, β −1\n\t2"
    assert printable("a\ud800b\ufffe") == "a\ufffdb\ufffd"


@pytest.mark.parametrize("caption", ["Short.", "A long caption. " * 60])
def test_a_figure_taller_than_a_page_is_made_smaller_until_its_words_fit_too(caption: str) -> None:
    tall = Exhibit("fig", "Tall", picture(400, 2000), caption, ("Last words of it.",))
    found = pages(document([("Part", (tall,)), ("Next", (Paragraph("End."),))]))
    page = next(words for words in found if "Figure 1. Tall." in words)
    assert "1 Part" in page
    assert "Last words of it." in page


@pytest.mark.parametrize(
    "columns",
    [4, pytest.param(12, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.slow)],
)
def test_no_cell_of_a_wide_table_is_cut(columns: int) -> None:
    exhibit = Exhibit("t", "Wide", table(columns, 40, "value"), "All.")
    reader = PdfReader(BytesIO(pdf_bytes(document([("Part", (Heading("Before"), exhibit))]))))
    told = "".join("".join(page.extract_text().split()) for page in reader.pages)
    for row in range(40):
        for column in range(columns):
            assert f"value{row}x{column}" in told
    for page in reader.pages:
        places: list[float] = []
        page.extract_text(
            visitor_text=lambda text, _, matrix, *__, found=places: (
                found.append(matrix[4]) if text.strip() else None
            )
        )
        assert max(places) < float(page.mediabox.width) - 25


def test_a_heading_stays_with_the_turned_table_below_it() -> None:
    exhibit = Exhibit("t", "Wide", table(20, 60, "value"), "All.")
    found = pages(document([("Part", (Paragraph("Before."), Heading("Of all"), exhibit))]))
    (page,) = [words for words in found if "Of all" in words]
    assert "Table 1. Wide." in page


def test_a_document_without_sections_is_one_page_however_much_it_says() -> None:
    for words in (50, 300, 1100):
        made = Document("A trial", "Summary", (Heading("H"), Paragraph("words " * words)))
        assert len(pages(made)) == 1
