"""A standard table that is read year by year, from a frame or from a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow.parquet as pq


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
        return pd.read_parquet(self._path, columns=wanted, filters=[("year", "==", year)])


def by_year(table: pd.DataFrame | YearTable | None, key: str) -> YearTable:
    """Return a table that is read year by year; a study without the table has an empty one."""
    if table is None:
        return FrameByYear(pd.DataFrame(columns=[key, "year"], dtype="str"))
    return FrameByYear(table) if isinstance(table, pd.DataFrame) else table
