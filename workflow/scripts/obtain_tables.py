"""Read the raw files of a study into its standard tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from schooltrial.data.cells.cleaning_log import CHANGES, CHANGES_STORED, LogEntry, to_frame
from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.raw_files import tables_filled
from schooltrial.data.tables.keys import KEYS
from schooltrial.data.tables.left_out import all_left_out
from schooltrial.data.tables.parquet import TableFile, table_files
from schooltrial.data.tables.reading import Study
from schooltrial.data.tables.schema import empty_schema, table_schema
from schooltrial.data.tables.standard_tables import Batch, read_batches
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.column_map import SizeLimits, Tables
from schooltrial.protocol.content.sections import Cleaning, Outcome, Years, measured_years
from schooltrial.protocol.rehearsal import Redraw
from schooltrial.random_streams import stream
from schooltrial.randomisation.redrawn_arms import redrawn_places
from schooltrial.refusal import Fault, refuse


def main(
    *,
    raw_folder: str,
    tables: Tables,
    outcomes: Mapping[str, Outcome],
    years: Years,
    cleaning_log: str,
    raw_files: str,
    changes: str,
    left_out: str,
    unit: str,
    cleaning: Cleaning,
    elsewhere: Mapping[str, str],
    arms: Sequence[str] = (),
    limits: SizeLimits,
    redraw: Redraw | None,
    **standard: str,
) -> None:
    """Write the standard tables (Parquet), and the log of how they were made."""
    study = Study(tables, outcomes, measured_years(years), unit, cleaning, arms, limits)
    schemas = {
        name: table_schema(name, tables[name]).both if name in tables else empty_schema(name, unit)
        for name in KEYS
    }
    schemas["changes"] = (CHANGES, CHANGES_STORED)
    paths = {**{name: Path(standard[name]) for name in KEYS}, "changes": Path(changes)}
    log: list[LogEntry] = []
    read: dict[str, RawCells] = {}
    gone: list[pd.DataFrame] = []
    with table_files(paths, schemas) as files:
        write_batches(read_batches(study, Path(raw_folder), elsewhere), files, log, read, gone)
    if redraw:
        redraw_arms(Path(standard["assignment"]), redraw)
    all_left_out(gone).to_parquet(left_out, index=False)
    to_frame(log).to_csv(cleaning_log, index=False)
    fills = tables_filled(tables, measured_years(years))
    rows = [
        [name, one.rows + len(one.notes), one.size, one.sha256, "; ".join(fills.get(name, []))]
        for name, one in sorted(read.items())
    ]
    listed = pd.DataFrame(rows, columns=["file", "rows", "bytes", "sha256", "tables"])
    listed.to_csv(raw_files, index=False)


def redraw_arms(assignment: Path, redraw: Redraw) -> None:
    """Give the units of a rehearsal the arms, and first years, of others of their block."""
    table = pq.read_table(assignment)
    blocks = table["block"].to_pylist() if redraw["within_blocks"] else [None] * len(table)
    places = redrawn_places(blocks, stream(redraw["seed"], "rehearsal"))
    for name in ("arm", "cohort"):
        if name in table.column_names:
            at = table.column_names.index(name)
            table = table.set_column(at, table.schema.field(at), table[name].take(places))
    pq.write_table(table, assignment)


def write_batches(
    batches: Iterable[Batch], files: Mapping[str, TableFile], log: list[LogEntry],
    read: dict[str, RawCells], gone: list[pd.DataFrame],
) -> None:  # fmt: skip
    """Write what is read until a fault is found; then read on, to find all faults."""
    faults: list[Fault] = []
    for batch in batches:
        faults += batch.faults
        if faults:
            continue
        log += batch.log
        gone += batch.left_out
        read |= {cells.file: cells for cells in batch.files}
        for name, parts in {**batch.tables, "changes": batch.changes}.items():
            for rows in parts:
                files[name].write(rows)
    refuse(list(dict.fromkeys(faults)))


run_as_rule(main, globals())
