"""Filters keep the rows for which all they say is known to hold."""

from __future__ import annotations

from itertools import product
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.rows.filters import levels, matches, matches_in_some_year

FRAME = pd.DataFrame({
    "grade": [3.0, 4.0, 5.0, None],
    "cohort": pd.array([2019, None, 2021, 2020], dtype="Int64"),
    "school": pd.array(["007", "7", "7.0", None], dtype="str"),
    "region": pd.Categorical(["north", "south", None, "north"]),
    "entered": pd.to_datetime(["2019-09-01", "2020-01-15", None, "2020-09-01"]),
    "year": [2019, 2020, 2021, 2021],
})  # fmt: skip


def _kept(where: dict[str, Any]) -> list[int]:
    return [at for at, kept in enumerate(matches(FRAME, where)) if kept]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({}, [0, 1, 2, 3]),
        ({"grade": [3, 5]}, [0, 2]),
        ({"grade": {"in": [3, 5]}}, [0, 2]),
        ({"grade": {"not_in": [3]}}, [1, 2]),
        ({"grade": {"at_least": 4}}, [1, 2]),
        ({"grade": {"above": 4}}, [2]),
        ({"grade": {"at_most": 4}}, [0, 1]),
        ({"grade": {"below": 4}}, [0]),
        ({"grade": {"at_least": 4, "below": 5}}, [1]),
        ({"grade": {"is_missing": True}}, [3]),
        ({"grade": {"is_missing": False}}, [0, 1, 2]),
        ({"cohort": {"at_least": 2020}}, [2, 3]),
        ({"cohort": [2019, 2020]}, [0, 3]),
        ({"entered": {"at_least": "2020-01-15"}}, [1, 3]),
        ({"entered": {"below": "2020-01-15"}}, [0]),
        ({"entered": ["2020-09-01"]}, [3]),
        ({"region": ["north"], "grade": {"below": 9}}, [0]),
        ({"any_of": [{"grade": [3]}, {"region": ["south"]}]}, [0, 1]),
        ({"all_of": [{"grade": {"above": 3}}, {"grade": {"below": 5}}]}, [1]),
        ({"none_of": [{"grade": [3]}, {"school": ["7"]}]}, [2]),
        ({"year": [2021], "any_of": [{"grade": [5]}, {"grade": {"is_missing": True}}]}, [2, 3]),
    ],
)  # fmt: skip
def test_a_filter_keeps_the_rows_for_which_all_of_its_entries_hold(
    where: dict[str, Any], kept: list[int]
) -> None:
    assert _kept(where) == kept


def test_texts_are_compared_as_they_are_written() -> None:
    assert _kept({"school": ["007"]}) == [0]
    assert _kept({"school": ["7"]}) == _kept({"school": [7]}) == [1]
    assert _kept({"school": {"not_in": ["7"]}}) == [0, 2]


def test_a_missing_value_is_not_known_to_be_outside_a_list() -> None:
    assert _kept({"region": {"not_in": ["south"]}}) == [0, 3]
    assert _kept({"none_of": [{"region": ["south"]}]}) == [0, 3]
    either = [{"region": {"not_in": ["south"]}}, {"region": {"is_missing": True}}]
    assert _kept({"any_of": either}) == [0, 2, 3]


def test_a_missing_value_does_not_matter_where_another_decides() -> None:
    # Row 2 lacks its region, but is not in grade 3, so that it cannot be both.
    assert 2 in _kept({"none_of": [{"region": ["north"], "grade": [3]}]})


def test_a_value_of_another_kind_is_said_to_be_so() -> None:
    with pytest.raises(ValueError, match="'grade' 'four', but it is a number"):
        matches(FRAME, {"grade": ["four"]})
    with pytest.raises(ValueError, match="text, which has no order"):
        matches(FRAME, {"region": {"at_least": "north"}})


def test_of_another_year_a_row_is_kept_by_its_other_values() -> None:
    where: dict[str, Any] = {"year": [2021], "grade": {"at_most": 4}}
    some = matches_in_some_year(FRAME, where)
    assert some.tolist() == [True, True, False, False]
    either: dict[str, Any] = {"any_of": [{"year": {"below": 2000}, "grade": [3]}, {"grade": [5]}]}
    assert matches_in_some_year(FRAME, either).tolist() == [True, False, True, False]
    assert matches_in_some_year(FRAME, {"year": {"above": 2090}}).all()


LEAVES = st.sampled_from([
    {"a": [0]}, {"a": {"not_in": [1]}}, {"b": {"at_least": 1}}, {"b": {"below": 1}},
    {"a": [1], "b": [0]}, {"a": {"is_missing": True}}, {"b": {"is_missing": False}}, {},
])  # fmt: skip
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda name, parts: {name: parts},
        st.sampled_from(["any_of", "all_of", "none_of"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@given(FILTERS)
def test_a_row_that_is_kept_would_be_kept_whatever_its_missing_values_are(
    where: dict[str, Any],
) -> None:
    if "is_missing" in str(where):
        return
    values = [0.0, 1.0, None]
    frame = pd.DataFrame(list(product(values, values)), columns=["a", "b"], dtype="float64")
    kept = matches(frame, where)
    for fill in product([0.0, 1.0], [0.0, 1.0]):
        filled = frame.assign(a=frame["a"].fillna(fill[0]), b=frame["b"].fillna(fill[1]))
        assert matches(filled, where)[kept].all()


@given(FILTERS)
def test_none_of_a_filter_and_the_filter_keep_no_row_in_common_and_all_known_rows(
    where: dict[str, Any],
) -> None:
    values = [0.0, 1.0, None]
    frame = pd.DataFrame(list(product(values, values)), columns=["a", "b"], dtype="float64")
    kept, left = matches(frame, where), matches(frame, {"none_of": [where]})
    assert not (kept & left).any()
    known = frame.notna().all(axis=1)
    assert (kept | left)[known].all()


def test_the_levels_of_a_number_can_be_filtered_by() -> None:
    codes = pd.Series([4801230.0, 4801231.0], name="district")
    assert [matches(codes.to_frame(), {"district": [one]}).sum() for one in levels(codes)] == [1, 1]
