"""Letters of data that a document cannot print."""

from __future__ import annotations

import re

UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, soft hyphens, marks of direction and others without a shape."""

UNKNOWN = re.compile(r"[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Halves of letters, and codes that are no letters."""


def printable(text: str) -> str:
    """Return a text without letters that have no shape; what is no letter becomes ``�``."""
    return UNKNOWN.sub("\ufffd", UNPRINTABLE.sub("", text))
