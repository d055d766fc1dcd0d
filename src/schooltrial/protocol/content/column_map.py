"""How raw files fill standard tables, as a protocol declares it; keys are those of the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypedDict

from schooltrial.protocol.content.filters import Filter

Encoding = Literal["utf-8", "utf-16", "latin-1", "windows-1252"]

Decimal = Literal[".", ","]

Thousands = Literal["", ".", ",", " ", "'", "\u00a0", "\u202f"]


class SizeLimits(TypedDict):
    """How large files, lines and tables may be that are read."""

    decompressed_bytes: int
    line_length: int
    columns: int
    workbook_cells: int


SIZES: SizeLimits = {
    "decompressed_bytes": 4_000_000_000,
    "line_length": 10_000_000,
    "columns": 50_000,
    "workbook_cells": 30_000_000,
}
"""The limits of a protocol that states none, as the schema has them."""


SuppressionCodes = dict[str, str | list[float]]
"""Text of a withheld number → `missing`, or its least and greatest value."""


class PartOfIdentifier(TypedDict):
    """One of the columns that make up an identifier."""

    column: str
    width: int | None
    pad: bool


NUMBERS = ("integer", "number", "flag")
"""Types of columns that hold numbers."""


class Column(TypedDict):
    """How one column is read."""

    column: str | list[str]
    position: int | None
    parts: list[str | PartOfIdentifier]
    between: str
    otherwise: str | list[str]
    type: Literal["identifier", "category", "flag", "integer", "number", "date"]
    codes: dict[str, str | float]
    ignore_case: bool
    missing: list[str]
    range: list[float] | None
    decimal: Decimal | None
    thousands: Thousands | None
    percent: bool
    suppressed: Literal["refuse", "missing", "bounds"]
    suppression_codes: SuppressionCodes
    out_of_range: Literal["refuse", "missing"]
    respell: dict[str, str]
    without: list[str]
    letters: Literal["upper", "lower"] | None
    written_as_decimals: bool
    width: int | None
    pad: bool
    format: str | list[str]
    required: bool
    placeholder_years: list[int]
    label: str


class DuplicateKeys(TypedDict):
    """Which of the rows that share a key is kept."""

    keep: Literal["largest", "smallest", "first", "last"]
    by: str | None


class RawFile(TypedDict):
    """How the text of a file is read, whatever its columns."""

    file: str
    sha256: str | None
    delimiter: str
    encoding: Encoding
    header_row: int | list[int]
    notes_below: bool | str | list[str]
    sheet: str | None
    value_labels: bool
    decimal: Decimal
    thousands: Thousands
    missing: list[str]
    suppression_codes: SuppressionCodes
    columns: dict[str, Column]


class KeyedFile(RawFile):
    """A file whose rows have a key: which of them are read, and what is done with repeats."""

    year: int | None
    keep_if_any: list[str]
    where: Filter
    url: str | None
    duplicate_rows: Literal["refuse", "keep_one"]
    duplicate_keys: str | DuplicateKeys
    collapse_repeats: bool


class JoinedFile(KeyedFile):
    """A further file, whose variables are joined to the rows of the main one."""

    on: list[str]
    unmatched: Literal["refuse", "keep"]
    fill: list[str]


class Reading(KeyedFile):
    """A file that fills a standard table, or a part of it, with its column map."""

    outcomes: dict[str, Column]
    join: list[JoinedFile]


Tables = Mapping[str, Sequence[Reading]]
"""Standard table → the files that fill it."""


def stated_year(file: RawFile) -> int | None:
    """Return the year of every row, where the reading states one; a joined file states none."""
    year = file.get("year")
    return year if isinstance(year, int) else None


def carries_year(file: RawFile) -> bool:
    """Return whether the name of a file, or its reading, gives the year of its rows."""
    return "{year}" in file["file"] or stated_year(file) is not None


def all_columns(reading: Reading) -> Iterator[tuple[str, Column]]:
    """Yield the variables that a reading gives, those of joined files too."""
    yield from reading["columns"].items()
    for joined in reading["join"]:
        yield from joined["columns"].items()


def names_of_columns(spec: Column) -> list[str]:
    """Return the names that a column may have in a raw file; none for one of parts."""
    return [spec["column"]] if isinstance(spec["column"], str) else list(spec["column"])


def parts_of(spec: Column) -> list[PartOfIdentifier]:
    """Return the columns that make up an identifier, in their order."""
    return [
        {"column": part, "width": None, "pad": False} if isinstance(part, str) else part
        for part in spec["parts"]
    ]


def other_columns(spec: Column) -> list[str]:
    """Return the columns from which a value is taken where the first one lacks it."""
    given = spec["otherwise"]
    return [given] if isinstance(given, str) else list(given)


def shown_source(spec: Column) -> str:
    """Return how the raw columns of a variable are named: `state + cohort`, `age or age_2`."""
    parts = " + ".join(part["column"] for part in parts_of(spec))
    if spec["position"] is not None:
        parts = f"column {spec['position']}"
    return " or ".join([parts or " or ".join(names_of_columns(spec)), *other_columns(spec)])


def write_missing_as_texts(reading: Reading) -> None:
    """Replace numbers among the codes for *not observed* by their texts, as YAML has them."""
    for file in (reading, *reading["join"]):
        file["missing"] = [str(code) for code in file["missing"]]
        for spec in file["columns"].values():
            spec["missing"] = [str(code) for code in spec["missing"]]
    for spec in reading["outcomes"].values():
        spec["missing"] = [str(code) for code in spec["missing"]]


def formats_of(spec: Column) -> list[str]:
    """Return the formats in which a column of dates may be written."""
    return [spec["format"]] if isinstance(spec["format"], str) else list(spec["format"])
