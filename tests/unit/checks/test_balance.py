"""Balance at baseline: differences by hand, their sign, and the bands at their borders."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.balance import COLUMNS, balance, band

PUPILS = pd.DataFrame(
    {
        "school": ["A", "A", "B", "B", "C", "C", "D", "D"],
        "treated": [0.0, 0, 0, 0, 1, 1, 1, 1],
        "year": [2019] * 8,
        "score": [1.0, 2, 3, 4, 3, 5, 7, np.nan],
        "sex": pd.Categorical(
            ["m", "f", "m", "f", "f", "f", "f", "m"], categories=["m", "f", "other"]
        ),
        "kind": ["x", "x", "y", "y", "x", "x", "x", "x"],
        "even": [0.1] * 8,
    }
)


def _balance(
    pupil: list[str], school: Sequence[str] = (), frame: pd.DataFrame = PUPILS, **keys: Any
) -> pd.DataFrame:
    settings = {
        "where": {}, "pupil_variables": pupil, "school_variables": list(school),
        "satisfied": 0.05, "adjustable": 0.25, **keys,
    }  # fmt: skip
    return balance(frame, settings, {"score": "Score"}, 2019)


def test_a_difference_is_treated_minus_control_over_the_pooled_sd() -> None:
    row = _balance(["score"]).iloc[0]
    assert (row["n_control"], row["n_treated"], row["missing"]) == (4, 3, 1)
    assert (row["mean_control"], row["mean_treated"], row["difference"]) == (2.5, 5.0, 2.5)
    pooled = sqrt((3 * 5 / 3 + 2 * 4.0) / (4 + 3 - 2))
    assert row["sd_used"] == pytest.approx(pooled)
    assert row["standardised_difference"] == pytest.approx(2.5 / pooled)
    assert (row["label"], row["band"]) == ("Score", "not satisfied")


def test_a_difference_keeps_its_sign() -> None:
    swapped = PUPILS.assign(treated=1 - PUPILS["treated"])
    there = _balance(["score"]).iloc[0]["standardised_difference"]
    back = _balance(["score"], frame=swapped).iloc[0]["standardised_difference"]
    assert there > 0
    assert back == pytest.approx(-there)


def test_a_category_has_one_row_per_level_that_occurs_in_the_order_of_the_codes() -> None:
    rows = _balance(["sex"])
    assert rows["category"].tolist() == ["m", "f"]
    assert rows["label"].tolist() == ["sex: m", "sex: f"]
    assert rows["mean_control"].tolist() == [0.5, 0.5]
    assert rows["mean_treated"].tolist() == [0.25, 0.75]
    assert rows["difference"].sum() == pytest.approx(0)


def test_schools_are_compared_by_their_means_with_one_row_each() -> None:
    rows = _balance([], ["score", "kind"]).set_index("label")
    score = rows.loc["Score"]
    assert (score["n_control"], score["n_treated"]) == (2, 2)
    assert (score["mean_control"], score["mean_treated"]) == (2.5, 5.5)
    assert score["sd_used"] == pytest.approx(sqrt((2 + 4.5) / 2))
    assert rows.loc["kind: y", "difference"] == -0.5


def test_only_the_pupils_of_the_baseline_year_and_the_filter_are_compared() -> None:
    rows = _balance(["score"], where={"sex": ["f"]})
    assert rows["n_control"].tolist() == [2]
    assert _balance(["score"], frame=PUPILS.assign(year=1999))["n_control"].tolist() == [0]


@pytest.mark.parametrize(
    ("size", "found"),
    [
        (0.0, "satisfied"),
        (0.05, "satisfied"),
        (0.05001, "adjustment needed"),
        (-0.05, "satisfied"),
        (0.25, "adjustment needed"),
        (-0.25, "adjustment needed"),
        (0.25001, "not satisfied"),
        (-3.0, "not satisfied"),
        (np.nan, "not defined"),
    ],
)
def test_the_bands_include_their_borders_on_both_sides(size: float, found: str) -> None:
    assert band(size, 0.05, 0.25) == found


def test_a_variable_that_is_the_same_for_all_is_balanced_despite_rounding() -> None:
    row = _balance(["even"]).iloc[0]
    assert row["standardised_difference"] == 0
    assert row["band"] == "satisfied"


def test_a_variable_that_varies_only_between_arms_has_no_standardised_difference() -> None:
    frame = PUPILS.assign(even=PUPILS["treated"])
    row = _balance(["even"], frame=frame).iloc[0]
    assert row["difference"] == 1
    assert row["band"] == "not defined"


@pytest.mark.parametrize("known", [[], [0], [0, 4], [0, 1, 4]])
def test_few_or_no_observations_are_no_breakdown(known: list[int]) -> None:
    score = PUPILS["score"].where(PUPILS.index.isin(known))
    row = _balance(["score"], frame=PUPILS.assign(score=score)).iloc[0]
    assert row["n_control"] + row["n_treated"] == len(known)
    assert (row["band"] == "not defined") == (len(known) < 3)


def test_the_columns_are_always_the_same() -> None:
    assert list(_balance([]).columns) == COLUMNS
