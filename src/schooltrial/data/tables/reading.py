"""Read one raw file by the column map of the protocol: cells become the variables of a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.cells.cleaning_log import CleaningLog
from schooltrial.data.cells.composed_columns import compose, sources
from schooltrial.data.cells.identifiers import PERSONS
from schooltrial.data.cells.suppression import ENDS
from schooltrial.data.cells.text_columns import Mask, RawCells, mask, plain
from schooltrial.data.cells.typed_columns import (
    SHOWN_PER_COLUMN,
    Arrays,
    ColumnReader,
    DateLimit,
    Limits,
    out_of_range,
    out_of_range_rule,
)
from schooltrial.data.files.raw_files import RawFiles, find_columns
from schooltrial.data.layout.notes_below import SUGGESTED
from schooltrial.data.tables.joins import Side, join, one_row_per_key
from schooltrial.data.tables.keys import (
    ALL_OR_NONE,
    FILLED,
    MEASURED,
    NEEDED,
    OF_LIST,
    key_of,
)
from schooltrial.data.tables.left_out import (
    EMPTY,
    FILTERED,
    deciding_variables,
    judge_rows,
    keys_left_out,
    left_out_conflicts,
    log_rows,
)
from schooltrial.data.tables.parts import Part, settled
from schooltrial.protocol.content.column_map import (
    SIZES,
    Column,
    JoinedFile,
    KeyedFile,
    RawFile,
    Reading,
    SizeLimits,
    Tables,
)
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.sections import Cleaning, Outcome
from schooltrial.protocol.content.variables import ASSIGNED, YEARS
from schooltrial.refusal import Fault, refuse

NEAR_THE_END = 10
"""Rows at the end of a table that may be notes rather than data."""


NOTES_RULE = "notes below the table left out"


@dataclass(frozen=True)
class Study:
    """What of a protocol decides how raw files are read.

    Attributes
    ----------
    tables, outcomes, cleaning : mapping
        Sections of the protocol.
    years : sequence of int
        Years of the study; rows of other years are refused.
    unit : str
        What was assigned: school, teacher or pupil.
    arms : sequence of str
        Groups of the design; the list is held against them where there are any.
    sizes : mapping
        Section of the protocol: how large files, lines and tables may be.
    """

    tables: Tables
    outcomes: Mapping[str, Outcome]
    years: Sequence[int]
    unit: str = "school"
    cleaning: Cleaning | None = None
    arms: Sequence[str] = ()
    sizes: SizeLimits = field(default_factory=lambda: SIZES)

    def date_limit(self) -> DateLimit | None:
        """Return the last day that a date can have, where one is declared."""
        if not self.cleaning or not self.cleaning["latest_date"]:
            return None
        latest = pd.Timestamp(self.cleaning["latest_date"])
        return DateLimit(latest, self.cleaning["future_dates"] == "refuse")

    def last_year(self) -> int:
        """Return the last year that two digits can mean: of `latest_date`, or after the study.

        The year after the last one is taken too, as a school year may bear the name of its first.
        """
        limit = self.date_limit()
        return limit.latest.year if limit is not None else max(self.years, default=2067) + 1

    def limits(self, outcome: str) -> Limits | None:
        """Return the range of an outcome, if it has one."""
        declared = self.outcomes.get(outcome)
        if declared is None or declared["range"] is None:
            return None
        low, high = declared["range"]
        return Limits(outcome, low, high, declared["out_of_range"] == "refuse")


def read_part(
    name: str, reading: Reading, file: str, year: int | None, study: Study, files: RawFiles
) -> tuple[Part, list[CleaningLog], list[Fault]]:
    """Read one file into rows of a table, sorted by their key, each key once.

    Parameters
    ----------
    name : str
        The standard table.
    reading : mapping
        How the file is read: a section of the protocol.
    file : str
    year : int or None
        The year that the file's name, or its reading, carries.
    study : Study
    files : RawFiles

    Returns
    -------
    part : Part
        Of a wide file, one row per row of the file; its outcomes are columns.
    logs : list of CleaningLog
        Of the file, and of each that was joined to it.
    faults : list of Fault
        Of cells and rows, also of files joined to it. Where there are any, the cells at fault are
        missing and the part serves for nothing but to find other faults.

    Raises
    ------
    Refusal
        With all the faults of the file, and of those joined to it, where its rows have no whole
        key.
    """
    outcomes = reading["outcomes"]
    wanted = {**reading["columns"], **outcomes}
    key = [n for n in key_of(name, study.unit) if not (n == "outcome" and outcomes)]
    filled = frozenset(variable for joined in reading["join"] for variable in joined["fill"])

    def with_joined(reader: ColumnReader, raw: Mapping[str, str], values: Arrays) -> Joined:
        return _all_joined(name, reading, year, study, files, Side(reader, raw, values))

    opened = _opened(
        name, reading, _optional(wanted, filled), file, year, key, study, files, outcomes,
        with_joined,
    )  # fmt: skip
    reader, raw = opened.reader, opened.raw
    joined = with_joined(reader, raw, opened.values)
    values, logs = joined.values, [reader.log, *(one.log for one in joined.readers)]
    reader.faults += [
        fault
        for variable in wanted
        if variable in filled
        for fault in _still_missing(name, variable, wanted[variable], key, values, reader, raw)
    ]
    faults = [fault for one in joined.readers for fault in one.faults] + joined.faults
    values = _observed(values, wanted, reader, raw)
    if name in MEASURED and not outcomes:
        values = _by_outcome(values, reader, raw, study)
    for part_of_key, text in FILLED.get(name, {}).items():
        values[part_of_key] = _filled(values.get(part_of_key), text, reader.cells.rows)
    given = {variable: column for variable, column in raw.items() if variable not in filled}
    reader.faults += _empty_keys(name, key, values, given, wanted, reader)
    faults = [*reader.faults, *faults]
    if any(variable not in values or values[variable].null_count for variable in key):
        refuse(faults)
    part = Part(name, key, pa.table(values), reader.cells, np.arange(reader.cells.rows), raw)
    part, more = settled(replace(part, left_out=opened.left_out), reading, reader.log)
    return part, logs, [*faults, *more]


@dataclass(frozen=True)
class Opened:
    """The columns of a file, of the rows that the reading does not leave out.

    Attributes
    ----------
    reader : ColumnReader
    raw : mapping
        Variable → raw column.
    values : dict of str to Array
    left_out : tuple of DataFrame
        Whose rows were left out; see `keys_left_out`.
    """

    reader: ColumnReader
    raw: Mapping[str, str]
    values: Arrays
    left_out: tuple[pd.DataFrame, ...] = ()


@dataclass(frozen=True)
class Joined:
    """The variables of a file and of those joined to it, and what was found on the way."""

    values: Arrays
    readers: list[ColumnReader] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


WithJoined = Callable[[ColumnReader, Mapping[str, str], Arrays], Joined]


def _opened(
    name: str, spec: KeyedFile, wanted: Mapping[str, Column], file: str, year: int | None,
    key: Sequence[str], study: Study, files: RawFiles, outcomes: Collection[str] = (),
    with_joined: WithJoined | None = None,
) -> Opened:  # fmt: skip
    """Read the columns of a file; rows that it leaves out are left out before they are judged."""
    cells, deciding = files.cells(file, spec), deciding_variables(spec)
    if not deciding:
        reader, raw, values = _columns(name, spec, wanted, study, cells, outcomes)
        return Opened(reader, raw, _with_year(values, reader, raw, year, study.years))
    needed = wanted
    if set(deciding) <= {*wanted, "year"}:  # else they come from a joined file
        facts = ASSIGNED if name == "assignment" else ()
        needed = {v: s for v, s in wanted.items() if v in {*deciding, *key, *facts, "year"}}
    needed = _optional(needed, needed)  # an empty cell is no fault before it is kept
    reader, raw, values = _columns(name, spec, needed, study, cells, outcomes)
    values = _with_year(values, reader, raw, year, study.years)
    if with_joined is not None and not set(deciding) <= set(values):
        values = with_joined(reader, raw, values).values
    values = _observed(values, needed, reader, raw)
    left = judge_rows(spec, values, reader, raw)
    if name == "assignment" and key:
        chosen = left.empty
        if set(ASSIGNED) & set(named_variables(spec["where"])):
            chosen = chosen | left.filtered
        refuse(list(left_out_conflicts(key, values, chosen, left.staying, reader, raw)))
    out = tuple(
        keys_left_out(name, key, values, np.flatnonzero(rows), reason)
        for rows, reason in ((left.empty, EMPTY), (left.filtered, FILTERED))
        if key
    )
    reader, raw, values = _columns(name, spec, wanted, study, cells.take(left.staying), outcomes)
    log_rows(left, spec, reader.log, cells)
    return Opened(reader, raw, _with_year(values, reader, raw, year, study.years), out)


def _optional(wanted: Mapping[str, Column], filled: Collection[str]) -> dict[str, Column]:
    """Return how columns are read, those that a joined file fills being allowed to be empty."""
    return {
        name: {**spec, "required": spec["required"] and name not in filled}
        for name, spec in wanted.items()
    }


def _observed(
    values: Arrays, wanted: Mapping[str, Column], reader: ColumnReader, raw: Mapping[str, str]
) -> Arrays:
    """Return the variables with placeholders of some years set to missing."""
    placed = {
        variable: _not_observed(values, variable, spec, reader, raw[variable])
        for variable, spec in wanted.items()
        if spec["placeholder_years"] and "year" in values
    }
    return {**values, **placed}


def _still_missing(
    name: str, variable: str, spec: Column, key: Sequence[str], values: Arrays,
    reader: ColumnReader, raw: Mapping[str, str],
) -> list[Fault]:  # fmt: skip
    """Name the rows in which neither the file nor a joined one has a value that is needed."""
    if not (spec["required"] or variable in {*key, *NEEDED.get(name, ())}):
        return []
    rows = np.flatnonzero(pc.is_null(plain(values[variable])).to_numpy(zero_copy_only=False))
    judge = ColumnReader(reader.cells, reader.log, reader.reading)
    judge.fault_rows(
        raw[variable], rows, "a value in every row, here or in a joined file",
        "fill the cell, or filter the row by `where`",
        f"no {variable!r}, here or in a joined file",
    )  # fmt: skip
    return judge.faults


def _columns(
    name: str, reading: RawFile, wanted: Mapping[str, Column], study: Study, cells: RawCells,
    outcomes: Collection[str],
) -> tuple[ColumnReader, dict[str, str], Arrays]:  # fmt: skip
    """Read the columns of a file that a reading names, outcomes of a wide file among them."""
    wanted = {variable: _whole(variable, spec) for variable, spec in wanted.items()}
    found, faults = find_columns(cells, sources(wanted))
    refuse(faults)
    persons = sources({name: spec for name, spec in wanted.items() if name in PERSONS})
    log = CleaningLog(name, cells.file, frozenset(found[name] for name in persons))
    if cells.notes:
        lines, texts = zip(*cells.notes, strict=True)
        log.rows(NOTES_RULE, np.array(lines), pa.array(texts, pa.string()), "")
    reader = ColumnReader(cells, log, reading, study.date_limit(), study.last_year())
    raw = compose(reader, wanted, found)
    values: Arrays = {}
    for variable, column in raw.items():
        limits = study.limits(variable) if variable in outcomes else None
        read = reader.read(variable, column, wanted[variable], limits)
        by_row = variable in key_of(name, study.unit) or variable in (*YEARS, "value")
        values |= {n: plain(v) for n, v in read.items()} if by_row else read
    return reader, raw, values


def _whole(variable: str, spec: Column) -> Column:
    """Return how a variable is read: years are whole numbers, whatever type is declared."""
    return {**spec, "type": "integer"} if variable in YEARS else spec


def _all_joined(
    name: str, reading: Reading, year: int | None, study: Study, files: RawFiles, main: Side
) -> Joined:
    """Join further files to the rows of one, in their order."""
    values, readers, faults = dict(main.values), [], []
    for spec in reading["join"]:
        for file, of_year in _joined_files(spec, year, study.years):
            side = replace(main, values=values)
            right, more = _joined(name, spec, file, of_year, study, files)
            readers.append(right.reader)
            faults += more
            cleaning = study.cleaning
            refused = cleaning is None or cleaning["alike_identifiers"] == "refuse"
            added, more = join(side, right, spec, of_year, alike_refused=refused)
            faults += more
            values |= added
    return Joined(values, readers, faults)


def _joined_files(
    spec: JoinedFile, year: int | None, years: Sequence[int]
) -> list[tuple[str, int | None]]:
    """Return the files of a join, with the year that each is of, where that is known."""
    if "{year}" not in spec["file"]:
        return [(spec["file"], spec["year"])]
    of = list(years) if year is None else [year]
    return [(spec["file"].replace("{year}", str(one)), one) for one in of]


def _joined(
    name: str, spec: JoinedFile, file: str, year: int | None, study: Study, files: RawFiles
) -> tuple[Side, list[Fault]]:
    """Read a joined file, each key once."""
    opened = _opened(name, spec, spec["columns"], file, year, (), study, files)
    values = _observed(opened.values, spec["columns"], opened.reader, opened.raw)
    if "year" not in spec["on"]:
        values = {variable: held for variable, held in values.items() if variable != "year"}
    side = Side(opened.reader, opened.raw, values)
    if opened.reader.faults:
        return side, []  # what shares its key may be a cell at fault
    return one_row_per_key(side, spec, OF_LIST if name == "assignment" else "joined file")


MANY_OTHER_YEARS = 0.05
"""Share of rows of other years than the stated one, above which the column is hardly wrong."""


def _with_year(
    values: Arrays, reader: ColumnReader, raw: Mapping[str, str], year: int | None,
    years: Sequence[int],
) -> Arrays:  # fmt: skip
    """Return the variables with the year in the file's name, or compare the column with it."""
    if "year" not in values:
        if year is None:
            return values
        return {**values, "year": pa.array(np.full(reader.cells.rows, year, dtype=np.int64))}
    allowed = list(years) if year is None else [year]
    odd = pc.invert(pc.is_in(values["year"], pa.array(allowed, pa.int64())))
    rows = np.flatnonzero(mask(pc.and_(odd, pc.is_valid(values["year"]))))
    if year is None:
        expected = "a year of the protocol: " + ", ".join(map(str, years))
        remedy = "add the year under `years`, or filter the rows by `where`"
    else:
        expected = f"{year}, the year in the file name or in `year`"
        delete = (
            f"delete `year` of this file in the protocol, or write the file name without {{year}}: "
            f"the column {raw['year']!r} gives the year of each row"
        )
        correct = "correct the cell, the file name, or `year` in the protocol"
        many = len(rows) > MANY_OTHER_YEARS * reader.cells.rows
        remedy = f"{delete}. Or {correct}" if many else f"{correct}; or {delete}"
    reader.fault_rows(raw["year"], rows, expected, remedy)
    return values


