"""The flow of a staggered study by cohort adds up to the flow of its groups."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.flow.boxes import COLUMNS
from schooltrial.checks.flow.cohorts import MOST, boxes_by_cohort
from support.sections import planned_model

MODELS: Any = {"m": planned_model(estimator="staggered_adoption", outcomes=["maths"])}
YEARS = (2018, 2019)
LISTED = pd.DataFrame(
    {"school": list("abcde"), "arm": ["t", "t", "t", "c", "c"],
     "cohort": pd.array([2018, 2019, 2019, None, None], "Int64")}
)  # fmt: skip
CELLS = pd.DataFrame(
    [
        {"school": school, "year": year, "outcome": "maths", "maths": 1.0, "model": "m",
         "informs": True}
        for school in "abcd" for year in YEARS
        if (school, year) != ("c", 2019)
    ]
)  # fmt: skip


def _boxes(analysed: int = 5) -> pd.DataFrame:
    rows: list[list[Any]] = [["assigned", "all", "", "", "in", "schools assigned", 5, ""]]
    for arm, schools, seen, kept in (("c", 2, 1, 2), ("t", 3, 2, analysed)):
        rows += [
            ["allocated", arm, "", "", "in", "schools allocated", schools, ""],
            ["followed up", arm, "", 2019, "lost", "schools that closed", schools - seen, ""],
            ["followed up", arm, "", 2019, "in", "schools with published values", seen, ""],
            ["analysed", arm, "maths", "2018, 2019", "in", "cells of schools and years",
             schools * 2, "m"],
            ["analysed", arm, "maths", "2018, 2019", "in", "cells of schools and years analysed",
             kept, "m"],
        ]  # fmt: skip
    columns = ["stage", "arm", "outcome", "year", "kind", "text", "n", "model"]
    return pd.DataFrame(rows, columns=columns).assign(level="school", step="", reason="")[COLUMNS]


def _by_cohort(boxes: pd.DataFrame, listed: pd.DataFrame = LISTED) -> pd.DataFrame:
    return boxes_by_cohort(boxes, listed, CELLS, CELLS, MODELS)


def test_each_cohort_has_its_own_counts() -> None:
    found = _by_cohort(_boxes())
    late = found[found["cohort"] == "2019"]
    assert dict(zip(late["text"], late["n"], strict=True)) == {
        "schools allocated": 2, "schools without published values": 1,
        "schools with published values": 1, "cells of schools and years": 4,
        "no value, or a covariate not observed": 1, "cells of schools and years analysed": 3,
        "schools analysed": 2,
    }  # fmt: skip
    assert list(dict.fromkeys(found["cohort"])) == ["", "2018", "2019"]


def test_schools_that_never_began_keep_the_reasons_why_they_left() -> None:
    found = _by_cohort(_boxes())
    never = found[(found["arm"] == "c") & (found["kind"] == "lost")]
    assert "schools that closed" in set(never["text"])


@pytest.mark.parametrize(
    ("boxes", "listed"),
    [
        (_boxes(analysed=6), LISTED),  # cohorts that do not add up to their arm
        (_boxes(), LISTED.drop(columns="cohort")),
        (_boxes().assign(level="pupil"), LISTED),
        (_boxes(), LISTED.assign(cohort=range(2000, 2005))),
    ],
)
def test_otherwise_the_boxes_are_those_of_the_arms(
    boxes: pd.DataFrame, listed: pd.DataFrame
) -> None:
    assert MOST < 5
    found = _by_cohort(boxes, listed)
    pd.testing.assert_frame_equal(found.drop(columns="cohort"), boxes)
    assert set(found["cohort"]) == {""}
