"""Variables as columns of numbers: which columns, in what order, by what name, holding what."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.rows.coding import Covariate, Levels, code_columns, is_flag, is_number

FRAME = pd.DataFrame({
    "age": [7.5, 8.0, nan, 9.0],
    "male": [1, 0, 1, 1],
    "boards": pd.array([True, None, False, True], dtype="boolean"),
    "year": [2019, 2020, 2019, 2021],
    "sex": pd.Categorical(["m", "f", None, "m"], categories=["m", "x", "f"]),
    "town": pd.array(["B", "A", "B", None], dtype="str"),
})  # fmt: skip


def _told(columns: list[Covariate]) -> list[tuple[str, str, str, str, list[Any]]]:
    """Return the columns as plain values, None where missing."""
    return [
        (c.name, c.category, c.label, c.kind,
         c.values.astype("object").where(c.values.notna(), None).tolist())
        for c in columns
    ]  # fmt: skip


def test_numbers_are_one_column_as_they_are_and_those_of_zero_and_one_are_flags() -> None:
    assert _told(code_columns(FRAME, ["male", "age", "boards"], levels="all but the first")) == [
        ("male", "", "male", "flag", [1.0, 0.0, 1.0, 1.0]),
        ("age", "", "age", "number", [7.5, 8.0, None, 9.0]),
        ("boards", "", "boards", "flag", [1.0, None, 0.0, 1.0]),
    ]


def test_a_category_is_a_column_for_each_level_that_occurs_in_the_order_of_its_codes() -> None:
    assert _told(code_columns(FRAME, ["sex", "town"], levels="all", labels={"sex": "Sex"})) == [
        ("sex", "m", "Sex: m", "level", [1.0, 0.0, None, 1.0]),
        ("sex", "f", "Sex: f", "level", [0.0, 1.0, None, 0.0]),
        ("town", "A", "town: A", "level", [0.0, 1.0, 0.0, None]),
        ("town", "B", "town: B", "level", [1.0, 0.0, 1.0, None]),
    ]


def test_beside_an_intercept_the_first_level_has_no_column() -> None:
    coded = code_columns(FRAME, ["sex", "town"], levels="all but the first", between="=")
    assert [c.label for c in coded] == ["sex=f", "town=B"]
    assert code_columns(FRAME[FRAME["sex"] == "m"], ["sex"], levels="all but the first") == []


def test_what_is_missing_is_indicated_after_the_columns_of_its_variable() -> None:
    coded = code_columns(
        FRAME, ["age", "town"], levels="all but the first", missing="indicated",
        labels={"age": "Age"},
    )  # fmt: skip
    assert _told(coded) == [
        ("age", "", "Age", "number", [7.5, 8.0, None, 9.0]),
        ("age", "missing", "Age: missing", "missing", [0.0, 0.0, 1.0, 0.0]),
        ("town", "B", "town: B", "level", [1.0, 0.0, 1.0, None]),
        ("town", "missing", "town: missing", "missing", [0.0, 0.0, 0.0, 1.0]),
    ]


def test_a_number_can_be_taken_as_a_category_its_levels_in_the_order_of_numbers() -> None:
    coded = code_columns(FRAME, ["year"], levels="all", categories=["year"], between="=")
    assert _told(coded) == [
        ("year", "2019", "year=2019", "level", [1.0, 0.0, 1.0, 0.0]),
        ("year", "2020", "year=2020", "level", [0.0, 1.0, 0.0, 0.0]),
        ("year", "2021", "year=2021", "level", [0.0, 0.0, 0.0, 1.0]),
    ]


def test_an_interaction_is_a_column_for_each_pair_of_levels_the_last_part_running_fastest() -> None:
    coded = code_columns(FRAME[:2], ["male:town"], levels="all", between="=", missing="indicated")
    assert _told(coded) == [
        ("male:town", "0:A", "male=0:town=A", "level", [0.0, 1.0]),
        ("male:town", "0:B", "male=0:town=B", "level", [0.0, 0.0]),
        ("male:town", "1:A", "male=1:town=A", "level", [0.0, 0.0]),
        ("male:town", "1:B", "male=1:town=B", "level", [1.0, 0.0]),
        ("male:town", "missing", "male:town=missing", "missing", [0.0, 0.0]),
    ]
    one = code_columns(FRAME, ["sex:town"], levels="all")[0]
    assert _told([one])[0][-1] == [0.0, 0.0, None, None]  # missing where either part is


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([2, 1, None], dtype="object"),
        pd.Series([True, False, None], dtype="object"),
        pd.Series(pd.Categorical([2, 1, None], categories=[2, 1])),
        pd.Series(["b", "a", None], dtype="object"),
    ],
)
def test_every_level_of_a_category_is_at_its_own_rows_whatever_holds_it(values: pd.Series) -> None:
    coded = code_columns(values.to_frame("x"), ["x"], levels="all")
    matrix = np.column_stack([c.values for c in coded])
    assert matrix[:2].sum(axis=0).tolist() == [1.0, 1.0]
    assert matrix[:2].sum(axis=1).tolist() == [1.0, 1.0]
    assert np.isnan(matrix[2]).all()


@pytest.mark.parametrize(
    ("values", "number", "flag"),
    [
        ([0.0, 1.0], True, True), ([1.0, nan], True, True), ([True, False], True, True),
        ([0.0, 2.0], True, False), ([nan, nan], True, False), (["0", "1"], False, False),
    ],
)  # fmt: skip
def test_a_flag_is_a_number_that_is_only_ever_zero_or_one_and_known_of_somebody(
    values: list[Any], number: bool, flag: bool
) -> None:
    column = pd.Series(values)
    assert is_number(column) == number
    if number:
        assert is_flag(column.astype("float64")) == flag


CATEGORY = st.sampled_from(["a", "b", "c"])


@given(
    st.lists(st.tuples(CATEGORY, CATEGORY, st.integers(0, 2)), min_size=1, max_size=20),
    st.sampled_from(["x", "x:y", "x:n", "x:y:n"]),
)
def test_all_levels_but_the_first_and_an_intercept_span_what_all_levels_do(
    rows: list[tuple[str, str, int]], term: str
) -> None:
    frame = pd.DataFrame(rows, columns=["x", "y", "n"])

    def coded(levels: Levels) -> np.ndarray[Any, Any]:
        columns = [c.values.to_numpy() for c in code_columns(frame, [term], levels=levels)]
        return np.column_stack([np.ones(len(frame)), *columns])

    every, beside = coded("all")[:, 1:], coded("all but the first")
    assert (every.sum(axis=1) == 1).all()
    assert beside.shape == every.shape, "the intercept stands for the first"
    rank = np.linalg.matrix_rank
    assert rank(beside) == rank(every) == rank(np.column_stack([every, beside]))
    assert rank(every) == len(frame[term.split(":")].drop_duplicates())
