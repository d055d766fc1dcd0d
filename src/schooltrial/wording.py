"""How numbers, names and lists are put into sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from numbers import Integral
from typing import Any

NOTHING_KNOWN = frozenset({
    "not known", "unknown", "not stated", "none stated", "not given", "not available",
    "not applicable", "n/a", "na", "n.a", "tbc", "tbd", "to be confirmed", "to be decided",
    "?", "-", "–",
})  # fmt: skip
"""Words by which a text says that nothing is known, without a full stop."""


def stated_words(words: str | None) -> str:
    """Return what a text states; empty where it only says that nothing is known.

    Parameters
    ----------
    words : str, optional
        Such as who paid for a study.
    """
    said = (words or "").strip()
    return "" if said.casefold().rstrip(". ") in NOTHING_KNOWN else said


def named(units: Iterable[str], most: int = 6) -> str:
    """Return some units by name, and how many more there are."""
    listed = [str(unit) for unit in units]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun if count == 1 else plural_of(noun)}"


def plural_of(noun: str) -> str:
    """Return the plural of a noun: schools, classes, local authorities."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def listed(words: Sequence[str]) -> str:
    """Return words joined by commas and ``and``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def year_spans(years: Iterable[int]) -> str:
    """Return years in order, three or more in a row as a span: 2009, 2012–2015."""
    spans: list[list[int]] = []
    for year in sorted(years):
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    told = [
        f"{span[0]}–{span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans
    ]
    return ", ".join(told)


def percent(share: float) -> str:
    """Return a share in per cent, to one decimal: a limit must not be rounded away."""
    return f"{100 * share:.1f}%"


def signed(size: float, digits: int = 2) -> str:
    """Return a difference with its sign and a true minus; zero, once rounded, has no sign."""
    text = f"{size:+,.{digits}f}"
    return text[1:] if not text.strip("+-0.") else text.replace("-", "−")


def degrees(df: float) -> str:
    """Return degrees of freedom with one decimal, whole ones with none."""
    return exact(round(df, 1))


def chance(p: float) -> str:
    """Return a probability in per cent, and below a tenth of one that it is less."""
    return percent(p) if p >= 0.001 else "less than 0.1%"


def exact(number: float) -> str:
    """Return a number that reads back as itself: whole ones without a point or an exponent.

    Labels, levels, keys and thresholds are written so. Six digits would make one label of the
    district codes 4801234 and 4801239.
    """
    if isinstance(number, Integral):
        return str(int(number))
    value = float(number)
    if not isfinite(value):
        return str(value)
    return str(int(value)) if value.is_integer() else repr(value)


def part_notes(notes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the notes that all rows bear, to be said once, and of each row what is left.

    Parameters
    ----------
    notes : sequence of str
        Of each row the notes, parted by ``; ``; empty for none. One row alone shares nothing.

    Returns
    -------
    shared, own : list of str
    """
    parts = [note.split("; ") for note in notes]
    if len(parts) < 2:
        return [], list(notes)
    shared = [
        part for part in dict.fromkeys(parts[0]) if part and all(part in row for row in parts)
    ]
    own = ["; ".join(part for part in row if part not in shared) for row in parts]
    return shared, own


def uncapitalised(words: str) -> str:
    """Return words with a small letter first, unless they begin with an abbreviation."""
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def counted(count: int) -> str:
    """Return a small number as a word, others in digits: two, 12."""
    small = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return small[count] if 0 <= count < len(small) else f"{count:,}"


def sentence(words: str) -> str:
    """Return words as a sentence: a capital first, one full stop last."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def deviation_words(one: Mapping[str, Any]) -> str:
    """Return a deviation from the plan as the protocol states it: when, what and why."""
    return f"{one['date']}: {sentence(one['what'])} Why: {sentence(one['why'])}"
