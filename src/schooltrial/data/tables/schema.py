"""The columns of a standard table, as the protocol's readings make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.cells.identifiers import NEARLY_UNIQUE
from schooltrial.data.cells.text_columns import plain
from schooltrial.data.files.file_names import with_joined
from schooltrial.data.tables.keys import FILLED, MEASURED, key_of
from schooltrial.protocol.content.column_map import Column, Reading, carries_year
from schooltrial.protocol.content.variables import YEARS

ENCODED = pa.dictionary(pa.int32(), pa.string())


NUMERIC = {"number": pa.float64(), "flag": pa.float64(), "integer": pa.int64()}


MEASUREMENT = ("outcome", "value", "value_low", "value_high")


ArrowColumn: TypeAlias = Any
"""An array of pyarrow, chunked or not."""


@dataclass(frozen=True)
class TableSchema:
    """Columns of a standard table.

    Attributes
    ----------
    name : str
    held : Schema
        As they are held and written: text is encoded, but for identifiers that rarely repeat.
    stored : Schema
        As they are to be read back: text as text, categories with their levels.
    levels : dict of str to list of str
        Category → its levels in order.
    outcomes : list of str
        Outcomes that wide files hold in columns of their own.
    """

    name: str
    held: pa.Schema
    stored: pa.Schema
    levels: Mapping[str, list[str]]
    outcomes: Sequence[str]

    @property
    def both(self) -> tuple[pa.Schema, pa.Schema]:
        """The columns as they are written, and as they are to be read back."""
        return self.held, self.stored

    def conformed(self, table: pa.Table, more: Mapping[str, ArrowColumn] | None = None) -> pa.Table:
        """Return a table with just these columns, missing ones being missing in every row.

        A table without the column ``outcome`` (of a wide file) is left without it and its values.
        """
        given = {**dict(zip(table.column_names, table.columns, strict=True)), **(more or {})}
        wide = self.name in MEASURED and "outcome" not in given
        names = [name for name in self.held.names if not (wide and name in MEASUREMENT)]
        columns = {name: self._column(name, given, table.num_rows) for name in names}
        return pa.table(columns)

    def _column(self, name: str, given: Mapping[str, ArrowColumn], rows: int) -> ArrowColumn:
        kind = self.held.field(name).type
        column = given.get(name)
        if column is None:
            return pa.nulls(rows, kind)
        if name in self.levels:
            return _with_levels(column, self.levels[name])
        column = plain(column)
        if column.type == kind:
            return column
        if pa.types.is_dictionary(kind):
            return column.dictionary_encode().cast(kind)
        return column.cast(kind)

    def with_outcome(self, table: pa.Table, outcome: str) -> pa.Table:
        """Return rows that are all of one outcome."""
        level = self.levels["outcome"].index(outcome)
        codes = pa.array(np.full(table.num_rows, level, dtype=np.int32))
        column = pa.DictionaryArray.from_arrays(codes, pa.array(self.levels["outcome"]))
        return table.append_column("outcome", column)


def _with_levels(column: ArrowColumn, levels: Sequence[str]) -> ArrowColumn:
    """Return a category whose levels are these, in this order."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    found = column.dictionary.to_pylist()
    if found == list(levels):
        return column
    numbers = np.array([levels.index(level) for level in found] + [-1], dtype=np.int32)
    codes = numbers[column.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)]
    indices = pa.array(codes, mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(levels, pa.string()))


