"""Read a sheet of an Excel workbook as text cells, telling what the types of its cells would hide.

A number that is whole is written without a point, so that an identifier is what it was; a number
that the sheet shows as a percentage is written as one. Cells that are held as a date, or as a
number that is not whole or has more digits than a spreadsheet keeps, are marked, to be refused
where an identifier is read. Formulas that failed or were never computed, and cells that are merged
with others, are refused wherever their column is read.
"""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from schooltrial.data.cells.text_columns import Mask, RawCells, TextColumn
from schooltrial.data.cells.typed_values import EXACT_BELOW, no_rows, readable, shown
from schooltrial.data.layout.header import Header, joined_names, too_many_columns
from schooltrial.data.layout.notes_below import TableRows, notes_of
from schooltrial.data.workbooks import biff_records
from schooltrial.data.workbooks.number_formats import is_percentage, percentage
from schooltrial.data.workbooks.sheet_xml import (
    SheetFacts,
    column_letters,
    open_sheet,
    unpacked_size,
)
from schooltrial.protocol.content.column_map import RawFile, SizeLimits
from schooltrial.refusal import Fault, Refusal, refuse

WORKBOOKS = (".xlsx", ".xls", ".xlsm")


WHAT = "an Excel workbook"


MARKUP = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"<meta", b"<body")
"""How pages and other markup begin that programs save under the name of a workbook."""


AFFORDABLE = 300_000_000
"""Cells of a sheet up to which a higher limit is worth while; more exhaust the memory."""


KEPT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; it puts zeros in the place of the others."""


NEARBY = 30
"""Rows at the top of a file in which names are looked for that are not in its header."""


Row = Sequence[Any]


def read_workbook(path: Path, reading: RawFile, sizes: SizeLimits) -> RawCells:
    """Return the cells of one sheet of an Excel workbook.

    Raises
    ------
    Refusal
        Where the file is no workbook, is too large, has no such sheet, or the sheet has no rows.
    """
    refuse(_markup(path))
    packed = zipfile.is_zipfile(path)
    with readable(path, WHAT):
        if packed:
            size = unpacked_size(path, sizes["decompressed_bytes"])
            refuse(_too_large(path, size, sizes["decompressed_bytes"]))
        try:
            book = CalamineWorkbook.from_path(str(path))
        except PasswordError as error:
            remedy = "open the workbook, remove the password, and save it"
            found = "the workbook is protected by a password"
            raise Refusal(
                [Fault(path.name, found, "a workbook without a password", remedy)]
            ) from error
    sheet = _chosen(book, path, reading["sheet"])
    with readable(path, WHAT):
        if packed:
            with zipfile.ZipFile(path) as archive:
                xml = open_sheet(archive, sheet)
            used = xml.used_range(sizes["workbook_cells"])
            where = f"A1:{used.last}"
            refuse(_too_many(path, sheet, used.rows * used.columns, where, sizes["workbook_cells"]))
            facts = xml.facts()
            del xml
        else:
            facts = biff_records.sheet_facts(path, sheet)
        held = book.get_sheet_by_name(sheet)
        rows = _rows_of(held, path, sheet, sizes["workbook_cells"])
    return _table(path.name, rows, facts, held, reading, sizes)


def _markup(path: Path) -> list[Fault]:
    """Return the fault of a page that is named as a workbook, which many data portals offer."""
    with path.open("rb") as file:
        start = file.read(200).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not start.startswith(MARKUP):
        return []
    found = "the file is an HTML or XML page with the name of a workbook"
    remedy = (
        "open it in a spreadsheet, save it as .xlsx, and write the new file name in the protocol"
    )
    return [Fault(path.name, found, WHAT, remedy)]


def _too_large(path: Path, size: int, most: int) -> list[Fault]:
    if size <= most:
        return []
    found = f"the workbook has at least {size:,} bytes after unpacking"
    remedy = f"check the file, or raise `limits: {{decompressed_bytes: {size}}}` in the protocol"
    return [Fault(path.name, found, f"up to {most:,} bytes", remedy)]


def _too_many(path: Path, sheet: str, cells: int, where: str, most: int) -> list[Fault]:
    if cells <= most:
        return []
    found = f"the cells of sheet {sheet!r} cover {where}, {cells:,} cells in all"
    remedy = (
        "delete the row and column of any stray cell far to the right of or below the table, or "
        "save the sheet as CSV"
    )
    if cells <= AFFORDABLE:
        remedy += f"; or raise `limits: {{workbook_cells: {cells}}}`"
    return [Fault(path.name, found, f"up to {most:,} cells", remedy)]


def _chosen(book: CalamineWorkbook, path: Path, wanted: str | None) -> str:
    """Return the name of the sheet to read: the one declared, or the first; it must be visible."""
    known = {
        one.name: one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet
    }  # charts have sheets of their own
    expected = "one of " + ", ".join(known)
    if wanted is not None:
        if wanted not in known:
            found, remedy = f"no sheet {wanted!r}", "correct `sheet` in the protocol"
            refuse([Fault(path.name, found, expected, remedy)])
        return wanted
    if not known:
        refuse([Fault(path.name, "the workbook has no worksheet", "a sheet", "check the file")])
    first = next(iter(known))
    visible = [name for name, one in known.items() if one.visible == SheetVisibleEnum.Visible]
    if first not in visible and visible:
        found = f"the first sheet, {first!r}, is hidden, but the protocol names no sheet"
        remedy = f'add the name of the sheet: `sheet: "{visible[0]}"`'
        refuse([Fault(path.name, found, expected, remedy)])
    return first


def visible_sheets(path: Path) -> list[str]:
    """Return the names of a workbook's worksheets that are not hidden; none if none can be read."""
    try:
        sheets = CalamineWorkbook.from_path(str(path)).sheets_metadata
    except (OSError, CalamineError):
        return []
    return [
        one.name for one in sheets
        if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
    ]  # fmt: skip


