"""The blocks of a document: the content of a page, without its looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schooltrial.document.tables import Table
from schooltrial.document.text import Text

Role = Literal["plain", "lead", "note", "warning"]

SYNTHETIC = (
    "Synthetic data. Every number on this page comes from a simulated trial; none is a finding "
    "about a real programme."
)
"""What every page says above all else where the data are simulated."""


@dataclass(frozen=True)
class Paragraph:
    """Running text.

    Attributes
    ----------
    text : Text
    role : {"plain", "lead", "note", "warning"}
        ``lead``, the answer of the page; ``note``, small print; ``warning``, what must not be
        overlooked.
    """

    text: Text
    role: Role = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list of points.

    Attributes
    ----------
    items : tuple of Text
    numbered : bool
    """

    items: tuple[Text, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading inside a section, without a number.

    Attributes
    ----------
    words : str
    name : str
        What links point at; empty where none does.
    """

    words: str
    name: str = ""


@dataclass(frozen=True)
class Equation:
    """A formula on a line of its own, written with Unicode letters."""

    formula: str


@dataclass(frozen=True)
class Preformatted:
    """Text whose lines and spaces are kept, such as diagnostics."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A figure as drawn.

    Attributes
    ----------
    svg : bytes
    alt : str
        What it shows, in numbers.
    """

    svg: bytes
    alt: str


@dataclass(frozen=True)
class Exhibit:
    """A numbered figure or table.

    Attributes
    ----------
    name : str
        What it is cited by.
    title : str
        A noun phrase.
    content : Picture or Table
    caption : Text
        What is shown, how to read it, one caution.
    notes : tuple of Text
        Printed below it.
    data : str
        File of its numbers, relative to the results of the document; empty where it has none.
    source : str
        The rule that made it, whose row of provenance on the page a link leads to; or, where
        another page has it, the address of that row. Empty where it has none.
    subject : str
        What the text says that it shows, after ``Figure 2 shows``; empty where that is its title.
    """

    name: str
    title: str
    content: Picture | Table
    caption: Text = ""
    notes: tuple[Text, ...] = ()
    data: str = ""
    source: str = ""
    subject: str = ""

    @property
    def kind(self) -> Literal["Figure", "Table"]:
        """What its number counts."""
        return "Table" if isinstance(self.content, Table) else "Figure"


@dataclass(frozen=True)
class Details:
    """Blocks that a reader opens on the screen; print and PDF show them, unless they repeat.

    Attributes
    ----------
    summary : str
    blocks : tuple of Block
    opened : bool
        Whether they are open from the start.
    printed : bool
        Whether they are on paper too: not if they say in words what a picture beside them shows.
        They then hold no exhibit, so that numbers are alike on the screen and on paper.
    """

    summary: str
    blocks: tuple[Block, ...]
    opened: bool = False
    printed: bool = True

    def __post_init__(self) -> None:
        """Refuse an exhibit that would have a number on the screen alone."""
        if not self.printed and any(isinstance(block, Exhibit) for block in self.blocks):
            raise ValueError("an exhibit is numbered, so it must be printed too")

    @classmethod
    def of(cls, exhibit: Exhibit) -> Details:
        """Return an exhibit that a reader opens by its title."""
        return cls(exhibit.title, (exhibit,))


Block = Paragraph | Bullets | Heading | Equation | Preformatted | Exhibit | Details


@dataclass(frozen=True)
class Section:
    """A numbered section, or an annex.

    Attributes
    ----------
    name : str
        What links and citations call it.
    title : str
        A noun phrase of at most six words.
    blocks : tuple of Block
    annex : bool
        Annexes follow all sections and bear letters.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    annex: bool = False


@dataclass(frozen=True)
class Document:
    """A page that is shown as HTML and PDF.

    Attributes
    ----------
    title : str
        Of the study.
    kind : str
        What the page is: ``Evaluation report``.
    front : tuple of Block
        The first screen, before all sections.
    sections : tuple of Section
    synthetic : bool
        Whether the data are simulated; every page then says so.
    record : tuple of (str, Text)
        The study record of the title page: what, and its value.
    foot : str
        Line at the end: study and protocol.
    results : str
        Way from the page to the results that data of exhibits are relative to; empty where the
        page is among them.
    """

    title: str
    kind: str
    front: tuple[Block, ...]
    sections: tuple[Section, ...] = ()
    synthetic: bool = False
    record: tuple[tuple[str, Text], ...] = ()
    foot: str = ""
    results: str = ".."


def exhibits_in(blocks: tuple[Block, ...]) -> Iterator[Exhibit]:
    """Yield the exhibits among blocks, in reading order, those inside details too."""
    for block in blocks:
        if isinstance(block, Exhibit):
            yield block
        elif isinstance(block, Details):
            yield from exhibits_in(block.blocks)
