"""Parquet files of standard tables, written as they come and put in place when all is well."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

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
