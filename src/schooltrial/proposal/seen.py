"""What is seen of a raw file: its columns, and what their cells look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.cells.suppression import suppressed
from schooltrial.data.files.raw_files import READERS, read_raw
from schooltrial.data.statistical.readstat import Reader, read_apart
from schooltrial.data.workbooks.excel import WORKBOOKS, visible_sheets
from schooltrial.protocol.consistency.table_readings import LABELLED_FILES
from schooltrial.protocol.content.column_map import RawFile
from schooltrial.refusal import Refusal

LOOKED_AT = 20_000
"""Rows of a file that are looked at."""

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")

WITH_COMMA = re.compile(r"[-+]?(\d*|\d{1,3}([.' \u00a0\u202f]\d{3})+),\d+")
"""A number with a decimal comma, or one with a comma between thousands."""

THOUSANDS = (",", ".", " ", "'", "\u00a0", "\u202f")
"""Signs that may lie between thousands."""

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

NO_ANSWER = re.compile(
    r"(?i)missing|refus|absent|not (asked|applicable|available|stated|observed|tested|known)"
    r"|no (answer|response|data)|don.?t know|unknown|n/?a\b|keine angabe|wei(ß|ss) nicht"
)
"""A label of a number that means that nothing was observed."""

SENTINELS = frozenset(
    {-1.0, -8.0, -9.0, -88.0, -99.0, -888.0, -999.0, -9999.0, 99.0, 999.0, 9999.0}
)
"""Numbers that often stand for a missing value, where no other number is near them."""

MOSTLY = 0.7
"""Share of the cells of a column of numbers that are numbers, at least."""

DATE = re.compile(r"(?P<first>(?:19|20)\d\d)[-./]\d{1,2}[-./]\d{1,2}(?:[ T].*)?"
                  r"|\d{1,2}[-./]\d{1,2}[-./](?P<last>(?:19|20)\d\d)(?: .*)?")  # fmt: skip
"""A day with its year in four digits."""

TOTAL = re.compile(
    r"(?i)(total|sum|mean|average|source|notes?|all schools|summe|gesamt|quelle)\b.*"
)
"""How a line begins that is not a row of the table."""

TITLES = 8
"""Lines of titles above the names of columns, at most."""

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
    thousands : str
        The sign between thousands; empty if there is none.
    labelled : tuple of str
        Numbers whose label in the file means that nothing was observed.
    title : str
        What a Stata or SPSS file calls it in words; empty if it does not.
    """

    name: str
    cells: tuple[str, ...]
    decimal: str = "."
    thousands: str = ""
    labelled: tuple[str, ...] = ()
    title: str = ""

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
            and text not in self.withheld
        ]  # fmt: skip

    @cached_property
    def withheld(self) -> list[str]:
        """The distinct texts with which publishers withhold a number, such as ``<5`` and ``*``."""
        texts = [
            text for text in self.counts
            if not self._is_number(text) and text.lower() not in NOT_OBSERVED
        ]  # fmt: skip
        if not texts:
            return []
        hidden = suppressed(pd.Series(texts, dtype="str"), self.decimal).hidden
        return [text for text, is_hidden in zip(texts, hidden, strict=True) if is_hidden]

    @cached_property
    def spellings(self) -> dict[str, list[str]]:
        """Text in small letters → how it is written, the commonest first."""
        found: dict[str, list[str]] = {}
        for text, _ in self.counts.most_common():
            found.setdefault(text.casefold(), []).append(text)
        return found

    @cached_property
    def years_of_dates(self) -> set[int]:
        """The years of a column of dates; empty where some cell is no date."""
        known = [text for text in self.counts if text.lower() not in NOT_OBSERVED]
        days = [DATE.fullmatch(text) for text in known]
        return {int(day["first"] or day["last"]) for day in days if day} if all(days) else set()

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
            return list(self.labelled)
        low, high = min(usual), max(usual)
        far = {s for s in SENTINELS if s < min(0.0, low) or s > high + (high - low)}
        return [
            text for text in self.counts
            if text in self.labelled
            or (self._is_number(text) and float(self._with_point(text)) in far)
        ]  # fmt: skip

    @property
    def is_number(self) -> bool:
        """Whether most cells that are not blank or marked missing are numbers."""
        known = {t: n for t, n in self.counts.items()
                 if t.lower() not in NOT_OBSERVED and t not in self.withheld}  # fmt: skip
        are = sum(n for text, n in known.items() if self._is_number(text))
        return are > MOSTLY * sum(known.values()) if known else False

    @property
    def is_whole(self) -> bool:
        """Whether every number is whole."""
        return all(number.is_integer() for number in self.numbers)

    @property
    def is_unique(self) -> bool:
        """Whether no text is there twice, and none is blank."""
        return bool(self.counts) and self.counts.total() == len(self.cells) == len(self.counts)

    @property
    def is_percent(self) -> bool:
        """Whether its numbers bear a sign of per cent."""
        return self.is_number and any(text.endswith("%") for text in self.counts)

    def _plain_numbers(self) -> list[float]:
        return [
            float(self._with_point(text)) for text in self.counts if self._is_number(text)
        ]  # fmt: skip

    def _is_number(self, text: str) -> bool:
        return NUMBER.fullmatch(self._with_point(text)) is not None

    def _with_point(self, text: str) -> str:
        plain = text.removesuffix("%").rstrip() if text[:1].isdigit() else text
        return plain.replace(self.thousands, "").replace(self.decimal, ".", 1)


