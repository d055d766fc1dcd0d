"""Where a table ends and the notes below it begin: footnotes, sources, totals and blank rows.

Notes are left out only where the protocol says so (`notes_below`), and only where no row below
their first one looks like data, so that no data are lost. What is left out is logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schooltrial.refusal import Fault, refuse

NotesBelow = bool | str | list[str]
"""Whether there are notes, or the texts with which they begin."""


TOTAL = re.compile(
    r"(?:grand |sub-?|district |state )?"
    r"(?:totals?|sum|average|mean|median|overall|sources?|(?:foot)?notes?)\b",
    re.IGNORECASE,
)
"""How the first cell of a row begins that sums up others, or explains them."""


SUGGESTED = "set `notes_below: true` for this file, if notes or totals begin here"


KNOWN_ROWS = 10_000
"""Rows of a table whose first cells are looked at, to know others by."""


@dataclass(frozen=True)
class TableRows:
    """The rows of a file from the first one below its header.

    Attributes
    ----------
    file : str
    width : int
        Number of columns.
    rows : iterable of tuple
        Line and cells of each row, blank ones too.
    """

    file: str
    width: int
    rows: Iterable[tuple[int, Sequence[str]]]


@dataclass
class _Seen:
    """What the rows of the table were like, to know another one by."""

    width: int
    rows: int = 0
    fewest: int = 1 << 30
    shapes: set[str] = field(default_factory=set)
    last: tuple[int, Sequence[str]] = (0, ())

    def add(self, line: int, cells: Sequence[str], filled: int) -> None:
        """Take note of a row of the table."""
        self.rows += 1
        self.last = (line, cells)
        if filled < self.fewest:
            self.fewest = filled
        if self.rows < KNOWN_ROWS:
            self.shapes.add(_shape(cells[0]))

    def is_sparse_data(self, cells: Sequence[str]) -> bool:
        """Return whether the first cell, which alone is filled, is a name like those above it."""
        alike = _shape(cells[0]) in self.shapes and not TOTAL.match(cells[0].strip())
        return len(cells) >= self.width and alike

    def looks_alike(self, cells: Sequence[str], filled: int) -> bool:
        """Return whether a row is filled as those of the table are."""
        if filled == 1 and cells[0].strip():
            return self.width > 1 and self.is_sparse_data(cells)
        return len(cells) >= self.width and filled >= max(min(2, self.width), self.fewest)


def notes_of(table: TableRows, rule: NotesBelow) -> list[tuple[int, str]]:
    """Return line and text of each row that is left out as a note; none if there are none.

    Raises
    ------
    Refusal
        Where a row below the first note looks like data, and where the last row looks like a total.
    """
    texts = [rule] if isinstance(rule, str) else rule if isinstance(rule, list) else []
    begins = tuple(text.casefold() for text in texts)
    seen = _Seen(table.width)
    found: list[tuple[int, str]] = []
    start: tuple[int, str] | None = None
    for line, cells in table.rows:
        stripped = list(map(str.strip, cells))
        filled = len(stripped) - stripped.count("")
        named = bool(begins) and first_text(cells).casefold().startswith(begins)
        if start is None:
            why = "begins with a text of `notes_below`" if named else ""
            if not begins:
                why = _ends_table(cells, filled, seen)
            if not why:
                if filled:
                    seen.add(line, cells, filled)
                continue
            start = (line, why)
        elif not named and filled and seen.looks_alike(cells, filled):
            refuse([_data_below(table.file, start, line, bool(begins))])
        if filled:
            found.append((line, ", ".join(cell.strip() for cell in cells if cell.strip())))
    last = first_text(seen.last[1])
    if not begins and TOTAL.match(last):
        refuse([_total(table.file, seen.last[0], last)])
    return found


def first_text(cells: Sequence[str]) -> str:
    """Return the text of the first cell that is filled."""
    return next((cell.strip() for cell in cells if cell.strip()), "")


def _ends_table(cells: Sequence[str], filled: int, seen: _Seen) -> str:
    """Return why the table ends above this row; nothing where it is a row of the table."""
    if filled == 0:
        return "is blank"
    if len(cells) < seen.width:
        return f"has {len(cells)} of {seen.width} cells"
    if seen.width > 1 and filled == 1 and cells[0].strip() and not seen.is_sparse_data(cells):
        return "has only its first cell filled"
    return ""


def _shape(text: str) -> str:
    """Return what a text is made of: 9 for digits, A for letters, other signs as they are."""
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", text.strip()))


def _data_below(file: str, start: tuple[int, str], line: int, named: bool) -> Fault:
    row, why = start
    found = f"notes begin in row {row}, which {why}, but row {line} below it looks like data"
    remedy = (
        "list the first words of every row of notes: `notes_below: [Total, Mean]`"
        if named
        else 'write the first words of the notes: `notes_below: "Total"`; if the table continues '
        f"below row {row}, close the gap in the file"
    )
    return Fault(file, found, "only notes, totals and blank rows below the table", remedy, row=line)


def _total(file: str, row: int, text: str) -> Fault:
    first = text.split()[0].strip(":.,;")
    found = f"the last row of the table begins with {text[:60]!r}"
    remedy = f'write `notes_below: "{first}"` if it is a total or a note'
    return Fault(file, found, "a row of data", remedy, row=row)
