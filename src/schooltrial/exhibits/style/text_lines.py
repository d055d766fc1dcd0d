"""Texts in lines that are no wider, as drawn, than the room there is."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import name

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

POINTS = 72.0  # in an inch


def wrap(text: str, width: float, font: FontProperties, hanging: float = 0.0) -> list[str]:
    """Return a text in lines that, as drawn, are no wider than a number of inches.

    Lines part between words, and within a word only where it is wider than a line. All but the
    first are to be set in by ``hanging``, and are narrower by as much. Lines that a text has stay.
    """
    if "\n" in text:
        return [line for part in text.split("\n") for line in wrap(part, width, font, hanging)]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        room = width - hanging * (len(lines) > 1)
        if lines[-1] and width_of(longer, font) > room:
            lines.append(word)
        else:
            lines[-1] = longer
        while len(lines[-1]) > 1 and width_of(lines[-1], font) > width - hanging:
            if len(lines) == 1 and width_of(lines[0], font) <= width:
                break
            lines[-1:] = _cut(lines[-1], width - hanging, font)
    return lines


def _cut(word: str, width: float, font: FontProperties) -> list[str]:
    """Return a word that is wider than its line in two parts, of which the first fits.

    A hyphen says that a word of a script that has hyphens goes on.
    """
    fits = [at for at in range(1, len(word)) if width_of(word[:at] + "-", font) <= width]
    at = max(fits, default=1)
    hyphen = "-" if _has_hyphens(word[at - 1]) and _has_hyphens(word[at]) else ""
    return [word[:at] + hyphen, word[at:]]


def _has_hyphens(letter: str) -> bool:
    return letter.isalpha() and name(letter, "").startswith(("LATIN", "GREEK", "CYRILLIC"))


def width_of(text: str, font: FontProperties) -> float:
    """Return the inches of a text as drawn in a font."""
    return _width(text, font.copy())


@lru_cache(maxsize=20_000)
def _width(text: str, font: FontProperties) -> float:
    return float(TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]) / POINTS
