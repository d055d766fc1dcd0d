"""Which known code a code was likely meant to be: a letter for a digit, or a slip in a name."""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher

from schooltrial.data.spelling.variants import simplified, skeleton

SAME_FORM = str.maketrans("oilsbz", "011582")
"""Letters that a hand or a scanner takes for a digit."""

LETTERS = 4
"""Letters of a word, at least, that can be recognised with a slip in it."""

CLOSE = 0.8
"""Share of the letters of two words in common, from which one is a slip of the other."""


def likely_meant(name: str, known: Collection[str]) -> str | None:
    """Return the only known code that a code was likely meant to be; None if none or several.

    Two codes of digits alone are two codes, however close: 1010 is no slip of 1011.

    Parameters
    ----------
    name : str
        A code that is not among those known.
    known : collection of str
    """
    near = [other for other in known if _same_form(name, other)]
    near = near or [other for other in known if _slip(name, other)]
    return near[0] if len(near) == 1 else None


def turned(name: str, known: Collection[str]) -> str | None:
    """Return the only known code that differs in two neighbouring signs that changed places.

    It is a question and no more, of codes neither of which has a match of its own.

    Parameters
    ----------
    name : str
        A code without a match.
    known : collection of str
        Codes of the other table without a match.
    """
    swaps = {f"{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}" for at in range(len(name) - 1)}
    near = [other for other in known if other != name and other in swaps]
    return near[0] if len(near) == 1 else None


def turned_or_likely(name: str, known: Collection[str]) -> str | None:
    """Return what `turned` finds, else what `likely_meant` does."""
    return turned(name, known) or likely_meant(name, known)


def _same_form(name: str, other: str) -> bool:
    first, second = (
        simplified(skeleton(one).lower().translate(SAME_FORM)) for one in (name, other)
    )
    return first == second


def _slip(name: str, other: str) -> bool:
    """Return whether words differ in a slip; numbers and short words must be the same."""
    first, second = ("".join(c for c in one.casefold() if c.isalnum() or c.isspace()).split()
                     for one in (name, other))  # fmt: skip
    if len(first) != len(second):
        return False
    return all(
        a == b
        or (a.isalpha() and b.isalpha() and min(len(a), len(b)) >= LETTERS
            and SequenceMatcher(None, a, b).ratio() >= CLOSE)
        for a, b in zip(first, second, strict=True)
    )  # fmt: skip
