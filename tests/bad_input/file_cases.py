"""Files that are not what they should be: missing, cut, mixed up, or of another kind."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from support.spoilt_trial import (
    Accepted,
    Case,
    Planted,
    Refused,
    Spoil,
    SpoiltTrial,
    all_of,
    as_bytes,
    lines,
    protocol,
    without,
)

MARK = b"\xef\xbb\xbf"


def _refused(*faults: Planted) -> Refused:
    return Refused(faults)


def _school(found: str, row: int | None = None, **words: str) -> Refused:
    return _refused(Planted("schools.csv", found, row, **words))


def held_as(file: str, ending: str, write: Callable[[pd.DataFrame, Path], object]) -> Spoil:
    """Hold a raw file in another format; it is the same study."""

    def spoil(trial: SpoiltTrial) -> None:
        header, *rows = trial.files.pop(f"{file}.csv")
        frame = pd.DataFrame(rows, columns=header)
        trial.on_disk.append(lambda folder: write(frame, folder / f"{file}{ending}"))
        for readings in trial.protocol["tables"].values():
            for reading in readings:
                if reading["file"] == f"{file}.csv":
                    reading["file"] = f"{file}{ending}"

    return spoil


def _excel(frame: pd.DataFrame, path: Path, **keys: Any) -> None:
    frame.to_excel(path, index=False, **keys)


WORKBOOK = held_as("schools", ".xlsx", _excel)
STATA = held_as("schools", ".dta", lambda frame, path: frame.to_stata(path, write_index=False))
PARQUET = held_as("schools", ".parquet", lambda frame, path: frame.to_parquet(path))


def _cut(name: str, size: int) -> Spoil:
    def cut(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-size])

    return lambda trial: trial.on_disk.append(cut)


def _filled(name: str, content: bytes) -> Spoil:
    return lambda trial: trial.on_disk.append(lambda folder: (folder / name).write_bytes(content))


def _packed(trial: SpoiltTrial, name: str = "schools.csv.gz") -> None:
    trial.reading("schools")["file"] = name
    trial.raw[name] = trial.compress("schools.csv")
    del trial.files["schools.csv"]


def _renamed(name: str) -> Spoil:
    """Give a text file another ending."""

    def spoil(trial: SpoiltTrial) -> None:
        trial.raw[name] = trial.text("schools.csv").encode()
        trial.reading("schools")["file"] = name
        del trial.files["schools.csv"]

    return spoil


def _zip_as_text(trial: SpoiltTrial) -> None:
    buffer = io.BytesIO()
    header, *rows = trial.files["schools.csv"]
    pd.DataFrame(rows, columns=header).to_excel(buffer, index=False)
    trial.raw["schools.csv"] = buffer.getvalue()


def _delimited_by(mark: str, *files: str) -> Spoil:
    def spoil(trial: SpoiltTrial) -> None:
        for file in files:
            trial.raw[file] = trial.text(file, mark).encode()

    return spoil


def _linked(file: str) -> Spoil:
    """Leave a link to a file in its place."""

    def move(folder: Path) -> None:
        store = folder / "store"
        store.mkdir(exist_ok=True)
        if not (folder / file).is_symlink():
            (folder / file).rename(store / file)
            (folder / file).symlink_to(store / file)

    return lambda trial: trial.on_disk.append(move)


def _checksum(trial: SpoiltTrial) -> None:
    trial.reading("schools")["sha256"] = hashlib.sha256(b"another content").hexdigest()


def _ten_megabytes(trial: SpoiltTrial) -> None:
    trial.raw["schools.csv"] = b"school_code,district\n" + b"S1,N," * 2_000_000


FILES = [
    Case(
        "an empty file", as_bytes("schools.csv", lambda text: b""),
        _school("the file has no data rows", remedy="export the file again, with all rows"),
    ),
    Case(
        "a file of blank lines", as_bytes("schools.csv", lambda text: b"\n \n\n"),
        _school("the file has no data rows", remedy="export the file again, with all rows"),
    ),
    Case(
        "a header and nothing below it", lines("roster_2020.csv", lambda rows: rows.__delitem__(slice(1, None))),
        _refused(Planted("roster_2020.csv", "the file has no data rows",
        expected="a header and data rows")),
    ),
    Case(
        "a file of zero bytes", as_bytes("schools.csv", lambda text: b"\0" * 4096),
        _school("a NUL byte", 1, remedy="export the file again"),
    ),
    Case(
        "NUL bytes among the text", as_bytes("schools.csv", lambda text: text.replace(b"S3", b"S\x003")),
        _school("a NUL byte", 4),
    ),
    Case(
        "a missing file, and another one", all_of(without("schools.csv"), without("scores_2020.csv")),
        _refused(
            Planted("schools.csv", "no such file"), Planted("scores_2020.csv", "no such file")
        ),
    ),
    Case(
        "a missing year", without("roster_2019.csv"),
        _refused(Planted("roster_2019.csv", "no such file", expected="that the protocol names")),
    ),
    Case(
        "a folder in the place of a file",
        without("schools.csv", lambda path: path.mkdir(exist_ok=True)),
        _school("a folder of that name", remedy="replace the folder by the file"),
    ),
    Case(
        "a link that leads nowhere",
        without("schools.csv", lambda path: path.is_symlink() or path.symlink_to("nowhere.csv")),
        _school("a link to a file that does not exist", remedy="restore"),
    ),
    Case(
        "a link that leads to itself",
        without("schools.csv", lambda path: path.is_symlink() or path.symlink_to("schools.csv")),
        _school("a link to a file that does not exist", remedy="restore"),
    ),
    Case("a link that leads to the file", _linked("schools.csv"), Accepted()),
    Case(
        "another content than the checksum says", _checksum,
        _school("its SHA-256 is", expected="the SHA-256 in the protocol", remedy="restore the file"),
    ),
    Case(
        "a gzip that breaks off", all_of(_packed, _cut("schools.csv.gz", 12)),
        _refused(Planted("schools.csv.gz", "the gzip file is incomplete",
        remedy="download the file again")),
    ),
    Case(
        "a gzip with something behind it",
        all_of(_packed, lambda trial: trial.raw.update({"schools.csv.gz": trial.raw["schools.csv.gz"] + b"more"})),
        _refused(Planted("schools.csv.gz", "the gzip file is incomplete")),
    ),
    Case(
        "text that is named gzip", _renamed("schools.csv.gz"),
        _refused(Planted("schools.csv.gz", "the gzip file is incomplete")),
    ),
    Case("a gzip whose ending is in capitals", lambda trial: _packed(trial, "schools.csv.GZ"), Accepted()),
    Case(
        "a gzip that is named as text", as_bytes("schools.csv", gzip.compress),
        _school("the file is gzip, not text", remedy=".gz"),
    ),
    Case(
        "a workbook that is named as text", _zip_as_text,
        _school("the file is a workbook or another zip archive, not text", remedy=".xlsx"),
    ),
    Case(
        "text that is named as a workbook", _renamed("schools.xlsx"),
        _refused(Planted("schools.xlsx", "not readable as an Excel workbook", remedy="rename it to .csv")),
    ),
    Case(
        "text that is named as a Stata file", _renamed("schools.dta"),
        _refused(Planted("schools.dta", "not readable as a Stata file")),
    ),
    Case(
        "text that is named as Parquet", _renamed("schools.parquet"),
        _refused(Planted("schools.parquet", "not readable as a Parquet file")),
    ),
    Case("a good workbook", lambda trial: None, Accepted(), WORKBOOK),
    Case(
        "a workbook that breaks off", _cut("schools.xlsx", 400),
        _refused(Planted("schools.xlsx", "not readable as an Excel workbook")), WORKBOOK,
    ),
    Case(
        "a workbook of zero bytes", _filled("schools.xlsx", b""),
        _refused(Planted("schools.xlsx", "not readable as an Excel workbook")), WORKBOOK,
    ),
    Case(
        "a workbook without the sheet", protocol("tables.schools.0.sheet", "Schools 2020"),
        _refused(Planted("schools.xlsx", "no sheet 'Schools 2020'", expected="one of Sheet1")), WORKBOOK,
    ),
    Case(
        "a workbook whose header stands lower than is said", protocol("tables.schools.0.header_row", 40),
        _refused(Planted("schools.xlsx", "the file has no data rows")), WORKBOOK,
    ),
    Case(
        "a Stata file that breaks off", _cut("schools.dta", 30),
        _refused(Planted("schools.dta", "not readable as a Stata file")), STATA,
    ),
    Case(
        "a Stata file of noise", _filled("schools.dta", bytes(range(256)) * 40),
        _refused(Planted("schools.dta", "not readable as a Stata file")), STATA,
    ),
    Case(
        "a Parquet file that breaks off", _cut("schools.parquet", 20),
        _refused(Planted("schools.parquet", "not readable as a Parquet file")), PARQUET,
    ),
    Case(
        "a Parquet file whose data are overwritten", _filled("schools.parquet", b"PAR1" + bytes(500) + b"PAR1"),
        _refused(Planted("schools.parquet", "not readable as a Parquet file")), PARQUET,
    ),
    Case(
        "a wrong delimiter", _delimited_by(";", "schools.csv"),
        _school("the header is one cell", 1, remedy='set `delimiter: ";"`'),
    ),
    Case(
        "tabs in two of the files", _delimited_by("\t", "schools.csv", "assignment.csv"),
        _refused(
            Planted("schools.csv", "the header is one cell", 1, remedy="\\t"),
            Planted("assignment.csv", "the header is one cell", 1, remedy="\\t"),
        ),
    ),
    Case(
        "text in UTF-16", as_bytes("schools.csv", lambda text: text.decode().encode("utf-16")),
        _school("the file is UTF-16", 1, remedy="save the file as UTF-8"),
    ),
    Case(
        "text in UTF-16 without its mark", as_bytes("schools.csv", lambda text: text.decode().encode("utf-16-le")),
        _school("a NUL byte", 1),
    ),
    Case("a byte-order mark", as_bytes("schools.csv", lambda text: MARK + text), Accepted()),
    Case(
        "a byte-order mark twice", as_bytes("schools.csv", lambda text: MARK + MARK + text),
        _school("two byte-order marks", 1, remedy="save the file as UTF-8"),
    ),
    Case(
        "a byte-order mark where the protocol says Latin-1",
        all_of(
            as_bytes("schools.csv", lambda text: MARK + text),
            protocol("tables.schools.0.encoding", "latin-1"),
        ),
        _school("a byte-order mark of UTF-8", 1, remedy="`encoding: utf-8`"),
    ),
    Case(
        "two encodings in one file",
        as_bytes("schools.csv", lambda text: text.replace(b"S3", "É3".encode()).replace(b"S5", b"\xc95")),
        _school("byte 0xc9 is not utf-8", 6, remedy="windows-1252"),
    ),
    Case("lines that end as on Windows", as_bytes("schools.csv", lambda text: text.replace(b"\n", b"\r\n")), Accepted()),
    Case("lines that end as on old Macintoshes", as_bytes("schools.csv", lambda text: text.replace(b"\n", b"\r")), Accepted()),
    Case("no end of the last line", as_bytes("schools.csv", lambda text: text.rstrip()), Accepted()),
    Case("blank lines at the end", as_bytes("schools.csv", lambda text: text + b"\n\n\n"), Accepted()),
    Case("every cell in quotation marks", as_bytes("roster_2020.csv", lambda text: b'"' + text.rstrip().replace(b",", b'","').replace(b"\n", b'"\n"') + b'"\n'), Accepted()),
    Case("columns in another order", lines("roster_2020.csv", lambda rows: [row.reverse() for row in rows]), Accepted()),
    Case("rows in another order", lines("roster_2020.csv", lambda rows: rows.__setitem__(slice(1, None), rows[:0:-1])), Accepted()),
    Case("a column that nobody asked for", lines("roster_2020.csv", lambda rows: [row.append("x") for row in rows]), Accepted()),
    Case(
        "a quotation mark that is never closed", as_bytes("schools.csv", lambda text: text.replace(b"S3,N", b'S3,"N')),
        _school("the quotation marks do not pair", 4, remedy="close the quotation mark"),
    ),
    Case(
        "text behind a closed quotation mark", as_bytes("schools.csv", lambda text: text.replace(b"S3,N", b'S3,"N"x')),
        _school("the quotation marks do not pair", 4),
    ),
    Case(
        "one line of ten megabytes", _ten_megabytes,
        _school("the row has 4000001 cells", 2, expected="2 cells"),
    ),
    Case(
        "a cell of ten megabytes", as_bytes("schools.csv", lambda text: text.replace(b"S3", b"S" * 10_000_000)),
        _school("a line of 10,000,003 bytes", 4, expected="10,000,000", remedy="`limits: {line_length: 10000003}`"),
    ),
    Case(
        "a cell of two hundred thousand characters in quotation marks",
        as_bytes("schools.csv", lambda text: text.replace(b"S3,N", b'S3,"N" ' + b"S" * 200_000)),
        _school("quotation marks do not pair", 4),
    ),
    Case(
        "rows that are too short and too long",
        lines("roster_2019.csv", lambda rows: (rows[3].pop(), rows[8].append("more"))),
        _refused(
            Planted("roster_2019.csv", "the row has 5 cells", 4, expected="6 cells"),
            Planted("roster_2019.csv", "the row has 7 cells", 9, expected="6 cells"),
        ),
    ),
    Case(
        "two header rows", lines("roster_2020.csv", lambda rows: rows.insert(0, ["Pupil", "", "", "", "Days", ""])),
        _refused(Planted("roster_2020.csv", "none of the columns on this line", 1, remedy="`header_row: 2`")),
    ),
    Case(
        "a row of units under the header",
        lines("roster_2020.csv", lambda rows: rows.insert(1, ["id", "S1", "3-8", "F/M", "days", "days"])),
        _refused(
            Planted("roster_2020.csv", "the value '3-8'", 2, "grade", "a number"),
            Planted("roster_2020.csv", "the value 'F/M'", 2, "sex", "one of 'F', 'M'"),
            Planted("roster_2020.csv", "the value 'days'", 2, "days_enrolled", "a number"),
            Planted("roster_2020.csv", "the value 'days'", 2, "days_present", "a number"),
        ),
    ),
    Case(
        "the header once more in the middle", lines("scores_2020.csv", lambda rows: rows.insert(200, list(rows[0]))),
        _refused(
            Planted("scores_2020.csv", "the value 'subject'", 201, "subject", "one of 'MATH', 'READ'"),
            Planted("scores_2020.csv", "the value 'score'", 201, "score", "a number"),
        ),
    ),
    Case(
        "no header", lines("assignment.csv", lambda rows: rows.pop(0)),
        _refused(
            Planted("assignment.csv", "no column for 'school'; the file has S1, 1, C", 1, "school_code"),
            Planted("assignment.csv", "no column for 'block'", 1, "pair"),
            Planted("assignment.csv", "no column for 'arm'", 1, "arm"),
        ),
    ),
    Case(
        "a column that is missing, and one that is renamed",
        lines("roster_2020.csv", lambda rows: [(row.pop(3), rows[0].__setitem__(2, "Grade level")) for row in rows]),
        _refused(
            Planted("roster_2020.csv", "no column for 'grade'; the file has pupil_id", 1, "grade", "grade"),
            Planted("roster_2020.csv", "no column for 'sex'", 1, "sex"),
        ),
    ),
    Case(
        "a column that stands twice", lines("scores_2019.csv", lambda rows: rows[0].__setitem__(2, "subject")),
        _refused(
            Planted("scores_2019.csv", "2 columns are called 'subject': columns 2, 3", 1, "subject", remedy="`position: 2`"),
            Planted("scores_2019.csv", "no column for 'value'", 1, "score"),
        ),
    ),
    Case(
        "the same file for both years",
        protocol("tables.pupils.0.file", "roster_2019.csv"),
        Refused((Planted("trial.yaml", "tables.pupils.0 has no 'year'", 47, "tables.pupils.0.columns"),), "protocol"),
    ),
]  # fmt: skip

if os.geteuid() != 0:  # root reads every file
    FILES.append(
        Case(
            "a file that cannot be read",
            lambda trial: trial.on_disk.append(lambda folder: (folder / "schools.csv").chmod(0)),
            _school("cannot be read", remedy="permission"),
        )
    )
