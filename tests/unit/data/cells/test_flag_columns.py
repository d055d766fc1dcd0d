"""A column of `type: flag` holds 0, 1 and what was not observed, and nothing else."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd
import pytest

from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial

ROSTER = "roster_2020.csv"
LAST = "use `missing` only for values that mean 'not observed'"
YES = f'add `codes: {{"yes": 1, "1": 1, "0": 0}}` to the column, or correct the cell; {LAST}'
MAYBE = f'add `codes: {{"maybe": 1}}` to the column, or correct the cell; {LAST}'


@pytest.fixture
def flagged(trial: SmallTrial) -> SmallTrial:
    """Return the small trial with a flag, free meals, that is 1 for every other pupil."""
    for name, rows in trial.files.items():
        if name.startswith("roster_"):
            for at, cells in enumerate(rows):
                cells.append(str(at % 2) if at else "meals")
    trial.reading("pupils")["columns"]["free_meals"] = {"column": "meals", "type": "flag"}
    return trial


def _values(trial: SmallTrial) -> dict[str, float]:
    """Return pupil → flag, of the year that is spoilt."""
    trial.obtain()
    pupils = pd.read_parquet(trial.path("pupils.parquet"))
    there = pupils[pupils["year"] == 2020]
    return dict(zip(there["pupil"], there["free_meals"].astype("float64"), strict=True))


def _pupil(trial: SmallTrial, row: int) -> str:
    header = trial.files[ROSTER][0]
    return trial.files[ROSTER][row - 1][header.index("pupil_id")]


def test_noughts_and_ones_are_read_as_they_stand(flagged: SmallTrial) -> None:
    found = _values(flagged)
    written = {_pupil(flagged, row): float(row % 2 == 0) for row in range(2, len(found) + 2)}
    assert len(found) == len(flagged.files[ROSTER]) - 1 > 100
    assert found == written


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("1", 1), ("", nan), (" 1 ", 1), ("  ", nan), ("0.0", 0), ("1.0", 1)],
)
def test_a_nought_a_one_and_a_blank_are_taken_however_they_are_written(
    flagged: SmallTrial, text: str, value: float
) -> None:
    for row in (20, 21):  # of which one is 0 and one is 1 in the file as it was
        flagged.set(ROSTER, row, "meals", text)
    found = _values(flagged)
    assert [found[_pupil(flagged, row)] for row in (20, 21)] == pytest.approx(
        [value] * 2, nan_ok=True
    )
    assert pd.Series(found).isna().sum() == (2 if pd.isna(value) else 0)


@pytest.mark.parametrize(
    ("text", "expected", "remedy"),
    [
        ("2", "0 or 1", "correct the cell, or add `codes` to the column"),
        ("-1", "0 or 1", "correct the cell, or add `codes` to the column"),
        ("100", "0 or 1", "correct the cell, or add `codes` to the column"),
        ("0.5", "a whole number", "correct the cell, or read it as `number`"),
        (".5", "a whole number", "correct the cell, or read it as `number`"),
        ("1.0001", "a whole number", "correct the cell, or read it as `number`"),
        ("yes", "a number", YES),
        ("maybe", "a number", MAYBE),
    ],
)
def test_any_other_value_is_refused_by_file_row_column_and_value(
    flagged: SmallTrial, text: str, expected: str, remedy: str
) -> None:
    flagged.set(ROSTER, 20, "meals", text)
    with pytest.raises(Refusal) as caught:
        flagged.obtain()
    (fault,) = caught.value.faults
    assert (fault.expected, fault.remedy) == (expected, remedy)
    assert f"{ROSTER}, row 20, column 'meals': the value {text!r}" in str(caught.value)
    assert f"expected: {expected}" in str(caught.value)


def test_each_text_that_is_no_flag_has_a_fault_of_its_own(flagged: SmallTrial) -> None:
    for row, text in ((7, "2"), (9, ".5"), (30, "2")):
        flagged.set(ROSTER, row, "meals", text)
    with pytest.raises(Refusal) as caught:
        flagged.obtain()
    told = {(fault.row, fault.column, fault.found) for fault in caught.value.faults}
    assert told == {
        (7, "meals", "the value '2' (in 2 rows)"), (9, "meals", "the value '.5'"),
    }  # fmt: skip


def _coded(trial: SmallTrial, **keys: Any) -> None:
    """Write the flag as Y and N, and say so in the protocol."""
    trial.reading("pupils")["columns"]["free_meals"] |= {"codes": {"Y": 1, "N": 0}, **keys}
    for name, rows in trial.files.items():
        if name.startswith("roster_"):
            for cells in rows[1:]:
                cells[-1] = "NY"[int(cells[-1])]


def test_codes_of_a_flag_are_read_as_the_noughts_and_ones_that_they_stand_for(
    flagged: SmallTrial,
) -> None:
    plain = _values(flagged)
    _coded(flagged)
    assert _values(flagged) == plain
    flagged.set(ROSTER, 20, "meals", "")
    found = _values(flagged)
    assert pd.isna(found.pop(_pupil(flagged, 20)))
    assert found.items() < plain.items()


@pytest.mark.parametrize("text", ["1", "y", "maybe"])
def test_what_is_no_code_of_a_flag_is_refused_though_it_be_a_one(
    flagged: SmallTrial, text: str
) -> None:
    _coded(flagged)
    flagged.set(ROSTER, 20, "meals", text)
    with pytest.raises(Refusal) as caught:
        flagged.obtain()
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.column) == (ROSTER, 20, "meals")
    assert (fault.found, fault.expected) == (f"the value {text!r}", "one of 'Y', 'N'")


def test_a_flag_that_is_required_may_not_be_blank(flagged: SmallTrial) -> None:
    flagged.reading("pupils")["columns"]["free_meals"]["required"] = True
    flagged.set(ROSTER, 20, "meals", "")
    with pytest.raises(Refusal) as caught:
        flagged.obtain()
    (fault,) = caught.value.faults
    assert (fault.row, fault.column, fault.expected) == (20, "meals", "a value in every row")
