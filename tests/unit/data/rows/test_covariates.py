"""Claims about covariates as columns, and what a missing value becomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.rows.covariates import count_missing, covariate_columns

VALUES = st.lists(st.none() | st.floats(-50, 50), min_size=4, max_size=12)


def test_without_missing_values_there_is_no_indicator() -> None:
    rows = pd.DataFrame({"age": [9.0, 10.0, 11.0], "kind": ["a", "b", "a"]})
    assert list(covariate_columns(rows, ["age", "kind"])) == ["age", "kind=b"]
    assert count_missing(rows, ["age", "kind"]) == {}


def test_a_number_in_a_cell_of_an_interaction_is_a_category() -> None:
    rows = pd.DataFrame({"grade": [4.0, 5.0, np.nan, 5.0], "girl": [0.0, 1.0, 1.0, 0.0]})
    columns = covariate_columns(rows, ["grade:girl"])
    assert columns["grade=5:girl=1"].tolist() == [0, 1, 0, 0]
    assert [name for name in columns if name.endswith("missing")] == ["grade:girl=missing"]
    assert columns["grade:girl=missing"].tolist() == [0, 0, 1, 0]


@given(values=VALUES, other=st.floats(-1000, 1000))
def test_the_columns_span_the_same_space_whatever_value_the_missing_are_given(
    values: list[float | None], other: float
) -> None:
    rows = pd.DataFrame({"x": np.array(values, dtype="float64")})
    columns = covariate_columns(rows, ["x"])
    lacking = rows["x"].isna().to_numpy()
    assert ("x=missing" in columns) == lacking.any()
    mine = np.column_stack([np.ones(len(rows)), *columns.values()])
    theirs = np.column_stack(
        [np.ones(len(rows)), lacking.astype(float), np.where(lacking, other, rows["x"])]
    )
    fit = np.linalg.lstsq(mine, theirs, rcond=None)[0]
    np.testing.assert_allclose(mine @ fit, theirs, atol=1e-6 * max(1.0, abs(other)))
