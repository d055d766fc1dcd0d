"""Join further raw files to the rows of a reading, by keys that the protocol declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.cells.text_columns import Mask, Rows, mask, plain
from schooltrial.data.cells.typed_columns import SHOWN_PER_COLUMN, Arrays, ColumnReader
from schooltrial.data.rows.key_matches import keys_of, match_keys
from schooltrial.data.spelling.respelling import keys_to_respell
from schooltrial.data.tables.parts import Part, settled
from schooltrial.protocol.content.column_map import JoinedFile
from schooltrial.protocol.content.variables import ASSIGNED
from schooltrial.refusal import Fault
from schooltrial.wording import listed, plural

SHOWN = 3
"""Pairs of keys that a message shows."""


IDENTIFIERS = ("pupil", "teacher", "school", "class")
"""Variables whose spelling files may change; a year or an occasion has one spelling."""


Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """One of the files of a join.

    Attributes
    ----------
    reader : ColumnReader
        Of the file.
    raw : mapping
        Variable → raw column.
    values : dict of str to Array
    at : array of int, optional
        For each row, its number among the rows of the file; None where they are all there.
    """

    reader: ColumnReader
    raw: Mapping[str, str]
    values: Arrays
    at: Rows | None = None

    def lines(self, rows: Rows) -> Rows:
        """Return the lines of the file of some of the rows."""
        return self.reader.cells.line(rows if self.at is None else self.at[rows])


def one_row_per_key(
    side: Side, spec: JoinedFile, name: str = "joined file"
) -> tuple[Side, list[Fault]]:
    """Return a joined file with each key once, as its reading says, and why that cannot be.

    Rows without a key can have no match; they are left as they are.

    Parameters
    ----------
    side : Side
    spec : JoinedFile
    name : str
        `keys.OF_LIST` where it is joined to the allocation list.
    """
    on = list(spec["on"])
    values = {name: plain(held) for name, held in side.values.items()}
    values |= {name: _sortable(values[name]) for name in on}
    keyed = np.logical_and.reduce(
        [pc.is_valid(values[name]).to_numpy(zero_copy_only=False) for name in on]
    )
    rows = np.arange(side.reader.cells.rows)
    part = Part(name, on, pa.table(values), side.reader.cells, rows, side.raw)
    part, faults = settled(part.take(rows[keyed]), spec, side.reader.log)
    chosen = np.concatenate([part.at, rows[~keyed]])
    taken = {name: held.take(pa.array(chosen)) for name, held in side.values.items()}
    return Side(side.reader, side.raw, taken, chosen), faults


def _sortable(values: pa.Array) -> pa.Array:
    """Return a key as rows can be sorted by it: as whole numbers or text."""
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        return values
    return values.cast(pa.string())


def join(
    left: Side,
    right: Side,
    spec: JoinedFile,
    year: int | None = None,
    *,
    alike_refused: bool = True,
) -> tuple[Arrays, list[Fault]]:
    """Return the variables of a joined file for each row of the main one.

    Parameters
    ----------
    left, right : Side
        The main file, and the joined one, in which each key stands once.
    spec : JoinedFile
        `on`, the variables by which rows are matched; `unmatched`, whether a row of the main file
        without a match is kept, its new variables missing, or refused; and `fill`, variables of
        the main file that take a value from the joined one where they have none.
    year : int, optional
        Year of the joined file. Where rows are matched by year, it is for rows of that year alone.
    alike_refused : bool
        Whether identifiers without a match that would have one in another spelling are a fault.

    Returns
    -------
    added : dict of str to Array
    faults : list of Fault
        Rows of the main file without a match, and identifiers spelt in two ways.
    """
    on = list(spec["on"])
    of_left, of_right = _matched([(left.values[name], right.values[name]) for name in on])
    at = _first_rows(of_right, of_left)
    own: Mask = np.ones(len(at), dtype=bool)
    if year is not None and "year" in on:
        own = pc.equal(plain(left.values["year"]), year).fill_null(False).to_numpy(False)
    faults: list[Fault] = []
    alone = np.flatnonzero((at < 0) & own)
    what = " and ".join(on)
    here, there = left.reader.log.file, right.reader.log.file
    if len(alone) and alike_refused:
        faults += _spelt_in_two_ways(left, right, [name for name in on if name in IDENTIFIERS])
    if spec["unmatched"] == "refuse":
        faults += _alone(alone, left, there, what)
    else:
        _note(left, alone, f"rows without a match by {what} in {there}: kept")
    unused = np.setdiff1d(np.arange(len(of_right)), at)
    _note(right, unused, f"rows without a match by {what} in {here}: not used")
    rows = pa.array(at, mask=at < 0)
    added = {}
    for name in [name for name in right.values if name not in on]:
        taken = right.values[name].take(rows)
        if name in left.values:
            if left.reader.log.table == "assignment" and name in ASSIGNED:
                faults += _contradictions(left, right, name, taken, at)
            taken = _with_filled(left, name, taken, there, told=name in spec["fill"])
        added[name] = taken
    return added, faults


def _contradictions(left: Side, right: Side, name: str, taken: pa.Array, at: Codes) -> list[Fault]:
    """Return the rows of the allocation list that a joined file contradicts."""
    mine, theirs = _value(left.values[name]), _value(taken)
    theirs = theirs.cast(mine.type)
    rows = np.flatnonzero(mask(pc.not_equal(mine, theirs)))
    there = right.reader.log.file
    expected = f"the same {name} in both files, or none in one of them"
    remedy = "correct the file that is wrong, as the randomisation record says"
    column = left.raw.get(name)
    faults = [
        Fault(
            left.reader.log.file,
            f"the {name} is {mine[row].as_py()!r} here, and {theirs[row].as_py()!r} in row "
            f"{right.lines(at[row : row + 1])[0]} of {there}",
            expected, remedy, row=int(left.lines(np.array([row]))[0]), column=column,
        )
        for row in map(int, rows[:SHOWN_PER_COLUMN])
    ]  # fmt: skip
    if len(rows) > SHOWN_PER_COLUMN:
        more = len(rows) - SHOWN_PER_COLUMN
        found = f"the same error in {more:,} more rows"
        faults.append(
            Fault(left.reader.log.file, found, expected, remedy, column=column, rows=more)
        )
    return faults


def _first_rows(keys: Codes, wanted: Codes) -> Codes:
    """Return the row of each wanted key; −1 if it is missing or nowhere."""
    first = pd.Series(np.arange(len(keys)), index=keys)
    first = first[(first.index >= 0) & ~first.index.duplicated()]
    at = first.index.get_indexer(wanted)
    found = np.where(at >= 0, first.to_numpy()[np.maximum(at, 0)] if len(first) else -1, -1)
    return np.where(wanted < 0, -1, found).astype(np.int64)


def _with_filled(left: Side, name: str, other: pa.Array, file: str, *, told: bool) -> pa.Array:
    """Return a variable with the values of the joined file where it has none; both are logged."""
    mine, theirs = _value(left.values[name]), _value(other)
    theirs = theirs.cast(mine.type)
    gained = mask(pc.and_(pc.is_null(mine), pc.is_valid(theirs)))
    filled = pc.if_else(pa.array(gained), theirs, mine)
    rows = np.flatnonzero(gained)
    if told and len(rows):
        raw = left.raw.get(name, "")
        rule = f"{name} missing: filled from {file}"
        if raw:
            became = theirs.take(pa.array(rows)).cast(pa.string())
            before = left.reader.cells.columns[raw].cells(rows)
            left.reader.log.cells(raw, rule, left.lines(rows), before, became)
        else:
            _note(left, rows, rule)
    differs = np.flatnonzero(mask(pc.not_equal(mine, theirs)))
    if told:
        _note(left, differs, f"{name} differs from {file}: the value of this file was kept")
    return filled.dictionary_encode() if pa.types.is_string(filled.type) else filled


def _value(values: pa.Array) -> pa.Array:
    """Return values one per row, texts as such."""
    values = plain(values)
    return values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values


def _matched(pairs: list[tuple[pa.Array, pa.Array]]) -> tuple[Codes, Codes]:
    """Return numbers that are alike where all the keys of two rows are; -1 where one is missing."""
    left = np.zeros(len(pairs[0][0]), dtype=np.int64)
    right = np.zeros(len(pairs[0][1]), dtype=np.int64)
    for of_left, of_right in pairs:
        known = _plain(of_right)
        distinct = pc.unique(pc.drop_null(known))
        found = [_numbers(pc.index_in(_plain(values), distinct)) for values in (of_left, of_right)]
        span = max(len(distinct), 1)
        left, right = (
            np.where((codes < 0) | (number < 0), -1, codes * span + number)
            for codes, number in zip((left, right), found, strict=True)
        )
        # numbers stay small: they are counted anew after each key
        distinct_pairs = np.unique(right[right >= 0])
        right = np.where(right < 0, -1, np.searchsorted(distinct_pairs, right))
        at = np.minimum(np.searchsorted(distinct_pairs, left), max(len(distinct_pairs) - 1, 0))
        there = (left >= 0) & (len(distinct_pairs) > 0)
        if len(distinct_pairs):
            there &= distinct_pairs[at] == left
        left = np.where(there, at, -1)
    return left, right


def _plain(values: pa.Array) -> pa.Array:
    """Return values without dictionary; whole numbers and text are compared as text."""
    values = plain(values)
    if pa.types.is_dictionary(values.type):
        values = values.cast(pa.string())
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _numbers(found: pa.Array) -> Codes:
    numbers: Codes = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _alone(alone: Rows, left: Side, there: str, what: str) -> list[Fault]:
    expected = f"a row with the same {what} in {there}"
    remedy = "add the row there, or set `unmatched: keep` in the protocol"
    file = left.reader.log.file
    faults = [
        Fault(file, f"no match in {there}", expected, remedy, row=int(line))
        for line in left.lines(alone[:SHOWN_PER_COLUMN])
    ]
    if len(alone) > SHOWN_PER_COLUMN:
        more = len(alone) - SHOWN_PER_COLUMN
        found = f"{more:,} more rows have no match"
        faults.append(Fault(file, found, expected, remedy, rows=more))
    return faults


def _spelt_in_two_ways(left: Side, right: Side, on: list[str]) -> list[Fault]:
    """Return why keys without a match would have one if both files spelt them alike."""
    faults = []
    here, there = left.reader.log.file, right.reader.log.file
    for name in on:
        mine, theirs = (
            keys_of(side.reader.log.file, name, _plain(side.values[name]).cast(pa.large_string()))
            for side in (left, right)
        )
        alike = match_keys(mine, theirs, one_row_each=True).alike
        if not alike.count:
            continue
        pairs = "; ".join(
            f"{a!r} here is {b!r} there"
            for a, b in zip(alike.names[:SHOWN], alike.others[:SHOWN], strict=True)
        )
        keys = keys_to_respell(
            alike.names, alike.others, alike.differ, alike.count, (alike.width, alike.other_width)
        )
        lines = [
            f"write for {file}, {side.raw[name]!r}: `{', '.join(of_side)}` after `column:`"
            for file, side, of_side in zip(
                (here, there), (left, right), keys or ([], []), strict=True
            )
            if of_side and name in side.raw
        ]
        faults.append(
            Fault(
                here,
                f"{plural(alike.count, name)} of {len(mine.names):,} without a match in {there} "
                "would match if both files spelled identifiers alike: they differ by "
                f"{listed(alike.differ)} ({pairs}{' …' if alike.count > SHOWN else ''})",
                f"each {name} spelled alike in {here} and {there}",
                ("; and ".join(lines) or f"spell {name} in {here} as in {there}")
                + f"; or, if they are different {name}s, "
                "`cleaning: {alike_identifiers: distinct}`",
                column=left.raw.get(name),
            )
        )
    return faults


def _note(side: Side, rows: Rows, rule: str) -> None:
    if len(rows):
        side.reader.log.note("", rule, len(rows), f"row {side.lines(rows[:1])[0]}")
