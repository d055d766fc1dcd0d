"""Cells that mean *not observed*: as values in columns of numbers, as texts in all others.

A code `-9` of a protocol is `-9.00` in one file and `-9,0` in another. In a column of numbers they
are one value. In a column of text, `07` and `7` may be two schools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schooltrial.data.cells.numbers import parsed
from schooltrial.data.cells.text_columns import Mask


@dataclass(frozen=True)
class Notation:
    """How a column writes its numbers."""

    decimal: str = "."
    thousands: str = ""
    percent: bool = False


@dataclass(frozen=True)
class NotObserved:
    """Which texts mean *not observed*.

    Attributes
    ----------
    absent : array of bool
        Those that do.
    as_numbers : array of bool
        Those of them that are written otherwise than every code, but are the same number as one.
    """

    absent: Mask
    as_numbers: Mask

    def but_not(self, coded: Mask) -> NotObserved:
        """Return the same without texts that have a code of their own."""
        return NotObserved(self.absent & ~(coded & self.as_numbers), self.as_numbers & ~coded)


def find_absent(
    text: pd.Series, codes: Sequence[str], notation: Notation | None, held: Mask | None = None
) -> NotObserved:
    """Find the texts that mean *not observed*.

    Parameters
    ----------
    text : Series of str
        Without blanks around.
    codes : sequence of str
        Of the protocol.
    notation : Notation, optional
        How the column writes its numbers; None where it holds texts, which are compared as such.
    held : array of bool, optional
        Texts of cells that a typed file holds as numbers: these are in plain notation.
    """
    alike: Mask = text.isin(list(codes)).to_numpy(dtype=bool)
    if notation is None:
        return NotObserved(alike, np.zeros(len(text), dtype=bool))
    values = _code_values(codes, notation)
    if not values:
        return NotObserved(alike, np.zeros(len(text), dtype=bool))
    numbers = values_of(text, notation, held)
    same = np.isin(numbers, values)
    return NotObserved(alike | same, same & ~alike)


def values_of(
    text: pd.Series, notation: Notation, held: Mask | None = None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return texts as numbers; texts of cells that are held as numbers are in plain notation."""
    numbers = parsed(
        text, decimal=notation.decimal, thousands=notation.thousands, percent=notation.percent
    )
    plain = parsed(text, percent=notation.percent) if held is not None else numbers
    return numbers if held is None else np.where(held, plain, numbers)


def _code_values(codes: Sequence[str], notation: Notation) -> list[float]:
    """Return the codes that are numbers: in the column's notation, or else in plain notation."""
    text = pd.Series(list(codes), dtype="str").str.strip()
    numbers = values_of(text, notation)
    numbers = np.where(np.isfinite(numbers), numbers, parsed(text))
    return [float(number) for number in numbers[np.isfinite(numbers)]]


def coded_by_numbers(codes: Sequence[str], notation: Notation) -> bool:
    """Return whether the codes of a column are all numbers, and no two of them the same one."""
    numbers = values_of(pd.Series(list(codes), dtype="str"), notation)
    return bool(np.isfinite(numbers).all()) and len(np.unique(numbers)) == len(codes)


def alike_as_numbers(text: pd.Series, codes: Sequence[str], notation: Notation) -> pd.Series:
    """Return for each text the code that is the same number; missing if none is.

    A file that holds the codes 1 and 2 as decimals writes `1.0` and `2.0`. Where some code is no
    number, or two are the same one (`1` and `01`), texts are compared as such alone.
    """
    none = pd.Series(None, index=text.index, dtype="str")
    if not coded_by_numbers(codes, notation):
        return none
    known = dict(zip(values_of(pd.Series(list(codes), dtype="str"), notation), codes, strict=True))
    numbers = pd.Series(values_of(text, notation), index=text.index)
    return numbers.map(known).astype("str").where(numbers.isin(list(known)), none)
