"""Join further raw files to the rows of a reading, by keys that the protocol declares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.cells.text_columns import Rows, plain
from schooltrial.data.cells.typed_columns import SHOWN_PER_COLUMN, Arrays, ColumnReader
from schooltrial.protocol.column_map import JoinedFile
from schooltrial.refusal import Fault

Codes = npt.NDArray[np.int64]


def join(
    left: Arrays, reader: ColumnReader, right: Arrays, joined: ColumnReader, spec: JoinedFile
) -> tuple[Arrays, list[Fault]]:
    """Return the variables of a joined file for each row of the main one.

    Parameters
    ----------
    left, right : dict of str to Array
        Variables of the main file, and of the joined one.
    reader, joined : ColumnReader
        Of the two files.
    spec : JoinedFile
        `on`, the variables by which rows are matched, and `unmatched`: whether a row of the main
        file without a match is kept, its new variables missing, or refused.

    Returns
    -------
    added : dict of str to Array
    faults : list of Fault
        Rows of the joined file that share their key, and rows of the main file without a match.
    """
    on = list(spec["on"])
    of_left, of_right = _matched([(left[name], right[name]) for name in on])
    faults = _twice(of_right, joined, on)
    index = pd.Index(of_right)
    if faults:
        index = index.drop_duplicates()
    at = index.get_indexer(of_left).astype(np.int64)
    at[of_left < 0] = -1
    alone = np.flatnonzero(at < 0)
    what = " and ".join(on)
    if spec["unmatched"] == "refuse":
        faults += _alone(alone, reader, joined, what)
    else:
        rule = f"rows without a match by {what} in {joined.log.file}, kept"
        _note(reader, alone, rule)
    unused = np.setdiff1d(np.arange(len(of_right)), at)
    _note(joined, unused, f"rows without a match by {what} in {reader.log.file}, not used")
    rows = pa.array(at, mask=at < 0)
    return {name: values.take(rows) for name, values in right.items() if name not in on}, faults


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


def _twice(codes: Codes, joined: ColumnReader, on: list[str]) -> list[Fault]:
    repeated = np.flatnonzero(pd.Series(codes).duplicated().to_numpy() & (codes >= 0))
    first = pd.Series(codes).drop_duplicates()
    where = dict(zip(first, first.index, strict=True))
    lines = joined.cells.line
    return [
        Fault(
            joined.log.file,
            f"the {' and '.join(on)} of this row also stands in row "
            f"{lines(np.array([where[codes[row]]]))[0]}",
            "each key once in a file that is joined", "remove one of the rows",
            row=int(lines(np.array([row]))[0]),
        )
        for row in repeated[:SHOWN_PER_COLUMN]
    ]  # fmt: skip


def _alone(alone: Rows, reader: ColumnReader, joined: ColumnReader, what: str) -> list[Fault]:
    expected = f"a row with the same {what} in {joined.log.file}"
    remedy = "add the row there, or set `unmatched: keep` in the protocol"
    faults = [
        Fault(reader.log.file, f"no match in {joined.log.file}", expected, remedy, row=int(line))
        for line in reader.cells.line(alone[:SHOWN_PER_COLUMN])
    ]
    if len(alone) > SHOWN_PER_COLUMN:
        found = f"{len(alone) - SHOWN_PER_COLUMN} more rows have no match"
        faults.append(Fault(reader.log.file, found, expected, remedy))
    return faults


def _note(reader: ColumnReader, rows: Rows, rule: str) -> None:
    if len(rows):
        reader.log.note("", rule, len(rows), f"row {reader.cells.line(rows[:1])[0]}")
