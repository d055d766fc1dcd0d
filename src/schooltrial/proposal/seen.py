"""What is seen of a raw file: its columns, and what their cells look like."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from schooltrial.data.files.raw_files import read_raw
from schooltrial.protocol.content.column_map import RawFile
from schooltrial.refusal import Refusal

LOOKED_AT = 20_000
"""Rows of a file that are looked at."""

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")

WITH_COMMA = re.compile(r"[-+]?\d*,\d+")
"""A number with a decimal comma, or one with a comma between thousands."""

NOT_OBSERVED = frozenset(
    {
        "",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "null",
        "none",
        "missing",
        ".",
        "-",
        "--",
        "absent",
        "abs",
        "x",
    }
)
"""Texts that mostly mean that nothing was observed, in lower case."""

SENTINELS = frozenset(
    {-1.0, -8.0, -9.0, -88.0, -99.0, -888.0, -999.0, -9999.0, 99.0, 999.0, 9999.0}
)
"""Numbers that often stand for a missing value, where no other number is near them."""

MOSTLY = 0.7
"""Share of the cells of a column of numbers that are numbers, at least."""

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "windows-1252", "utf-16")


@dataclass(frozen=True)
class SeenColumn:
    """A column of a file, by its first rows.

    Attributes
    ----------
    name : str
    cells : tuple of str
        Texts, row by row.
    decimal : str
        The sign before the decimals of its numbers.
    """

    name: str
    cells: tuple[str, ...]
    decimal: str = "."

    @cached_property
    def counts(self) -> Counter[str]:
        """Text → how often it is there; blank cells are left out."""
        return Counter(text for cell in self.cells if (text := cell.strip()))

    @cached_property
    def numbers(self) -> list[float]:
        """The distinct numbers that are no sentinel."""
        return sorted(set(self._plain_numbers()) - set(map(float, self.sentinels)))

    @cached_property
    def texts(self) -> list[str]:
        """The distinct texts that are no number and do not mean that nothing was observed."""
        return [
            text for text in self.counts
            if not self._is_number(text) and text.lower() not in NOT_OBSERVED
        ]  # fmt: skip

    @cached_property
    def missing(self) -> list[str]:
        """The distinct texts that mostly mean that nothing was observed, blank ones left out."""
        return [text for text in self.counts if text.lower() in NOT_OBSERVED]

    @cached_property
    def sentinels(self) -> list[str]:
        """The texts of numbers that look like codes of missing values."""
        found = self._plain_numbers()
        usual = [number for number in found if number not in SENTINELS]
        if len(set(usual)) < 5:
            return []
        low, high = min(usual), max(usual)
        far = {s for s in SENTINELS if s < min(0.0, low) or s > high + (high - low)}
        return [
            text for text in self.counts
            if self._is_number(text) and float(self._with_point(text)) in far
        ]  # fmt: skip

    @property
    def is_number(self) -> bool:
        """Whether most cells that are not blank or marked missing are numbers."""
        known = {t: n for t, n in self.counts.items() if t.lower() not in NOT_OBSERVED}
        are = sum(n for text, n in known.items() if self._is_number(text))
        return are > MOSTLY * sum(known.values()) if known else False

    @property
    def is_whole(self) -> bool:
        """Whether every number is whole."""
        return all(number.is_integer() for number in self.numbers)

    def _plain_numbers(self) -> list[float]:
        return [
            float(self._with_point(text)) for text in self.counts if self._is_number(text)
        ]  # fmt: skip

    def _is_number(self, text: str) -> bool:
        return NUMBER.fullmatch(self._with_point(text)) is not None

    def _with_point(self, text: str) -> str:
        return text.replace(self.decimal, ".", 1)


@dataclass(frozen=True)
class SeenFile:
    """A file as it was read.

    Attributes
    ----------
    path : pathlib.Path
    columns : tuple of SeenColumn
    rows : int
    delimiter, encoding : str
        With which it could be read.
    decimal : str
        The sign before the decimals of its numbers.
    """

    path: Path
    columns: tuple[SeenColumn, ...]
    rows: int
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."

    def __getitem__(self, name: str) -> SeenColumn:
        return next(column for column in self.columns if column.name == name)


def see(path: Path) -> SeenFile:
    """Read a file of any format that a study may have, and look at its first rows.

    Raises
    ------
    Refusal
        With what is wrong with the file, as a run would tell it.
    """
    first: Refusal | None = None
    for encoding in ENCODINGS:
        for delimiter in DELIMITERS:
            try:
                cells = read_raw(path, path.name, _reading(path.name, delimiter, encoding))
            except Refusal as refusal:
                first = first or refusal
                continue
            named = [name for name in cells.columns if name not in cells.nameless]
            if len(named) == 1 and re.search(r"[;\t|]", named[0]) and delimiter != "|":
                continue
            rows = np.arange(min(cells.rows, LOOKED_AT))
            columns = tuple(
                SeenColumn(name, tuple(map(str, cells.columns[name].cells(rows).to_pylist())))
                for name in named
            )
            sign = "," if any(map(_has_decimal_comma, columns)) else "."
            columns = tuple(replace(one, decimal=sign) for one in columns)
            return SeenFile(path, columns, cells.rows, delimiter, encoding, sign)
    assert first is not None
    raise first


def _has_decimal_comma(column: SeenColumn) -> bool:
    """Return whether most texts of a column are numbers with a comma, and not of thousands."""
    known = [text for text in column.counts if text.lower() not in NOT_OBSERVED]
    commas = [text for text in known if WITH_COMMA.fullmatch(text)]
    whole = [text for text in known if NUMBER.fullmatch(text) and "." not in text]
    return (
        len(commas) + len(whole) > MOSTLY * len(known)
        and any(len(text.rsplit(",", 1)[1]) != 3 for text in commas)
    )  # fmt: skip


def _reading(file: str, delimiter: str, encoding: Any) -> RawFile:
    return {
        "file": file, "sha256": None, "delimiter": delimiter, "encoding": encoding,
        "header_row": 1, "notes_below": False, "sheet": None, "value_labels": False,
        "decimal": ".", "thousands": "", "missing": [""], "suppression_codes": {}, "columns": {},
    }  # fmt: skip
