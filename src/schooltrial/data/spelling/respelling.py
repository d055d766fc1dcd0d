"""Keys of a column map by which two files that spell identifiers in two ways are read alike."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from schooltrial.data.spelling.variants import BLANKS, CASE, DASHES, DECIMALS, PREFIX, ZEROS

SHOWN_RESPELT = 20
"""Identifiers up to which a remedy lists them one by one."""


MANY = 4
"""Texts to be taken out of identifiers, from which a remedy lists the identifiers instead."""


def keys_to_respell(
    names: Sequence[str], others: Sequence[str], differ: Sequence[str], count: int,
    widths: tuple[int | None, int | None],
) -> tuple[list[str], list[str]] | None:  # fmt: skip
    """Return the keys for the column of each of two files; None if no keys would do.

    Parameters
    ----------
    names, others : sequence of str
        Some identifiers as the first file spells them, and as the second does.
    differ : sequence of str
        In what they differ; see `differences`.
    count : int
        How many there are.
    widths : (int or None, int or None)
        Characters of every identifier of each file, where all have as many.
    """
    if differ and set(differ) <= {ZEROS, DECIMALS}:
        here = _as_digits(names, others, widths[1])
        there = _as_digits(others, names, widths[0])
        if here is not None and there is not None:
            return here, there
    if count <= SHOWN_RESPELT:
        pairs = ", ".join(f"{_quoted(a)}: {_quoted(b)}" for a, b in zip(names, others, strict=True))
        return [f"respell: {{{pairs}}}"], []
    return _in_letters(names, others, differ)


def _as_digits(names: Sequence[str], others: Sequence[str], width: int | None) -> list[str] | None:
    """Return the keys by which a column of digits is read without decimals, and with its zeros.

    None where no width would put the zeros back.
    """
    stems = [name.partition(".")[0] for name in names]
    wanted = [name.partition(".")[0] for name in others]
    keys = ["written_as_decimals: true"] if any("." in name for name in names) else []
    if not any(len(a) < len(b) for a, b in zip(stems, wanted, strict=True)):
        return keys
    if any("." in name for name in others):  # their width is that of a decimal number
        lengths = {len(name) for name in wanted}
        width = lengths.pop() if len(lengths) == 1 else None
    if width is None or not all(stem.isdigit() for stem in stems):
        return None
    return [*keys, f"width: {width}", "pad: true"]


def _in_letters(
    names: Sequence[str], others: Sequence[str], differ: Sequence[str]
) -> tuple[list[str], list[str]] | None:
    """Return the keys by which each side is read without dashes, blanks or a prefix, in one case.

    None where these are not what differs, or would not make the two sides alike.
    """
    if not differ or not set(differ) <= {CASE, DASHES, BLANKS, PREFIX}:
        return None
    signs = [
        [sign for sign in " -_" if any(sign in name for name in side)] for side in (names, others)
    ]
    if PREFIX in differ:
        for at, side in enumerate((names, others)):
            begins = {re.sub("[0-9].*$", "", name) for name in side} - {""}
            signs[at] = sorted(begins, key=len, reverse=True) or signs[at]
    elif not {DASHES, BLANKS} & set(differ) or signs[0] == signs[1]:
        signs = [[], []]
    case = None
    if CASE in differ:
        case = "upper" if all(name == name.upper() for name in others) else "lower"
    sides = []
    plain = []
    for side, without in zip((names, others), signs, strict=True):
        read = list(side)
        for sign in without:
            read = [name.replace(sign, "") for name in read]
        cased = read if case is None else [getattr(name, case)() for name in read]
        keys = [f"without: [{', '.join(map(_quoted, without))}]"] if without else []
        sides.append(keys + ([f"letters: {case}"] if cased != read else []))
        plain.append(cased)
    return (sides[0], sides[1]) if plain[0] == plain[1] and len(signs[0]) < MANY else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
