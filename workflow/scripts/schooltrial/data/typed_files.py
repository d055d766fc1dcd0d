"""Read workbooks, Stata and Parquet files as text cells, telling what their types would hide.

A number that is whole is written without a point, so that an identifier is what it was; dates are
written YYYY-MM-DD. Cells of an identifier that are held as a date, or as a number that is not whole
or not exact, are marked, to be refused where an identifier is read.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from schooltrial.data.delimited import header_faults, no_rows
from schooltrial.data.raw_cells import Mask, RawCells, TextColumn
from schooltrial.refusal import Fault, Refusal, refuse

WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
EXACT_BELOW = {"float16": 2**11, "float32": 2**24, "float64": 2**53}
"""Type → number below which every whole number is exact."""


def read_workbook(path: Path, reading: Mapping[str, Any]) -> RawCells:
    """Return the cells of one sheet of an Excel workbook.

    Raises
    ------
    Refusal
        Where the file is no workbook, has no such sheet, or the sheet holds no rows.
    """
    with _readable(path, "an Excel workbook"):
        book = pd.ExcelFile(path, engine="calamine")
        sheets = [str(name) for name in book.sheet_names]
    sheet = sheets[0] if reading["sheet"] is None else reading["sheet"]
    if sheet not in sheets:
        expected = "one of " + ", ".join(sheets)
        found = f"no sheet {sheet!r}"
        refuse([Fault(path.name, found, expected, "correct `sheet` in the protocol")])
    with _readable(path, "an Excel workbook"):
        # rows above the header are read too, so that a row keeps its number in the sheet
        cells = book.parse(sheet, header=None, dtype=object, na_filter=False).to_numpy(dtype=object)
    at = int(reading["header_row"])
    blank = np.array([all(_shown(cell) == "" for cell in row) for row in cells], dtype=bool)
    below = np.flatnonzero(~blank[at:]) + at
    if len(cells) < at or len(below) == 0:
        refuse([no_rows(path.name)])
    header = [_shown(name).strip() for name in cells[at - 1]]
    refuse(header_faults(header, path.name, at))
    columns, dated, broken = {}, {}, {}
    for number, name in enumerate(header):
        if name:
            values = cells[below, number]
            columns[name] = TextColumn(pa.array([_shown(x) for x in values], pa.string()))
            columns[name] = columns[name].distinct()
            dated[name] = np.array([isinstance(x, datetime.date) for x in values], dtype=bool)
            broken[name] = np.array([_not_whole(x) for x in values], dtype=bool)
    return RawCells(
        path.name, columns, len(below), below + 1, at + 1, dated=dated, broken=broken, typed=True
    )


def _shown(value: Any) -> str:
    """Return the text of a cell."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_BELOW["float64"]:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)


def _not_whole(value: Any) -> bool:
    return isinstance(value, float) and not (np.isnan(value) or value.is_integer())


def read_stata(path: Path, reading: Mapping[str, Any]) -> RawCells:
    """Return the cells of a Stata file; the row is the number of the observation.

    Values with a label stay the codes that they are, unless the reading says `value_labels`.
    """
    labelled = bool(reading["value_labels"])
    with _readable(path, "a Stata file"):
        frame = pd.read_stata(path, convert_categoricals=labelled)
        arrays = {
            str(name): pa.array(_plain(frame[name]), from_pandas=True) for name in frame.columns
        }
    return _of_arrays(path.name, arrays, len(frame))


def _plain(values: pd.Series) -> Any:
    return values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values


def read_parquet(path: Path, reading: Mapping[str, Any]) -> RawCells:
    """Return the cells of a Parquet file; the row is the number of the record."""
    with _readable(path, "a Parquet file"):
        table = pq.read_table(path)
    arrays = {str(name): column for name, column in zip(table.column_names, table.columns)}  # noqa: B905
    refuse(header_faults(list(map(str, table.column_names)), path.name, 1))
    return _of_arrays(path.name, arrays, table.num_rows)


def _of_arrays(file: str, arrays: Mapping[str, Any], rows: int) -> RawCells:
    if rows == 0:
        refuse([no_rows(file)])
    columns, broken = {}, {}
    for name, values in arrays.items():
        columns[name], broken[name] = _texts(values)
    return RawCells(file, columns, rows, None, 1, broken=broken, typed=True)


def _texts(values: pa.Array | pa.ChunkedArray) -> tuple[TextColumn, Mask]:
    """Return typed values as text, each distinct one once, and where a number is not whole."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode("encode")
    distinct = values.dictionary
    texts: list[str] = [_text(value, distinct.type) for value in distinct.to_pylist()]
    codes = values.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False).astype(np.int32)
    broken = np.zeros(len(texts) + 1, dtype=bool)
    if pa.types.is_floating(distinct.type):
        numbers = distinct.to_numpy(zero_copy_only=False)
        whole = numbers == np.round(numbers)
        exact = np.abs(numbers) < EXACT_BELOW[str(numbers.dtype)]
        broken[:-1] = ~(whole & exact) & ~np.isnan(numbers)
    return _once([*texts, ""], codes), broken[codes]


def _once(texts: list[str], codes: npt.NDArray[np.int32]) -> TextColumn:
    """Return a column in which each text stands once, two values having perhaps the same."""
    numbers, distinct = pd.factorize(np.array(texts, dtype=object))
    return TextColumn(pa.array(distinct, pa.string()), numbers.astype(np.int32)[codes])


def _text(value: Any, kind: pa.DataType) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if pa.types.is_float32(kind) and not float(value).is_integer():
        return str(np.float32(value))  # 217.3, not the 217.3000030517578 of a double
    if isinstance(value, datetime.date | float | int | str):
        return _shown(value)
    return str(value)


@contextmanager
def _readable(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises on a broken file into a refusal."""
    try:
        yield
    except Refusal:
        raise
    except ImportError as error:
        found = f"a package is missing: {error}"
        raise Refusal([Fault(path.name, found, what, "install it, or save as CSV")]) from error
    except Exception as error:  # the libraries raise errors of many kinds, of their own too
        reason = str(error).strip().splitlines() or [type(error).__name__]
        found = f"not readable as {what} ({reason[0][:120]})"
        raise Refusal([Fault(path.name, found, what, "export or fetch the file again")]) from error


READERS: dict[str, Callable[[Path, Mapping[str, Any]], RawCells]] = {
    **dict.fromkeys(WORKBOOKS, read_workbook),
    ".dta": read_stata,
    ".parquet": read_parquet,
}
"""Ending of the file's name → how it is read; every other file is delimited text."""
