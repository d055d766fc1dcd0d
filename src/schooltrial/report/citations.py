"""Sentences that cite the exhibits of a section by number, before the reader comes to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from schooltrial.document.blocks import (
    Block,
    Bullets,
    Details,
    Exhibit,
    Paragraph,
    Section,
    exhibits_in,
)
from schooltrial.document.text import Cite, Span, Text, joined, spans
from schooltrial.wording import uncapitalised

VERBS = {"Figure": ("shows", "show"), "Table": ("gives", "give")}
"""What an exhibit does, and what several do."""


def cite_exhibits(section: Section) -> Section:
    """Return a section whose text cites each of its exhibits.

    Exhibits that follow each other, and that no sentence of the section cites, are cited in one
    sentence before the first of them: at the end of the paragraph there, if it is plain text.

    Parameters
    ----------
    section : Section
    """
    named = set(cited_in(section.blocks))
    blocks: list[Block] = []
    for shown, run in groupby(section.blocks, _shows):
        found = tuple(run)
        lacking = [one for one in exhibits_in(found) if shown and one.name not in named]
        if lacking:
            told = citing_sentence(lacking)
            before = blocks[-1] if blocks else None
            if isinstance(before, Paragraph) and before.role == "plain":
                blocks[-1] = replace(before, text=joined(before.text, told))
            else:
                blocks.append(Paragraph(told))
        blocks += found
    return replace(section, blocks=tuple(blocks))


def citing_sentence(exhibits: Sequence[Exhibit]) -> Text:
    """Return what exhibits show, each by its number; those of one subject are named together.

    Parameters
    ----------
    exhibits : sequence of Exhibit
        In reading order; at least one.
    """
    parts: list[Span] = []
    mark = "; " if any("," in _subject(one) for one in exhibits) else ", "
    for at, (kind, of_kind) in enumerate(groupby(exhibits, lambda one: one.kind)):
        parts += ["; "] if at else []
        subjects = [tuple(alike) for _, alike in groupby(of_kind, _subject)]
        for place, alike in enumerate(subjects):
            last = place == len(subjects) - 1
            parts += [f"{mark if mark == '; ' else ' '}and " if last else mark] if place else []
            parts += _named(alike)
            verb = "" if place else f"{VERBS[kind][len(alike) > 1]} "
            parts.append(f" {verb}{_subject(alike[0])}")
    return (*parts, ".")


def _named(alike: Sequence[Exhibit]) -> list[Span]:
    first, last = Cite(alike[0].name), Cite(alike[-1].name)
    between = " and " if len(alike) == 2 else " to "
    return [first] if len(alike) == 1 else [first, between, last]


def _subject(exhibit: Exhibit) -> str:
    return exhibit.subject or uncapitalised(exhibit.title)


def _shows(block: Block) -> bool:
    """Return whether a block is an exhibit, or holds one."""
    return any(exhibits_in((block,)))


def cited_in(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the names that running text cites, in reading order.

    Parameters
    ----------
    blocks : sequence of Block
    """
    for block in blocks:
        match block:
            case Paragraph(text):
                yield from _cited(text)
            case Bullets(items):
                for item in items:
                    yield from _cited(item)
            case Details(_, inside):
                yield from cited_in(inside)
            case _:
                pass


def _cited(text: Text) -> Iterator[str]:
    return (span.name for span in spans(text) if isinstance(span, Cite))
