"""Notes of rows that say the same: a table says it once, below, and not in every row."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

BETWEEN = "; "
"""What parts the notes of a row."""


def part_notes(notes: Sequence[object]) -> tuple[list[str], list[str]]:
    """Return the notes that all rows bear, and of each row what is left.

    Parameters
    ----------
    notes : sequence
        Of each row the notes, parted by ``; ``, or missing. One row alone shares nothing.

    Returns
    -------
    shared, own : list of str
    """
    parts = [[] if pd.isna(note) else str(note).split(BETWEEN) for note in notes]
    if len(parts) < 2:
        return [], [BETWEEN.join(row) for row in parts]
    shared = [part for part in dict.fromkeys(parts[0]) if all(part in row for row in parts)]
    own = [BETWEEN.join(part for part in row if part not in shared) for row in parts]
    return shared, own
