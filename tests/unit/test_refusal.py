"""Claims about how the errors of estimators become refusals."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
import pytest

from schooltrial.refusal import NOT_COMPUTED, Fault, Refusal, refused_as


def _said(error: pytest.ExceptionInfo[Refusal]) -> str:
    (fault,) = error.value.faults
    assert fault.file == "model m, outcome score"
    return fault.found


def test_an_estimators_own_words_are_kept() -> None:
    with pytest.raises(Refusal) as refused, refused_as("model m, outcome score"):
        raise ValueError("the outcome does not vary; look at its column")
    assert _said(refused) == "the outcome does not vary; look at its column"


@pytest.mark.parametrize(
    "fail",
    [
        lambda: np.linalg.solve(np.zeros((2, 2)), np.ones(2)),
        lambda: np.zeros((2, 3)) @ np.zeros((2, 3)),
        lambda: pd.DataFrame({"a": [1]}).merge(pd.DataFrame({"a": [1, 1]}), validate="1:1"),
        lambda: int(float("nan")),
        lambda: sqrt(-1.0),
        lambda: 1 / 0,
    ],
)
def test_what_a_library_says_of_its_arrays_reaches_nobody(fail: object) -> None:
    with pytest.raises(Refusal) as refused, refused_as("model m, outcome score"):
        fail()  # type: ignore[operator]
    assert _said(refused) == NOT_COMPUTED


def _bad_cell(row: int) -> Fault:
    return Fault("a.csv", f"the value 'x{row}'", "a number", f'add `missing: ["x{row}"]`', row, "s")


def test_a_fault_that_thousands_of_rows_repeat_is_told_once_with_a_count_and_the_first() -> None:
    rest = Fault("a.csv", "the same error", "a number", 'add `missing: ["x6"]`', None, "s", 4995)
    other = Fault("b.csv", "no rows", "rows", "export it again")
    told = str(Refusal([*map(_bad_cell, range(2, 7)), rest, other]))
    assert "2 errors were found" in told
    assert "a.csv, column 's': 5,000 rows are at fault: row 2: the value 'x2'; row 3" in told
    assert "and rows 5, 6 …" in told
    assert told.count("fix:") == 2


def test_the_same_words_of_many_rows_are_said_once_with_their_lines() -> None:
    told = str(Refusal([Fault("a.csv", "4 cells", "3 cells", "check it", n) for n in range(2, 9)]))
    assert "a.csv: 7 rows are at fault: 4 cells (rows 2, 3, 4, 5, 6, 7, 8)\n" in told


def test_a_few_rows_and_faults_of_a_protocol_are_told_one_by_one() -> None:
    assert str(Refusal([_bad_cell(row) for row in range(2, 5)])).count("fix:") == 3
    keys = [Fault("t.yaml", f"key {n}", "one", "drop it", n) for n in range(9)]
    assert str(Refusal(keys)).count("fix:") == 9
