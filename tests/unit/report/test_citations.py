"""Each exhibit of a section is cited by number, before it where no sentence cites it."""

from __future__ import annotations

import pandas as pd
import pytest

from schooltrial.document.blocks import (
    Block,
    Details,
    Exhibit,
    Heading,
    Paragraph,
    Picture,
    Section,
)
from schooltrial.document.tables import Table
from schooltrial.document.text import Cite, spans
from schooltrial.report.citations import cite_exhibits, cited_in

TABLE = Table("A table", (), pd.DataFrame())


def _figure(name: str, title: str = "Participant flow", subject: str = "") -> Exhibit:
    return Exhibit(name, title, Picture(b"", ""), subject=subject)


def _table(name: str, title: str = "Attrition by group", subject: str = "") -> Exhibit:
    return Exhibit(name, title, TABLE, subject=subject)


def _cited(*blocks: Block) -> list[str]:
    """Return the paragraphs of a section with its exhibits cited, citations by name."""
    section = cite_exhibits(Section("one", "One", blocks))
    return [
        "".join(f"[{one.name}]" if isinstance(one, Cite) else str(one) for one in spans(said.text))
        for said in section.blocks
        if isinstance(said, Paragraph)
    ]


def test_an_exhibit_is_cited_before_it_with_its_title_as_what_it_shows() -> None:
    assert _cited(_figure("a")) == ["[a] shows participant flow."]
    assert _cited(Heading("Here"), _table("b")) == ["[b] gives attrition by group."]


def test_what_an_exhibit_says_that_it_shows_is_used_for_its_title() -> None:
    assert _cited(_figure("a", subject="who left")) == ["[a] shows who left."]


def test_exhibits_that_follow_each_other_share_a_sentence() -> None:
    assert _cited(_figure("a"), _table("b"), _table("c", "Joiners")) == [
        "[a] shows participant flow; [b] gives attrition by group and [c] joiners."
    ]
    titles = ["WWC rating", "Origin", "Units, by block"]
    assert _cited(*(_table(title, title) for title in titles)) == [
        "[WWC rating] gives WWC rating; [Origin] origin; and [Units, by block] units, by block."
    ]


@pytest.mark.parametrize(
    ("count", "words"),
    [(2, "[0] and [1] give effects by year."), (3, "[0] to [2] give effects by year.")],
)
def test_exhibits_of_one_subject_are_named_from_the_first_to_the_last(
    count: int, words: str
) -> None:
    exhibits = [_table(str(at), f"Model {at}", "effects by year") for at in range(count)]
    assert _cited(*exhibits) == [words]


def test_the_sentence_ends_the_paragraph_before_the_exhibit_if_that_is_plain_text() -> None:
    assert _cited(Paragraph("Few left."), _figure("a")) == ["Few left. [a] shows participant flow."]
    assert _cited(Paragraph("Careful.", "warning"), _figure("a")) == [
        "Careful.", "[a] shows participant flow.",
    ]  # fmt: skip


def test_an_exhibit_that_a_sentence_cites_is_not_cited_again() -> None:
    blocks = (_figure("a"), Paragraph(("See ", Cite("a"), ".")))
    assert _cited(*blocks) == ["See [a]."]


def test_an_exhibit_that_a_reader_opens_is_cited_outside_what_is_closed() -> None:
    section = cite_exhibits(Section("one", "One", (Details.of(_table("b")),)))
    first = section.blocks[0]
    assert isinstance(first, Paragraph)
    assert list(cited_in((first,))) == ["b"]


def test_a_section_without_exhibits_stays_as_it_is() -> None:
    section = Section("one", "One", (Paragraph("Costs were not collected."),))
    assert cite_exhibits(section) == section