def table_schema(name: str, readings: Sequence[Reading]) -> TableSchema:
    """Return the columns that the readings of a table make, in the order of the protocol."""
    specs: dict[str, list[Column]] = {}
    outcomes: dict[str, Column] = {}
    dated = False
    for reading in readings:
        for one in with_joined(reading):
            for variable, spec in one["columns"].items():
                specs.setdefault(variable, []).append(spec)
        dated |= carries_year(reading)
        outcomes |= reading["outcomes"]
    kinds = {variable: _kind(variable, given) for variable, given in specs.items()}
    filled = FILLED.get(name, {})
    levels = {
        variable: _levels(given)
        for variable, given in specs.items()
        if _is_coded(given) and variable not in filled
    }
    if dated:
        kinds.setdefault("year", pa.int64())
    kinds |= dict.fromkeys(filled, ENCODED)
    value = [spec for given in (specs.get("value"),) if given for spec in given]
    bounds = any(s["suppressed"] == "bounds" for s in [*value, *outcomes.values()])
    if outcomes:
        kinds = {"outcome": ENCODED, "value": pa.float64(), **kinds}
        levels["outcome"] = list(dict.fromkeys([*levels.get("outcome", []), *sorted(outcomes)]))
    for variable, given in specs.items():
        if variable != "value" and any(spec["suppressed"] == "bounds" for spec in given):
            kinds |= {f"{variable}_low": pa.float64(), f"{variable}_high": pa.float64()}
    if bounds:
        kinds |= {"value_low": pa.float64(), "value_high": pa.float64()}
    names = _last(kinds)
    held = pa.schema([(variable, kinds[variable]) for variable in names])
    return TableSchema(name, held, _stored(held, levels), levels, list(outcomes))


def empty_schema(name: str, unit: str) -> tuple[pa.Schema, pa.Schema]:
    """Return the columns of a table that a study has none of: its key, as text."""
    held = pa.schema([(variable, pa.string()) for variable in key_of(name, unit)])
    return held, _stored(held, {})


def _last(kinds: Mapping[str, pa.DataType]) -> list[str]:
    """Return the variables, what was measured standing last."""
    last = [name for name in MEASUREMENT if name in kinds]
    return [*(name for name in kinds if name not in last), *last]


def _kind(variable: str, given: Sequence[Column]) -> pa.DataType:
    if variable in YEARS:
        return pa.int64()
    if given[0]["type"] in NUMERIC:
        return NUMERIC[given[0]["type"]]
    if given[0]["type"] == "date":
        return pa.timestamp("us")
    coded = any(spec["codes"] for spec in given)
    return pa.string() if variable in NEARLY_UNIQUE and not coded else ENCODED


def _is_coded(given: Sequence[Column]) -> bool:
    return all(spec["type"] == "category" and spec["codes"] for spec in given)


def _levels(given: Sequence[Column]) -> list[str]:
    return list(dict.fromkeys(str(value) for spec in given for value in spec["codes"].values()))


def _stored(held: pa.Schema, levels: Mapping[str, Sequence[str]]) -> pa.Schema:
    """Return the schema to be read back by pandas: categories, text, and Int64 as such."""
    return _as_pandas_reads(held, tuple((name, tuple(levels[name])) for name in levels))


@lru_cache(maxsize=256)
def _as_pandas_reads(held: pa.Schema, coded: tuple[tuple[str, tuple[str, ...]], ...]) -> pa.Schema:
    levels = dict(coded)
    empty = {
        field.name: pd.Categorical([], categories=levels[field.name])
        if field.name in levels
        else pd.Series([], dtype=_dtype(field.type))
        for field in held
    }
    metadata = pa.Schema.from_pandas(pd.DataFrame(empty), preserve_index=False).metadata
    fields = [
        pa.field(field.name, pa.string() if _is_text(field, levels) else field.type)
        for field in held
    ]
    return pa.schema(fields, metadata=metadata)


def _is_text(field: pa.Field, levels: Mapping[str, Sequence[str]]) -> bool:
    return pa.types.is_dictionary(field.type) and field.name not in levels


def _dtype(kind: pa.DataType) -> str:
    if pa.types.is_int64(kind):
        return "Int64"
    if pa.types.is_timestamp(kind):
        return "datetime64[us]"
    return "float64" if pa.types.is_float64(kind) else "str"
