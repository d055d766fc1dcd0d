"""The standard tables that every study is read into, and how raw files fill them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.cells.cleaning_log import LogEntry
from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.file_names import expand_years
from schooltrial.data.files.raw_files import RawFiles
from schooltrial.data.tables.assignment_list import cost_arm_faults, raw_list_faults
from schooltrial.data.tables.keys import Places, key_faults, key_of, ordered, sorting, words
from schooltrial.data.tables.parts import Part
from schooltrial.data.tables.reading import Study, read_part
from schooltrial.data.tables.schema import TableSchema, table_schema
from schooltrial.protocol.content.column_map import Reading
from schooltrial.protocol.content.sections import Outcome
from schooltrial.refusal import Fault, Refusal, refuse

WORKERS = 2


@dataclass(frozen=True)
class Batch:
    """What is read together: the files of one year, or all those that carry no year.

    Attributes
    ----------
    tables : dict of str to list of Table
        Standard table → its rows, sorted, a table per year (and outcome).
    log : list of LogEntry
    changes : list of Table
        What undoes each change, as ``CleaningLog`` has it.
    files : list of RawCells
        The files that were read; without their cells.
    left_out : list of DataFrame
        Whose rows the readings left out; see `keys_left_out`.
    faults : list of Fault
        Where there is any, cells or rows of the tables are missing.
    unread : set of str
        Standard tables of which a whole file is missing.
    """

    tables: dict[str, list[pa.Table]] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)
    changes: list[pa.Table] = field(default_factory=list)
    files: list[RawCells] = field(default_factory=list)
    left_out: list[pd.DataFrame] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


def read_batches(
    study: Study, folder: Path, elsewhere: Mapping[str, str] | None = None,
    schemas: Mapping[str, TableSchema] | None = None,
) -> Iterator[Batch]:  # fmt: skip
    """Read the raw files of a study, the years one after another and then what carries no year.

    Parameters
    ----------
    study : Study
    folder : pathlib.Path
        Folder of the raw files.
    elsewhere : mapping, optional
        Files that lie elsewhere: name → path.
    schemas : mapping, optional
        Standard table → its columns; by default those of the readings of the study. A rehearsal
        without some of the files has columns that only these would fill.

    Yields
    ------
    Batch
        In order. Two are read at a time, so at most three years are in memory.
    """
    made = {name: table_schema(name, readings) for name, readings in study.tables.items()}
    made |= schemas or {}
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[Future[Batch]] = deque()
        for jobs in _jobs(study):
            files = RawFiles(folder, study.tables, elsewhere or {}, study.sizes)
            waiting.append(pool.submit(partial(_read_batch, jobs, made, study, files)))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def read_table(
    name: str,
    readings: Sequence[Reading],
    folder: Path,
    years: Sequence[int],
    outcomes: Mapping[str, Outcome],
    unit: str = "school",
) -> tuple[pd.DataFrame, list[LogEntry]]:
    """Read all the files of one standard table into a frame.

    Returns
    -------
    table : DataFrame
        Sorted by year, outcome and the rest of the key, without repeats.
    log : list of LogEntry
        Every change.

    Raises
    ------
    Refusal
        With all the faults of all the files.
    """
    study = Study({name: readings}, outcomes, years, unit)
    batches = list(read_batches(study, folder))
    refuse(list(dict.fromkeys(fault for batch in batches for fault in batch.faults)))
    parts = [table for batch in batches for table in batch.tables[name]]
    frame = pa.concat_tables(parts).cast(table_schema(name, readings).stored).to_pandas()
    return frame, [entry for batch in batches for entry in batch.log]


_Job = tuple[str, Reading, str, int | None]


def _jobs(study: Study) -> Iterator[list[_Job]]:
    """Yield the files to be read together: table, reading, file, and the year in its name.

    A table is read year by year where the year is part of its key and of the name of every file.
    """
    by_year = [
        name for name, readings in study.tables.items()
        if "year" in key_of(name, study.unit) and all("{year}" in r["file"] for r in readings)
    ]  # fmt: skip
    every = [
        (name, reading, file, year)
        for name, readings in study.tables.items()
        for reading in readings
        for file, year in expand_years(reading, study.years)
    ]
    for year in study.years:
        jobs = [job for job in every if job[0] in by_year and job[3] == year]
        if jobs:
            yield jobs
    rest = [job for job in every if job[0] not in by_year]
    if rest:
        yield rest


def _read_batch(
    jobs: Sequence[_Job], schemas: Mapping[str, TableSchema], study: Study, files: RawFiles
) -> Batch:
    batch = Batch()
    parts: dict[str, list[Part]] = {name: [] for name, *_ in jobs}
    unsound: set[str] = set()
    for name, reading, file, year in jobs:
        try:
            part, logs, faults = read_part(name, reading, file, year, study, files)
        except Refusal as refusal:
            batch.faults.extend(refusal.faults)
            batch.unread.add(name)
            continue
        if faults:
            batch.faults.extend(faults)
            unsound.add(name)
        parts[name].append(part)
        batch.left_out.extend(part.left_out)
        for log in logs:
            batch.log.extend(log.entries)
            batch.changes.extend(log.changes)
    if not batch.unread & {"assignment", "schools"} and not _of_list(parts, batch.faults, study):
        refused = study.cleaning is None or study.cleaning["alike_identifiers"] == "refuse"
        batch.faults.extend(raw_list_faults(parts, study.unit, study.arms, alike_refused=refused))
    if "costs" not in unsound:
        batch.faults.extend(cost_arm_faults(parts, study.arms))
    for name, found in parts.items():
        if found:
            rows, faults = _put_together(found, schemas[name], key_of(name, study.unit))
            batch.tables[name] = rows
            if name not in unsound:  # else the same keys are at fault in a file already
                batch.faults.extend(faults)
            if faults:
                batch.unread.add(name)
    batch.files.extend(cells.without_cells() for cells in files.read())
    return batch


def _of_list(parts: Mapping[str, Sequence[Part]], faults: Sequence[Fault], study: Study) -> bool:
    """Return whether any of the faults is of the list's units or groups, or of one of its files."""
    decided = (study.unit, "arm", "school", "cohort")
    columns = {
        (part.cells.file, column) for name in ("assignment", "schools")
        for part in parts.get(name, ())
        for column in (None, *(part.raw[one] for one in decided if one in part.raw))
    }  # fmt: skip
    return any((fault.file, fault.column) in columns for fault in faults)


