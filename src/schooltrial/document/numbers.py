"""How numbers are written in every table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

MOST_DIGITS = 6
"""Decimals up to which a number is written out so that it is on the right side of a limit."""


def number(value: float, digits: int = 3) -> str:
    """Return a number with fixed decimals, commas, a true minus; nothing where it is missing."""
    if pd.isna(value):
        return ""
    text = f"{value:,.{digits}f}".replace("inf", "∞")
    if not text.strip("-0."):
        text = text.lstrip("-")
    return text.replace("-", "−")


def signed(value: float, digits: int) -> str:
    """Return a number with its sign; zero has none."""
    text = number(value, digits)
    return text if not text or text.startswith("−") or not text.strip("0.") else f"+{text}"


def difference_text(size: float, digits: int = 3) -> str:
    """Return a standardised difference, in words if infinite or not known."""
    if pd.isna(size):
        return "not known"
    return f"{number(size, digits)} (infinite)" if math.isinf(size) else number(size, digits)


def size_beside_limits(size: float, limits: Sequence[float], digits: int = 3) -> str:
    """Return a standardised difference with the digits that show on which side of limits it is.

    Parameters
    ----------
    size : float
    limits : sequence of float
        Sizes up to which a band reaches.
    digits : int, optional
        Fewest decimals.
    """
    if math.isfinite(size):
        while digits < MOST_DIGITS and any(
            (round(abs(size), digits) <= limit) != (abs(size) <= limit) for limit in limits
        ):
            digits += 1
    return difference_text(size, digits)


def p_text(value: float) -> str:
    """Return a p-value with three decimals, ``<0.001`` below that."""
    if pd.isna(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return an interval as ``−0.06 to 0.21``, with the decimals that show the signs of its ends.

    A lower end of 0.0003 written as 0.000 would seem to include zero.
    """
    if pd.isna(low):
        return ""
    digits = signed_decimals(digits, low, high)
    return f"{number(low, digits)} to {number(high, digits)}"


MOST_DECIMALS = 6


def signed_decimals(digits: int, *values: float) -> int:
    """Return the decimals, at least so many, at which no value but zero is written as zero."""
    known = [abs(value) for value in values if math.isfinite(value) and value != 0]
    while digits < MOST_DECIMALS and any(value < 0.5 * 10**-digits for value in known):
        digits += 1
    return digits


def effect_decimals(digits: int, value: float, low: float, high: float) -> int:
    """Return the decimals, at least so many, at which no end of an interval is written as zero.

    An effect that is itself written as zero needs no more, as its interval shows its precision;
    without an interval it does.
    """
    ends = (low, high) if math.isfinite(low + high) else (value,)
    return signed_decimals(digits, *ends)


SMALLEST = 0.0001
"""Below this a number is not written out: 1.1e-05 reads as <0.0001."""


def significant(value: float, digits: int = 4) -> str:
    """Return a number to the digits that count, a whole one without decimals."""
    if pd.isna(value):
        return ""
    if is_whole(value):
        return number(value, 0)
    if abs(value) >= 10**digits:
        return number(value, 0)
    if abs(value) < SMALLEST:
        return f"<{SMALLEST}" if value > 0 else f">−{SMALLEST}"
    return f"{value:.{digits}g}".replace("-", "−")


def decimals_of(size: float, least: int = 2) -> int:
    """Return the decimals that show three digits of a size: 2 of 5.61, 4 of 0.0385."""
    if pd.isna(size) or math.isinf(size) or size == 0:
        return least
    return max(least, 2 - math.floor(math.log10(abs(size))))


def is_whole(value: float) -> bool:
    """Return whether a number has no decimals; one without bound has none."""
    return math.isinf(value) or float(value).is_integer()
