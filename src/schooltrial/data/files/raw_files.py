"""Find the raw files of a study and read them as text, cell by cell, without guessing."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import stat
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from schooltrial.data.cells.identifiers import NEARLY_UNIQUE
from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.delimited import DelimitedText, decoded, split
from schooltrial.data.files.file_names import expand_years, with_joined
from schooltrial.data.statistical.spss_sas import SAS, SPSS, read_sas, read_spss
from schooltrial.data.statistical.stata_parquet import read_parquet, read_stata
from schooltrial.data.workbooks.excel import WORKBOOKS, read_workbook
from schooltrial.protocol.content.column_map import (
    SIZES,
    Column,
    RawFile,
    SizeLimits,
    Tables,
    names_of_columns,
)
from schooltrial.refusal import Fault, Refusal, refuse

READERS: dict[str, Callable[[Path, RawFile, SizeLimits], RawCells]] = {
    **dict.fromkeys(WORKBOOKS, read_workbook),
    ".dta": read_stata,
    ".parquet": read_parquet,
    **dict.fromkeys(SPSS, read_spss),
    **dict.fromkeys(SAS, read_sas),
}
"""Ending of the file's name → how it is read; every other file is delimited text."""


NOT_READ = (".xlsb", ".ods", ".numbers", ".mdb", ".accdb", ".rds", ".rdata", ".feather", ".pdf")
"""Endings of files that hold tables, but that are not read."""


PACKED = (
    (b"\x1f\x8b", "gzip", "rename it to .gz, also in the protocol"),
    (b"PK\x03\x04", "a workbook or another zip archive", "rename it to .xlsx, or unpack it"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook", "rename it to .xls, also in the protocol"),
    (b"%PDF-", "a PDF", "export the table as CSV from its source"),
    (b"$FL2", "an SPSS file", "rename it to .sav, also in the protocol"),
    (b"$FL3", "an SPSS file", "rename it to .zsav, also in the protocol"),
    (b"<stata_dta>", "a Stata file", "rename it to .dta, also in the protocol"),
    (b"PAR1", "a Parquet file", "rename it to .parquet, also in the protocol"),
)
"""First bytes of files that are no text → what they are, and what to do."""


def tables_filled(tables: Tables, years: Sequence[int]) -> dict[tuple[str, str], list[str]]:
    """Return file and sheet → the standard tables that it fills; a joined file fills none.

    A table stands there once for each reading of the file; of a wide one with the number of its
    outcomes, each of which makes a row of the table.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for table, readings in tables.items():
        for reading in readings:
            for file, _ in expand_years(reading, years):
                wide = len(reading["outcomes"])
                place = (file, reading["sheet"] or "")
                found.setdefault(place, []).append(f"{table} × {wide}" if wide > 1 else table)
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
    sizes : mapping
        How large files, lines and tables may be.
    """

    folder: Path
    tables: Tables
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    sizes: SizeLimits = field(default_factory=lambda: SIZES)
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
            str(reading["header_row"]),
            str(reading["notes_below"]),
            reading["value_labels"],
            reading["sha256"],
        )
        if shape not in self._read:
            path = Path(self.elsewhere.get(reading["file"], self.folder / file))
            try:
                self._read[shape] = read_raw(
                    path, file, reading, self._nearly_unique(reading), self.sizes
                )
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
    path: Path, file: str, reading: RawFile, plain: frozenset[str] = frozenset(),
    sizes: SizeLimits = SIZES,
) -> RawCells:  # fmt: skip
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
    sizes : mapping
        How large files, lines and tables may be.

    Raises
    ------
    Refusal
        With what is wrong with the file.
    """
    refuse(_not_a_file(path))
    if not path.is_file():
        refuse([_missing_file(path, reading["file"])])
    ending = path.suffix.lower()
    if ending in NOT_READ:
        remedy = "save the table as .xlsx or CSV, and write the new file name in the protocol"
        refuse([Fault(path.name, f"a file that ends in {ending}", f"one of {READ}", remedy)])
    try:
        raw = path.read_bytes()
    except OSError as error:
        found = f"the file cannot be read ({error.strerror})"
        remedy = "change the permissions of the file, or download it again"
        raise Refusal([Fault(path.name, found, "a file that can be read", remedy)]) from error
    sha256 = hashlib.sha256(raw).hexdigest()
    if reading["sha256"] is not None and sha256 != reading["sha256"]:
        expected = f"the SHA-256 in the protocol, {reading['sha256']}"
        remedy = (
            "restore the file, or write the new checksum in the protocol and the reason in "
            "`deviations`"
        )
        refuse([Fault(path.name, f"its SHA-256 is {sha256}", expected, remedy)])
    reader = READERS.get(ending)
    if reader is not None:
        cells = reader(path, reading, sizes)
    else:
        most = sizes["decompressed_bytes"]
        content = decoded(_unpacked(raw, path, most), reading["encoding"], path.name)
        text = DelimitedText(
            path.name, content, reading["delimiter"], reading["header_row"],
            reading["notes_below"], sizes,
        )  # fmt: skip
        cells = split(text, plain)
    return replace(cells, size=len(raw), sha256=sha256, sheet=reading["sheet"] or "")


READ = "delimited text (.csv, .tsv, .txt, also .gz), " + ", ".join(READERS)


NO_FILES = (
    (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"), (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)  # fmt: skip


def _not_a_file(path: Path) -> list[Fault]:
    """Return the fault of what is no file: reading a pipe or a device might never end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return []
    what = [name for test, name in NO_FILES if test(mode)]
    remedy = "save its content to a file, and write that file name in the protocol"
    return [Fault(path.name, f"{what[0]}, not a file", "a regular file", remedy)] if what else []


