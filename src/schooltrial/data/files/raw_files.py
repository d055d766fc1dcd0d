"""Find the raw files of a study and read them as text, cell by cell, without guessing."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from schooltrial.data.cells.identifiers import NEARLY_UNIQUE
from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.delimited import DelimitedText, decoded, split
from schooltrial.data.files.excel import WORKBOOKS, read_workbook
from schooltrial.data.files.file_names import expand_years, with_joined
from schooltrial.data.files.stata_parquet import read_parquet, read_stata
from schooltrial.protocol.column_map import Column, RawFile, Tables, names_of_columns
from schooltrial.refusal import Fault, Refusal, refuse

READERS: dict[str, Callable[[Path, RawFile], RawCells]] = {
    **dict.fromkeys(WORKBOOKS, read_workbook),
    ".dta": read_stata,
    ".parquet": read_parquet,
}
"""Ending of the file's name → how it is read; every other file is delimited text."""


PACKED = (
    (b"\x1f\x8b", "gzip", "name it .gz, in the protocol too"),
    (b"PK\x03\x04", "a workbook or another zip archive", "name it .xlsx, or unpack it"),
)
"""First bytes of files that are no text → what they are, and what to do."""


def tables_filled(tables: Tables, years: Sequence[int]) -> dict[str, list[str]]:
    """Return file → the standard tables that it fills; a file joined to another fills none.

    A table stands there once for each reading of the file; of a wide one with the number of its
    outcomes, each of which makes a row of the table.
    """
    found: dict[str, list[str]] = {}
    for table, readings in tables.items():
        for reading in readings:
            for file, _ in expand_years(reading, years):
                wide = len(reading["outcomes"])
                found.setdefault(file, []).append(f"{table} × {wide}" if wide > 1 else table)
    return found


@dataclass
class RawFiles:
    """The raw files of a study; each is read once, whichever tables it fills.

    Attributes
    ----------
    folder : pathlib.Path
    tables : mapping
        The section of the protocol: it tells which columns of a file hold identifiers.
    elsewhere : mapping
        Files that do not lie in the folder: name → path.
    """

    folder: Path
    tables: Tables
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    _read: dict[tuple[Any, ...], RawCells | Refusal] = field(default_factory=dict)

    def cells(self, file: str, reading: RawFile) -> RawCells:
        """Return the cells of a file.

        Raises
        ------
        Refusal
            Where the file is missing, is not what the checksum says, cannot be decoded, or has
            rows of unequal length.
        """
        shape = (
            file,
            reading["delimiter"],
            reading["encoding"],
            reading["sheet"],
            reading["header_row"],
            reading["value_labels"],
            reading["sha256"],
        )
        if shape not in self._read:
            path = Path(self.elsewhere.get(reading["file"], self.folder / file))
            try:
                self._read[shape] = read_raw(path, file, reading, self._nearly_unique(reading))
            except Refusal as refusal:
                self._read[shape] = refusal
        found = self._read[shape]
        if isinstance(found, Refusal):
            raise found
        return found

    def read(self) -> list[RawCells]:
        """Return every file that was read."""
        return [cells for cells in self._read.values() if isinstance(cells, RawCells)]

    def _nearly_unique(self, reading: RawFile) -> frozenset[str]:
        return frozenset(
            name
            for readings in self.tables.values()
            for other in readings
            for one in with_joined(other)
            if one["file"] == reading["file"]
            for variable, spec in one["columns"].items()
            if variable in NEARLY_UNIQUE and not spec["codes"]
            for name in names_of_columns(spec)
        )


def read_raw(
    path: Path, file: str, reading: RawFile, plain: frozenset[str] = frozenset()
) -> RawCells:
    """Return every cell of a raw file as text.

    Parameters
    ----------
    path : pathlib.Path
    file : str
        How messages and tables name it.
    reading : RawFile
        How it is read: a section of the protocol.
    plain : set of str
        Columns in which nearly every text differs.

    Raises
    ------
    Refusal
        With what is wrong with the file.
    """
    if not path.is_file():
        refuse([_missing_file(path, reading["file"])])
    try:
        raw = path.read_bytes()
    except OSError as error:
        found = f"the file may not be read ({error.strerror})"
        remedy = "give yourself the permission to read it, or fetch it again"
        raise Refusal([Fault(path.name, found, "a file that can be read", remedy)]) from error
    sha256 = hashlib.sha256(raw).hexdigest()
    if reading["sha256"] is not None and sha256 != reading["sha256"]:
        expected = f"the SHA-256 that the protocol states, {reading['sha256']}"
        remedy = "restore the file, or state the new checksum in the protocol, and why"
        refuse([Fault(path.name, f"its SHA-256 is {sha256}", expected, remedy)])
    reader = READERS.get(path.suffix.lower())
    if reader is not None:
        cells = reader(path, reading)
    else:
        content = decoded(_unpacked(raw, path), reading["encoding"], path.name)
        text = DelimitedText(path.name, content, reading["delimiter"], reading["header_row"])
        cells = split(text, plain)
    return replace(cells, size=len(raw), sha256=sha256)


def _missing_file(path: Path, pattern: str) -> Fault:
    """Say that a file is missing; files that the same pattern names already are no remedy."""
    expected = "a raw file that the protocol names"
    if path.is_symlink():
        found, remedy = "a link that leads to no file", "restore the file that it should lead to"
        return Fault(path.name, found, expected, remedy)
    if path.is_dir():
        return Fault(path.name, "a folder of that name", expected, "put the file in its place")
    if not path.parent.is_dir():
        there, found = [], f"the folder {path.parent.name!r} does not exist"
    else:
        there, found = sorted(p.name for p in path.parent.iterdir() if p.is_file()), "no such file"
    read = re.compile(re.escape(pattern).replace(re.escape("{year}"), r"\d+"))
    close = get_close_matches(path.name, [name for name in there if not read.fullmatch(name)], n=1)
    remedy = f"did you mean {close[0]!r}?" if close else "check raw_folder and file in the protocol"
    return Fault(path.name, found, expected, remedy)


def _unpacked(raw: bytes, path: Path) -> bytes:
    if path.suffix.lower() != ".gz":
        for mark, what, remedy in PACKED:
            if raw.startswith(mark):
                found = f"the file is {what}, not text"
                refuse([Fault(path.name, found, "delimited text", remedy)])
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        found = f"not a whole gzip file ({error})"
        raise Refusal([Fault(path.name, found, "gzip", "fetch the file again")]) from error


def find_columns(
    cells: RawCells, wanted: Mapping[str, Column]
) -> tuple[dict[str, str], list[Fault]]:
    """Find the raw column of each standard variable.

    Returns
    -------
    found : dict
        Standard variable → raw column.
    faults : list of Fault
        One for each variable whose column is not there, or is there twice under two names.
    """
    found: dict[str, str] = {}
    faults: list[Fault] = []
    listed = "the file has " + ", ".join(cells.columns)
    for variable, spec in wanted.items():
        names = names_of_columns(spec)
        there = [name for name in names if name in cells.columns]
        if len(there) == 1:
            found[variable] = there[0]
            continue
        close = get_close_matches(names[0], list(cells.columns), n=1)
        guessed = close and not there
        remedy = f"did you mean {close[0]!r}?" if guessed else "correct the column map, or the file"
        what = "several columns" if there else "no column"
        faults.append(
            Fault(
                cells.file, f"{what} for {variable!r}; {listed}",
                "one of " + ", ".join(names) if len(names) > 1 else names[0],
                remedy, row=max(cells.first - 1, 1), column=names[0],
            )
        )  # fmt: skip
    return found, faults
