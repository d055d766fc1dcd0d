"""Labels stand for codes in columns of text; columns of numbers keep their codes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from schooltrial.data.cells.cleaning_log import CleaningLog
from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.cells.typed_columns import ColumnReader
from schooltrial.data.files.raw_files import read_raw
from support.sections import reading

FRAME = pd.DataFrame(
    {
        "region": [1, 2, 3, 1],
        "school": [1, 2, 3, 1],
        "score": [350.0, -9.0, 217.5, -8.0],
        "item": [1, 5, 3, -9],
    }
)
LABELS: dict[str, dict[Any, str]] = {
    "region": {1: "East", 2: "West", 3: "East"},
    "school": {1: "Mill Road", 2: "Hill", 3: "Mill Road"},
    "score": {-9: "Not tested", -8: "Refused"},
    "item": {1: "never", 5: "always", -9: "no answer"},
}


@pytest.fixture(scope="module")
def spss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "f.sav"
    ranges: dict[str, Any] = {"item": [{"lo": -9, "hi": -9}]}
    pyreadstat.write_sav(FRAME, str(path), variable_value_labels=LABELS, missing_ranges=ranges)
    return path


@cache
def _cells(path: Path) -> RawCells:
    """Return the cells of a file, which a process of its own reads: once for all tests of it."""
    return read_raw(path, path.name, reading(path.name, value_labels=True))


def _read(path: Path, column: str, **spec: Any) -> tuple[list[Any], ColumnReader]:
    part = reading(path.name, value_labels=True, columns={"x": {"column": column, **spec}})
    reader = ColumnReader(_cells(path), CleaningLog("pupils", path.name), part)
    return reader.read("x", column, part["columns"]["x"])["x"].to_pylist(), reader


def test_two_codes_of_a_category_may_share_a_label(spss: Path) -> None:
    values, reader = _read(spss, "region", type="category")
    assert (values, reader.faults) == (["East", "West", "East", "East"], [])


def test_the_codes_of_a_protocol_are_the_labels_of_the_file(spss: Path) -> None:
    values, reader = _read(spss, "region", type="category", codes={"East": "e", "West": "w"})
    assert (values, reader.faults) == (["e", "w", "e", "e"], [])


def test_an_unknown_label_is_told_with_its_code(spss: Path) -> None:
    _, reader = _read(spss, "region", type="category", codes={"East": "e"})
    (fault,) = reader.faults
    assert fault.found == "the value '2', labelled 'West'"


def test_identifiers_that_a_label_would_make_one_are_refused(spss: Path) -> None:
    _, reader = _read(spss, "school")
    (fault,) = reader.faults
    assert (fault.row, fault.expected) == (3, "different identifiers")
    assert fault.found == "the codes 1 and 3 have the same label, 'Mill Road'"
    assert "`value_labels: false`" in fault.remedy


@pytest.mark.parametrize("missing", [["Not tested", "Refused"], ["-9", "-8"], ["-9.0", "Refused"]])
def test_a_number_with_labels_on_its_missing_codes_alone_is_a_number(
    spss: Path, missing: list[str]
) -> None:
    values, reader = _read(spss, "score", type="number", missing=missing)
    assert (values, reader.faults) == ([350, None, 217.5, None], [])
    assert sum(entry.cells for entry in reader.log.entries) == 2


def test_a_labelled_code_that_nothing_explains_is_refused_among_numbers(spss: Path) -> None:
    _, reader = _read(spss, "score", type="number", missing=["Refused"])
    (fault,) = reader.faults
    assert (fault.row, fault.found) == (2, "the value '-9', labelled 'Not tested'")
    assert 'add `missing: ["Not tested"]`' in fault.remedy


def test_labelled_numbers_are_numbers_where_a_range_holds_them(spss: Path) -> None:
    values, reader = _read(spss, "item", type="integer", range=[1, 5])
    assert (values, reader.faults) == ([1, 5, 3, None], [])


def test_a_code_that_the_file_declares_missing_is_missing_and_logged(spss: Path) -> None:
    _, reader = _read(spss, "item", type="integer", range=[1, 5])
    (entry,) = reader.log.entries
    assert (entry.rule, entry.cells, entry.before, entry.after) == (
        "code that the file declares missing (user-missing) set to missing", 1, "-9", "",
    )  # fmt: skip


def test_only_columns_that_are_read_need_labels(tmp_path: Path) -> None:
    path = tmp_path / "f.dta"
    labels = {"region": LABELS["region"]}
    pyreadstat.write_dta(FRAME, str(path), variable_value_labels=labels)
    values, reader = _read(path, "score", type="number", missing=["-9", "-8"])
    assert (values, reader.faults) == ([350, None, 217.5, None], [])


def test_the_log_holds_codes_so_that_the_file_can_be_put_together_again(spss: Path) -> None:
    _, reader = _read(spss, "region", type="category", missing=["West"])
    (changes,) = reader.log.changes
    assert changes["before"].to_pylist() == ["2"]
    assert np.array(changes["row"]).tolist() == [2]
