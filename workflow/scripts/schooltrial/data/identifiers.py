"""Identifiers: text that must stay what it is, and that is safe to name files and rows by."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.raw_cells import Mask, TextColumn, text_bytes

NAMING = frozenset(
    {"school", "teacher", "pupil", "leader", "rater", "from_school", "to_school"}
)  # fmt: skip
"""Variables that name somebody, or a school."""
NEARLY_UNIQUE = frozenset({"pupil"})
"""Variables of which nearly every row has another text."""
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]|\.\.")
_PLAIN_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."


def unsafe(text: pd.Series) -> pd.Series:
    """Return where a text could be a path, or holds a control character."""
    return text.map(lambda cell: bool(_UNSAFE.search(str(cell)))).astype(bool)


def too_short(text: pd.Series, width: int) -> tuple[pd.Series, pd.Series]:
    """Return which texts are digits that lost leading zeros, and which have a wrong length."""
    length = text.str.len()
    digits = text.str.fullmatch("[0-9]+").astype(bool)
    lost = digits & (length < width)
    return lost, (length != width) & ~lost


def needs_nothing(column: TextColumn, missing: Sequence[str], width: int | None) -> bool:
    """Return whether a column of one text per row is fit to be taken as it stands.

    True only where every cell is of ASCII letters, digits, ``_``, ``-`` and ``.``, none is empty, a
    code for *not observed*, of another width, a formula or a path. It is told from the bytes of
    all cells at once, ten million cells being looked at in a fraction of a second.
    """
    if column.codes is not None or len(column) == 0:
        return False
    ends, data = text_bytes(column.texts)
    lengths = np.diff(ends)
    if lengths.min() == 0 or (width is not None and bool((lengths != width).any())):
        return False
    held = data.tobytes()
    if held.translate(None, _PLAIN_BYTES) or b".." in held or bool((data[ends[:-1]] == 45).any()):
        return False
    few = (int(lengths.min()), int(lengths.max()))
    codes = [code for code in missing if few[0] <= len(code) <= few[1]]
    return not (codes and pc.any(pc.is_in(column.texts, pa.array(codes))).as_py())


def held_otherwise(marked: Mask | None, column: TextColumn, absent: Mask) -> np.ndarray:
    """Return the rows that a file holds as something else than text, and that are not missing."""
    if marked is None or not marked.any():
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(marked & ~absent[column.row_numbers()])
