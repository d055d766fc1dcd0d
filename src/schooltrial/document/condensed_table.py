"""A table that is too wide for a page, narrower: what all rows share, and long notes, below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

from schooltrial.document.tables import Column, Table, row_groups

Rows = Sequence[Sequence[str]]

FEWEST = 3
"""Rows from which on a column that is alike in all is said once."""

LONG = 24
"""Letters of a note that is printed below, a letter standing in its place."""


@dataclass(frozen=True)
class PrintedTable:
    """A table as a page prints it.

    Attributes
    ----------
    columns : tuple of Column
    groups : tuple of (str, rows)
        Heading of each group, empty without one, and its rows.
    notes : tuple of str
        What is printed below, before the notes of the exhibit.
    """

    columns: tuple[Column, ...]
    groups: tuple[tuple[str, Rows], ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[Sequence[str]]:
        """Those of all groups."""
        return [row for _, rows in self.groups for row in rows]

    def column(self, at: int) -> list[str]:
        """Return the cells of a column."""
        return [row[at] for row in self.rows]


def whole_table(table: Table) -> PrintedTable:
    """Return a table as it is."""
    return PrintedTable(table.columns, tuple(row_groups(table)))


def condensed(table: PrintedTable) -> PrintedTable:
    """Return a table without columns that are alike in all rows, its long notes below it."""
    return _with_notes_below(_with_shared_once(table))


def _with_shared_once(table: PrintedTable) -> PrintedTable:
    if len(table.rows) < FEWEST:
        return table
    shared = [
        at for at in range(1, len(table.columns)) if len(dict.fromkeys(table.column(at))) == 1
    ]
    told = [f"{table.columns[at].name}: {table.rows[0][at]}" for at in shared if table.rows[0][at]]
    kept = [at for at in range(len(table.columns)) if at not in shared]
    return PrintedTable(
        tuple(table.columns[at] for at in kept),
        tuple((name, [[row[at] for at in kept] for row in rows]) for name, rows in table.groups),
        (*table.notes, *([f"In all rows: {'; '.join(told)}."] if told else [])),
    )


def _with_notes_below(table: PrintedTable) -> PrintedTable:
    for at, column in enumerate(table.columns):
        found = [text for text in dict.fromkeys(table.column(at)) if text]
        if column.name.lower().endswith(("note", "notes")) and any(
            len(text) > LONG for text in found
        ):
            letters = {text: _letter(place) for place, text in enumerate(found)}
            below = [f"{letter}: {text}" for text, letter in letters.items()]
            return replace(
                table,
                groups=tuple(
                    (name, [[*row[:at], letters.get(row[at], ""), *row[at + 1 :]] for row in rows])
                    for name, rows in table.groups
                ),
                notes=(*table.notes, *below),
            )
    return table


def _letter(place: int) -> str:
    """Return the mark of a note: letters as columns of a spreadsheet have."""
    more, last = divmod(place, len(ascii_lowercase))
    return (_letter(more - 1) if more else "") + ascii_lowercase[last]
