"""Numbers as people write them: decimal commas, thousands separators, per cent signs."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

EXACT_BELOW = 2.0**53
"""A double holds every whole number below this, and not the next."""


MINUS = "\u2212"
"""The minus sign of typesetters, which web pages and word processors write."""


def parsed(
    text: pd.Series, *, decimal: str = ".", thousands: str = "", percent: bool = False
) -> npt.NDArray[np.float64]:
    """Return texts as numbers; what is not one in the notation declared is missing.

    Digits are grouped by the thousands separator in threes throughout, or not at all: ``1,23`` is
    no number where the comma separates thousands. A minus sign is a hyphen or U+2212. Infinities,
    ``nan``, hexadecimal numbers and digits with underscores are none.

    Parameters
    ----------
    text : Series of str
        Without blanks around; missing where there is nothing to parse.
    decimal, thousands : str
        Decimal mark, and the separator of thousands (empty: there is none).
    percent : bool
        Whether a per cent sign may stand at the end; the value stays as written.
    """
    known = text.fillna("").astype("str")
    if known.str.startswith(MINUS).any():
        known = known.str.replace(f"^{MINUS}", "-", regex=True)
    if percent:
        known = known.str.replace(r"\s*%$", "", regex=True)
    fits = known.str.fullmatch(_pattern(decimal, thousands)).to_numpy(dtype=bool)
    if thousands:
        known = known.str.replace(thousands, "", regex=False)
    if decimal != ".":
        known = known.str.replace(decimal, ".", regex=False)
    known = known.where(fits, "nan")
    numbers: npt.NDArray[np.float64] = known.astype("float64").to_numpy(copy=True)
    return numbers


def _pattern(decimal: str, thousands: str) -> str:
    """Return the pattern of a whole number or one with a decimal part, perhaps with an exponent."""
    mark = re.escape(decimal)
    whole = "[0-9]+"
    if thousands:
        whole = f"(?:[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
    return f"[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
