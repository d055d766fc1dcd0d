"""Workbooks, Stata and Parquet files become the text that a person sees in them."""

import datetime
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.raw_files import read_raw
from schooltrial.refusal import Fault, Refusal
from support.sections import reading


def _read(path: Path, **keys: Any) -> RawCells:
    return read_raw(path, path.name, reading(path.name, **keys))


def _texts(cells: RawCells, column: str) -> list[str]:
    found: list[str] = cells.columns[column].cells(np.arange(cells.rows)).to_pylist()
    return found


def _refusal(path: Path, **reading: Any) -> Fault:
    with pytest.raises(Refusal) as caught:
        _read(path, **reading)
    (fault,) = caught.value.faults
    assert fault.expected
    assert fault.remedy
    return fault


def _workbook(path: Path, rows: Sequence[Sequence[Any]], sheet: str = "Pupils") -> Path:
    with pd.ExcelWriter(path) as book:
        width = max(map(len, rows))
        cells = pd.DataFrame([[*row, *[None] * (width - len(row))] for row in rows], dtype=object)
        cells.to_excel(book, sheet_name=sheet, header=False, index=False)
        pd.DataFrame({"nothing": []}).to_excel(book, sheet_name="Notes", index=False)
    return path


def test_a_workbook_shows_whole_numbers_without_a_point_and_dates_as_dates(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["id", "score", "on", "text", "flag"],
        [7, 12.5, datetime.date(2019, 5, 3), "007", True],
        [8.0, None, datetime.datetime(2019, 5, 3, 10, 30), " x ", False],
    ]
    cells = _read(_workbook(tmp_path / "f.xlsx", rows))
    assert _texts(cells, "id") == ["7", "8"]
    assert _texts(cells, "score") == ["12.5", ""]
    assert _texts(cells, "on") == ["2019-05-03", "2019-05-03 10:30:00"]
    assert _texts(cells, "text") == ["007", " x "]
    assert _texts(cells, "flag") == ["TRUE", "FALSE"]
    assert cells.dated["on"].all()
    assert cells.broken["score"].tolist() == [True, False]


def test_rows_of_a_workbook_keep_their_number_below_titles_and_blank_rows(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Report of the district"],
        [None],
        ["id", "score"],
        [1, 2],
        [None, None],
        [3, 4],
    ]
    cells = _read(_workbook(tmp_path / "f.xlsx", rows), header_row=3)
    assert _texts(cells, "id") == ["1", "3"]
    assert cells.line(np.arange(2)).tolist() == [4, 6]


def test_the_sheet_declared_is_read_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "f.xlsx", [["id"], [1]])
    assert _texts(_read(path, sheet="Pupils"), "id") == ["1"]
    fault = _refusal(path, sheet="Teachers")
    assert (fault.found, fault.expected) == ("no sheet 'Teachers'", "one of Pupils, Notes")


@pytest.mark.parametrize("name", ["f.xlsx", "f.xls", "f.dta", "f.parquet"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"id,score\n1,2\n")
    assert "not readable as a" in _refusal(path).found


@pytest.mark.parametrize("name", ["f.xlsx", "f.dta", "f.parquet"])
def test_a_file_that_breaks_off_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = pd.DataFrame({"id": np.arange(1000), "score": np.arange(1000) / 7})
    if name.endswith("xlsx"):
        _workbook(path, [["id"], *[[at] for at in range(1000)]])
    elif name.endswith("dta"):
        frame.to_stata(path, write_index=False)
    else:
        frame.to_parquet(path)
    path.write_bytes(path.read_bytes()[:2000])
    found = _refusal(path).found
    assert "not readable as a" in found or "says 1,000 observations, but the file has" in found


def test_stata_values_stay_codes_unless_labels_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "f.dta"
    frame = pd.DataFrame({"sex": np.array([1, 2, 2], dtype="int8"), "score": [1.5, np.nan, 3.0]})
    frame.to_stata(path, write_index=False, value_labels={"sex": {1: "girl", 2: "boy"}})
    assert _texts(_read(path), "sex") == ["1", "2", "2"]
    cells = _read(path, value_labels=True)
    assert _texts(cells, "sex") == ["1", "2", "2"]
    assert cells.labels["sex"] == {"1": "girl", "2": "boy"}
    assert _texts(_read(path), "score") == ["1.5", "", "3"]
    assert _read(path).line(np.arange(3)).tolist() == [1, 2, 3]


def test_single_precision_is_read_as_it_was_entered_and_its_inexact_ids_are_marked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "f.dta"
    values = np.array([217.3, 16777216.0, 12345.0], dtype="float32")
    pd.DataFrame({"x": values}).to_stata(path, write_index=False)
    cells = _read(path)
    assert _texts(cells, "x") == ["217.3", "16777216", "12345"]
    assert cells.broken["x"].tolist() == [True, True, False]


def test_parquet_is_read_as_the_text_of_its_values(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    table = pa.table(
        {
            "id": pa.array(["01", None, "02"]),
            "n": pa.array([1, None, 3]),
            "on": pa.array([datetime.date(2020, 1, 2), None, None]),
            "sex": pa.array(["f", "m", None]).dictionary_encode(),
            "flag": pa.array([True, False, None]),
        }
    )
    pq.write_table(table, path)
    cells = _read(path)
    found = {name: _texts(cells, name) for name in cells.columns}
    assert found == {
        "id": ["01", "", "02"],
        "n": ["1", "", "3"],
        "on": ["2020-01-02", "", ""],
        "sex": ["f", "m", ""],
        "flag": ["1", "0", ""],
    }


@pytest.mark.parametrize("name", ["f.xlsx", "f.dta", "f.parquet"])
def test_a_typed_file_without_rows_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = pd.DataFrame({"id": pd.Series([], dtype="int64")})
    if name.endswith("xlsx"):
        _workbook(path, [["id"]])
    elif name.endswith("dta"):
        frame.to_stata(path, write_index=False)
    else:
        frame.to_parquet(path)
    assert _refusal(path).found == "the file has no data rows"


def test_parquet_may_repeat_a_name_and_have_one_that_is_blank(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    columns = [pa.array([1]), pa.array([2]), pa.array([3])]
    pq.write_table(pa.Table.from_arrays(columns, names=["x", "x", ""]), path)
    cells = _read(path)
    assert {name: _texts(cells, name) for name in cells.columns} == {
        "x (1)": ["1"], "x (2)": ["2"], "column (3)": ["3"],
    }  # fmt: skip
    assert cells.repeated == {"x": [1, 2]}
    assert cells.nameless == {"column (3)"}


@given(data=st.data())
def test_no_spoilt_parquet_file_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("spoilt") / "f.parquet"
    pq.write_table(pa.table({"id": ["a", None], "n": [1.5, 2.0]}), path)
    spoilt = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(spoilt) - 1), max_size=8)):
        spoilt[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))]))
    with suppress(Refusal):
        _read(path)
