"""Outcomes made of others, populations and scales at baseline, through to the sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.refusal import Refusal
from support.sections import section
from support.standard_study import build, model, outcome, reasons, roster, scores

WHO = [("a", "S1", 1), ("b", "S1", 0), ("c", "S2", 1), ("d", "S2", 0),
       ("e", "S3", 1), ("f", "S3", 0), ("g", "S4", 1), ("h", "S4", 0)]  # fmt: skip
PUPILS = roster(
    [(name, year, school, girl) for year in (2019, 2020) for name, school, girl in WHO], "girl"
)
MATHS = scores(
    [(name, 2019, 10.0 * at) for at, (name, *_) in enumerate(WHO)]
    + [(name, 2020, 10.0 * at + at**2) for at, (name, *_) in enumerate(WHO) if name != "d"]
)
READING = scores(
    [(name, year, float(at)) for at, (name, *_) in enumerate(WHO) for year in (2019, 2020)],
    "reading",
)
SCORES = pd.concat([MATHS, READING], ignore_index=True).astype({"outcome": "category"})


def _sample(declared: dict[str, dict[str, Any]], **keys: Any) -> pd.DataFrame:
    outcomes = {"maths": outcome(), "reading": outcome()}
    outcomes |= {name: outcome(**rule) for name, rule in declared.items()}
    made = build({"pupils": PUPILS, "scores": SCORES}, outcomes=outcomes, **keys)
    return made.pupils[made.pupils["year"] == 2020].set_index("pupil")


def test_a_sum_has_a_baseline_as_an_outcome_that_is_read() -> None:
    now = _sample({"total": {"sum_of": ["maths", "reading"], "baseline_year": 2019}})
    places = np.arange(8.0)
    np.testing.assert_allclose(now["total_before"], 11 * places)
    expected = 11 * places + places**2
    expected[3] = np.nan
    np.testing.assert_allclose(now["total"], expected)
    np.testing.assert_allclose(now.loc[["a", "b"], "total_before_school"], 5.5)


def test_a_gain_is_over_ones_own_score_of_the_earlier_year_then_on_its_own_scale() -> None:
    gain: dict[str, Any] = {"gain_from": {"outcome": "maths", "year": 2019}}
    now = _sample({"gain": gain, "gain_sd": {**gain, "standardise": "all"}})
    expected = np.arange(8.0) ** 2
    expected[3] = np.nan
    np.testing.assert_allclose(now["gain"], expected)
    known = expected[~np.isnan(expected)]
    np.testing.assert_allclose(
        now["gain_sd"], (expected - known.mean()) / known.std(ddof=1), atol=1e-12
    )


def test_by_the_control_group_at_baseline_both_years_have_one_scale() -> None:
    now = _sample(
        {"growth": {"sum_of": ["maths"], "standardise": "control_at_baseline",
                    "baseline_year": 2019}}
    )  # fmt: skip
    control = now["arm"] == "control"
    then = pd.Series(10.0 * np.arange(8), index=now.index)[control]
    expected = (now["maths"] - then.mean()) / then.std()
    np.testing.assert_allclose(now["growth"], expected)
    np.testing.assert_allclose(
        now["growth_before"], (10.0 * np.arange(8) - then.mean()) / then.std(), atol=1e-12
    )


def test_without_a_control_group_at_baseline_there_is_no_such_scale() -> None:
    keys = {"standardise": "control_at_baseline", "baseline_year": 2018, "sum_of": ["maths"]}
    with pytest.raises(Refusal, match="the baseline year"):
        _sample({"growth": keys})


def test_an_outcome_of_girls_is_theirs_and_boys_leave_no_analysis_of_it() -> None:
    outcomes = {
        "maths": outcome(),
        "girls": outcome(sum_of=["maths"], population={"girl": [1]}, baseline_year=2019),
    }
    made = build(
        {"pupils": PUPILS, "scores": MATHS}, outcomes=outcomes,
        models={"itt": model(outcomes=["girls"], where={"year": [2020]})},
    )  # fmt: skip
    now = made.pupils[made.pupils["year"] == 2020]
    assert now["girls"].notna().tolist() == now["girl"].eq(1).tolist()
    step = made.flow[made.flow["step"] == "analysed: itt, girls"]
    assert step.groupby("reason")["entered"].sum().tolist() == [4, 4]
    assert step["left"].sum() == 0
    school = now.set_index("pupil").loc[["a", "b"], "girls_before_school"]
    np.testing.assert_allclose(school, 0.0)  # of pupil a alone


def test_a_ratio_over_zero_is_told_to_the_ledger() -> None:
    pupils = PUPILS.assign(enrolled=(PUPILS["pupil"] != "a").astype("float64"), present=1.0)
    made = build(
        {"pupils": pupils, "scores": MATHS},
        variables=section("variables", rate={"from": ["present", "enrolled"], "as": "ratio"}),
    )
    assert reasons(made, "score")["rate over 0 is missing"] == 2
    assert made.pupils["rate"].isna().sum() == 2


def test_ranks_are_among_those_whom_the_sample_keeps() -> None:
    made = build(
        {"pupils": PUPILS.assign(age=PUPILS["pupil"].map(ord) * 1.0), "scores": MATHS},
        variables=section(
            "variables",
            rank={"from": "age", "as": "percentile_rank"},
            older={"where": {"rank": {"above": 50}}},
        ),
        keep={"girl": [1]},
    )
    now = made.pupils[made.pupils["year"] == 2020]
    assert now["rank"].tolist() == [12.5, 37.5, 62.5, 87.5]
    assert now["older"].tolist() == [0, 0, 1, 1]
