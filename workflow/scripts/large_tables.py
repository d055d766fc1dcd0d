"""Write tables that can be of millions of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from pyarrow import Table, csv, parquet


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