@dataclass(frozen=True)
class SeenFile:
    """A file, or a sheet of one, as it was read.

    Attributes
    ----------
    path : pathlib.Path
    columns : tuple of SeenColumn
    rows : int
    delimiter, encoding : str
        With which it could be read.
    decimal, thousands : str
        The sign before the decimals of its numbers, and that between thousands.
    sheet : str
        Of a workbook with several; empty in any other file.
    header_row : int
        Line of the names of columns.
    notes_below : bool or str
        Whether the table ends before the file does, or the text with which the line below begins.
    value_labels : bool
        Whether the labels of a Stata or SPSS file are read in place of codes.
    named : mapping
        Role → the column that was named for it.
    heading : str
        The lines above the names of columns, or what a Stata or SPSS file calls itself.
    """

    path: Path
    columns: tuple[SeenColumn, ...]
    rows: int
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""
    sheet: str = ""
    header_row: int = 1
    notes_below: bool | str = False
    value_labels: bool = False
    named: Mapping[str, str] = field(default_factory=dict)
    heading: str = ""

    def __getitem__(self, name: str) -> SeenColumn:
        return next(column for column in self.columns if column.name == name)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its columns."""
        return frozenset(column.name for column in self.columns)

    @property
    def shown(self) -> str:
        """How messages name it."""
        return f"{self.path.name}, sheet {self.sheet!r}" if self.sheet else self.path.name


def see(path: Path) -> list[SeenFile]:
    """Read a file of any format that a study may have, and look at its first rows.

    Returns
    -------
    list of SeenFile
        One; of a workbook with several sheets one for each that holds a table.

    Raises
    ------
    Refusal
        With what is wrong with the file, as a run would tell it.
    """
    is_workbook = path.suffix.lower() in WORKBOOKS and path.is_file()
    sheets = visible_sheets(path) if is_workbook else []
    if len(sheets) < 2:
        return [_see(path, "")]
    found, first = [], None
    for sheet in sheets:
        try:
            one = _see(path, sheet)
        except Refusal as refusal:
            first = first or refusal
            continue
        if len(one.columns) > 1:
            found.append(one)
    if not found and first is not None:
        raise first
    return found


def _see(path: Path, sheet: str) -> SeenFile:
    """Read one table, with the settings of which the first that fit are taken."""
    first: Refusal | None = None
    narrow: SeenFile | None = None  # of one column: another delimiter may find more
    for header_row in range(1, TITLES + 1):
        for notes_below in (False, True):
            for encoding, delimiter in _ways(path):
                seen = SeenFile(
                    path, (), 0, delimiter, encoding,
                    sheet=sheet, header_row=header_row, notes_below=notes_below,
                )  # fmt: skip
                try:
                    found = _with_cells(seen)
                except Refusal as refusal:
                    first = first or refusal
                    continue
                if found is not None and len(found.columns) > 1:
                    return found
                narrow = narrow or found
    if narrow is not None:
        return narrow
    assert first is not None
    raise first


def _ways(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the encodings and delimiters in which a file may be written; one where it has none."""
    if path.suffix.lower() in READERS or not path.is_file():
        yield ENCODINGS[0], DELIMITERS[0]
        return
    yield from product(ENCODINGS, DELIMITERS)


def _with_cells(seen: SeenFile) -> SeenFile | None:
    """Return a table with what is in it; None where it was read in another shape than it has."""
    cells = read_raw(seen.path, seen.path.name, _reading(seen))
    named = [name for name in cells.columns if name not in cells.nameless]
    if len(named) == 1 and re.search(r"[;\t|]", named[0]) and seen.delimiter != "|":
        return None
    if seen.header_row > 1 and any(map(NUMBER.fullmatch, named)):
        return None  # a row of data
    widths = {line: sum(bool(name.strip()) for name in names) for line, names in cells.nearby}
    lower = [w for line, w in widths.items() if seen.header_row < line <= seen.header_row + TITLES]
    if lower and len(named) <= max(lower) / 2:
        return None  # a title
    rows = np.arange(min(cells.rows, LOOKED_AT))
    titles, label = _titles(seen.path)
    above = [text for line, texts in cells.nearby if line < seen.header_row for text in texts]
    columns = tuple(
        SeenColumn(
            name, tuple(map(str, cells.columns[name].cells(rows).to_pylist())),
            title=" ".join(titles.get(name, "").split()),
        )
        for name in named
    )  # fmt: skip
    by_label = _labelled(columns, cells.labels)
    if by_label != columns and _may_be_read_by_label(columns, cells.labels):
        seen = replace(seen, value_labels=True)
        columns = by_label
    last = [column.cells[-1] for column in columns] if cells.rows <= LOOKED_AT else [""]
    if not seen.notes_below and TOTAL.fullmatch(last[0]) and "" in map(str.strip, last):
        return _without_total(seen, last[0].strip())
    decimal = "," if any(map(_has_decimal_comma, columns)) else "."
    found = {_thousands_of(column, decimal) for column in columns} - {""}
    thousands = found.pop() if len(found) == 1 else ""
    columns = tuple(replace(one, decimal=decimal, thousands=thousands) for one in columns)
    return replace(
        seen, columns=columns, rows=cells.rows, decimal=decimal, thousands=thousands,
        heading=" ".join([*above, label]).strip(),
    )  # fmt: skip


