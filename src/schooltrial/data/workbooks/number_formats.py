"""Number formats of spreadsheet cells: which of them show a number as a percentage."""

from __future__ import annotations

import re
from decimal import Decimal

BUILT_IN = {9: "0%", 10: "0.00%"}
"""Numbers of the formats with a per cent sign that a workbook need not spell out."""


_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')
"""Quoted text, and a sign that is shown, skipped over or repeated as it is."""


_BRACKETS = re.compile(r"\[[^\]]*\]")


_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?[0-9.]+)\]")


def is_percentage(format_code: str, value: float) -> bool:
    """Return whether a format shows this number as a percentage, times one hundred.

    A per cent sign in quotes or after a backslash is text: it multiplies nothing. A format may
    have a section each for positive and negative numbers and for zero, or sections with a
    condition such as ``[<=1]0%;0``.
    """
    if "%" not in format_code:
        return False
    return "%" in _BRACKETS.sub("", _section(_LITERAL.sub("", format_code).split(";"), value))


def _section(sections: list[str], value: float) -> str:
    """Return the section of a format that applies to a number."""
    conditions = [_CONDITION.search(section) for section in sections]
    if any(conditions):
        for section, condition in zip(sections, conditions, strict=True):
            if condition is None or _holds(condition, value):
                return section
        return ""
    if len(sections) > 2 and value == 0:
        return sections[2]
    return sections[1] if len(sections) > 1 and value < 0 else sections[0]


def _holds(condition: re.Match[str], value: float) -> bool:
    sign, limit = condition[1], float(condition[2])
    if sign == "<>":
        return value != limit
    return (
        ("<" in sign and value < limit)
        or (">" in sign and value > limit)
        or ("=" in sign and value == limit)
    )


def percentage(value: float) -> str:
    """Return a number as a percentage with all its digits: ``57.2%`` of 0.572."""
    digits = format(Decimal(repr(value)).scaleb(2), "f")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + "%"
