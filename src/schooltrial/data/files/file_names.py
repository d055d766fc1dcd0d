"""Raw files of a study, from its protocol alone; no file is opened, no table made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict

from schooltrial.protocol.content.column_map import RawFile, Reading, Tables, stated_year


class KeySource(TypedDict):
    """A file that fills a standard table, with the columns that hold its identifiers."""

    file: str
    year: int | None
    columns: dict[str, str]
    outcomes: list[str]


def expand_years(reading: RawFile, years: Sequence[int]) -> list[tuple[str, int | None]]:
    """Return the files of a reading, with the year of each if it is not in its cells.

    A name with ``{year}`` stands for one file per year of the study; a reading with a year of its
    own is of that year.
    """
    name = reading["file"]
    if "{year}" in name:
        return [(name.replace("{year}", str(year)), year) for year in years]
    return [(name, stated_year(reading))]


def with_joined(reading: Reading) -> Iterator[RawFile]:
    """Yield a reading and those of the files that are joined to it."""
    yield reading
    yield from reading["join"]


def raw_file_names(tables: Tables, years: Sequence[int]) -> list[str]:
    """Return the names of all raw files of a study, sorted."""
    return sorted(
        {
            name
            for readings in tables.values()
            for reading in readings
            for one in with_joined(reading)
            for name, _ in expand_years(one, years)
        }
    )
