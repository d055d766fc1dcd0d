"""The rows of one raw file on their way into a standard table, and those that leave on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.cells.cleaning_log import CleaningLog
from schooltrial.data.cells.text_columns import RawCells, plain, taken
from schooltrial.data.tables.keys import (
    OF_LIST,
    Order,
    Places,
    key_faults,
    ordered,
    rows_in_conflict,
    sorting,
    words,
)
from schooltrial.data.tables.left_out import SHARED, keys_left_out, rows_as_json
from schooltrial.protocol.content.column_map import DuplicateKeys, KeyedFile
from schooltrial.protocol.content.variables import ASSIGNED
from schooltrial.refusal import Fault

SHOWN_ROWS = 5


DROP_ALL = "drop_all"
"""What `duplicate_keys` says where no row of several with one key is kept."""


Positions = npt.NDArray[np.int64]


Group = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Rows that one file gives to a table.

    Attributes
    ----------
    name : str
        The standard table.
    key : list of str
        What identifies a row here; of a wide file, the key without the outcome.
    table : Table
        Typed values by variable.
    cells : RawCells
        The file.
    at : array of int
        For each row, its number among the rows of the file.
    raw : mapping
        Variable → name of its column in the file.
    left_out : tuple of DataFrame
        Whose rows were left out; see `keys_left_out`.
    """

    name: str
    key: list[str]
    table: pa.Table
    cells: RawCells
    at: Positions
    raw: Mapping[str, str]
    left_out: tuple[pd.DataFrame, ...] = ()

    def take(self, rows: Positions | None) -> Part:
        """Return the part with some of its rows, in the order given; all of them if None."""
        if rows is None:
            return self
        columns = {
            name: taken(column.combine_chunks(), rows)
            for name, column in zip(self.table.column_names, self.table.columns, strict=True)
        }
        return replace(self, table=pa.table(columns), at=self.at[rows])

    def lines(self, rows: Positions) -> Positions:
        """Return the lines of the file of some of the rows."""
        return self.cells.line(self.at[rows])

    def places(self) -> Places:
        """Return the lines of the rows in the file."""
        file = np.zeros(len(self.at), dtype=np.int64)
        raw = {self.cells.file: self.raw}
        return Places([self.cells.file], file, self.cells.line(self.at), raw)


def settled(
    part: Part, reading: KeyedFile, log: CleaningLog
) -> tuple[Part, list[Fault]]:  # fmt: skip
    """Return a part sorted by its key, with each key once, and why it cannot be.

    Rows that repeat another to the letter, facts that are repeated on many rows, and rows that
    share a key and differ are dealt with as the reading says; each row that leaves is logged.
    """
    by = sorting(part.key)
    order = ordered(words(part.table, by))
    faults: list[Fault] = []
    if order.same.any():
        part, faults = _without_repeats(part, order, reading, log)
        order = ordered(words(part.table, by))
    if order.same.any():
        faults += key_faults(part.name, part.key, part.table, order, part.places())
    return part.take(order.rows), faults


def _without_repeats(
    part: Part, order: Order, reading: KeyedFile, log: CleaningLog
) -> tuple[Part, list[Fault]]:
    faults: list[Fault] = []
    rows = np.sort(order.repeated())
    if reading["collapse_repeats"]:
        kept = _first_alike(_facts(part, rows, part.table.column_names))
        rule = "repeated rows: one was kept"
        return _leave(part, rows, kept, rule, log), faults
    kept = _first_alike(_texts(part, rows))
    if reading["duplicate_rows"] == "refuse":
        faults = _identical_faults(part, rows[kept != np.arange(len(rows))])
    part = _leave(part, rows, kept, "identical rows: one was kept", log)
    if reading["duplicate_keys"] == "refuse" or faults:
        return part, faults
    if part.name not in ("assignment", OF_LIST):
        return _one_per_key(part, reading["duplicate_keys"], log)
    # No rule may choose what a unit was assigned to: such rows stay, and their keys are refused.
    conflict = _in_conflict(part)
    found, faults = _one_per_key(
        part.take(np.flatnonzero(~conflict)), reading["duplicate_keys"], log
    )
    staying = part.take(np.flatnonzero(conflict | np.isin(part.at, found.at)))
    return replace(staying, left_out=found.left_out), faults


def _one_per_key(
    part: Part, rule: str | DuplicateKeys, log: CleaningLog
) -> tuple[Part, list[Fault]]:  # fmt: skip
    if rule == DROP_ALL:
        return _without_shared(part, log), []
    return _resolved(part, rule, log)


def _in_conflict(part: Part) -> npt.NDArray[np.bool_]:
    """Return which rows of the allocation list contradict another of the same unit."""
    names = [name for name in ASSIGNED if name in part.table.column_names]
    facts = _facts(part, np.arange(len(part.at)), names)
    return rows_in_conflict(facts, ordered(words(part.table, part.key)))


def _without_shared(part: Part, log: CleaningLog) -> Part:
    """Leave out all rows that share a key: nobody can tell which of them is whose."""
    rows = np.sort(ordered(words(part.table, part.key)).repeated())
    if len(rows) == 0:
        return part
    rule = "rows with the same key: all were left out"
    log.rows(rule, part.lines(rows), _as_json(part, rows), "")
    columns = dict(zip(part.table.column_names, part.table.columns, strict=True))
    arrays = {name: column.combine_chunks() for name, column in columns.items()}
    shared = keys_left_out(part.name, part.key, arrays, rows, SHARED)
    return replace(_without(part, rows), left_out=(*part.left_out, shared))


