"""Variables are made as declared, in the order declared; what cannot be computed is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.variables.derived import (
    add_variables,
    add_variables_again,
    over_zero,
    percentile_ranks,
)
from support.sections import section

NAN = float("nan")
FRAME = pd.DataFrame({
    "year": [2019, 2019, 2019, 2020, 2020],
    "arm": ["control", "control", "programme", "control", "programme"],
    "cohort": pd.array([2020, None, 2019, 2020, None], dtype="Int64"),
    "late": [1.0, 2.0, NAN, 4.0, 0.0],
    "absent": [10, 0, 5, 8, 0],
    "sex": pd.Categorical(["girl", None, "boy", "girl", "boy"]),
})  # fmt: skip


def _made(frame: pd.DataFrame = FRAME, **rules: dict[str, Any]) -> pd.DataFrame:
    return add_variables(frame, section("variables", **rules), control="control")


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ({"from": ["late", "absent"], "as": "sum"}, [11, 2, NAN, 12, 0]),
        ({"from": ["late", "absent"], "as": "mean"}, [5.5, 1, NAN, 6, 0]),
        ({"from": ["late", "absent"], "as": "difference"}, [-9, 2, NAN, -4, 0]),
        ({"from": ["late", "absent"], "as": "product"}, [10, 0, NAN, 32, 0]),
        ({"from": ["late", "absent"], "as": "ratio"}, [0.1, NAN, NAN, 0.5, NAN]),
        ({"from": "late", "as": "power", "exponent": 2}, [1, 4, NAN, 16, 0]),
        ({"from": "late", "as": "power", "exponent": -1}, [1, 0.5, NAN, 0.25, NAN]),
        ({"from": "late", "as": "is_missing"}, [0, 0, 1, 0, 0]),
        ({"from": ["late", "sex"], "as": "is_missing"}, [0, 1, 1, 0, 0]),
        ({"where": {"sex": ["girl"]}}, [1, 0, 0, 1, 0]),
        ({"where": {"late": {"at_least": 2}, "year": [2020]}}, [0, 0, 0, 1, 0]),
        ({"from": "sex", "equals": "girl"}, [1, NAN, 0, 1, 0]),
        ({"from": "late", "as": "percentile_rank"}, [25, 75, NAN, 75, 25]),
        ({"from": "late", "as": "percentile_rank", "reference": "control"},
         [25, 75, NAN, 50, 0]),
        ({"from": "late", "as": "percentile_rank", "compared_with": {"late": {"below": 3}}},
         [25, 75, NAN, 100, 50]),
        ({"from": "absent", "as": "percentile_rank"},
         [100 * 2.5 / 3, 100 * 0.5 / 3, 50, 75, 25]),
        ({"from": "absent", "as": "z_score"},
         [1, -1, 0, 8 / np.sqrt(32) / 2, -8 / np.sqrt(32) / 2]),
    ],
)  # fmt: skip
def test_a_variable_is_computed_by_its_rule(rule: dict[str, Any], values: list[float]) -> None:
    np.testing.assert_allclose(_made(made=rule)["made"], values)


def test_after_a_schools_own_cohort_is_an_indicator_that_is_0_where_there_is_none() -> None:
    made = _made(
        since={"from": ["year", "cohort"], "as": "difference"},
        treated_then={"where": {"since": {"at_least": 0}}},
    )
    np.testing.assert_array_equal(made["since"], [-1, NAN, 0, 0, NAN])
    assert made["treated_then"].tolist() == [0, 0, 1, 1, 0]


def test_a_variable_whose_source_is_not_there_yet_waits_for_it() -> None:
    rules: dict[str, Any] = {
        "low": {"from": "score_before", "at_least": 0},
        "ranked": {"from": "absent", "as": "z_score", "within": ["grade"]},
        "both": {"from": ["low", "absent"], "as": "sum"},
    }
    made = _made(**rules)
    assert not {"low", "ranked", "both"} & set(made)
    later = _made(made.assign(score_before=[1.0, -1.0, 0.0, NAN, 2.0], grade=3), **rules)
    np.testing.assert_array_equal(later["both"], [11, 0, 6, NAN, 1])
    np.testing.assert_allclose(later["ranked"][:3], [1, -1, 0])


def test_ranks_are_of_those_who_are_left_and_so_is_what_rests_on_them() -> None:
    rules = section(
        "variables",
        rank={"from": "absent", "as": "percentile_rank"},
        top={"where": {"rank": {"above": 60}}},
        plain={"from": "absent", "at_least": 5},
    )
    every = add_variables(FRAME, rules)
    again = add_variables_again(every[every["absent"] < 10], rules, control="control")
    assert again["rank"].tolist() == [25, 75, 75, 25]
    assert again["top"].tolist() == [0, 1, 1, 0]
    assert again["plain"].tolist() == every.loc[every["absent"] < 10, "plain"].tolist()
    plain = section("variables", plain={"from": "absent", "at_least": 5})
    assert add_variables_again(every, plain, control="control") is every


def test_the_rows_without_a_ratio_because_of_a_zero_are_told() -> None:
    rules = section("variables", share={"from": ["late", "absent"], "as": "ratio"})
    [(name, none)] = over_zero(add_variables(FRAME, rules), rules)
    assert (name, none.tolist()) == ("share", [False, True, False, False, True])


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(-3, 3)), st.integers(-1, 2), st.booleans()),
        max_size=25,
    )
)
def test_a_percentile_rank_counts_those_below_and_half_of_those_equal(
    rows: list[tuple[int | None, int, bool]],
) -> None:
    values = np.array([NAN if value is None else value for value, _, _ in rows], "float64")
    cell = np.array([cell for _, cell, _ in rows], "int64")
    reference = np.array([inside for _, _, inside in rows], bool)
    ranks = percentile_ranks(values, cell, reference)
    for at, (value, group, _) in enumerate(rows):
        others = [v for v, c, r in rows if r and c == group and v is not None]
        if value is None or group < 0 or not others:
            assert np.isnan(ranks[at])
            continue
        below = sum(other < value for other in others)
        equal = sum(other == value for other in others)
        assert ranks[at] == pytest.approx(100 * (below + equal / 2) / len(others))
