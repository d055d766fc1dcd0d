"""How numbers, names and lists are put into sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def named(units: Iterable[str], most: int = 6) -> str:
    """Return some units by name, and how many more there are."""
    listed = [str(unit) for unit in units]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(words: Sequence[str]) -> str:
    """Return words joined by commas and ``and``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def percent(share: float) -> str:
    """Return a share in per cent, to one decimal: a limit must not be rounded away."""
    return f"{100 * share:.1f}%"