def _leave(part: Part, rows: Positions, kept: Positions, rule: str, log: CleaningLog) -> Part:
    """Remove rows replaced by another one; `kept` gives its place among `rows`."""
    leaving = kept != np.arange(len(rows))
    if not leaving.any():
        return part
    stands = [f"row {line}" for line in part.lines(rows[kept[leaving]])]
    log.rows(rule, part.lines(rows[leaving]), "", pa.array(stands, pa.string()))
    return _without(part, rows[leaving])


def _without(part: Part, rows: Positions) -> Part:
    staying = np.ones(len(part.at), dtype=bool)
    staying[rows] = False
    return part.take(np.flatnonzero(staying))


def _identical_faults(part: Part, rows: Positions) -> list[Fault]:
    remedy = "set `duplicate_rows: keep_one`, or delete the rows"
    found, expected = "this row is identical to an earlier row", "each row once"
    file = part.cells.file
    faults = [
        Fault(file, found, expected, remedy, row=int(line))
        for line in part.lines(rows[:SHOWN_ROWS])
    ]
    if len(rows) > SHOWN_ROWS:
        left = len(rows) - SHOWN_ROWS
        found = f"{left:,} more rows are identical to an earlier row"
        faults.append(Fault(file, found, expected, remedy, rows=left))
    return faults


def _resolved(part: Part, rule: str | DuplicateKeys, log: CleaningLog) -> tuple[Part, list[Fault]]:
    """Keep one of the rows that share a key and differ, by the rule that the protocol declares."""
    which, by = ("largest", rule) if isinstance(rule, str) else (rule["keep"], rule["by"])
    if which in ("largest", "smallest") and by not in part.table.column_names:
        return part, [_no_such_column(part, by)]
    order = ordered(words(part.table, part.key))
    rows = order.repeated()
    if len(rows) == 0:
        return part, []
    group = _groups_of(order)
    rank = _ranked(part, rows, which, by)
    best = np.lexsort((rows, rank, group))
    first = np.append(True, group[best][1:] != group[best][:-1])
    stands = rows[best[first]][group[best[~first]]]
    leaving = rows[best[~first]]
    told = np.argsort(leaving)
    leaving, stands = leaving[told], stands[told]
    words_ = {"largest": f"one with most {by}", "smallest": f"one with least {by}"}.get(
        which, f"{which} one"
    )
    kept = pa.array([f"row {line} was kept" for line in part.lines(stands)], pa.string())
    log.rows(
        f"rows with the same key: the {words_} was kept", part.lines(leaving),
        _as_json(part, leaving), kept,
    )  # fmt: skip
    return _without(part, leaving), []


def _no_such_column(part: Part, by: str | None) -> Fault:
    return Fault(
        part.cells.file, f"`duplicate_keys` names {by!r}, which is not read",
        "one of " + ", ".join(part.raw), "also read that column", column=by,
    )  # fmt: skip


def _groups_of(order: Order) -> Group:
    """Return for each repeated row, in the order of keys, the number of its key."""
    shared = np.append(False, order.same) | np.append(order.same, False)
    begins = ~np.append(False, order.same)
    return np.cumsum(begins[shared]) - 1


def _ranked(part: Part, rows: Positions, which: str, by: str | None) -> npt.NDArray[np.float64]:
    """Return numbers of which the least is kept; a missing value is kept last."""
    if which in ("first", "last"):
        return (rows if which == "first" else -rows).astype(np.float64)
    values = plain(part.table[by]).take(pa.array(rows)).combine_chunks()
    ascending = "ascending" if which == "smallest" else "descending"
    ranks = pc.rank(values, sort_keys=ascending, tiebreaker="min")
    found: npt.NDArray[np.float64] = ranks.to_numpy().astype(np.float64)
    return found


def _as_json(part: Part, rows: Positions) -> pa.Array:
    """Return what rows held in the columns that were read, so that they can be put back."""
    columns = {raw: part.cells.columns[raw] for raw in part.raw.values()}
    return rows_as_json(columns, part.at[rows])


def _first_alike(columns: Sequence[npt.NDArray[np.integer]]) -> Positions:
    """Return for each row the first one that is the same in every column."""
    group = np.zeros(len(columns[0]), dtype=np.int64)
    for codes in columns:
        span = int(codes.max()) + 2
        group = np.unique(group * span + codes + 1, return_inverse=True)[1]
    first: Positions = np.unique(group, return_index=True)[1]
    return first[group]


def _texts(part: Part, rows: Positions) -> list[npt.NDArray[np.integer]]:
    """Return numbers for the raw texts of every column of the file that has a name."""
    named = [key for key in part.cells.columns if key not in part.cells.nameless]
    columns = [part.cells.columns[key].take(part.at[rows]) for key in named]
    return [column.distinct().row_numbers() for column in columns]


def _facts(
    part: Part, rows: Positions, names: Sequence[str]
) -> list[npt.NDArray[np.integer]]:  # fmt: skip
    """Return numbers for the typed values of some columns; missing values are alike."""
    return [_codes(plain(part.table[name]).take(pa.array(rows)).combine_chunks()) for name in names]


def _codes(values: pa.Array) -> npt.NDArray[np.integer]:
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    found: npt.NDArray[np.integer] = values.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return found
