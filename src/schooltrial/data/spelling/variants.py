"""How one identifier can be spelt in two ways: what a spreadsheet, a keyboard or a file did to it.

A spreadsheet takes leading zeros away, a program that holds numbers as decimals adds ``.0``, people
type blanks, dashes and capitals, and Cyrillic or Greek letters look like Latin ones. Identifiers
are compared as they are spelt; what is here finds those that differ in no more than this.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_LATIN = str.maketrans(
    # Cyrillic, then Greek letters that a reader cannot tell from Latin ones
    "\u0410\u0412\u0415\u0405\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0423"
    "\u0430\u0435\u0455\u043e\u0440\u0441\u0445\u0456\u0458\u0443"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABESKMHOPCTXIJYaesopcxijyABEZHIKMNOPTYXo",
)


_DASHES = re.compile("[-_\u2010-\u2015\u2212]")


_SEPARATORS = re.compile(rf"(?:{_DASHES.pattern}|\s)+")


# One point or comma in the whole name: ``1.0.0`` is no number, and ``1,000`` has a thousand.
_DECIMALS = r"^([^.,]*[0-9])(?:\.0+|,00?)$"


ZEROS, DECIMALS, CASE = "leading zeros", "a decimal `.0`", "capital letters"


BLANKS, DASHES, LETTERS = "blanks", "dashes", "letters of another alphabet"


PREFIX = "a prefix"


def skeleton(name: str) -> str:
    """Return what a name looks like: without regard to how its characters are written.

    Compatible and composed forms are made one (normal form KC of Unicode), blanks are dropped, and
    Cyrillic and Greek capitals and letters of the form of Latin ones become these.
    """
    return "".join(unicodedata.normalize("NFKC", name).translate(_LATIN).split())


def simplified(name: str) -> str:
    """Return what is left of an identifier without what differs in spelling alone.

    Characters are those of `skeleton`, without dashes, in small letters; the ``.0`` of a decimal
    is taken away, and so are zeros that begin a number.
    """
    plain = _without_decimals(_DASHES.sub("", skeleton(name)).lower())
    return _without_zeros(plain)


def _without_decimals(name: str) -> str:
    """Return a name without the ``.0`` of a decimal at its end."""
    return re.sub(_DECIMALS, r"\1", name)


def _without_zeros(name: str) -> str:
    """Return a name without zeros before a number, at its beginning or after a letter."""
    return re.sub("([a-zA-Z])0+([0-9])", r"\1\2", re.sub("^0+(?=.)", "", name))


def all_simplified(names: pa.Array) -> pa.Array:
    """Return `simplified` of each of many names; those of plain characters are done at once.

    Parameters
    ----------
    names : Array of large_string
        Without missing values.
    """
    plain = pc.string_is_ascii(names)
    if not pc.all(plain).as_py():
        others = np.flatnonzero(~plain.to_numpy(zero_copy_only=False))
        found = [simplified(str(name)) for name in names.take(pa.array(others)).to_pylist()]
        names = pc.replace_with_mask(
            names, pc.invert(plain), pa.array(found, names.type)
        )  # simplifying once more changes nothing
    for sign in "-_ \t\r\n\v\f":
        if pc.any(pc.match_substring(names, sign)).as_py():
            names = pc.replace_substring(names, sign, "")
    if pc.any(pc.match_substring_regex(names, "[.,]0")).as_py():
        names = pc.replace_substring_regex(names, _DECIMALS, r"\1")
    names = pc.ascii_lower(names)
    short = pc.ascii_ltrim(names, "0")
    ends = pc.equal(short, "")
    if pc.any(ends).as_py():  # one zero is left of a name of zeros, as in `simplified`
        short = pc.if_else(ends, pc.if_else(pc.equal(names, ""), "", "0"), short)
    if pc.all(pc.ascii_is_decimal(short)).as_py():
        return short
    return pc.replace_substring_regex(short, "([a-z])0+([0-9])", r"\1\2")


def alike(name: str, other: str) -> bool:
    """Return whether two identifiers differ in spelling alone.

    Dashes and blanks may be there in one of them only: ``01-234`` is ``01234``, but ``12-3`` is not
    ``1-23``.
    """
    if simplified(name) != simplified(other):
        return False
    parts, others = (
        [simplified(part) for part in _SEPARATORS.split(text.strip())] for text in (name, other)
    )
    return len(parts) == 1 or len(others) == 1 or parts == others


def differences(name: str, other: str) -> list[str]:
    """Return in what two names of the same simplified spelling differ."""
    found: list[str] = []
    forms = [unicodedata.normalize("NFKC", one) for one in (name, other)]
    steps = (
        (BLANKS, lambda text: "".join(text.split())),
        (LETTERS, lambda text: text.translate(_LATIN)),
        (DASHES, lambda text: _DASHES.sub("", text)),
        (CASE, str.lower),
        (DECIMALS, _without_decimals),
        (ZEROS, _without_zeros),
    )
    if forms[0] == forms[1]:
        return [LETTERS]
    for what, step in steps:
        changed = [step(text) for text in forms]
        if changed[0] == changed[1]:
            return [*found, what]
        if (changed[0] == forms[0]) != (changed[1] == forms[1]) or _more(forms, changed):
            found.append(what)
        forms = changed
    return found


def _more(before: list[str], after: list[str]) -> bool:
    """Return whether a step took away from the two names what differs between them."""
    return before != after and sum(_unlike(before)) > sum(_unlike(after))


def _unlike(pair: list[str]) -> list[bool]:
    longest = max(map(len, pair))
    one, other = (text.ljust(longest) for text in pair)
    return [a != b for a, b in zip(one, other, strict=True)]


def without_prefix(names: pd.Series) -> pd.Series:
    """Return identifiers of digits without the letters before them; missing if there are none.

    Digits lose their leading zeros: what is left is compared with simplified names.
    """
    found: pd.Series = names.str.extract(r"^[a-z]+0*([0-9]+)$", expand=False)
    return found
