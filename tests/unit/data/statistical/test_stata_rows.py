"""A Stata file that holds another number of observations than its header says is refused."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.files.raw_files import read_raw
from schooltrial.data.statistical.stata_rows import row_faults
from schooltrial.refusal import Refusal
from support.sections import reading

FRAME = pd.DataFrame(
    {
        "id": np.arange(160, dtype="int32"),
        "score": np.arange(160) / 7,
        "single": np.arange(160).astype("float32"),
        "small": np.ones(160, dtype="int8"),
        "name": [f"n{at}" for at in range(160)],
    }
)
PANDAS, READSTAT = (114, 117, 118, 119), (8, 10, 12, 13, 15)


def _written(path: Path, version: int, labelled: bool = False) -> Path:
    labels: Any = {"small": {1: "one"}} if labelled else None
    if version in READSTAT:
        pyreadstat.write_dta(FRAME, str(path), version=version, variable_value_labels=labels)
    else:
        FRAME.to_stata(path, write_index=False, version=version, value_labels=labels)
    return path


def _said(content: bytes, rows: int) -> bytes:
    """Return the file with another number of observations in its header."""
    if content.startswith(b"<stata_dta>"):
        at = content.index(b"<N>") + 3
        kind = "<I" if content[28:31] == b"117" else "<Q"
    else:
        at, kind = 6, "<I"
    number = struct.pack(kind, rows)
    return content[:at] + number + content[at + len(number) :]


@pytest.mark.parametrize(
    ("version", "labelled"),
    [
        pytest.param(version, labelled, marks=[] if quick else [pytest.mark.slow])
        for version in (*PANDAS, *READSTAT)
        for labelled in (False, True)
        for quick in [(version, labelled) in ((8, False), (118, True))]
    ],
)
def test_a_good_file_of_any_version_is_read_whole(
    tmp_path: Path, version: int, labelled: bool
) -> None:
    path = _written(tmp_path / "f.dta", version, labelled)
    assert row_faults(path) == []
    assert read_raw(path, "f.dta", reading("f.dta", value_labels=True)).rows == 160


@pytest.mark.parametrize("rows", [80, 159, 161, 320])
@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("version", [*PANDAS, *READSTAT])
def test_a_header_that_says_otherwise_is_refused(
    tmp_path: Path, version: int, labelled: bool, rows: int
) -> None:
    path = _written(tmp_path / "f.dta", version, labelled)
    path.write_bytes(_said(path.read_bytes(), rows))
    with pytest.raises(Refusal) as caught:
        read_raw(path, "f.dta", reading("f.dta"))
    (fault,) = caught.value.faults
    assert fault.found.startswith(f"the header says {rows} observations, but the file has ")
    if rows < 160 or not labelled:
        assert fault.found.endswith(" 160")


def test_the_codes_a_to_z_of_stata_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "f.dta"
    frame = pd.DataFrame({"x": pd.Series([1, "a", "z", None, 4], dtype=object)})
    pyreadstat.write_dta(frame, str(path), missing_user_values={"x": ["a", "z"]})
    cells = read_raw(path, "f.dta", reading("f.dta"))
    assert cells.columns["x"].cells(np.arange(5)).to_pylist() == ["1", "", "", "", "4"]


@pytest.mark.parametrize("version", [114, pytest.param(118, marks=pytest.mark.slow)])
@given(data=st.data())
def test_no_spoilt_stata_file_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, version: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("spoilt") / "f.dta"
    if version not in _GOOD:
        _GOOD[version] = _written(path, version, labelled=True).read_bytes()
    spoilt = bytearray(_GOOD[version])
    for at in data.draw(st.lists(st.integers(0, min(len(spoilt), 2000) - 1), max_size=8)):
        spoilt[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(spoilt[: data.draw(st.integers(len(spoilt) // 2, len(spoilt)))]))
    with suppress(Refusal):
        read_raw(path, "f.dta", reading("f.dta", value_labels=data.draw(st.booleans())))


_GOOD: dict[int, bytes] = {}
