"""Identifiers that several columns make up, and columns that others fill."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.cleaning_log import CleaningLog
from schooltrial.data.cells.composed_columns import compose, sources
from schooltrial.data.cells.text_columns import RawCells, TextColumn
from schooltrial.data.cells.typed_columns import ColumnReader
from schooltrial.protocol.form.schema_validation import with_defaults
from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial, schema

FILE: Any = {"missing": [""], "decimal": ".", "thousands": "", "suppression_codes": {}}


def _reader(**columns: list[str]) -> ColumnReader:
    held = {
        name: TextColumn(pa.array(texts, pa.string())).distinct() for name, texts in columns.items()
    }
    rows = len(next(iter(columns.values())))
    return ColumnReader(RawCells("f.csv", held, rows), CleaningLog("schools", "f.csv"), FILE)


def _read(reader: ColumnReader, **keys: Any) -> list[Any]:
    spec = with_defaults(keys, schema()["$defs"]["column"], schema())
    wanted = {"school": spec}
    found = {name: str(one["column"]) for name, one in sources(wanted).items()}
    raw = compose(reader, wanted, found)
    values = reader.read("school", raw["school"], spec)["school"]
    return list(values.to_pylist())


def test_an_identifier_is_its_parts_with_a_sign_between_them() -> None:
    reader = _reader(state=["TX", "TX", "NY"], cohort=["2019", "2020", "2019"])
    assert _read(reader, parts=["state", "cohort"]) == ["TX-2019", "TX-2020", "NY-2019"]
    assert not reader.faults
    again = _reader(a=["1", "1"], b=[" 2", "2 "], c=["3", "4"])
    assert _read(again, parts=["a", "b", "c"], between="|") == ["1|2|3", "1|2|4"]


SMALL = st.text("ab", min_size=1, max_size=2)


@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=1, max_size=12))
def test_rows_have_the_same_identifier_just_where_all_parts_are_the_same(
    rows: list[tuple[str, str, str]],
) -> None:
    reader = _reader(**{name: [row[at] for row in rows] for at, name in enumerate("xyz")})
    made = _read(reader, parts=["x", "y", "z"])
    assert made == ["-".join(row) for row in rows]
    assert len(set(made)) == len(set(rows))


def test_each_part_has_its_own_width_and_gets_its_zeros_back() -> None:
    reader = _reader(district=["7", "12"], school=["003", "14"])
    parts = ["district", {"column": "school", "width": 3, "pad": True}]
    assert _read(reader, parts=parts) == ["7-003", "12-014"]
    assert [entry.rule for entry in reader.log.entries] == ["leading zeros restored"]


def test_parts_that_a_file_writes_as_decimals_are_whole_numbers() -> None:
    reader = _reader(district=["7.0", "12.0"], school=["3", "14.0"])
    assert _read(reader, parts=["district", "school"], written_as_decimals=True) == [
        "7-3", "12-14",
    ]  # fmt: skip


def test_a_row_without_any_part_has_no_identifier() -> None:
    reader = _reader(state=["TX", "", "NA"], cohort=["2019", "", " "])
    assert _read(reader, parts=["state", "cohort"], missing=["NA"]) == ["TX-2019", None, None]
    assert not reader.faults


def test_a_row_that_lacks_some_parts_is_refused_by_row_and_column() -> None:
    reader = _reader(state=["TX", "TX", ""], cohort=["2019", "", "2019"])
    _read(reader, parts=["state", "cohort"])
    told = [(fault.row, fault.column, fault.expected) for fault in reader.faults]
    expected = "all parts of 'school', or none: {} is not empty in this row"
    assert told == [
        (4, "state", expected.format("'cohort'")), (3, "cohort", expected.format("'state'")),
    ]  # fmt: skip


def test_a_part_that_holds_the_sign_between_parts_is_refused() -> None:
    reader = _reader(district=["12-3", "12"], school=["4", "3-4"])
    _read(reader, parts=["district", "school"])
    assert [(fault.row, fault.column) for fault in reader.faults] == [
        (2, "district"), (3, "school"),
    ]  # fmt: skip
    assert all('between: "|"' in fault.remedy for fault in reader.faults)
    again = _reader(district=["12-3", "12"], school=["4", "3-4"])
    assert _read(again, parts=["district", "school"], between="|") == ["12-3|4", "12|3-4"]


def test_a_missing_value_is_filled_from_the_first_other_column_that_has_one() -> None:
    reader = _reader(a=["1", "-9", "", ""], b=["5", "6", "-9.0", ""], c=["7", "7", "8", ""])
    found = _read(reader, column="a", otherwise=["b", "c"], type="number", missing=["-9"])
    assert found == [1, 6, 8, None]
    told = {(entry.column, entry.rule): entry.cells for entry in reader.log.entries}
    assert told["a", "missing value filled from the column 'b'"] == 1
    assert told["a", "missing value filled from the column 'c'"] == 1


@given(st.lists(st.tuples(*[st.sampled_from(["", "1", "2", "3"])] * 2), min_size=1, max_size=9))
def test_a_value_that_is_there_is_never_replaced(rows: list[tuple[str, str]]) -> None:
    reader = _reader(a=[a for a, _ in rows], b=[b for _, b in rows])
    found = _read(reader, column="a", otherwise="b", type="integer")
    assert found == [int(a or b) if a or b else None for a, b in rows]
    filled = sum(entry.cells for entry in reader.log.entries)
    assert filled == sum(not a and b != "" for a, b in rows)


def test_a_fault_in_a_filled_cell_names_both_columns() -> None:
    reader = _reader(a=["1", ""], b=["5", "x"])
    _read(reader, column="a", otherwise="b", type="number")
    (fault,) = reader.faults
    assert (fault.row, fault.column) == (3, "a or b")


def test_cells_that_a_workbook_holds_as_dates_are_refused_as_parts_too() -> None:
    cells = _reader(state=["2019-01-02", "TX"], cohort=["1", "2"]).cells
    dated = {"state": np.array([True, False])}
    marked = RawCells("f.xlsx", cells.columns, 2, dated=dated)
    reader = ColumnReader(marked, CleaningLog("schools", "f.xlsx"), FILE)
    _read(reader, parts=["state", "cohort"], between="|")
    (fault,) = reader.faults
    assert "a date, 2019-01-02|1" in fault.found


def _composite_trial(trial: SmallTrial) -> None:
    """Make each school two columns, district and number, in every file that names it."""
    for rows in trial.files.values():
        if "school_code" in rows[0]:
            at = rows[0].index("school_code")
            rows[0][at : at + 1] = ["area", "number"]
            for cells in rows[1:]:
                cells[at : at + 1] = ["NS"[cells[at] > "S4"], cells[at][1:]]
    for table in ("schools", "assignment", "pupils"):
        columns = trial.reading(table)["columns"]
        columns["school"] = {"parts": ["area", "number"]}


def test_a_trial_whose_schools_have_two_columns_is_read_like_any_other(trial: SmallTrial) -> None:
    _composite_trial(trial)
    trial.obtain()
    schools = set(pd.read_parquet(trial.path("schools.parquet"))["school"])
    assert schools == {"N-1", "N-2", "N-3", "N-4", "S-5", "S-6", "S-7", "S-8"}
    assert set(pd.read_parquet(trial.path("pupils.parquet"))["school"]) == schools


def test_a_column_of_parts_that_is_not_there_is_named(trial: SmallTrial) -> None:
    _composite_trial(trial)
    trial.reading("schools")["columns"]["school"]["parts"] = ["area", "nummer"]
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    (fault,) = caught.value.faults
    assert "'school (part 2)'" in fault.found
    assert fault.remedy == "did you mean 'number'?"


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"column": "a", "parts": ["a", "b"]}, "has both `column` and `parts`"),
        ({"parts": ["a"]}, "has a single part"),
        ({}, "the key 'column' is missing"),
        ({"parts": ["a", "b"], "type": "integer"}, "has a parts, but is read as integer"),
        ({"parts": ["a", {"column": "b", "pad": True}]}, "the part 'b' of"),
        ({"parts": ["a", "b"], "codes": {"x": "y"}}, "has both `parts` and `codes`"),
    ],
)
def test_parts_that_cannot_be_are_a_fault_of_the_protocol(
    trial: SmallTrial, keys: dict[str, Any], found: str
) -> None:
    trial.reading("schools")["columns"]["district"] = keys
    trial.write()
    with pytest.raises(Refusal) as caught:
        trial.read()
    faults: list[Fault] = list(caught.value.faults)
    assert any(found in fault.found for fault in faults), faults
