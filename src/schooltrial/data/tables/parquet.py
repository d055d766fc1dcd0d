"""A standard table that is read year by year, from a frame or from a Parquet file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import Table, csv, parquet


class YearTable(Protocol):
    """A table with the column ``year``, of which one year at a time is in memory."""

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""

    @property
    def years(self) -> list[int]:
        """Years of which there are rows, in order."""

    def read(self, year: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a year, in the order of the table, numbered from 0."""


class FrameByYear:
    """A frame, year by year."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._rows: dict[int, np.ndarray] = {}
        if len(frame):
            code, found = pd.factorize(frame["year"].to_numpy("int64"), sort=True)
            order = np.argsort(code, kind="stable")
            parts = np.split(order, np.cumsum(np.bincount(code))[:-1])
            self._rows = {int(year): rows for year, rows in zip(found, parts, strict=True)}

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._frame.columns)

    @property
    def years(self) -> list[int]:
        """Years of which there are rows, in order."""
        return list(self._rows)

    def read(self, year: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a year, in the order of the table, numbered from 0."""
        chosen = self._frame if columns is None else self._frame[list(columns)]
        rows = self._rows.get(year, np.empty(0, dtype=np.intp))
        return chosen.take(rows).reset_index(drop=True)


class ParquetByYear:
    """A Parquet file, year by year; row groups of other years are not read."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._columns: list[str] = pq.read_schema(path).names
        found = pq.read_table(path, columns=["year"])["year"].unique().to_pylist()
        self._years = sorted(int(year) for year in found)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self._columns

    @property
    def years(self) -> list[int]:
        """Years of which there are rows, in order."""
        return self._years

    def read(self, year: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a year, in the order of the table, numbered from 0."""
        wanted = None if columns is None else list(columns)
        if year not in self._years:
            # A table without rows may hold its years as anything; no filter by number fits it.
            empty = pq.read_schema(self._path).empty_table()
            return (empty if wanted is None else empty.select(wanted)).to_pandas()
        return pd.read_parquet(self._path, columns=wanted, filters=[("year", "==", year)])


def by_year(table: pd.DataFrame | YearTable | None, key: str) -> YearTable:
    """Return a table that is read year by year; a study without the table has an empty one."""
    if table is None:
        return FrameByYear(pd.DataFrame(columns=[key, "year"], dtype="str"))
    return FrameByYear(table) if isinstance(table, pd.DataFrame) else table


@contextmanager
def whole(path: str) -> Iterator[Path]:
    """Yield where to write a file that takes its place only once the block has ended well."""
    unfinished = Path(f"{path}.unfinished")
    try:
        yield unfinished
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(path)


def write_years(frames: Iterable[pd.DataFrame], path: Path) -> None:
    """Write a row group per year."""
    years = iter(frames)
    first = Table.from_pandas(next(years), preserve_index=False)
    with parquet.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for frame in years:
            writer.write_table(Table.from_pandas(frame, first.schema, preserve_index=False))


def write_csv(frame: pd.DataFrame, path: str) -> None:
    """Write a table that can be of millions of rows."""
    table = Table.from_pandas(frame, preserve_index=False)
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed"))


DICTIONARY_BYTES = 1 << 28


class TableFile:
    """One Parquet file under a name of its own until it is done; a row group per table written."""

    def __init__(self, path: Path, held: pa.Schema, stored: pa.Schema) -> None:
        self.path = path
        self.partial = path.with_name(f".{path.name}.partial")
        self._stored = stored
        repeating = [field.name for field in held if not pa.types.is_string(field.type)]
        self._writer = pq.ParquetWriter(
            self.partial, held, compression="snappy", use_dictionary=repeating or False,
            dictionary_pagesize_limit=DICTIONARY_BYTES, store_schema=False,
            write_statistics=[name for name in ("year", "outcome") if name in held.names],
        )  # fmt: skip

    def write(self, rows: pa.Table) -> None:
        """Write rows as one row group."""
        if rows.num_rows:
            self._writer.write_table(rows, row_group_size=rows.num_rows)

    def close(self) -> None:
        """Finish the file: it says itself which of its encoded columns are categories."""
        metadata = self._stored.metadata or {}
        encoded = base64.b64encode(self._stored.serialize().to_pybytes()).decode()
        told: dict[str, Any] = {"ARROW:schema": encoded}
        told |= {key.decode(): value.decode() for key, value in metadata.items()}
        self._writer.add_key_value_metadata(told)
        self._writer.close()


@contextmanager
def table_files(
    paths: Mapping[str, Path], schemas: Mapping[str, tuple[pa.Schema, pa.Schema]]
) -> Iterator[dict[str, TableFile]]:
    """Give files to be written, by name; they come into place together, or not at all."""
    files: dict[str, TableFile] = {}
    try:
        for name, path in paths.items():
            files[name] = TableFile(path, *schemas[name])
        yield files
        for file in files.values():
            file.close()
        for file in files.values():
            file.partial.replace(file.path)
    finally:
        for file in files.values():
            file.partial.unlink(missing_ok=True)


def append_rows(path: Path, rows: pd.DataFrame) -> None:
    """Add rows to a standard table, whose other columns are missing in them."""
    table = parquet.read_table(path)
    columns = {}
    for field in table.schema:
        if field.name not in rows:
            columns[field.name] = pa.nulls(len(rows), field.type)
            continue
        values = rows[field.name]
        if isinstance(field.type, pa.DictionaryType):
            values = values.astype("object").where(values.notna(), None)
            columns[field.name] = pa.array(values, pa.string()).dictionary_encode().cast(field.type)
        else:
            columns[field.name] = pa.array(values, field.type, from_pandas=True)
    more = pa.table(columns, schema=table.schema)
    parquet.write_table(pa.concat_tables([table, more]).unify_dictionaries(), path)
