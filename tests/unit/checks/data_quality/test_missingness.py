"""What is missing is counted of those who could have it."""

from __future__ import annotations

import pandas as pd

from schooltrial.checks.data_quality.missingness import count_missing
from support.sections import section
from support.standard_study import SCHOOLS, roster, scores

PUPILS = roster(
    [("a", 2020, "S1", "girl"), ("b", 2020, "S1", "boy"), ("c", 2020, "S2", "girl"),
     ("d", 2020, "S3", "girl")], "sex",
)  # fmt: skip
TABLES = {"schools": SCHOOLS, "pupils": PUPILS, "scores": scores([("a", 2020, 1.0)])}


def _maths(table: pd.DataFrame) -> list[int]:
    row = table[table["variable"] == "maths"].iloc[0]
    return [int(row["rows"]), int(row["missing"])]


def test_those_on_the_roster_without_a_row_are_missing() -> None:
    assert _maths(count_missing(TABLES, 0.2)) == [4, 3]


def test_those_outside_the_population_of_an_outcome_are_not_missing() -> None:
    made = section("variables", female={"from": "sex", "equals": "girl"})
    girls = count_missing(TABLES, 0.2, {"maths": {"female": [1]}}, made)
    assert _maths(girls) == [3, 2]
    assert set(girls["table"]) == {"schools", "pupils", "scores"}
    northern = count_missing(TABLES, 0.2, {"maths": {"female": [1], "region": ["north"]}}, made)
    assert _maths(northern) == [2, 1]
