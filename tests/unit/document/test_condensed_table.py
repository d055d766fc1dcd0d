"""A table that is too wide loses no word: what all rows share and long notes are below it."""

from __future__ import annotations

import pandas as pd

from schooltrial.document.condensed_table import PrintedTable, condensed, whole_table
from schooltrial.document.tables import Column, tabulate

LONG = "a note that is longer than a column should be"
DATA = pd.DataFrame({
    "outcome": ["maths", "maths", "maths"], "group": ["one", "one", "one"], "n": ["1", "2", "3"],
    "empty": ["", "", ""], "note": [LONG, "", "another note of some length"],
})  # fmt: skip


def made(rows: int = 3, group: list[str] | None = None) -> PrintedTable:
    table = tabulate("t", DATA.head(rows), [Column(name) for name in DATA], group=group or [])
    return condensed(whole_table(table))


def test_columns_alike_in_all_rows_are_said_once_and_the_first_one_stays() -> None:
    table = made()
    assert [column.name for column in table.columns] == ["outcome", "n", "note"]
    assert table.notes[0] == "In all rows: group: one."


def test_long_notes_are_below_with_the_letters_that_stand_in_their_place() -> None:
    table = made()
    assert table.column(2) == ["a", "", "b"]
    assert table.notes[1:] == (f"a: {LONG}", "b: another note of some length")


def test_few_rows_keep_their_columns_and_groups_their_headings() -> None:
    assert [column.name for column in made(2).columns] == list(DATA)
    table = made(group=["x", "y", "x"])
    assert [(name, len(rows)) for name, rows in table.groups] == [("x", 2), ("y", 1)]


def test_more_notes_than_letters_have_marks_of_two_letters() -> None:
    frame = pd.DataFrame({"a": range(28), "Notes": [f"{LONG} {n}" for n in range(28)]})
    table = condensed(whole_table(tabulate("t", frame, [Column("a"), Column("Notes")])))
    assert table.column(1)[25:] == ["z", "aa", "ab"]
