"""Read Stata and Parquet files as text cells, telling what their types would hide.

A number that is whole is written without a point, so that an identifier is what it was; dates are
written YYYY-MM-DD. Numbers that are not whole, or not exact, are marked, to be refused where an
identifier is read. Labels of values are kept with the codes that they belong to.
"""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from schooltrial.data.cells.text_columns import Mask, RawCells, TextColumn
from schooltrial.data.cells.typed_values import EXACT_BELOW, no_rows, readable, shown
from schooltrial.data.layout.header import Header, too_many_columns
from schooltrial.data.statistical.readstat import read_apart
from schooltrial.data.statistical.stata_rows import row_faults
from schooltrial.protocol.content.column_map import RawFile, SizeLimits
from schooltrial.refusal import refuse


def read_stata(path: Path, reading: RawFile, sizes: SizeLimits) -> RawCells:
    """Return the cells of a Stata file; the row is the number of the observation.

    Values stay the codes that they are; their labels are kept where the reading says
    `value_labels`. The codes .a to .z for missing values are missing.
    """
    refuse(row_faults(path))
    labels: dict[str, dict[str, str]] = {}
    with readable(path, "a Stata file"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UnicodeWarning)  # old files are read as Latin-1
        frame = pd.read_stata(path, convert_categoricals=False)
        if reading["value_labels"]:
            _, facts = read_apart("read_dta", str(path), metadataonly=True)
            labels = label_texts(facts.value_labels)
        arrays = [pa.array(frame[name], from_pandas=True) for name in frame.columns]
    return of_arrays(path.name, list(map(str, frame.columns)), arrays, sizes, labels)


def label_texts(given: Mapping[str, Mapping[Any, str]]) -> dict[str, dict[str, str]]:
    """Return column → text of a value → its label."""
    return {
        str(name): {shown(_plain_number(value)): str(label) for value, label in of.items()}
        for name, of in given.items()
    }


def _plain_number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def read_parquet(path: Path, reading: RawFile, sizes: SizeLimits) -> RawCells:
    """Return the cells of a Parquet file; the row is the number of the record."""
    # which, unlike a data set, may repeat a name
    with readable(path, "a Parquet file"), pq.ParquetFile(path) as file:
        table = file.read()
    return of_arrays(path.name, list(map(str, table.column_names)), table.columns, sizes)


def of_arrays(
    file: str, names: Sequence[str], arrays: Sequence[Any], sizes: SizeLimits,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    declared: Mapping[str, frozenset[str]] | None = None,
    exact_below: Mapping[str, float] | None = None,
) -> RawCells:  # fmt: skip
    """Return typed columns as text.

    Parameters
    ----------
    file : str
    names : sequence of str
        Names of the columns.
    arrays : sequence of Array
        Their values.
    sizes : mapping
        How many columns there may be.
    labels, declared : mapping, optional
        Column → labels of its values, and the values that the file declares missing.
    exact_below : mapping, optional
        Column → number from which on the file does not keep every whole number.
    """
    rows = len(arrays[0]) if arrays else 0
    if rows == 0:
        refuse([no_rows(file)])
    header = Header.of(names)
    refuse(too_many_columns(file, len(names), sizes["columns"], None))
    columns, broken, numbers = {}, {}, {}
    for key, values in zip(header.keys, arrays, strict=True):
        columns[key], broken[key] = _texts(values, (exact_below or {}).get(key))
        if _numeric(values.type):
            numbers[key] = np.broadcast_to(np.True_, (rows,))
    return RawCells(
        file, columns, rows, None, 1, broken=broken, numbers=numbers, typed=True,
        labels=labels or {}, declared_missing=declared or {}, nameless=header.nameless,
        repeated=header.repeated,
    )  # fmt: skip


def _numeric(kind: pa.DataType) -> bool:
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_decimal(held)
    )


def _texts(
    values: pa.Array | pa.ChunkedArray, exact_below: float | None = None
) -> tuple[TextColumn, Mask]:
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
        exact = np.abs(numbers) < (exact_below or EXACT_BELOW[str(numbers.dtype)])
        broken[:-1] = ~(whole & exact) & ~np.isnan(numbers)
    return _once([*texts, ""], codes), broken[codes]


def _once(texts: list[str], codes: npt.NDArray[np.int32]) -> TextColumn:
    """Return a column of distinct texts, of which two values may share one."""
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
