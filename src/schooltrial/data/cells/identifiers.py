"""Identifiers: text that must stay what it is, and that is safe to name files and rows by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from unicodedata import category

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.cells.text_columns import Mask, TextColumn, text_bytes
from schooltrial.protocol.content.variables import NAMING

PERSONS = NAMING - {"school", "class", "group", "from_school", "to_school"}
"""Variables that name somebody: what they hold leaves `data/` in no table."""


NEARLY_UNIQUE = frozenset({"pupil"})
"""Variables of which nearly every row has another text."""


LONGEST = 200


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_MONTH = f"(?:{'|'.join(_MONTHS)})"


_PATH = re.compile(r"[/\\]|\.\.")


_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+")


_DATED = re.compile(rf"[0-9]{{1,2}}-{_MONTH}(?:-[0-9]{{2,4}})?|{_MONTH}-[0-9]{{2,4}}")


_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!)")


FORMAT = "format the column as text, and enter the identifier again"


KEPT = (
    "get the file as CSV from its source, or format the column as text and enter the identifiers "
    "again (a spreadsheet keeps only fifteen digits of a number)"
)


_PLAIN_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."


def unfit(text: pd.Series) -> Iterator[tuple[Mask, str, str]]:
    """Yield which texts cannot identify anybody, what is expected instead, and the remedy.

    They could be paths, hold what is not seen, are far too long, or are what a spreadsheet made of
    an identifier: a number in powers of ten, or a date.
    """
    another = "change the identifier in every file"
    yield (
        _where(text, lambda cell: bool(_PATH.search(cell)) or _holds_unseen(cell)),
        "an identifier without /, \\, .., control characters or invisible characters", another,
    )  # fmt: skip
    long = f"an identifier of up to {LONGEST} characters"
    yield _where(text, lambda cell: len(cell) > LONGEST), long, "check the delimiter and the quotes"
    shortened = "an identifier, not a number that a spreadsheet shortened"
    yield _where(text, lambda cell: bool(_SHORTENED.fullmatch(cell))), shortened, FORMAT
    dated = "an identifier, not a date made by a spreadsheet"
    yield _where(text, lambda cell: bool(_DATED.fullmatch(cell))), dated, FORMAT


def errors_of_spreadsheets(text: pd.Series) -> Mask:
    """Return which texts are what a spreadsheet shows where a formula fails."""
    return _where(text, lambda cell: bool(_ERROR.fullmatch(cell)))


def _where(text: pd.Series, test: Callable[[str], bool]) -> Mask:
    return np.fromiter((test(str(cell)) for cell in text), dtype=bool, count=len(text))


def _holds_unseen(cell: str) -> bool:
    """Return whether a text holds control characters, or others that are not seen."""
    return (not cell.isascii() and any(category(sign) in _UNSEEN for sign in cell)) or (
        cell.isascii() and not cell.isprintable()
    )


def too_short(text: pd.Series, width: int) -> tuple[pd.Series, pd.Series]:
    """Return which texts are digits that lost leading zeros, and which have a wrong length."""
    length = text.str.len()
    digits = text.str.fullmatch("[0-9]+").astype(bool)
    lost = digits & (length < width)
    return lost, (length != width) & ~lost


def written_as_decimals(text: pd.Series, mark: str) -> tuple[Mask, Mask]:
    """Return which texts are whole numbers with decimals of zeros, and which have other decimals.

    Parameters
    ----------
    text : Series of str
    mark : str
        Decimal mark of the column.
    """
    decimals = text.str.fullmatch(rf"[+-]?[0-9]+{re.escape(mark)}[0-9]*").to_numpy(dtype=bool)
    zeros = text.str.fullmatch(rf"[+-]?[0-9]+{re.escape(mark)}0+").to_numpy(dtype=bool)
    return zeros, decimals & ~zeros


def needs_nothing(column: TextColumn, missing: Sequence[str], width: int | None) -> bool:
    """Return whether a column of one text per row can be used as it is.

    True only where every cell is of ASCII letters, digits, ``_``, ``-`` and ``.``, none is empty, a
    code for *not observed*, of another width or too long, a formula or a path, or may be a date
    with the name of a month. It is told from the bytes of all cells at once, ten million cells
    being looked at in a fraction of a second.
    """
    if column.codes is not None or len(column) == 0:
        return False
    ends, data = text_bytes(column.texts)
    lengths = np.diff(ends)
    if lengths.min() == 0 or lengths.max() > LONGEST:
        return False
    if width is not None and bool((lengths != width).any()):
        return False
    held = data.tobytes()
    if held.translate(None, _PLAIN_BYTES) or b".." in held or bool((data[ends[:-1]] == 45).any()):
        return False
    if b"-" in held and any(month.encode() in held for month in _MONTHS):
        return False
    few = (int(lengths.min()), int(lengths.max()))
    codes = [code for code in missing if few[0] <= len(code) <= few[1]]
    return not (codes and pc.any(pc.is_in(column.texts, pa.array(codes))).as_py())


def held_otherwise(marked: Mask | None, column: TextColumn, absent: Mask) -> np.ndarray:
    """Return the rows that a file holds as something else than text, and that are not missing."""
    if marked is None or not marked.any():
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(marked & ~absent[column.row_numbers()])
