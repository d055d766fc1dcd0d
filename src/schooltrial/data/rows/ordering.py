"""The order of names as a reader expects it, alike on every machine, whatever its language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import combining, normalize

_DIGITS = re.compile(r"([0-9]+)")


def places(names: Iterable[object]) -> dict[str, int]:
    """Return name → its place: numbers by their value, letters without case and accents.

    ``Ost 2`` stands before ``Ost 10``, and ``Östlich`` beside ``Ostsee``, not behind ``West``.
    """
    distinct = {str(name) for name in names}
    return {name: at for at, name in enumerate(sorted(distinct, key=_key))}


def _key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    plain = "".join(sign for sign in normalize("NFKD", name) if not combining(sign)).casefold()
    parts = [part for part in _DIGITS.split(plain) if part]
    return [(0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p) for p in parts], name
