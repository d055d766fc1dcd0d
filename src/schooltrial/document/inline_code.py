"""Names of the protocol in running text, which the library writes between backticks, as code."""

from __future__ import annotations

import re
from typing import NamedTuple

from markupsafe import Markup, escape

BETWEEN_BACKTICKS = re.compile(r"`([^`\n]+)`")


class Part(NamedTuple):
    """A piece of a text, and whether it is code."""

    words: str
    code: bool


def code_parts(text: str) -> list[Part]:
    """Return the pieces of a text in order, code apart from words; empty pieces are left out."""
    pieces = BETWEEN_BACKTICKS.split(text)
    return [Part(words, at % 2 == 1) for at, words in enumerate(pieces) if words]


def with_code(text: object) -> Markup:
    """Return a text for a page: what is between backticks as code; markup stays what it is."""
    if hasattr(text, "__html__"):
        return escape(text)
    told = (
        Markup("<code>{}</code>").format(words) if code else escape(words)
        for words, code in code_parts(str(text))
    )
    return Markup("").join(told)
