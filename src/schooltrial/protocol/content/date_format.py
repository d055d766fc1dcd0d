"""The format of dates that a protocol declares, and formats that match no date."""

from __future__ import annotations

import re
from itertools import pairwise

TOKEN = re.compile(r"Y+|M+|D+|.", re.DOTALL)


YEARS, MONTHS, DAYS = ("YYYY", "YY"), ("MMMM", "MMM", "MM", "M"), ("DD", "D")


STRFTIME = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%b": "MMM", "%B": "MMMM", "%d": "DD", "%e": "D"}


EXAMPLE = "`DD/MM/YYYY`, `D/M/YY` or `MMM D, YYYY`"


def tokens(shape: str) -> list[str]:
    """Return a format's parts: year, month and day, and each sign between them."""
    return TOKEN.findall(shape)


def why_not(shape: str) -> str | None:
    """Return why no date can have a format, or None if one can."""
    parts = tokens(shape)
    for what, known in (("year", YEARS), ("month", MONTHS), ("day", DAYS)):
        of_kind = [part for part in parts if part[0] == known[0][0]]
        if not of_kind:
            return f"it has no {what}"
        if len(of_kind) > 1:
            return f"it has a {what} {len(of_kind)} times"
        if of_kind[0] not in known:
            return f"{of_kind[0]} is no {what}"
    strange = [part for part in parts if part[0] not in "YMD" and (part.isalnum() or part == "%")]
    if strange:
        return f"it has {strange[0]!r} between its parts"
    open_ended = ("M", "D", "MMM", "MMMM")
    digits = pairwise(parts)
    if any(a[0] in "YMD" and b[0] in "YMD" and {a, b} & set(open_ended) for a, b in digits):
        return "a part of one or two digits is next to another without a sign between"
    return None


def suggestion(shape: str) -> str:
    """Return what to write in place of a format that no date can have."""
    written = shape
    for code, part in STRFTIME.items():
        written = written.replace(code, part)
    written = re.sub(r"[T ,]*(?:%?H+|hh).*$", "", written)
    for candidate in (written, written.upper()):
        if why_not(candidate) is None:
            return f"write `format: {candidate}`"
    return f"write it with a year, a month and a day, such as {EXAMPLE}"
