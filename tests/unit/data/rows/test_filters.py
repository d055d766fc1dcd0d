"""Which rows are among many values: as pandas says, for text, numbers and categories alike."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.rows.filters import among, has_level, levels

TEXTS = st.lists(st.none() | st.text("aéß1 ", max_size=3), max_size=12)


@given(TEXTS, TEXTS, st.integers(0, 12), st.booleans())
def test_text_is_among_values_where_pandas_says_so_missing_included(
    column: list[str | None], values: list[str | None], cut: int, in_parts: bool
) -> None:
    rows = pd.Series(column, dtype="str", name="pupil", index=range(5, 5 + len(column)))
    wanted = pd.Series(values, dtype="str")
    if in_parts:  # columns of several files lie in several pieces of memory
        rows = pd.concat([rows.iloc[:cut], rows.iloc[cut:]])
        wanted = pd.concat([wanted.iloc[:cut], wanted.iloc[cut:]])
    pd.testing.assert_series_equal(among(rows, wanted), rows.isin(wanted))
    pd.testing.assert_series_equal(among(rows, pd.Index(wanted)), rows.isin(wanted))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pd.Series([1, 2, 3]), pd.Series([3, 1])),
        (pd.Series([1.0, None, 3.0]), pd.Series([None, 3.0])),
        (pd.Series([1, None], dtype="Int64"), pd.Series([1, 2], dtype="Int64")),
        (pd.Series(["a", "b", None], dtype="category"), pd.Series(["b", None], dtype="str")),
        (pd.Series(["a", "b"], dtype="str"), pd.Series(["b", "c"], dtype="category")),
        (pd.Series(["1", "2"], dtype="str"), pd.Series([1, 2])),
        (pd.Series(["1", 2, None], dtype="object"), pd.Series([2, None], dtype="object")),
        (pd.Series([], dtype="str"), pd.Series([], dtype="str")),
    ],
)
def test_values_of_any_type_are_looked_up_as_pandas_does(
    column: pd.Series, values: pd.Series
) -> None:
    pd.testing.assert_series_equal(among(column, values), column.isin(values))


@given(
    st.lists(
        st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
        max_size=8,
    )
)
def test_each_number_is_a_level_of_its_own_and_only_its_rows_are_at_it(
    numbers: list[float],
) -> None:
    values = pd.Series([float(number) for number in numbers], name="district")
    found = levels(values)
    assert len(found) == values.nunique()
    for level in found:
        at = has_level(values, level)
        assert at.any()
        assert values[at].nunique() == 1


def test_codes_of_seven_digits_and_more_are_levels_in_all_their_digits() -> None:
    codes = pd.Series([4801239, 4801234, 480123400123, 3], name="district")
    assert levels(codes) == ["3", "4801234", "4801239", "480123400123"]
    assert levels(codes.astype("float64")) == levels(codes)


def test_levels_of_few_digits_are_written_without_a_point_where_they_are_whole() -> None:
    values = pd.Series([-0.0, 2.5, 0.1, 1e-7, 3.0, None], name="grade")
    assert levels(values) == ["0", "1e-07", "0.1", "2.5", "3"]
    assert levels(pd.Series([True, False])) == ["0", "1"]