def _not_observed(
    values: Arrays, variable: str, spec: Column, reader: ColumnReader, raw: str
) -> pa.Array:
    """Set placeholders of years without a measurement to missing."""
    given = plain(values[variable])
    then = pc.is_in(values["year"], pa.array(spec["placeholder_years"], pa.int64()))
    where = pc.and_(then, pc.is_valid(given))
    rule = "placeholder of that year set to missing"
    reader.changed(raw, rule, np.flatnonzero(mask(where)))
    return pc.if_else(where, pa.scalar(None, given.type), given)


def _by_outcome(
    values: Arrays, reader: ColumnReader, raw: Mapping[str, str], study: Study
) -> Arrays:
    """Compare each score of a long file with the range of its outcome."""
    if "outcome" not in values or "value" not in values:
        return values
    outcome = values["outcome"]
    if not pa.types.is_dictionary(outcome.type):
        outcome = outcome.dictionary_encode()
    codes = outcome.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    levels = outcome.dictionary.to_pylist()
    numbers = values["value"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    outside: Mask = np.zeros(len(numbers), dtype=bool)
    for level in [name for name in levels if name not in study.outcomes]:
        rows = np.flatnonzero(codes == levels.index(level))
        remedy = "declare it under `outcomes`, or correct its code"
        expected = "one of " + ", ".join(study.outcomes)
        reader.fault_rows(raw["outcome"], rows, expected, remedy, f"the outcome {level!r}")
    for number, limits in _limits(levels, study):
        rows = codes == number
        beyond = rows & ((numbers < limits.low) | (numbers > limits.high))
        if limits.refused:
            reader.fault_rows(raw["value"], np.flatnonzero(beyond), *out_of_range(limits))
        else:
            reader.changed(raw["value"], out_of_range_rule(limits), np.flatnonzero(beyond))
        outside |= beyond
        for bound in (values[name] for name in ENDS if name in values):
            end = bound.to_numpy(zero_copy_only=False)
            odd = rows & np.isfinite(end) & ((end < limits.low) | (end > limits.high))
            reader.fault_rows(raw["value"], np.flatnonzero(odd), *out_of_range(limits))
        values = _open_ends(values, rows, limits)
    if outside.any():
        missing = pa.scalar(None, values["value"].type)
        values = {**values, "value": pc.if_else(pa.array(outside), missing, values["value"])}
    return values


def _limits(levels: Sequence[str], study: Study) -> Iterator[tuple[int, Limits]]:
    for number, level in enumerate(levels):
        limits = study.limits(level)
        if limits is not None:
            yield number, limits


def _open_ends(values: Arrays, rows: Mask, limits: Limits) -> Arrays:
    """Fill the open ends of suppressed cells from the range of the outcome."""
    for end, limit, open_ in (("low", limits.low, -np.inf), ("high", limits.high, np.inf)):
        bound = values.get(f"value_{end}")
        if bound is not None:
            numbers: npt.NDArray[np.float64] = bound.to_numpy(zero_copy_only=False)
            filled = np.where(rows & (numbers == open_), limit, numbers)
            values = {**values, f"value_{end}": pa.array(filled, from_pandas=True)}
    return values


def _filled(given: pa.Array | None, text: str, rows: int) -> pa.Array:
    """Return a part of the key that a file may lack, or leave empty where nothing distinguishes."""
    if given is None:
        codes = pa.array(np.zeros(rows, dtype=np.int32))
        return pa.DictionaryArray.from_arrays(codes, pa.array([text]))
    plain = given.cast(pa.string()) if pa.types.is_dictionary(given.type) else given
    return (plain if text else plain.fill_null("")).dictionary_encode()


def _empty_keys(
    name: str, key: Sequence[str], values: Arrays, raw: Mapping[str, str],
    wanted: Mapping[str, Column], reader: ColumnReader,
) -> list[Fault]:  # fmt: skip
    """Name the empty cells that may not be empty, except those of required columns."""
    faults = []
    together = ALL_OR_NONE.get(name, ())
    optional = [part for part, text in FILLED.get(name, {}).items() if text == ""]
    optional = [part for part in optional if part not in together]
    whole = dict.fromkeys([*key, *NEEDED.get(name, ())])
    for part in [part for part in whole if part in raw and part not in optional]:
        if wanted[part]["required"] or not _perhaps_empty(values[part]):
            continue
        column = reader.cells.columns[raw[part]].distinct()
        absent = pd.Series(column.texts.to_pandas(), dtype="str").str.strip()
        empty = reader.not_observed(absent, _whole(part, wanted[part])).absent
        if "" not in wanted[part]["codes"]:
            empty = empty | (absent == "").to_numpy(dtype=bool)
        if not empty.any() or (part in together and empty.all()):
            continue
        found = "the cell is empty or missing, but " + (
            f"{part!r} is part of the key of {name}"
            if part in key
            else f"no row of {name} may lack {part!r}"
        )
        rows = column.holds(empty)
        faults += [
            Fault(
                reader.log.file, found, "a value in every row", _row_remedy(reader.cells, int(row)),
                row=int(reader.cells.line(np.array([row]))[0]), column=raw[part],
            )
            for row in rows[:SHOWN_PER_COLUMN]
        ]  # fmt: skip
        left = len(rows) - SHOWN_PER_COLUMN
        if left > 0:
            more = f"the same error in {left:,} more rows"
            faults.append(replace(faults[-1], found=more, row=None, rows=left))
    return faults


def _row_remedy(cells: RawCells, row: int) -> str:
    """Say what to do with a row that lacks its key; near the end of a table it may be a note."""
    fill = "fill the cell, or filter such rows by `keep_if_any` or `where`"
    return f"{SUGGESTED}; otherwise {fill}" if row >= cells.rows - NEAR_THE_END else fill


def _perhaps_empty(values: pa.Array) -> bool:
    """Return whether a cell without text, or with a code for *not observed*, may be among these."""
    if values.null_count:
        return True
    texts = values.dictionary if pa.types.is_dictionary(values.type) else values
    return pa.types.is_string(texts.type) and pc.any(pc.equal(texts, "")).as_py() is True
