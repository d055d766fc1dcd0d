"""SPSS and SAS files become the text that a person sees in them, guarded as Stata files are."""

from __future__ import annotations

import datetime
import random
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files.raw_files import read_raw
from schooltrial.data.statistical.readstat import FileFacts, read_apart
from schooltrial.data.statistical.spss_sas import _exact_below
from schooltrial.refusal import Fault, Refusal
from support.sections import reading

CASES_AT = 80
FRAME = pd.DataFrame(
    {
        "pupil": [1.0, 2.0, 3.0, 4.0],
        "score": [217.5, -9.0, np.nan, 300.0],
        "sex": [1.0, 2.0, 1.0, 1.0],
        "name": ["a", "b", "X", ""],
        "on": [datetime.date(2020, 1, 2)] * 3 + [None],
    }
)
LABELS = {"sex": {1: "girl", 2: "boy"}, "score": {-9: "Not tested"}}
MISSING = {"score": [{"lo": -9, "hi": -9}], "name": ["X"]}


def _read(path: Path, **keys: Any) -> RawCells:
    return read_raw(path, path.name, reading(path.name, **keys))


def _texts(cells: RawCells, column: str) -> list[str]:
    found: list[str] = cells.columns[column].cells(np.arange(cells.rows)).to_pylist()
    return found


def _fault(path: Path) -> Fault:
    with pytest.raises(Refusal) as caught:
        _read(path)
    (fault,) = caught.value.faults
    return fault


def _spss(path: Path) -> Path:
    keys: dict[str, Any] = {"variable_value_labels": LABELS, "missing_ranges": MISSING}
    if path.suffix == ".por":
        pyreadstat.write_por(FRAME.rename(columns=str.upper), str(path))
    else:
        pyreadstat.write_sav(FRAME, str(path), compress=path.suffix == ".zsav", **keys)
    return path


@pytest.mark.parametrize("name", ["f.sav", "f.zsav"])
def test_an_spss_file_is_read_with_its_dates_labels_and_missing_codes(
    tmp_path: Path, name: str
) -> None:
    cells = _read(_spss(tmp_path / name), value_labels=True)
    assert {name: _texts(cells, name) for name in cells.columns} == {
        "pupil": ["1", "2", "3", "4"],
        "score": ["217.5", "-9", "", "300"],
        "sex": ["1", "2", "1", "1"],
        "name": ["a", "b", "X", ""],
        "on": ["2020-01-02", "2020-01-02", "2020-01-02", ""],
    }
    assert cells.labels == {"sex": {"1": "girl", "2": "boy"}, "score": {"-9": "Not tested"}}
    assert cells.declared_missing == {"score": frozenset({"-9"}), "name": frozenset({"X"})}
    assert cells.line(np.arange(2)).tolist() == [1, 2]


def test_labels_are_left_alone_unless_asked_for(tmp_path: Path) -> None:
    assert _read(_spss(tmp_path / "f.sav")).labels == {}


def test_a_portable_spss_file_is_read(tmp_path: Path) -> None:
    assert _texts(_read(_spss(tmp_path / "f.por")), "SCORE") == ["217.5", "-9", "", "300"]


def test_a_sas_transport_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.xpt"
    pyreadstat.write_xport(FRAME, str(path), file_format_version=5)
    cells = _read(path)
    assert _texts(cells, "score") == ["217.5", "-9", "", "300"]
    assert _texts(cells, "on") == ["2020-01-02", "2020-01-02", "2020-01-02", ""]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("f.sav", 2),
        ("f.zsav", 9),
        pytest.param("f.sav", 9, marks=pytest.mark.slow),
        pytest.param("f.zsav", 2, marks=pytest.mark.slow),
    ],
)
def test_a_header_with_another_number_of_cases_is_refused(
    tmp_path: Path, name: str, said: int
) -> None:
    path = _spss(tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[:CASES_AT] + struct.pack("<i", said) + content[CASES_AT + 4 :])
    fault = _fault(path)
    assert fault.found == f"the header says {said} cases, but the file has 4"
    assert "save it" in fault.remedy


@pytest.mark.parametrize(
    "name", ["f.sav", pytest.param("f.zsav", marks=pytest.mark.slow), "f.por", "f.xpt"]
)
def test_a_file_that_breaks_off_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "f.xpt":
        pyreadstat.write_xport(FRAME, str(path), file_format_version=5)
    else:
        _spss(path)
    path.write_bytes(path.read_bytes()[: -70 if name != "f.por" else -170])
    found = _fault(path).found
    assert "not readable as" in found or "header says" in found or "part is missing" in found


def test_identifiers_that_are_not_exact_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "f.sav"
    pyreadstat.write_sav(pd.DataFrame({"pupil": [2.0**53, 2.0**53 - 1, 1.5]}), str(path))
    assert _read(path).broken["pupil"].tolist() == [True, False, True]


def test_short_numbers_of_sas_keep_fewer_whole_numbers() -> None:
    """SAS documents 8,192, 2,097,152 and 536,870,912 for lengths of 3, 4 and 5 bytes."""

    widths = {"a": 3, "b": 4, "c": 5, "d": 8, "e": 3}
    types = {**dict.fromkeys("abcd", "double"), "e": "string"}
    assert _exact_below(FileFacts({}, {}, widths, types, {}), 11) == {
        "a": 8192,
        "b": 2097152,
        "c": 536870912,
    }


def test_a_file_on_which_the_reader_crashes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.sav"
    frame = pd.DataFrame({"pupil": [1.0, 2, 3, 4], "sex": list("FMFM"), "s": [1.5, -9, 3, 4]})
    pyreadstat.write_sav(frame, str(path), variable_value_labels={"s": {-9.0: "absent"}})
    spoilt = bytearray(path.read_bytes())
    rng = random.Random(18)  # these bytes end pyreadstat 1.3.7 by a signal
    for _ in range(rng.randint(1, 6)):
        spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
    with pytest.raises(ValueError, match="the file is damaged"):
        read_apart("read_sav", bytes(spoilt), user_missing=True)


@pytest.mark.parametrize(
    "name",
    [
        "f.sav",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("f.zsav", "f.por", "f.xpt", "f.sas7bdat")
        ),
    ],
)
@given(data=st.data())
@settings(max_examples=2)  # each starts a process
def test_no_spoilt_file_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("spoilt") / name
    if name not in _GOOD:
        if name == "f.xpt":
            pyreadstat.write_xport(FRAME, str(path), file_format_version=5)
        elif name == "f.sas7bdat":
            path.write_bytes(b"\0" * 12 + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c") * 40)
        else:
            _spss(path)
        _GOOD[name] = path.read_bytes()
    spoilt = bytearray(_GOOD[name])
    for at in data.draw(st.lists(st.integers(0, len(spoilt) - 1), max_size=8)):
        spoilt[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))]))
    with suppress(Refusal):
        _read(path)


_GOOD: dict[str, bytes] = {}
