"""Read Stata and Parquet files as text cells, telling what their types would hide.

A number that is whole is written without a point, so that an identifier is what it was; dates are
written YYYY-MM-DD. Numbers that are not whole, or not exact, are marked, to be refused where an
identifier is read.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from schooltrial.data.cells.text_columns import Mask, RawCells, TextColumn
from schooltrial.data.files.delimited import header_faults, no_rows
from schooltrial.data.files.typed_cells import EXACT_BELOW, readable, shown
from schooltrial.protocol.column_map import RawFile
from schooltrial.refusal import refuse


def read_stata(path: Path, reading: RawFile) -> RawCells:
    """Return the cells of a Stata file; the row is the number of the observation.

    Values with a label stay the codes that they are, unless the reading says `value_labels`.
    """
    labelled = reading["value_labels"]
    with readable(path, "a Stata file"):
        frame = pd.read_stata(path, convert_categoricals=labelled)
        arrays = {
            str(name): pa.array(_plain(frame[name]), from_pandas=True) for name in frame.columns
        }
    return _of_arrays(path.name, arrays, len(frame))


def _plain(values: pd.Series) -> Any:
    return values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values


def read_parquet(path: Path, reading: RawFile) -> RawCells:
    """Return the cells of a Parquet file; the row is the number of the record."""
    with readable(path, "a Parquet file"):
        table = pq.read_table(path)
    arrays = {str(name): column for name, column in zip(table.column_names, table.columns)}  # noqa: B905
    refuse(header_faults(list(map(str, table.column_names)), path.name, 1))
    return _of_arrays(path.name, arrays, table.num_rows)


def _of_arrays(file: str, arrays: Mapping[str, Any], rows: int) -> RawCells:
    if rows == 0:
        refuse([no_rows(file)])
    columns, broken, numbers = {}, {}, {}
    for name, values in arrays.items():
        columns[name], broken[name] = _texts(values)
        if _numeric(values.type):
            numbers[name] = np.broadcast_to(np.True_, (rows,))
    return RawCells(file, columns, rows, None, 1, broken=broken, numbers=numbers, typed=True)


def _numeric(kind: pa.DataType) -> bool:
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_decimal(held)
    )


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
        return shown(value)
    return str(value)
