"""Read the raw files of a study into its standard tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from schooltrial.data.cells.cleaning_log import CHANGES, CHANGES_STORED, LogEntry, to_frame
from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.misspelt_columns import naming_lines
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
from schooltrial.randomisation.redrawn_arms import with_redrawn_arms
from schooltrial.refusal import Fault, refuse
from schooltrial.study.absent_files import without_files
from schooltrial.study.simulated_rows import simulate_absent


def main(
    *,
    raw_folder: str,
    tables: Tables,
    protocol: str,
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
    absent = redraw["absent"] if redraw else []
    there = without_files(tables, measured_years(years), absent) if absent else tables
    study = Study(there, outcomes, measured_years(years), unit, cleaning, arms, limits)
    columns = {name: table_schema(name, readings) for name, readings in tables.items()}
    schemas = {
        name: columns[name].both if name in columns else empty_schema(name, unit) for name in KEYS
    }
    schemas["changes"] = (CHANGES, CHANGES_STORED)
    paths = {**{name: Path(standard[name]) for name in KEYS}, "changes": Path(changes)}
    log: list[LogEntry] = []
    read: dict[tuple[str, str], RawCells] = {}
    gone: list[pd.DataFrame] = []
    naming = naming_lines(tables, measured_years(years), protocol, absent)
    with naming, table_files(paths, schemas) as files:
        batches = read_batches(study, Path(raw_folder), elsewhere, columns)
        write_batches(batches, files, log, read, gone)
    if redraw:
        listed = pq.read_table(standard["assignment"])
        pq.write_table(with_redrawn_arms(listed, redraw, unit), standard["assignment"])
    simulated = {}
    if redraw and absent:
        simulated = simulate_absent(tables, outcomes, measured_years(years), redraw, standard)
    all_left_out(gone).to_parquet(left_out, index=False)
    to_frame(log).to_csv(cleaning_log, index=False)
    fills = tables_filled(tables, measured_years(years))
    rows = [
        [*place, one.rows + len(one.notes), one.size, one.sha256, "; ".join(fills.get(place, []))]
        for place, one in sorted(read.items())
    ]
    rows += [[f"simulated {name}", "", count, 0, "", name] for name, count in simulated.items()]
    listed = pd.DataFrame(rows, columns=["file", "sheet", "rows", "bytes", "sha256", "tables"])
    listed.to_csv(raw_files, index=False)


def write_batches(
    batches: Iterable[Batch], files: Mapping[str, TableFile], log: list[LogEntry],
    read: dict[tuple[str, str], RawCells], gone: list[pd.DataFrame],
) -> None:  # fmt: skip
    """Write what is read until a fault is found; then read on, to find all faults."""
    faults: list[Fault] = []
    for batch in batches:
        faults += batch.faults
        if faults:
            continue
        log += batch.log
        gone += batch.left_out
        read |= {(cells.file, cells.sheet): cells for cells in batch.files}
        for name, parts in {**batch.tables, "changes": batch.changes}.items():
            for rows in parts:
                files[name].write(rows)
    refuse(list(dict.fromkeys(faults)))


run_as_rule(main, globals())
