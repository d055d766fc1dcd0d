"""Outcomes on a common scale: by the control group, by all, by norms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.data.variables.standardisation import (
    standardise,
    standardise_by_norms,
    standardised,
)
from schooltrial.protocol.content.sections import Norm
from schooltrial.refusal import Refusal
from support.standard_study import outcome

FRAME = pd.DataFrame(
    {
        "grade": pd.array([3, 3, 3, 4, 4, None], "Int64"),
        "year": pd.array([2020] * 6, "Int64"),
        "arm": ["c", "c", "t", "c", "t", "c"],
        "score": [1.0, 3.0, 8.0, 5.0, 7.0, 4.0],
    }
)


def scaled(frame: pd.DataFrame = FRAME, **keys: Any) -> list[float]:
    made = standardised(frame, "score", outcome(**keys), control="c", within=("grade", "year"))
    return [float(value) for value in made]


def test_all_measures_by_everyone_in_the_grade() -> None:
    found = scaled(standardise="all")
    spread = np.std([1, 3, 8], ddof=1)
    np.testing.assert_allclose(found[:3], (np.array([1, 3, 8]) - 4) / spread)
    np.testing.assert_allclose(found[3:5], [-1 / np.sqrt(2), 1 / np.sqrt(2)])


def test_a_row_without_a_grade_cannot_be_measured_by_its_grade() -> None:
    assert np.isnan(scaled(standardise="all")[5])
    assert np.isnan(scaled(standardise="control")[5])


def test_none_leaves_scores_as_they_are() -> None:
    assert scaled() == FRAME["score"].tolist()


@given(
    values=st.lists(
        st.tuples(st.sampled_from([3, 4, None]), st.integers(0, 50), st.booleans()), min_size=1
    )
)
@settings(deadline=None, derandomize=True)
def test_the_reference_rows_have_mean_0_and_sd_1_in_every_cell(values: list[Any]) -> None:
    frame = pd.DataFrame(values, columns=["grade", "score", "reference"])
    frame["grade"] = frame["grade"].astype("Int64")
    made = standardise(
        frame, "score", within=["grade", "year"], reference=frame["reference"].to_numpy("bool")
    )
    cells = made[frame["reference"]].groupby(frame["grade"]).agg(["mean", "std", "count"])
    filled = cells[cells["count"] > 0]
    np.testing.assert_allclose(filled["mean"], 0, atol=1e-12)
    np.testing.assert_allclose(filled["std"], 1, rtol=1e-12)
    assert made[frame["grade"].isna()].isna().all()


def test_the_norm_that_says_most_holds() -> None:
    norms: list[Norm] = [
        {"grade": None, "year": None, "mean": 0, "sd": 1},
        {"grade": None, "year": 2020, "mean": 1, "sd": 1},
        {"grade": 4, "year": None, "mean": 2, "sd": 1},
        {"grade": 4, "year": 2020, "mean": 3, "sd": 2},
    ]
    assert scaled(standardise="norms", norms=norms) == [0, 2, 7, 1, 2, 3]
    assert scaled(standardise="norms", norms=norms[:3]) == [0, 2, 7, 3, 5, 3]


def test_scores_of_a_grade_without_a_norm_are_refused() -> None:
    norms: list[Norm] = [{"grade": 3, "year": None, "mean": 0, "sd": 1}]
    with pytest.raises(Refusal, match="score has scores of grade 4 in 2020, but there is no norm"):
        standardise_by_norms(FRAME, "score", norms)
    found = standardise_by_norms(FRAME[FRAME["grade"] != 4], "score", norms)
    assert found.tolist() == [1, 3, 8]
