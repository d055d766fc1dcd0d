"""Descriptions of figures in numbers, for readers who do not see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

import pandas as pd

from schooltrial.document.numbers import decimals_of, interval, number

MOST = 6
"""Parts of a figure, such as panels, that its alt text tells; of more it says how many."""


def told(value: float) -> str:
    """Return a number with three digits, as far as they are decimals: 0.0385, 5.61, 1,234."""
    if pd.isna(value):
        return "not known"
    if not isfinite(value):
        return number(value)
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}".replace("-", "−")
    return number(value, min(decimals_of(value), 4))


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return f"+{told(value)}" if value > 0 else told(value)


def with_ends(value: float, low: float, high: float) -> str:
    """Return an estimate with its interval: ``+0.08 (−0.06 to 0.21)``."""
    digits = min(decimals_of(value), 4)
    ends = interval(low, high, digits)
    return f"{signed(value)} ({ends or 'no interval'})"


def span(values: Iterable[float]) -> str:
    """Return the range of numbers in words; a single number is given once."""
    found = sorted(value for value in values if pd.notna(value))
    if not found:
        return "not known"
    low, high = told(found[0]), told(found[-1])
    return low if low == high else f"from {low} to {high}"


def few(parts: Sequence[str], more: str, most: int = MOST) -> str:
    """Return the first parts as sentences, and how many others there are.

    Parameters
    ----------
    parts : sequence of str
        Without full stops.
    more : str
        What the others are, such as ``panels``.
    most : int
        Parts that are told.
    """
    sentences = [f"{part}." for part in parts[:most]]
    if len(parts) > most:
        sentences.append(f"The data file has all {len(parts)} {more}.")
    return " ".join(sentences)