def _rows_of(sheet: CalamineSheet, path: Path, name: str, most: int) -> list[Row]:
    """Return the rows of a sheet from its first cell on, so that each keeps its number."""
    if sheet.end is None:
        return []
    rows, columns = sheet.end[0] + 1, sheet.end[1] + 1
    where = f"A1:{column_letters(columns - 1)}{rows}"
    refuse(_too_many(path, name, rows * columns, where, most))
    return list(sheet.to_python(skip_empty_area=False))


def _table(
    file: str, rows: list[Row], facts: SheetFacts, sheet: CalamineSheet, reading: RawFile,
    sizes: SizeLimits,
) -> RawCells:  # fmt: skip
    merged: list[Any] = list(sheet.merged_cell_ranges or [])
    header_rows = reading["header_row"]
    lines = [header_rows] if isinstance(header_rows, int) else list(header_rows)
    at = lines[-1]
    if len(rows) < at:
        refuse([no_rows(file)])
    upper = [[shown(cell) for cell in rows[line - 1]] for line in lines]
    header = Header.of(_names(upper, lines, merged))
    refuse(too_many_columns(file, len(header.keys), sizes["columns"], at))
    told = {row for row, _ in [*facts.errors, *facts.uncomputed]}  # which are read as empty
    blank: Row = [""] * len(rows[0])
    rows = [*rows, *[blank] * (max(told, default=0) + 1 - len(rows))]
    body = range(at, len(rows))
    notes: list[tuple[int, str]] = []
    if reading["notes_below"]:
        texts = ((row + 1, [shown(cell) for cell in rows[row]]) for row in body)
        width = _last_filled(upper[-1]) + 1
        notes = notes_of(TableRows(file, width, texts), reading["notes_below"])
        body = range(at, notes[0][0] - 1 if notes else len(rows))
    filled = [row for row in body if row in told or _is_filled(rows[row])]
    if not filled:
        refuse([no_rows(file)])
    below = np.array(filled, dtype=np.int64)
    columns = _Columns(rows, below, facts, merged)
    for number, key in enumerate(header.keys):
        columns.add(number, key)
    return RawCells(
        file, columns.texts, len(below), below + 1, at + 1, dated=columns.dated,
        broken=columns.broken, numbers=columns.numbers, spoilt=columns.spoilt,
        inexact=columns.inexact, formats=columns.formats, typed=True, nameless=header.nameless,
        repeated=header.repeated, header_row=at, notes=notes,
        nearby=[(n, [shown(x) for x in row]) for n, row in enumerate(rows[:NEARBY], start=1)],
    )  # fmt: skip


def _is_filled(row: Row) -> bool:
    """Return whether any cell of a row holds more than blanks."""
    return any(cell != "" and (type(cell) is not str or cell.strip()) for cell in row)


def _last_filled(cells: Sequence[str]) -> int:
    return max((at for at, cell in enumerate(cells) if cell.strip()), default=0)


def _names(upper: list[list[str]], lines: Sequence[int], merged: Sequence[Any]) -> list[str]:
    """Return the names of columns; upper cells name the columns below them if they are merged."""
    if len(upper) == 1:
        return upper[0]
    groups = []
    for line, row in zip(lines[:-1], upper[:-1], strict=True):
        sources = list(range(len(row)))
        for (top, left), (bottom, right) in merged:
            if top <= line - 1 <= bottom:
                for number in range(left, min(right + 1, len(row))):
                    sources[number] = left
        groups.append(sources)
    carried = any(source != at for row in groups for at, source in enumerate(row))
    return joined_names(upper, groups if carried else None)


