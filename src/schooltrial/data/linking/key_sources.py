"""The raw files behind the identifiers of the standard tables, as messages name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schooltrial.data.files.file_names import KeySource
from schooltrial.data.linking.raw_places import RawPlaces
from schooltrial.wording import listed

SHOWN_FILES = 3


@dataclass(frozen=True)
class Sources:
    """The raw files behind the standard tables, as messages name them.

    Attributes
    ----------
    by_table : mapping of str to list of KeySource
        Standard table → its files; a table without any is named itself.
    raw : RawPlaces
        The same files with all their columns.
    """

    by_table: Mapping[str, Sequence[KeySource]] = field(default_factory=dict)
    raw: RawPlaces = field(default_factory=RawPlaces)

    def of(self, table: str, year: int | None = None, outcome: str = "") -> list[KeySource]:
        """Return the files with rows of a table, or those of a year or outcome if given."""
        found = []
        for name in table.split(" or "):
            for source in self.by_table.get(name, ()):
                other_year = year is not None and source["year"] not in (None, year)
                other = outcome and source["outcomes"] and outcome not in source["outcomes"]
                if not other_year and not other:
                    found.append(source)
        return found

    def files(self, table: str, year: int | None = None, outcome: str = "") -> str:
        """Return the names of these files; of the table, where none is known."""
        names = list(dict.fromkeys(source["file"] for source in self.of(table, year, outcome)))
        if len(names) > SHOWN_FILES:
            names = [*names[: SHOWN_FILES - 1], f"{len(names) - SHOWN_FILES + 1} more files"]
        return listed(names) if names else f"{table} table"

    def column(self, table: str, variable: str, year: int | None = None) -> str:
        """Return the raw column of a variable; the variable itself where it is not known."""
        named = [s["columns"][variable] for s in self.of(table, year) if variable in s["columns"]]
        return named[0] if named else variable
