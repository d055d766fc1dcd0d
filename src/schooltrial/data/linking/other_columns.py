"""Other columns of the raw files, one of which may hold the identifiers that do not match."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.files.raw_files import read_raw
from schooltrial.data.linking.raw_places import RawPlace, RawPlaces
from schooltrial.refusal import Refusal

HELD = 0.95
"""Share of the distinct values of a column that are identifiers of the other table, at least."""

FEWEST_VALUES = 3
"""Distinct values of a column from which it is more than a likeness by chance."""


def column_holding(
    places: RawPlaces, identifiers: pa.Array, tables: str, year: int | None
) -> tuple[str, str]:
    """Return the one column whose values are these identifiers, and its file; else two blanks.

    Parameters
    ----------
    places : RawPlaces
        The files.
    identifiers : Array of large_string
        Of another table.
    tables : str
        Standard tables joined by ``or``, in whose files it is looked for.
    year : int, optional
        Of the files; None for all.
    """
    wanted = identifiers.cast(pa.string())
    found = [
        (name, place.file)
        for table in tables.split(" or ")
        for place in places.of.get(table, ())
        if year is None or place.year in (None, year)
        for name in _holding(place, wanted)
    ]
    names = dict.fromkeys(name for name, _ in found)
    return found[0] if len(names) == 1 else ("", "")


def _holding(place: RawPlace, wanted: pa.Array) -> list[str]:
    try:
        cells = read_raw(Path(place.path), place.file, place.reading)
    except Refusal:
        return []
    found = []
    for name, column in cells.columns.items():
        texts = pc.unique(pc.utf8_trim_whitespace(column.texts.cast(pa.string())))
        texts = texts.filter(pc.not_equal(texts, ""))
        held = pc.sum(pc.is_in(texts, value_set=wanted)).as_py() or 0
        if len(texts) >= FEWEST_VALUES and held >= HELD * len(texts):
            found.append(name)
    return found