def _titles(path: Path) -> tuple[Mapping[str, str], str]:
    """Return column → what a Stata or SPSS file calls it in words, and what it calls itself."""
    reader = READER_OF.get(path.suffix.lower())
    if reader is None:
        return {}, ""
    told = read_apart(reader, str(path), metadataonly=True)[1]
    return told.variable_labels, told.title


def _labelled(
    columns: tuple[SeenColumn, ...], labels: Mapping[str, Mapping[str, str]]
) -> tuple[SeenColumn, ...]:
    """Return the columns with labels in place of codes where all codes of a column have one."""
    found = []
    for one in columns:
        known = labels.get(one.name, {})
        if known and one.counts.keys() <= known.keys():
            one = replace(one, cells=tuple(known.get(cell.strip(), cell) for cell in one.cells))
        elif known:
            absent = [text for text in one.counts if NO_ANSWER.search(known.get(text, ""))]
            one = replace(one, labelled=tuple(absent))
        found.append(one)
    return tuple(found)


def _may_be_read_by_label(
    columns: tuple[SeenColumn, ...], labels: Mapping[str, Mapping[str, str]]
) -> bool:
    """Return whether labels belong to categories alone: two identifiers may share a label."""
    known = {name: of.keys() for name, of in labels.items()}
    whole = [one for one in columns if one.counts.keys() <= known.get(one.name, set())]
    return all(len(one.counts) <= MOST_LABELS for one in whole)


def _without_total(seen: SeenFile, begins: str) -> SeenFile | None:
    """Return a table without the line below it that begins with a text; None if it is no note."""
    try:
        return _with_cells(replace(seen, notes_below=begins))
    except Refusal:
        return None


def _has_decimal_comma(column: SeenColumn) -> bool:
    """Return whether most texts of a column are numbers with a comma, and not of thousands."""
    known = [text for text in column.counts if text.lower() not in NOT_OBSERVED]
    commas = [text for text in known if WITH_COMMA.fullmatch(text)]
    whole = [text for text in known if NUMBER.fullmatch(text) and "." not in text]
    return (
        len(commas) + len(whole) > MOSTLY * len(known)
        and any(len(text.rsplit(",", 1)[1]) != 3 for text in commas)
    )  # fmt: skip


def _thousands_of(column: SeenColumn, decimal: str) -> str:
    """Return the sign between thousands of a column of numbers; empty if it has none."""
    known = [text for text in column.counts if text.lower() not in NOT_OBSERVED]
    for sign in THOUSANDS:
        if sign == decimal:
            continue
        mark, between = re.escape(decimal), re.escape(sign)
        grouped = re.compile(rf"[-+]?\d{{1,3}}({between}\d{{3}})+({mark}\d*)?")
        plain = re.compile(rf"[-+]?\d{{1,3}}({mark}\d*)?")
        are = [text for text in known if grouped.fullmatch(text)]
        others = sum(plain.fullmatch(text) is not None for text in known)
        if are and len(are) + others > MOSTLY * len(known):
            return sign
    return ""


def _reading(seen: SeenFile) -> RawFile:
    encoding: Any = seen.encoding
    return {
        "file": seen.path.name, "sha256": None, "delimiter": seen.delimiter, "encoding": encoding,
        "header_row": seen.header_row, "notes_below": seen.notes_below, "sheet": seen.sheet or None,
        "value_labels": seen.path.name.lower().endswith(LABELLED_FILES), "decimal": ".",
        "thousands": "", "missing": [""], "suppression_codes": {}, "columns": {},
    }  # fmt: skip


READER_OF: Mapping[str, Reader] = {
    ".dta": "read_dta", ".sav": "read_sav", ".zsav": "read_sav", ".por": "read_por"
}  # fmt: skip
"""Suffix of a file with words for its columns → what reads it."""

MOST_LABELS = 50
"""Values of a category that have labels, at most; identifiers have more."""

LONGEST = 40
"""Characters of the name of a category, at most; a longer text is a remark."""


def is_free_text(column: SeenColumn) -> bool:
    """Return whether a column holds remarks: texts that are too long for names of categories."""
    return not column.is_number and any(len(text) > LONGEST for text in column.counts)