class _Columns:
    """The columns of a sheet as they are made, one after another."""

    def __init__(
        self, rows: list[Row], below: np.ndarray, facts: SheetFacts, merged: Sequence[Any]
    ) -> None:
        self.rows, self.below, self.facts = rows, below, facts
        self.texts: dict[str, TextColumn] = {}
        self.dated: dict[str, Mask] = {}
        self.broken: dict[str, Mask] = {}
        self.numbers: dict[str, Mask] = {}
        self.inexact: dict[str, Mask] = {}
        self.formats: dict[str, str] = {}
        self.spoilt: dict[str, dict[int, tuple[str, str]]] = {}
        self._place = {int(row): at for at, row in enumerate(below)}
        self._formats: dict[int, dict[int, str]] = {}
        for (row, column), code in facts.formats.items():
            if row in self._place:
                self._formats.setdefault(column, {})[self._place[row]] = code
        self._faults = self._spoilt(merged)

    def add(self, number: int, key: str) -> None:
        """Make one column."""
        values = [self.rows[row][number] for row in self.below]
        percent = self._percentages(number, values)
        self.spoilt[key] = {**self._faults.get(number, {}), **_mixed(values, percent)}
        if percent:
            self.formats[key] = next(iter(percent.values()))
        kinds = set(map(type, values))
        numeric = np.fromiter((kind in NUMBERS for kind in map(type, values)), bool, len(values))
        self.numbers[key] = numeric
        amounts = np.zeros(len(values))
        if numeric.any():
            given = zip(values, numeric.tolist(), strict=True)
            amounts = np.fromiter((x if is_ else 0 for x, is_ in given), float, len(values))
            self.broken[key] = (amounts != np.round(amounts)) & ~np.isnan(amounts)
            self.inexact[key] = _inexact(amounts)
        if kinds <= NUMBERS and not percent and not self.inexact[key].any():
            distinct, codes = np.unique(amounts, return_inverse=True)
            texts = [shown(amount) for amount in distinct.tolist()]
            self.texts[key] = TextColumn(pa.array(texts, pa.string()), codes.astype(np.int32))
        else:
            texts = [shown(value) for value in values]
            for at in percent:
                texts[at] = percentage(float(values[at]))
            self.texts[key] = TextColumn(pa.array(texts, pa.string())).distinct()
        if any(issubclass(kind, _DATED) for kind in kinds):
            dated = (issubclass(kind, _DATED) for kind in map(type, values))
            self.dated[key] = np.fromiter(dated, bool, len(values))

    def _percentages(self, number: int, values: Sequence[Any]) -> dict[int, str]:
        """Return the rows of a column that show a percentage, with the format of each."""
        return {
            at: code
            for at, code in self._formats.get(number, {}).items()
            if type(values[at]) in (int, float) and is_percentage(code, float(values[at]))
        }

    def _spoilt(self, merged: Sequence[Any]) -> dict[int, dict[int, tuple[str, str]]]:
        """Return column → row → what is found in cells that do not hold what they seem to."""
        found: dict[int, dict[int, tuple[str, str]]] = {}
        for (row, column), error in self.facts.errors.items():
            if row in self._place:
                what = f"the error value {error}", "correct the formula, or clear the cell"
                found.setdefault(column, {})[self._place[row]] = what
        for row, column in self.facts.uncomputed:
            if row in self._place:
                what = (
                    "a formula without a value",
                    "open the workbook in a spreadsheet, and save it",
                )
                found.setdefault(column, {})[self._place[row]] = what
        for (top, left), (bottom, right) in merged:
            area = f"{column_letters(left)}{top + 1}:{column_letters(right)}{bottom + 1}"
            what = (
                f"the cell is merged into {area}, whose value is only in its first cell",
                "unmerge the cells, and fill in each value",
            )
            for row in range(top, bottom + 1):
                for column in range(left, right + 1) if row in self._place else ():
                    if (row, column) != (top, left):
                        found.setdefault(column, {})[self._place[row]] = what
        return found


NUMBERS = frozenset({int, float})
"""Types of cells that are held as numbers; a truth value is none."""


_DATED = (datetime.date, datetime.time, datetime.timedelta)


def _inexact(amounts: np.ndarray) -> Mask:
    """Return which numbers have more digits than a workbook, or the program that wrote it, keeps.

    A spreadsheet that took in a number of sixteen digits made its last one a zero; so where all
    numbers of that length end in zero, their last digit was lost.
    """
    size = np.abs(amounts)
    lost: Mask = size >= EXACT_BELOW["float64"]
    longer = (size >= 10.0**KEPT_DIGITS) & ~lost
    if longer.any() and bool((size[longer] % 10 == 0).all()):
        lost = lost | longer
    return lost


def _mixed(values: Sequence[Any], percent: Mapping[int, str]) -> dict[int, tuple[str, str]]:
    """Return the numbers between -1 and 1 among percentages that are not shown as such."""
    if not percent:
        return {}
    code = next(iter(percent.values()))
    return {
        at: (
            f"the number {shown(value)}, but other numbers of the column have the format {code!r}",
            "format the cell like the others if it is a share; otherwise enter the per cent as "
            "text",
        )
        for at, value in enumerate(values)
        if at not in percent and type(value) in (int, float) and 0 < abs(value) <= 1
    }
