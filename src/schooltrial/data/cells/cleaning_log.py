"""The log of every change between raw files and standard tables, with what undoes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, fields

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Text = pa.dictionary(pa.int32(), pa.string())


CHANGES = pa.schema(
    [
        ("table", Text), ("file", Text), ("row", pa.int64()), ("column", Text), ("rule", Text),
        ("before", Text), ("after", Text),
    ]
)  # fmt: skip


CHANGES_STORED = pa.schema(
    [(one.name, pa.string() if one.name != "row" else one.type) for one in CHANGES]
)


NOT_SHOWN, CHANGED = "(names a person)", "(changed: see data/changes.parquet)"


FORMULA = re.compile(r"^(?:[=+@]|-[A-Za-z=])")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One rule that touched cells or removed rows of a file.

    Attributes
    ----------
    table, file, column : str
        Standard table, raw file, and raw column (empty where whole rows are meant).
    rule : str
        What was done.
    cells : int
        Cells that it touched; rows, where no column is named, that it looked at and left in.
    rows : int
        Rows that it removed.
    before, after : str
        The first cell touched, as it was and as it became, but not where it names a person; of
        rows, the first one removed, and what became of it.
    """

    table: str
    file: str
    column: str
    rule: str
    cells: int
    rows: int
    before: str = ""
    after: str = ""


@dataclass
class CleaningLog:
    """What was done to one raw file on its way into one standard table.

    Attributes
    ----------
    table, file : str
    private : set of str
        Columns that name people: the lines of the log do not show what they held; the changes do.
    entries : list of LogEntry
        A line for each rule and column.
    changes : list of Table
        A row for each cell that was changed in meaning, and each row that was removed, in the
        columns of ``CHANGES``; put back from the last to the first, they give the raw cells.
    """

    table: str
    file: str
    private: frozenset[str] = frozenset()
    entries: list[LogEntry] = field(default_factory=list)
    changes: list[pa.Table] = field(default_factory=list)

    def cells(
        self, column: str, rule: str, lines: npt.NDArray[np.int64], before: pa.Array,
        after: pa.Array | str,
    ) -> None:  # fmt: skip
        """Tell of cells that were changed.

        Parameters
        ----------
        column, rule : str
        lines : array of int, shape (m,)
            Where they stand in the file.
        before, after : Array of string, shape (m,)
            What stood there, and what took its place; a text where it is the same for all.
        """
        if len(lines):
            became = after if isinstance(after, str) else after[0].as_py()
            shown = self._shown(column, str(before[0].as_py()), str(became))
            self.entries.append(
                LogEntry(self.table, self.file, column, rule, len(lines), 0, *shown)
            )
            self._change(column, rule, lines, before, after)

    def rows(
        self, rule: str, lines: npt.NDArray[np.int64], before: pa.Array | str,
        after: pa.Array | str,
    ) -> None:  # fmt: skip
        """Log rows that were removed: their content, and the row kept in their place."""
        if len(lines):
            became = after if isinstance(after, str) else after[0].as_py()
            first = (f"row {lines[0]}", f"left out; {became}" if became else "left out")
            self.entries.append(LogEntry(self.table, self.file, "", rule, 0, len(lines), *first))
            self._change("", rule, lines, before, after)

    def note(self, column: str, rule: str, cells: int, shown: str) -> None:
        """Tell of cells or rows that were kept as they are."""
        if cells:
            both = self._shown(column, shown, shown)
            self.entries.append(LogEntry(self.table, self.file, column, rule, cells, 0, *both))

    def _shown(self, column: str, before: str, after: str) -> tuple[str, str]:
        if column not in self.private:
            return before, after
        return NOT_SHOWN, NOT_SHOWN if before == after else CHANGED

    def _change(
        self, column: str, rule: str, lines: npt.NDArray[np.int64], before: pa.Array | str,
        after: pa.Array | str,
    ) -> None:  # fmt: skip
        size = len(lines)
        texts = [repeated(text, size) for text in (self.table, self.file, column, rule)]
        cells = [repeated(x, size) if isinstance(x, str) else _encoded(x) for x in (before, after)]
        arrays = [*texts[:2], pa.array(lines, pa.int64()), *texts[2:], *cells]
        self.changes.append(pa.Table.from_arrays(arrays, schema=CHANGES))


def repeated(text: str, size: int) -> pa.DictionaryArray:
    """Return a text that every row has."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([text]))


def _encoded(texts: pa.Array) -> pa.Array:
    return texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()


def escaped(text: str) -> str:
    """Return a text so that no spreadsheet runs it as a formula: with an apostrophe before it."""
    return f"'{text}" if FORMULA.match(text) else text


def to_frame(entries: Iterable[LogEntry]) -> pd.DataFrame:
    """Return the log as a frame, one row per rule, file and column, safe to open in a sheet."""
    names = [one.name for one in fields(LogEntry)]
    log = pd.DataFrame([astuple(entry) for entry in entries], columns=names)
    texts = ["file", "column", "before", "after"]
    return log.assign(**{name: [escaped(text) for text in log[name]] for name in texts})
