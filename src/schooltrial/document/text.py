"""Running text: plain words, strong words, links, and citations of exhibits and sections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Strong:
    """Words in bold."""

    words: str


@dataclass(frozen=True)
class Link:
    """Words that lead elsewhere.

    Attributes
    ----------
    words : str
    target : str
        ``#name`` of a section, exhibit or row of this document; else an address, or a file
        relative to the document.
    """

    words: str
    target: str


@dataclass(frozen=True)
class Cite:
    """The number of an exhibit or section of this document, such as ``Figure 2``.

    Attributes
    ----------
    name : str
        Of the exhibit or section. One that the document lacks is an error.
    """

    name: str


Span = str | Strong | Link | Cite
Text = str | tuple[Span, ...]
"""Words of a document. Plain ones show what is between backticks as code."""


def spans(text: Text) -> tuple[Span, ...]:
    """Return the parts of a text."""
    return (text,) if isinstance(text, str) else text


def joined(*texts: Text) -> Text:
    """Return texts one after the other, a space between them; empty ones are left out."""
    parts: list[Span] = []
    for text in texts:
        if text:
            parts += [" ", *spans(text)] if parts else spans(text)
    return tuple(parts)
