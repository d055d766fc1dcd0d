"""A raw file is found and named, or refused without being read where reading it has no end."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.raw_files import find_columns, read_raw
from schooltrial.protocol.content.column_map import SIZES
from schooltrial.refusal import Fault, Refusal
from support.sections import reading
from support.small_trial import SmallTrial


def _fault(path: Path, **keys: Any) -> Fault:
    with pytest.raises(Refusal) as caught:
        read_raw(path, path.name, reading(path.name), **keys)
    (fault,) = caught.value.faults
    assert fault.expected
    assert fault.remedy
    return fault


def test_a_pipe_a_socket_and_a_device_are_refused_without_being_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert _fault(pipe).found == "a pipe, not a file"
    zeros = tmp_path / "zeros.csv"
    zeros.symlink_to("/dev/zero")
    assert _fault(zeros).found == "a device, not a file"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s.csv"))
        assert _fault(tmp_path / "s.csv").found == "a socket, not a file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schools.csv").mkdir()
    assert "folder" in _fault(tmp_path / "schools.csv").found


def test_what_a_gzip_unpacks_to_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "f.csv.gz"
    path.write_bytes(gzip.compress(b"id,n\n" + b"1,2\n" * 1000))
    fault = _fault(path, sizes={**SIZES, "decompressed_bytes": 1000})
    assert fault.found == "the file has more than 1,000 bytes after unpacking"
    assert "`limits: {decompressed_bytes: " in fault.remedy
    assert read_raw(path, path.name, reading(path.name)).rows == 1000


@pytest.mark.parametrize(
    ("start", "remedy"),
    [
        (b"\x1f\x8b\x08", "rename it to .gz"), (b"PK\x03\x04", "rename it to .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "rename it to .xls"),
        (b"$FL2@(#)", "rename it to .sav"),
        (b"<stata_dta>", "rename it to .dta"),
        (b"PAR1", "rename it to .parquet"), (b"%PDF-1.7", "export"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_that_is_named_as_text_is_told(
    tmp_path: Path, start: bytes, remedy: str
) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(start + bytes(100))
    fault = _fault(path)
    assert fault.found.endswith(", not text")
    assert fault.remedy.startswith(remedy)


def test_a_file_of_another_kind_that_is_packed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "f.dta.gz"
    path.write_bytes(gzip.compress(b"<stata_dta>" + bytes(100)))
    fault = _fault(path)
    assert fault.found == "the content is a Stata file, not text"
    assert fault.remedy.startswith("unpack it, and rename it to .dta")


@pytest.mark.parametrize("name", ["f.ods", "f.xlsb", "f.rds"])
def test_a_kind_of_file_that_is_not_read_is_told_with_those_that_are(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04")
    fault = _fault(path)
    assert ".sas7bdat" in fault.expected
    assert "save the table as .xlsx or CSV" in fault.remedy


def _cells(folder: Path, text: str, **keys: Any) -> RawCells:
    path = folder / "f.csv"
    path.write_text(text, "utf-8")
    return read_raw(path, "f.csv", reading("f.csv", **keys))


def _wanted(**specs: dict[str, Any]) -> dict[str, Any]:
    return dict(reading("f.csv", columns=specs)["columns"])


def test_a_column_without_a_name_is_read_by_its_number(tmp_path: Path) -> None:
    cells = _cells(tmp_path, ",score\nS1,2\n")
    found, faults = find_columns(cells, _wanted(school={"position": 1}, n={"column": "score"}))
    assert (found, faults) == ({"school": "column (1)", "n": "score"}, [])
    assert cells.columns[found["school"]].cells(np.arange(1)).to_pylist() == ["S1"]


def test_a_number_beyond_the_columns_is_refused(tmp_path: Path) -> None:
    _, (fault,) = find_columns(_cells(tmp_path, "a,b\n1,2\n"), _wanted(school={"position": 3}))
    assert fault.found == "no column 3 for 'school'; the file has 2 columns"


def test_a_name_is_found_whatever_blanks_and_line_breaks_it_holds(tmp_path: Path) -> None:
    cells = _cells(tmp_path, '"Number\ntested",Mean  score\n1,2\n')
    found, faults = find_columns(
        cells, _wanted(n={"column": "Number tested"}, mean={"column": "Mean score"})
    )
    assert (list(found.values()), faults) == (["Number\ntested", "Mean  score"], [])


def test_names_on_a_lower_line_are_told_once_with_that_line(tmp_path: Path) -> None:
    cells = _cells(tmp_path, "Results,,\nof 2020,,\nid,score,n\n1,2,3\n")
    _, (fault,) = find_columns(cells, _wanted(pupil={"column": "id"}, value={"column": "score"}))
    assert fault.remedy == "set `header_row: 3`: line 3 has id, score"


def test_few_of_very_many_names_are_listed(tmp_path: Path) -> None:
    names = ",".join(f"c{at}" for at in range(500))
    _, (fault,) = find_columns(_cells(tmp_path, f"{names}\n{names}\n"), _wanted(x={"column": "y"}))
    assert "… and 460 more" in fault.found
    assert len(str(fault)) < 800


def test_a_trial_reads_by_position_below_two_header_rows_and_above_notes(
    trial: SmallTrial,
) -> None:
    _, *rows = trial.files["roster_2020.csv"]
    upper = ["", "", "Pupil", "", "Days", ""]
    lower = ["", "School", "grade", "sex", "enrolled", "present"]
    notes = [["Source: the district"], ["Total", "", "", "", "1", "1"]]
    trial.files["roster_2020.csv"] = [["Roster"], upper, lower, *rows, [], *notes]
    columns = trial.reading("pupils")["columns"]
    named = ["pupil_id", "school_code", "grade", "sex", "days_enrolled", "days_present"]
    found = ["", "School", "Pupil grade", "Pupil sex", "Days enrolled", "Days present"]
    moved = {
        name: {**spec, "column": found[named.index(spec["column"])]}
        for name, spec in columns.items()
    }
    moved["pupil"] = {"position": 1}
    first = {**trial.reading("pupils"), "file": "roster_2019.csv", "year": 2019}
    second = {
        **first, "file": "roster_2020.csv", "year": 2020, "columns": moved, "header_row": [2, 3],
        "notes_below": ["Source", "Total"],
    }  # fmt: skip
    trial.protocol["tables"]["pupils"] = [first, second]
    trial.obtain()
    log = [
        line
        for line in Path(trial.path("cleaning_log.csv")).read_text().splitlines()
        if "notes" in line
    ]
    (entry,) = log
    assert entry.startswith("pupils,roster_2020.csv,,notes below the table left out,0,2,")
    assert len(rows) == 160
