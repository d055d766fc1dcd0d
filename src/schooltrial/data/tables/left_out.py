"""Rows that a reading leaves out before anything else of them is judged, and whose they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.cells.cleaning_log import CleaningLog
from schooltrial.data.cells.composed_columns import sources
from schooltrial.data.cells.text_columns import Mask, RawCells, Rows, TextColumn, plain
from schooltrial.data.cells.typed_columns import Arrays, ColumnReader
from schooltrial.data.files.raw_files import find_columns
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.content.column_map import KeyedFile
from schooltrial.protocol.content.filters import in_words, named_variables
from schooltrial.protocol.content.variables import ASSIGNED, NAMING
from schooltrial.refusal import Fault, Refusal

LEFT_OUT = ["table", "variable", "name", "year", "reason"]
"""Columns of the table of identifiers whose rows the protocol leaves out of the standard tables."""


EMPTY, FILTERED, SHARED = "empty", "not kept", "shared identifier"
"""Why a row is left out: what `keep_if_any` names is empty; `where` does not keep it; several rows
have its key, and `duplicate_keys` drops all of them."""


SHOWN_CONFLICTS = 5
"""Rows that a message shows of those that contradict the list."""


@dataclass(frozen=True)
class LeftOut:
    """Which rows of a file are left out.

    Attributes
    ----------
    empty : array of bool
        By `keep_if_any`.
    filtered : array of bool
        By `where`.
    unreadable : array of bool
        Of the latter, those of which a cell that the filter needs could not be read.
    """

    empty: Mask
    filtered: Mask
    unreadable: Mask

    @property
    def staying(self) -> Rows:
        """The rows that are read on."""
        return np.flatnonzero(~self.empty & ~self.filtered)


def deciding_variables(file: KeyedFile) -> list[str]:
    """Return the variables by which rows of a file are left out, each once."""
    return list(dict.fromkeys([*file["keep_if_any"], *named_variables(file["where"])]))


def judge_rows(
    file: KeyedFile, values: Arrays, reader: ColumnReader, raw: Mapping[str, str]
) -> LeftOut:
    """Return which rows a reading leaves out.

    A cell that cannot be read is not empty. A row that a filter would keep only for a value that
    cannot be read is not kept.

    Parameters
    ----------
    file : KeyedFile
        The section of the protocol: `keep_if_any` and `where`.
    values : dict of str to Array
        The variables that decide, as far as they can be read.
    reader : ColumnReader
        Of the file; it knows the cells at fault.
    raw : mapping
        Variable → raw column.

    Raises
    ------
    Refusal
        Where the filter asks for values of another kind than a column holds.
    """
    rows = reader.cells.rows
    faulty = {name: _at_fault(reader, column, rows) for name, column in raw.items()}
    no_row: Mask = np.zeros(rows, dtype=bool)
    empty = no_row
    if file["keep_if_any"]:
        empty = np.ones(rows, dtype=bool)
        for name in file["keep_if_any"]:
            empty = empty & _absent(values, name) & ~faulty.get(name, no_row)
    named = named_variables(file["where"])
    if not named:
        return LeftOut(empty, no_row, no_row)
    frame = pd.DataFrame({name: plain(values[name]).to_pandas() for name in named})
    try:
        kept = matches(frame, file["where"]).to_numpy(dtype=bool)
    except ValueError as error:
        expected, remedy = "values of the type of the column", "correct `where`, or the `type`"
        raise Refusal([Fault(reader.log.file, str(error), expected, remedy)]) from error
    bad = np.logical_or.reduce([faulty.get(name, no_row) for name in named])
    return LeftOut(empty, ~kept & ~empty, ~kept & ~empty & bad)


def _at_fault(reader: ColumnReader, column: str, rows: int) -> Mask:
    marked: Mask = np.zeros(rows, dtype=bool)
    for found in reader.faulty.get(column, []):
        marked[found] = True
    return marked


def _absent(values: Arrays, name: str) -> Mask:
    """Return which rows have no value, nor a bound of one."""
    parts = [values[part] for part in (name, f"{name}_low", f"{name}_high") if part in values]
    absent = np.ones(len(parts[0]), dtype=bool)
    for part in parts:
        absent &= pc.is_null(plain(part)).to_numpy(zero_copy_only=False)
    return absent


def left_out_conflicts(
    key: Sequence[str], values: Arrays, leaving: Mask, staying: Rows, reader: ColumnReader,
    raw: Mapping[str, str],
) -> Iterator[Fault]:  # fmt: skip
    """Yield units of the allocation list that a row which is left out assigns to something else.

    A list that names a unit in two groups is not made right by leaving one of its rows out.

    Parameters
    ----------
    key : sequence of str
        Variables that name a unit.
    values : dict of str to Array
        The variables of all rows.
    leaving : array of bool
        The rows that are left out, and that may contradict.
    staying : array of int
        The rows that are kept.
    reader : ColumnReader
    raw : mapping
        Variable → raw column.
    """
    if not leaving.any() or any(name not in values for name in key):
        return
    names = [name for name in ASSIGNED if name in values]
    frame = pd.DataFrame({n: plain(values[n]).to_pandas().astype("str") for n in [*key, *names]})
    known = {n: ~pc.is_null(plain(values[n])).to_numpy(zero_copy_only=False) for n in names}
    kept = frame.iloc[staying].assign(_row=staying).drop_duplicates(list(key))
    gone = np.flatnonzero(leaving)
    both = frame.iloc[gone].assign(_row=gone).merge(kept, on=list(key), suffixes=("", "_kept"))
    shown = 0
    for row in both.to_dict("records"):
        at, other = int(row["_row"]), int(row["_row_kept"])
        for name in names:
            if not (known[name][at] and known[name][other]) or row[name] == row[f"{name}_kept"]:
                continue
            shown += 1
            if shown <= SHOWN_CONFLICTS:
                line, kept_line = (int(n) for n in reader.cells.line(np.array([at, other])))
                who = " and ".join(f"{part} {row[part]}" for part in key)
                fault = Fault(
                    reader.log.file,
                    f"{who} has the {name} {row[name]!r} in this row, which is left out, and "
                    f"{row[f'{name}_kept']!r} in row {kept_line}",
                    f"one {name} for each {' and '.join(key)}",
                    "correct the allocation list, as its randomisation record or its keeper says",
                    row=line, column=raw.get(name),
                )  # fmt: skip
                yield fault
    if shown > SHOWN_CONFLICTS:
        left = shown - SHOWN_CONFLICTS
        yield replace(fault, found=f"the same error in {left:,} more rows", row=None, rows=left)


def log_rows(left: LeftOut, file: KeyedFile, log: CleaningLog, cells: RawCells) -> None:
    """Log each row that is left out; of those that `keep_if_any` leaves out, what they held.

    Parameters
    ----------
    left : LeftOut
    file : KeyedFile
    log : CleaningLog
    cells : RawCells
        The whole file.
    """
    rows = np.flatnonzero(left.empty)
    if len(rows):
        found, _ = find_columns(cells, sources(file["columns"]))
        held = rows_as_json({raw: cells.columns[raw] for raw in found.values()}, rows)
        rule = f"rows left out: {' and '.join(file['keep_if_any'])} empty"
        log.rows(rule, cells.line(rows), held, "")
    rows = np.flatnonzero(left.filtered)
    if len(rows):
        rule = f"rows left out: `where` keeps those of which {in_words(file['where'])}"
        log.rows(rule, cells.line(rows), "", "")
    odd = np.flatnonzero(left.unreadable)
    if len(odd):
        rule = "rows left out: a cell that `where` needs cannot be read"
        log.note("", rule, len(odd), f"row {cells.line(odd[:1])[0]}")


def rows_as_json(columns: Mapping[str, TextColumn], rows: Rows) -> pa.Array:
    """Return what rows held in some columns, so that they can be put back."""
    held = {raw: column.cells(rows).to_pylist() for raw, column in columns.items()}
    texts = [
        json.dumps(dict(zip(held, row, strict=True)), ensure_ascii=False)
        for row in zip(*held.values(), strict=True)
    ]
    return pa.array(texts, pa.string())


def keys_left_out(
    table: str, key: Sequence[str], values: Mapping[str, pa.Array], rows: Rows, reason: str
) -> pd.DataFrame:
    """Return the identifiers of rows that are left out, a row for each.

    Parameters
    ----------
    table : str
        The standard table.
    key : sequence of str
        What identifies its rows.
    values : mapping
        Variables of the rows of the file, as far as they can be read.
    rows : array of int
    reason : str
        ``EMPTY``, ``FILTERED`` or ``SHARED``.
    """
    year = values.get("year")
    chosen = pa.array(rows)
    parts = []
    for name in [name for name in key if name in NAMING and name in values]:
        found = plain(values[name]).take(chosen)
        frame = pd.DataFrame(
            {
                "table": table,
                "variable": name,
                "name": pd.Series(found.cast(pa.string()).to_pandas(), dtype="str"),
                "year": pd.array([pd.NA] * len(rows), dtype="Int64")
                if year is None
                else pd.array(plain(year).take(chosen).to_pandas(), dtype="Int64"),
                "reason": reason,
            }
        )
        parts.append(frame.dropna(subset="name"))
    return all_left_out(parts)


def all_left_out(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several such tables as one; without rows if there is none."""
    filled = [part for part in parts if len(part)]
    if filled:
        return pd.concat(filled, ignore_index=True)
    types = dict.fromkeys(LEFT_OUT, "str") | {"year": "Int64"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
