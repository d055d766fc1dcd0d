"""Checks of the assignment err as seldom as they say: on honest lists, and on forged ones."""

from __future__ import annotations

import pandas as pd
import pytest
from benchmarks.assignment_lists import DESIGNS, FORGERIES, ORDERS, honest_list
from benchmarks.assignment_report import doubted_designs, forged_table, honest_table
from benchmarks.assignment_runs import COLUMNS, Lists, all_lists, complete, run, run_all
from numpy.random import default_rng
from scipy import stats

BY_CHANCE = 1e-4
"""How often a right check may fail one of these tests."""


def _doubted(lists: int, alpha: float) -> pd.DataFrame:
    parts = [
        Lists("honest", at, ORDERS[at % len(ORDERS)], lists, 0, alpha)
        for at in range(len(DESIGNS))
    ]  # fmt: skip
    return pd.DataFrame(map(run, parts))


@pytest.mark.slow
def test_honest_lists_of_every_design_are_doubted_no_more_often_than_the_level_says() -> None:
    # At a level of 20% the few lists of this test can show a check that doubts too often.
    found = _doubted(2, alpha=0.2)
    most = stats.binom.ppf(1 - BY_CHANCE, int(found["lists"].sum()), 0.2)
    assert found["contradicted"].sum() == 0, found[found["contradicted"] > 0]
    assert found["in_doubt"].sum() <= most, found[found["in_doubt"] > 0]


@pytest.mark.parametrize(
    "forgery",
    [
        *list(FORGERIES)[:2],
        *(pytest.param(forgery, marks=pytest.mark.slow) for forgery in list(FORGERIES)[2:7]),
    ],
)
def test_forged_lists_are_caught(forgery: str) -> None:
    row = run(Lists("forged", list(FORGERIES).index(forgery), "identifier", 5, 0, 0.01))
    assert row["in_doubt"] + row["contradicted"] == 5  # type: ignore[operator]


@pytest.mark.slow
def test_at_most_one_honest_list_in_twenty_is_doubted_of_every_design_and_order() -> None:
    found = run_all(30)
    assert doubted_designs(found).empty
    honest = found[found["kind"] == "honest"]
    most = stats.binom.ppf(1 - BY_CHANCE, int(honest["lists"].sum()), 0.01)
    assert honest["in_doubt"].sum() <= most


def test_an_honest_list_has_the_order_that_is_asked_for() -> None:
    design = next(one for one in DESIGNS if one.name == "blocked, 5 of 8")
    made = {name: honest_list(design, name, complete, default_rng(1)).listed for name in ORDERS}
    assert made["arm"]["arm"].is_monotonic_increasing
    keys = made["block and arm"][["block", "arm"]].agg(" ".join, axis=1)
    assert keys.is_monotonic_increasing
    assert made["name"]["school"].is_monotonic_increasing
    assert made["identifier"]["school"].astype(int).is_monotonic_increasing
    assert not made["at random"]["school"].astype(int).is_monotonic_increasing


def test_each_design_is_checked_in_each_order_and_each_forgery_once() -> None:
    parts = all_lists(40)
    honest = [part for part in parts if part.kind == "honest"]
    assert len(honest) == (len(DESIGNS) + 1) * len(ORDERS)
    assert {part.lists for part in honest} == {40, 2}  # a twentieth of the lists of 5,000
    assert len(parts) - len(honest) == len(FORGERIES)


def test_a_design_is_named_where_its_lists_are_doubted_too_often_or_contradicted() -> None:
    rows = [
        ("honest", "good", "arm", 100, 5, 0),
        ("honest", "bad", "arm", 100, 20, 0),
        ("honest", "worse", "arm", 100, 0, 1),
        ("forged", "swapped", "arm", 4, 1, 2),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    assert doubted_designs(table).index.tolist() == ["bad", "worse"]
    assert "| bad | 100 | .200 (.133 to .289) | .000 (.000 to .037) | arm 20 |" in honest_table(
        table
    )
    assert "| swapped | 4 | .250" in forged_table(table)
