"""Figures as they were drawn, with the words that say what they show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from schooltrial.document.blocks import Picture


def read_pictures(figures: Sequence[str]) -> dict[str, Picture]:
    """Return figure → its picture, with what it shows in numbers.

    Parameters
    ----------
    figures : sequence of str
        SVG files; beside each is its alt text (``.txt``).
    """
    found = {}
    for path in map(Path, figures):
        alt = path.with_suffix(".txt").read_text("utf-8").strip()
        found[path.stem] = Picture(path.read_bytes(), alt)
    return found
