"""Identifiers stay the texts that they are, unless the protocol says how a file changed them."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.identifiers import written_as_decimals
from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial

SCORES = "scores_2020.csv"


@given(st.from_regex(r"[0-9]{1,12}", fullmatch=True), st.integers(1, 3), st.sampled_from(",."))
def test_only_decimals_of_zeros_are_those_of_a_float(digits: str, zeros: int, mark: str) -> None:
    text = pd.Series([digits, f"{digits}{mark}{'0' * zeros}", f"{digits}{mark}10"], dtype="str")
    whole, other = written_as_decimals(text, mark)
    assert whole.tolist() == [False, True, False]
    assert other.tolist() == [False, False, True]


def _as_decimals(trial: SmallTrial, every: int = 1, **keys: object) -> None:
    """Write the pupils of one file as decimals, every one or each second."""
    for at, cells in enumerate(trial.files[SCORES][1:]):
        cells[0] += ".0" if at % every == 0 else ""
    readings = trial.protocol["tables"]["scores"]
    (both,) = readings
    columns = {**both["columns"], "pupil": {"column": "pupil_id", **keys}}
    readings[0] = {**both, "file": "scores_2019.csv", "year": 2019}
    readings.append({**both, "file": SCORES, "year": 2020, "columns": columns})


def _pupils(trial: SmallTrial) -> set[str]:
    scores = pd.read_parquet(trial.path("scores.parquet"))
    return set(scores.loc[scores["year"] == 2020, "pupil"])


def _faults(trial: SmallTrial) -> list[Fault]:
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    return list(caught.value.faults)


@pytest.mark.parametrize("every", [1, 2])
def test_identifiers_that_a_file_writes_as_decimals_are_read_as_whole_numbers(
    trial: SmallTrial, every: int
) -> None:
    _as_decimals(trial, every, written_as_decimals=True)
    trial.obtain()
    assert _pupils(trial) == {f"{at:04d}" for at in range(1, 161)}
    log = pd.read_csv(trial.path("cleaning_log.csv"), keep_default_na=False)
    rule = "zero decimals removed from the identifier"
    assert log.loc[log["rule"] == rule, "cells"].tolist() == [320 // every]


def test_zeros_are_put_back_after_the_decimals_are_taken_off(trial: SmallTrial) -> None:
    _as_decimals(trial, written_as_decimals=True, width=4, pad=True)
    for cells in trial.files[SCORES][1:]:
        cells[0] = cells[0].lstrip("0")
    trial.obtain()
    assert _pupils(trial) == {f"{at:04d}" for at in range(1, 161)}


def test_other_decimals_are_refused_where_identifiers_are_whole_numbers(trial: SmallTrial) -> None:
    _as_decimals(trial, written_as_decimals=True)
    trial.set(SCORES, 4, "pupil_id", "1.10")
    (fault,) = _faults(trial)
    assert (fault.file, fault.row, fault.column) == (SCORES, 4, "pupil_id")
    assert "1.10" in fault.found
    assert "remove `written_as_decimals`" in fault.remedy


def test_decimals_of_a_column_that_is_no_identifier_are_a_fault_of_the_protocol(
    trial: SmallTrial,
) -> None:
    trial.reading("pupils")["columns"]["grade"]["written_as_decimals"] = True
    (fault,) = _faults(trial)
    assert fault.found.endswith("has a written_as_decimals, but is read as integer")
