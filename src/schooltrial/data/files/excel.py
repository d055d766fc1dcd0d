"""Read a sheet of an Excel workbook as text cells, telling what the types of its cells would hide.

A number that is whole is written without a point, so that an identifier is what it was. Cells that
are held as a date, or as a number that is not whole, are marked, to be refused where an identifier
is read; formulas that failed or were never computed are refused wherever their column is read.
"""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.cells.text_columns import RawCells, TextColumn
from schooltrial.data.files.delimited import header_faults, no_rows
from schooltrial.data.files.typed_cells import readable, shown
from schooltrial.protocol.column_map import RawFile
from schooltrial.refusal import Fault, refuse

WORKBOOKS = (".xlsx", ".xls", ".xlsm")


SUSPECT = (b"<f", b't="e"')
"""What stands in the XML of a sheet where there are formulas, or error values."""


def read_workbook(path: Path, reading: RawFile) -> RawCells:
    """Return the cells of one sheet of an Excel workbook.

    Raises
    ------
    Refusal
        Where the file is no workbook, has no such sheet, or the sheet holds no rows.
    """
    with readable(path, "an Excel workbook"):
        book = pd.ExcelFile(path, engine="calamine")
        sheets = [str(name) for name in book.sheet_names]
    sheet = sheets[0] if reading["sheet"] is None else reading["sheet"]
    if sheet not in sheets:
        expected = "one of " + ", ".join(sheets)
        found = f"no sheet {sheet!r}"
        refuse([Fault(path.name, found, expected, "correct `sheet` in the protocol")])
    with readable(path, "an Excel workbook"):
        # rows above the header are read too, so that a row keeps its number in the sheet
        frame = pd.read_excel(book, sheet_name=sheet, header=None, dtype=object, na_filter=False)
    cells = frame.to_numpy(dtype=object)
    at = reading["header_row"]
    blank = np.array([all(shown(cell) == "" for cell in row) for row in cells], dtype=bool)
    below = np.flatnonzero(~blank[at:]) + at
    if len(cells) < at or len(below) == 0:
        refuse([no_rows(path.name)])
    header = [shown(name).strip() for name in cells[at - 1]]
    refuse(header_faults(header, path.name, at))
    columns, dated, broken, numbers, spoilt = {}, {}, {}, {}, {}
    with readable(path, "an Excel workbook"):
        failed = _spoilt(path, sheet, below.tolist())
    for number, name in enumerate(header):
        if name:
            values = cells[below, number]
            spoilt[name] = failed.get(number, {})
            columns[name] = TextColumn(pa.array([shown(x) for x in values], pa.string()))
            columns[name] = columns[name].distinct()
            dated[name] = np.array([isinstance(x, datetime.date) for x in values], dtype=bool)
            numbers[name] = np.array([_number(x) for x in values], dtype=bool)
            broken[name] = np.array([_not_whole(x) for x in values], dtype=bool)
    return RawCells(
        path.name, columns, len(below), below + 1, at + 1, dated=dated, broken=broken,
        numbers=numbers, spoilt=spoilt, typed=True,
    )  # fmt: skip


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not_whole(value: Any) -> bool:
    return isinstance(value, float) and not (np.isnan(value) or value.is_integer())


def _spoilt(path: Path, sheet: str, rows: Sequence[int]) -> dict[int, dict[int, tuple[str, str]]]:
    """Return column → row → what is found in cells whose formula failed or was never computed.

    The fast reader gives both as empty cells. In the older format (.xls) they cannot be told.
    """
    if not zipfile.is_zipfile(path) or not _suspect(path):
        return {}
    number = {row: at for at, row in enumerate(rows)}
    found: dict[int, dict[int, tuple[str, str]]] = {}
    with _opened(path, data_only=True) as values, _opened(path, data_only=False) as formulas:
        both = zip(values.book[sheet].iter_rows(), formulas.book[sheet].iter_rows(), strict=True)
        for row, cells in enumerate(both):
            for column, (value, formula) in enumerate(zip(*cells, strict=True)):
                spoilt = _what(value, formula)
                if spoilt is not None and row in number:
                    found.setdefault(column, {})[number[row]] = spoilt
    return found


def _opened(path: Path, *, data_only: bool) -> pd.ExcelFile:
    """Open a workbook with the slower reader: with the values of formulas, or as they stand."""
    return pd.ExcelFile(path, engine="openpyxl", engine_kwargs={"data_only": data_only})


def _what(value: Any, formula: Any) -> tuple[str, str] | None:
    if value.data_type == "e":
        return f"the error value {value.value}", "mend the formula, or clear the cell"
    if formula.data_type == "f" and value.value is None:
        return "a formula without a value", "open the workbook in a spreadsheet, and save it"
    return None


def _suspect(path: Path) -> bool:
    with zipfile.ZipFile(path) as packed:
        sheets = [name for name in packed.namelist() if name.startswith("xl/worksheets/sheet")]
        return any(mark in packed.read(name) for name in sheets for mark in SUSPECT)
