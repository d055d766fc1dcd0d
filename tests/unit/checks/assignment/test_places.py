"""Numbers by group that the list itself plans, as places of each block."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.assignment.verdict import CONSISTENT, CONTRADICTED, verify_assignment
from support.sections import design

LIST = pd.DataFrame({
    "teacher": [f"T{at}" for at in range(1, 10)],
    "school": ["A"] * 5 + ["B"] * 4,
    "arm": ["control", "control", "control", "control", "programme",
            "programme", "programme", "programme", "control"],
    "places": pd.array([1] * 5 + [3] * 4, dtype="Int64"),
})  # fmt: skip
"""One of five was to be drawn in school A, and three of four in school B."""


def _found(listed: pd.DataFrame, **draw: Any) -> tuple[str, dict[str, tuple[str, str]]]:
    plan = design(unit="teacher", randomisation=draw)
    found = verify_assignment(listed, plan)
    rows = found.tests.set_index("check")
    return found.verdict, {
        name: (str(row["verdict"]), f"{row['finding']} {row['reason']}")
        for name, row in rows.iterrows()
    }


def test_a_list_with_the_places_that_it_names_is_as_planned() -> None:
    verdict, tests = _found(LIST, places="places")
    assert verdict == CONSISTENT
    assert tests["places of each block"][0] == "passed"
    assert tests["numbers by group as planned"][0] == "passed"


def test_without_places_or_shares_no_numbers_were_planned_that_a_list_could_contradict() -> None:
    verdict, tests = _found(LIST)
    assert verdict == CONSISTENT
    assert tests["numbers by group as planned"][0] == "noted"
    assert "no shares are declared" in tests["numbers by group as planned"][1]
    assert "places of each block" not in tests


def test_a_school_with_more_winners_than_places_contradicts_its_plan() -> None:
    more = LIST.copy()
    more.loc[0, "arm"] = "programme"
    verdict, tests = _found(more, places="places")
    assert verdict == CONTRADICTED
    assert "A, in the order control, programme" in tests["numbers by group as planned"][1]


@pytest.mark.parametrize(
    ("row", "value", "told"),
    [
        (0, 2, "1 block with more than one number (A)"),
        (6, None, "1 block without a number in some rows (B)"),
        (slice(0, 4), 6, "1 block with fewer places than 0 or more than units (A)"),
    ],
)
def test_places_that_plan_nothing_contradict_the_list(row: Any, value: Any, told: str) -> None:
    wrong = LIST.copy()
    wrong.loc[row, "places"] = value
    verdict, tests = _found(wrong, places="places")
    assert verdict == CONTRADICTED
    assert tests["places of each block"][0] == "failed"
    assert told in tests["places of each block"][1]