def _missing_file(path: Path, pattern: str) -> Fault:
    """Say that a file is missing; files that the same pattern names already are no remedy."""
    expected = "a raw file that the protocol names"
    if path.is_symlink():
        found, remedy = "a link to a file that does not exist", "restore the file that it links to"
        return Fault(path.name, found, expected, remedy)
    if path.is_dir():
        return Fault(path.name, "a folder of that name", expected, "replace the folder by the file")
    if not path.parent.is_dir():
        there, found = [], f"the folder {path.parent.name!r} does not exist"
    else:
        there, found = sorted(p.name for p in path.parent.iterdir() if p.is_file()), "no such file"
    read = re.compile(re.escape(pattern).replace(re.escape("{year}"), r"\d+"))
    close = get_close_matches(path.name, [name for name in there if not read.fullmatch(name)], n=1)
    remedy = (
        f"did you mean {close[0]!r}?" if close else "check `raw_folder` and `file` in the protocol"
    )
    year = re.fullmatch(re.escape(pattern).replace(re.escape("{year}"), r"(\d+)"), path.name)
    if "{year}" in pattern and year and not close:
        remedy = (
            "copy the file to the folder, or check `raw_folder` and `file` in the protocol; if "
            f"there are no data of {year[1]} so far, add `years: {{to_come: [{year[1]}]}}`"
        )
    return Fault(path.name, found, expected, remedy)


def _unpacked(raw: bytes, path: Path, most: int) -> bytes:
    """Return the text of a file, unpacked if it is packed, but never more than `most` bytes."""
    if path.suffix.lower() != ".gz":
        for mark, what, remedy in PACKED:
            if raw.startswith(mark):
                found = f"the file is {what}, not text"
                refuse([Fault(path.name, found, "delimited text", remedy)])
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            content = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        found = f"the gzip file is incomplete ({error})"
        raise Refusal([Fault(path.name, found, "gzip", "download the file again")]) from error
    if len(content) > most:
        found = f"the file has more than {most:,} bytes after unpacking"
        remedy = "check the file, or raise `limits: {decompressed_bytes: …}` in the protocol"
        refuse([Fault(path.name, found, f"up to {most:,} bytes", remedy)])
    for mark, what, remedy in PACKED:
        if content.startswith(mark):
            found = f"the content is {what}, not text"
            refuse([Fault(path.name, found, "delimited text in gzip", f"unpack it, and {remedy}")])
    return content