def _put_together(
    parts: Sequence[Part], schema: TableSchema, key: Sequence[str]
) -> tuple[list[pa.Table], list[Fault]]:
    """Return the rows of all the parts in the order of the key, a table per year and outcome."""
    if len(parts) == 1 and "year" not in key:
        return [schema.conformed(parts[0].table)], []
    if len(parts) == 1 and _one_year(parts[0].table):
        return _long(parts[0].table, schema), []  # a part is sorted, and has no key twice
    long = [_long(part.table, schema) for part in parts]
    table = pa.concat_tables(rows for of_part in long for rows in of_part)
    order = ordered(words(table, sorting(key)))
    if order.same.any():
        places = _places(parts, [len(of_part) for of_part in long])
        return [], key_faults(schema.name, key, table, order, places)
    table = table if order.rows is None else table.take(pa.array(order.rows))
    return _by_year(table) if "year" in key else [table], []


def _one_year(table: pa.Table) -> bool:
    years = table["year"]
    return len(years) == 0 or bool((years.to_numpy() == years[0].as_py()).all())


def _long(table: pa.Table, schema: TableSchema) -> list[pa.Table]:
    """Return a table per outcome where a part is wide; the rows of all keep the part's order."""
    wide = [name for name in schema.outcomes if name in table.column_names]
    if not wide:
        return [schema.conformed(table)]
    ends = ("", "_low", "_high")
    taken = {f"{name}{end}" for name in wide for end in ends}
    identity = table.drop_columns([name for name in table.column_names if name in taken])
    identity = schema.conformed(identity)
    return [
        schema.conformed(
            schema.with_outcome(identity, outcome),
            {
                f"value{end}": table[f"{outcome}{end}"]
                for end in ends
                if f"{outcome}{end}" in table.column_names
            },
        )
        for outcome in sorted(wide)
    ]


def _places(parts: Sequence[Part], times: Sequence[int]) -> Places:
    """Return the lines of rows in the files, those of each part being repeated some times."""
    found = [part.places() for part in parts]
    lines = [np.tile(place.line, n) for place, n in zip(found, times, strict=True)]
    number = [np.full(len(line), at) for at, line in enumerate(lines)]
    return Places(
        [place.files[0] for place in found],
        np.concatenate(number),
        np.concatenate(lines),
        {file: raw for place in found for file, raw in place.raw.items()},
    )


def _by_year(table: pa.Table) -> list[pa.Table]:
    """Split a table that is sorted by year."""
    years = table["year"].to_numpy()
    begins = np.append(True, years[1:] != years[:-1])[: len(years)]
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(years))[: len(starts)]
    return [table.slice(at, end - at) for at, end in zip(starts, ends, strict=True)]


def empty_table(name: str, unit: str = "school") -> pd.DataFrame:
    """Return a table without rows, for a study that has none of it."""
    return pd.DataFrame(columns=key_of(name, unit), dtype="str")
