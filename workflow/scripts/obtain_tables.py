"""Read the raw files of a study into its standard tables."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rule_adapter import run_as_rule
from schooltrial.data.cleaning_log import LogEntry, to_frame
from schooltrial.data.codebook import codebook
from schooltrial.data.reading import raw_file_names
from schooltrial.data.standard_tables import KEYS, empty_table, read_table
from schooltrial.protocol import Outcome, all_years
from schooltrial.refusal import Fault, Refusal, refuse


def main(
    *,
    raw_folder: str,
    tables: Mapping[str, Any],
    outcomes: Mapping[str, Outcome],
    years: Any,
    labels: Mapping[str, str],
    cleaning_log: str,
    codebook_file: str,
    raw_files: str,
    **standard: str,
) -> None:
    """Write the standard tables (Parquet), and what tells how they came about (CSV)."""
    faults: list[Fault] = []
    log: list[LogEntry] = []
    frames: dict[str, pd.DataFrame] = {}
    for table in KEYS:
        if table not in tables:
            frames[table] = empty_table(table)
            continue
        try:
            frames[table], entries = read_table(
                table, tables[table], Path(raw_folder), all_years(years), outcomes
            )
            log += entries
        except Refusal as refusal:
            faults += refusal.faults
    refuse(list(dict.fromkeys(faults)))
    for table, frame in frames.items():
        frame.to_parquet(standard[table], index=False)
    to_frame(log).to_csv(cleaning_log, index=False)
    raw_file_list(Path(raw_folder), tables, all_years(years)).to_csv(raw_files, index=False)
    read = {table: frame for table, frame in frames.items() if table in tables}
    described = codebook(read, labels, raw_columns(tables))
    described.to_csv(codebook_file, index=False, float_format="%.10g")


def raw_file_list(folder: Path, tables: Mapping[str, Any], years: list[int]) -> pd.DataFrame:
    """Return every raw file that was read: lines below the header, bytes and checksum."""
    rows = []
    for name in raw_file_names(tables, years):
        raw = (folder / name).read_bytes()
        text = gzip.decompress(raw) if name.endswith(".gz") else raw
        lines = text.count(b"\n") - 1 if text.endswith(b"\n") else text.count(b"\n")
        rows.append([name, lines, len(raw), hashlib.sha256(raw).hexdigest()])
    return pd.DataFrame(rows, columns=["file", "rows", "bytes", "sha256"])


def raw_columns(tables: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return table → variable → name of its column in the raw files."""
    return {
        table: {
            variable: spec["column"]
            if isinstance(spec["column"], str)
            else " or ".join(spec["column"])
            for reading in readings
            for variable, spec in {**reading["columns"], **reading["outcomes"]}.items()
        }
        for table, readings in tables.items()
    }


run_as_rule(main, globals())
