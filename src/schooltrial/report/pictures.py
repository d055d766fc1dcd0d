"""Figures as they were drawn, with the words that say what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from schooltrial.document.blocks import Picture


def read_pictures(
    figures: Sequence[str], captions: Mapping[str, Mapping[str, str]]
) -> dict[str, Picture]:
    """Return figure → its picture, with the words beside its file, or those of its caption.

    Parameters
    ----------
    figures : sequence of str
        SVG files.
    captions : mapping
        Exhibit → its words.
    """
    found = {}
    for path in figures:
        words, name = Path(path).with_suffix(".txt"), Path(path).stem
        alt = words.read_text("utf-8").strip() if words.exists() else captions[name]["alt"]
        found[name] = Picture(Path(path).read_bytes(), alt)
    return found
