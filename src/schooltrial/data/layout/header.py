"""The names of a file's columns, also where they are blank, repeated, or written on two rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from schooltrial.refusal import Fault


@dataclass(frozen=True)
class Header:
    """The columns of a file, each under a name that no other bears.

    Attributes
    ----------
    keys : list of str
        For each column its name; the name with its number where it is blank or repeated.
    nameless : set of str
        Those of columns without a name.
    repeated : dict of str to list of int
        A name that several columns bear → the numbers of these columns, from 1.
    """

    keys: list[str]
    nameless: frozenset[str] = frozenset()
    repeated: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[str]) -> Header:
        """Return the header of columns with these names."""
        stripped = [name.strip() for name in names]
        count = Counter(stripped)
        taken = {name for name in count if name and count[name] == 1}
        keys: list[str] = []
        nameless: set[str] = set()
        repeated: dict[str, list[int]] = {}
        for number, name in enumerate(stripped, start=1):
            key = name
            if not name or count[name] > 1:
                key = f"{name or 'column'} ({number})"
                while key in taken:
                    key += " "
                taken.add(key)
            if not name:
                nameless.add(key)
            elif count[name] > 1:
                repeated.setdefault(name, []).append(number)
            keys.append(key)
        return cls(keys, frozenset(nameless), repeated)


def joined_names(
    rows: Sequence[Sequence[str]], groups: Sequence[Sequence[int]] | None = None
) -> list[str]:
    """Return the names of columns that are written on several rows, the upper ones first.

    Parameters
    ----------
    rows : sequence of sequence of str
        The cells of each row of the header.
    groups : sequence of sequence of int, optional
        For each row but the last, the column from which each cell takes its text: the first one of
        merged cells. Without it a blank cell takes the text on its left.
    """
    width = max(len(row) for row in rows)
    filled = [[*(cell.strip() for cell in row), *[""] * (width - len(row))] for row in rows]
    for at, row in enumerate(filled[:-1]):
        if groups is not None:
            filled[at] = [row[source] for source in groups[at]]
            continue
        for number in range(1, width):
            row[number] = row[number] or row[number - 1]
    columns = zip(*filled, strict=True)
    return [" ".join(text for text, _ in groupby(filter(None, column))) for column in columns]


def too_many_columns(file: str, columns: int, most: int, row: int | None) -> list[Fault]:
    """Return the fault of a file with more columns than are read."""
    if columns <= most:
        return []
    remedy = f"check the delimiter, or raise `limits: {{columns: {columns}}}` in the protocol"
    return [Fault(file, f"{columns:,} columns", f"up to {most:,} columns", remedy, row=row)]
