"""Read a raw file as text, cell by cell, without guessing."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.refusal import Fault, Refusal, refuse

Reading = Mapping[str, Any]
SHOWN_ROWS = 5
DELIMITERS = {";": ";", ",": ",", "|": "|", "\t": "\\t"}
ENCODINGS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "windows-1252": "cp1252"}


def expand_years(reading: Reading, years: Sequence[int]) -> list[tuple[str, int | None]]:
    """Return the files of a reading, with the year that each name carries.

    A name with ``{year}`` stands for one file per year of the study.
    """
    name = str(reading["file"])
    if "{year}" in name:
        return [(name.replace("{year}", str(year)), year) for year in years]
    return [(name, None)]


def raw_file_names(tables: Mapping[str, Sequence[Reading]], years: Sequence[int]) -> list[str]:
    """Return the names of all raw files of a study, sorted."""
    return sorted(
        {
            name
            for readings in tables.values()
            for reading in readings
            for name, _ in expand_years(reading, years)
        }
    )


def read_text(path: Path, reading: Reading) -> pd.DataFrame:
    """Return every cell of a delimited file as text, the index being the line of the file.

    Raises
    ------
    Refusal
        Where the file is missing, is not what the checksum says, cannot be decoded, or has rows of
        unequal length.
    """
    file = path.name
    if not path.is_file():
        refuse([_missing_file(path, str(reading["file"]))])
    content = _content(path, reading)
    try:
        text = content.decode(ENCODINGS[reading["encoding"]])
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise Refusal(
            [
                Fault(
                    file,
                    f"byte 0x{content[error.start]:02x} is not {reading['encoding']}",
                    f"text in {reading['encoding']}",
                    "set `encoding` in the protocol to windows-1252 or latin-1, or save as UTF-8",
                    row=row,
                )
            ]
        ) from error
    return _split(text, file, str(reading["delimiter"]))


def _missing_file(path: Path, pattern: str) -> Fault:
    """Say that a file is missing; files that the same pattern names already are no remedy."""
    if not path.parent.is_dir():
        there, found = [], f"the folder {path.parent.name!r} does not exist"
    else:
        there, found = sorted(p.name for p in path.parent.iterdir() if p.is_file()), "no such file"
    read = re.compile(re.escape(pattern).replace(re.escape("{year}"), r"\d+"))
    close = get_close_matches(path.name, [name for name in there if not read.fullmatch(name)], n=1)
    remedy = f"did you mean {close[0]!r}?" if close else "check raw_folder and file in the protocol"
    return Fault(path.name, found, "a raw file that the protocol names", remedy)


def _content(path: Path, reading: Reading) -> bytes:
    raw = path.read_bytes()
    expected = reading["sha256"]
    found = hashlib.sha256(raw).hexdigest()
    if expected is not None and found != expected:
        refuse(
            [
                Fault(
                    path.name,
                    f"its SHA-256 is {found}",
                    f"the SHA-256 that the protocol states, {expected}",
                    "restore the file, or state the new checksum in the protocol, and why",
                )
            ]
        )
    if path.suffix != ".gz":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal(
            [Fault(path.name, f"not a whole gzip file ({error})", "gzip", "fetch the file again")]
        ) from error


def _split(text: str, file: str, delimiter: str) -> pd.DataFrame:
    """Split delimited text into cells; each fault of shape is named with its line."""
    import csv
    from io import StringIO

    if "\x00" in text:
        row = text[: text.index("\x00")].count("\n") + 1
        refuse([Fault(file, "a NUL byte", "plain text", "export the file again", row=row)])
    lines: list[int] = []
    rows: list[list[str]] = []
    # StringIO, as `splitlines` also splits at form feeds and other characters inside a cell
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    try:
        for row_cells in reader:
            if row_cells:
                lines.append(before + 1)
                rows.append(row_cells)
            before = reader.line_num
    except csv.Error as error:
        found = f"the quotation marks do not pair ({error})"
        remedy = "close the quotation mark that is opened on this line, or double one inside a cell"
        fault = Fault(file, found, 'cells quoted as "…"', remedy, row=before + 1)
        raise Refusal([fault]) from error
    if len(rows) < 2:
        refuse([Fault(file, "the file holds no rows", "a header and rows", "check the export")])
    header = [name.strip() for name in rows[0]]
    other = [mark for mark in ";\t|," if mark != delimiter and mark in rows[0][0]]
    if len(header) == 1 and other:
        found = f"the header is one cell: {header[0]!r}"
        remedy = f'set `delimiter: "{DELIMITERS[other[0]]}"` in the protocol'
        expected = f"columns separated by {delimiter!r}"
        refuse([Fault(file, found, expected, remedy, row=1)])
    repeated = sorted({name for name in header if header.count(name) > 1})
    faults = [
        Fault(file, f"the column {name!r} stands twice", "each column once", "rename one", row=1)
        for name in repeated
    ]
    expected = f"{len(header)} cells, as in the header"
    remedy = "check the delimiter and the quotation marks on that line"
    unequal = [at for at, cells in enumerate(rows) if len(cells) != len(header)]
    faults += [
        Fault(file, f"the row has {len(rows[at])} cells", expected, remedy, row=lines[at])
        for at in unequal[:SHOWN_ROWS]
    ]
    if len(unequal) > SHOWN_ROWS:
        found = f"{len(unequal) - SHOWN_ROWS} more rows have another number of cells"
        faults.append(Fault(file, found, expected, remedy))
    refuse(faults)
    return pd.DataFrame(rows[1:], columns=header, index=pd.Index(lines[1:], name="row"), dtype=str)


def find_columns(
    frame: pd.DataFrame, wanted: Mapping[str, Mapping[str, Any]], file: str
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
    for variable, column in wanted.items():
        names = [column["column"]] if isinstance(column["column"], str) else list(column["column"])
        there = [name for name in names if name in frame.columns]
        if len(there) == 1:
            found[variable] = there[0]
            continue
        close = get_close_matches(names[0], list(frame.columns), n=1)
        remedy = (
            f"did you mean {close[0]!r}?"
            if close and not there
            else "correct the protocol's column map, or the file"
        )
        what = "several columns" if there else "no column"
        faults.append(
            Fault(
                file,
                f"{what} for {variable!r}; the file has " + ", ".join(map(str, frame.columns)),
                "one of " + ", ".join(names) if len(names) > 1 else names[0],
                remedy,
                row=1,
                column=names[0],
            )
        )
    return found, faults
