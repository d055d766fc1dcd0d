"""The numbers of sections and exhibits, in reading order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from schooltrial.document.blocks import Block, Document, Exhibit, exhibits_in
from schooltrial.document.text import Cite


@dataclass(frozen=True)
class Numbers:
    """What sections and exhibits of one document are called.

    Attributes
    ----------
    sections : mapping
        Section → ``3``, or ``A`` for an annex.
    exhibits : mapping
        Exhibit → ``Figure 2``, or ``Table A1`` in an annex.
    """

    sections: Mapping[str, str]
    exhibits: Mapping[str, str]

    def cited(self, cite: Cite) -> str:
        """Return the words of a citation; raise KeyError where the document lacks it."""
        if cite.name in self.exhibits:
            return self.exhibits[cite.name]
        number = self.sections[cite.name]
        return f"Annex {number}" if number[0].isalpha() else f"Section {number}"


def number_document(document: Document) -> Numbers:
    """Return the numbers of a document's sections and exhibits.

    Raises
    ------
    ValueError
        Two sections or exhibits bear one name.
    """
    sections: dict[str, str] = {}
    exhibits: dict[str, str] = {}
    counted: Counter[str] = Counter()
    annexes = iter(ascii_uppercase)
    at = 0
    for exhibit, prefix in _exhibits(document.front, ""):
        _number(exhibit, prefix, counted, exhibits)
    for section in document.sections:
        if section.name in sections:
            raise ValueError(f"two sections are named {section.name!r}; rename one")
        letter = next(annexes) if section.annex else ""
        at += not section.annex
        sections[section.name] = letter or str(at)
        for exhibit, prefix in _exhibits(section.blocks, letter):
            _number(exhibit, prefix, counted, exhibits)
    both = sections.keys() & exhibits.keys()
    if both:
        raise ValueError(f"a section and an exhibit are both named {min(both)!r}; rename one")
    return Numbers(sections, exhibits)


def _exhibits(blocks: tuple[Block, ...], letter: str) -> Iterator[tuple[Exhibit, str]]:
    return ((exhibit, letter) for exhibit in exhibits_in(blocks))


def _number(exhibit: Exhibit, letter: str, counted: Counter[str], named: dict[str, str]) -> None:
    if exhibit.name in named:
        raise ValueError(f"two exhibits are named {exhibit.name!r}; rename one")
    counted[exhibit.kind + letter] += 1
    named[exhibit.name] = f"{exhibit.kind} {letter}{counted[exhibit.kind + letter]}"