LISTED = 40
"""Names of columns that a message lists."""


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
    keys = list(cells.columns)
    blanks = {" ".join(key.split()): key for key in reversed(keys)}
    for variable, spec in wanted.items():
        if spec["position"] is not None:
            if spec["position"] <= len(keys):
                found[variable] = keys[spec["position"] - 1]
            else:
                faults.append(_no_position(cells, variable, spec["position"]))
            continue
        names = names_of_columns(spec)
        there = [name for name in names if name in cells.columns and name not in cells.nameless]
        there = there or [blanks[name] for n in names if (name := " ".join(n.split())) in blanks]
        shared = [name for name in names if name in cells.repeated]
        if len(there) == 1 and not shared:
            found[variable] = there[0]
        elif shared:
            faults.append(_repeated(cells, shared[0]))
        else:
            faults.append(_not_found(cells, variable, names, several=bool(there)))
    return found, _lower_header(cells, wanted) or faults if faults else []


def _lower_header(cells: RawCells, wanted: Mapping[str, Column]) -> list[Fault]:
    """Return the one fault of a file of which another line than the header's has the names."""
    names = {name for spec in wanted.values() for name in names_of_columns(spec)}
    if names & set(cells.columns):
        return []
    best = max(cells.nearby, key=lambda line: len(names & set(line[1])), default=(0, ()))
    there = [name for name in best[1] if name in names]
    if not there or best[0] == cells.header_row:
        return []
    found = f"none of the columns on this line is in the protocol; {_listed(cells)}"
    remedy = f"set `header_row: {best[0]}`: line {best[0]} has {', '.join(there[:5])}"
    return [Fault(cells.file, found, "the column names", remedy, row=cells.header_row)]


def _no_position(cells: RawCells, variable: str, position: int) -> Fault:
    found = f"no column {position} for {variable!r}; the file has {len(cells.columns)} columns"
    remedy = f"correct `position`; {_listed(cells)}"
    return Fault(
        cells.file, found, f"a position from 1 to {len(cells.columns)}", remedy,
        row=cells.header_row,
    )  # fmt: skip


def _repeated(cells: RawCells, name: str) -> Fault:
    numbers = [str(number) for number in cells.repeated[name]]
    found = f"{len(numbers)} columns are called {name!r}: columns {', '.join(numbers)}"
    remedy = f"use the number of the column: `position: {numbers[0]}` instead of `column`"
    return Fault(cells.file, found, "one column of that name", remedy, cells.header_row, name)


@dataclass(frozen=True, slots=True)
class NoColumn(Fault):
    """A file lacks a column that the protocol names; one of the two is misspelt.

    Attributes
    ----------
    file, found, expected, remedy, row, column, rows
        As for ``Fault``.
    variable : str
        What the protocol reads from the column.
    """

    variable: str = ""


def _not_found(
    cells: RawCells, variable: str, names: Sequence[str], *, several: bool
) -> Fault:  # fmt: skip
    known = [key for key in cells.columns if key not in cells.nameless]
    close = get_close_matches(names[0], known, n=1)
    if several:
        remedy = "choose one of them under `columns`"
    elif close:
        remedy = f"did you mean {close[0]!r}?"
    else:
        remedy = "correct the name under `columns`: one of those that the file has"
    what = "several columns" if several else "no column"
    found = f"{what} for {variable!r}; {_listed(cells)}"
    expected = "one of " + ", ".join(names) if len(names) > 1 else names[0]
    if several:
        return Fault(cells.file, found, expected, remedy, cells.header_row, names[0])
    return NoColumn(
        cells.file, found, expected, remedy, cells.header_row, names[0], variable=variable
    )


def _listed(cells: RawCells) -> str:
    """Return the names of a file's columns; only the first of very many."""
    keys = list(cells.columns)
    more = f" … and {len(keys) - LISTED:,} more" if len(keys) > LISTED else ""
    return "the file has " + ", ".join(keys[:LISTED]) + more
