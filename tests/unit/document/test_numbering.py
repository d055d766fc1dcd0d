"""Sections and exhibits are numbered in reading order, and cited by these numbers."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from schooltrial.document.blocks import (
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
from schooltrial.document.formats.html import html_page
from schooltrial.document.formats.typst import as_data
from schooltrial.document.numbering import number_document
from schooltrial.document.tables import Column, tabulate
from schooltrial.document.text import Cite, Link, Strong, joined

TABLE = tabulate("Effects", pd.DataFrame({"Outcome": ["Maths <b>"]}), [Column("Outcome")])
PICTURE = Picture(b'<svg width="90pt" height="30pt"></svg>', "A line from 1 to 2.")


def small_document() -> Document:
    """Return a document with a block of every kind."""
    hidden = Exhibit("hidden", "Details of effects", TABLE)
    design = (
        Paragraph(("See ", Cite("effects"), " and ", Cite("log"), "."), "lead"),
        Exhibit("flow", "Participant flow", PICTURE, "Boxes.", data="figures/flow.csv"),
        Details("More", (hidden,)),
    )
    results = (
        Heading("Main effects"),
        Exhibit("effects", "Effects", TABLE, "All.", ("A note.",), source="tabulate_results"),
        Bullets((("One ", Strong("bold & loud")), "two `code`")),
        Equation("y = α + τT"),
    )
    log = (Preformatted("a  b"), Exhibit("log", "Log", TABLE), Paragraph((Link("web", "x.html"),)))
    return Document(
        "A trial", "Evaluation report", (Paragraph("The answer."),),
        (Section("design", "Design", design), Section("results", "Results", results),
         Section("annex", "Log", log, annex=True)), synthetic=True, foot="Protocol 01",
    )  # fmt: skip


def test_exhibits_are_counted_by_kind_and_annexes_by_letter() -> None:
    numbers = number_document(small_document())
    assert numbers.sections == {"design": "1", "results": "2", "annex": "A"}
    assert numbers.exhibits == {
        "flow": "Figure 1", "hidden": "Table 1", "effects": "Table 2", "log": "Table A1",
    }  # fmt: skip
    assert numbers.cited(Cite("annex")) == "Annex A"


def test_two_exhibits_of_one_name_and_citations_of_none_are_errors() -> None:
    twice = Document("A", "Report", (Exhibit("a", "A", TABLE), Exhibit("a", "B", TABLE)))
    with pytest.raises(ValueError, match="two exhibits are named 'a'"):
        number_document(twice)
    with pytest.raises(KeyError):
        html_page(Document("A", "Report", (Paragraph((Cite("nothing"),)),)))


def test_a_page_shows_every_block_and_escapes_the_words_of_users() -> None:
    page = html_page(small_document())
    assert '<a href="#effects">Table 2</a> and <a href="#log">Table A1</a>' in page
    assert "Maths &lt;b&gt;" in page
    assert "<strong>bold &amp; loud</strong>" in page
    assert '<a href="../figures/flow.csv">Data</a>' in page
    assert "#trace-tabulate_results" in page
    for words in ("Synthetic data.", "The answer.", "y = α + τT", "a  b", "Protocol 01", "A note."):
        assert page.count(words) == 1


def test_each_table_of_a_page_is_a_region_of_another_name() -> None:
    page = html_page(small_document())
    regions = re.findall(r'role="region" aria-label="([^"]+)"', page)
    assert regions == ["Table 1. Details of effects", "Table 2. Effects", "Table A1. Log"]


def test_texts_are_joined_with_spaces_and_empty_ones_left_out() -> None:
    assert joined("One.", "", ("Two ", Strong("three"))) == ("One.", " ", "Two ", Strong("three"))


def test_a_table_that_is_also_written_for_word_and_latex_links_to_these() -> None:
    page = html_page(Document("A", "R", (Exhibit("a", "A", TABLE, data="tables/baseline.csv"),)))
    for name, ending in (("Word", "docx"), ("LaTeX", "tex"), ("Markdown", "md")):
        assert f'<a href="../tables/baseline.{ending}">{name}</a>' in page
    other = html_page(Document("A", "R", (Exhibit("a", "A", TABLE, data="checks/power.csv"),)))
    assert "Word" not in other


def test_what_repeats_a_picture_in_words_is_on_the_screen_and_not_on_paper() -> None:
    told = Details("In words", (Paragraph("The same again."),), printed=False)
    page = Document("T", "Report", (told,))
    assert '<details class="screen">' in html_page(page)
    assert "The same again." in html_page(page)
    assert "The same again." not in str(as_data(page))


def test_what_has_a_number_is_on_paper_too() -> None:
    with pytest.raises(ValueError, match="must be printed too"):
        Details("Table", (Exhibit("t", "Title", TABLE),), printed=False)


def test_on_paper_a_single_exhibit_is_named_once() -> None:
    page = Document("T", "Report", (Details.of(Exhibit("t", "Effects by year", TABLE)),))
    assert str(as_data(page)).count("Effects by year") == 1
