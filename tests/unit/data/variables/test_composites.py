"""Outcomes made of others, against hand computation and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.variables.composites import (
    Making,
    anderson_weights,
    make_outcomes,
    mean_of_z_scores,
    outliers,
    weighted_index,
)
from schooltrial.refusal import Refusal
from support.standard_study import outcome

NAN = float("nan")
FRAME = pd.DataFrame({
    "pupil": list("abcdef"),
    "_unit": range(6),
    "year": 2020,
    "grade": 4,
    "girl": [1.0, 0.0, 1.0, 0.0, 1.0, NAN],
    "arm": ["control"] * 3 + ["programme"] * 3,
    "maths": [1.0, 2.0, 3.0, 4.0, NAN, 0.0],
    "reading": [10.0, 30.0, 20.0, 50.0, 20.0, 40.0],
    "late": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
})  # fmt: skip
THEN = pd.Series([0.5, NAN, 1.0, 1.0, 1.0], index=range(5))


def _made(ledger: Ledger | None = None, /, **declared: dict[str, Any]) -> pd.DataFrame:
    outcomes = {"maths": outcome(), "reading": outcome()}
    outcomes |= {name: outcome(**keys) for name, keys in declared.items()}
    making = Making("pupil", "control", ("grade", "year"), lambda name, year: THEN)
    return make_outcomes(FRAME, outcomes, making, ledger or Ledger("secret"))


def test_a_sum_and_a_mean_are_of_what_was_measured_and_missing_where_a_part_is() -> None:
    made = _made(total={"sum_of": ["maths", "late"]}, mean={"mean_of": ["total", "reading"]})
    np.testing.assert_array_equal(made["total"], [1, 3, 5, 7, NAN, 5])
    np.testing.assert_array_equal(made["mean"], [5.5, 16.5, 12.5, 28.5, NAN, 22.5])


def test_parts_are_made_first_in_whatever_order_outcomes_are_declared() -> None:
    made = _made(
        double={"sum_of": ["total", "total"]}, total={"sum_of": ["maths", "reading"]}
    )  # fmt: skip
    np.testing.assert_array_equal(made["double"], [22, 64, 46, 108, NAN, 80])


def test_a_gain_is_over_ones_own_earlier_score_and_there_is_none_up_to_that_year() -> None:
    keys: dict[str, Any] = {"gain_from": {"outcome": "maths", "year": 2019}}
    np.testing.assert_array_equal(_made(gain=keys)["gain"], [0.5, NAN, 2, 3, NAN, NAN])
    keys = {"gain_from": {"outcome": "maths", "year": 2020}}
    assert _made(gain=keys)["gain"].isna().all()


def test_the_mean_of_z_scores_fills_a_missing_part_by_the_mean_of_the_arm() -> None:
    made = _made(index={"index_of": {"outcomes": ["maths", "reading"]}})
    z = np.column_stack([FRAME["maths"] - 2, (FRAME["reading"] - 20) / 10])
    z[4, 0] = np.mean([2, -2])
    np.testing.assert_allclose(made["index"], z.mean(axis=1))


def test_a_part_of_which_less_is_better_counts_with_its_sign_turned() -> None:
    rule = {"outcomes": ["reading", "lateness"], "reverse": ["lateness"]}
    made = _made(lateness={"sum_of": ["late"]}, index={"index_of": rule})
    z = (FRAME["reading"] - 20) / 10 - (FRAME["late"] - 1)
    np.testing.assert_allclose(made["index"], z / 2)


@given(st.integers(0, 1000), st.integers(2, 4))
def test_the_effect_on_the_mean_of_z_scores_is_the_mean_of_the_effects(
    seed: int, parts: int
) -> None:
    rng = np.random.default_rng(seed)
    arm = np.repeat([0, 1], 20)
    scores = rng.normal(size=(40, parts))
    scores[rng.random((40, parts)) < 0.3] = NAN
    scores[[0, 20]] = 0.5  # each part is known of somebody in each arm
    index = mean_of_z_scores(scores, arm)
    seen = ~np.isnan(scores).all(axis=1)
    of_index = index[seen & (arm == 1)].mean() - index[seen & (arm == 0)].mean()
    of_parts = np.nanmean(scores[arm == 1], axis=0) - np.nanmean(scores[arm == 0], axis=0)
    if seen.all():
        assert of_index == pytest.approx(of_parts.mean())


def test_andersons_weights_are_the_row_sums_of_the_inverse_covariance() -> None:
    # For two scores of variances a, b and covariance c the weights are (b − c, a − c) / (ab − c²).
    scores = np.array([[1.0, 2.0], [2.0, 1.0], [4.0, 6.0], [3.0, 1.0], [0.0, 5.0]])
    (a, c), (_, b) = np.cov(scores.T)
    weights = anderson_weights(scores)
    assert weights is not None
    np.testing.assert_allclose(weights, np.array([b - c, a - c]) / (a * b - c**2))


def test_of_three_scores_two_that_say_the_same_share_their_weight() -> None:
    # Correlation r between the first two, none with the third: weights 1/(1+r), 1/(1+r), 1.
    rng = np.random.default_rng(1)
    q, _ = np.linalg.qr(rng.normal(size=(50, 4)) - rng.normal(size=(50, 4)).mean(axis=0))
    q -= q.mean(axis=0)
    q, _ = np.linalg.qr(q)
    r = 0.6
    scores = np.column_stack([q[:, 0], r * q[:, 0] + np.sqrt(1 - r**2) * q[:, 1], q[:, 2]])
    weights = anderson_weights(scores)
    assert weights is not None
    np.testing.assert_allclose(weights / weights[2], [1 / (1 + r), 1 / (1 + r), 1], atol=1e-12)


def test_a_missing_part_is_left_out_of_andersons_index_with_its_weight() -> None:
    made = _made(index={"index_of": {"outcomes": ["maths", "reading"], "weights": "anderson"}})
    z = np.column_stack([FRAME["maths"] - 2, (FRAME["reading"] - 20) / 10])
    weights = anderson_weights(z)
    assert weights is not None
    expected = z @ weights / weights.sum()
    expected[4] = z[4, 1]
    np.testing.assert_allclose(made["index"], expected)


def test_an_index_is_missing_where_all_parts_are() -> None:
    scores = np.array([[NAN, NAN], [1.0, NAN]])
    np.testing.assert_array_equal(weighted_index(scores, np.array([1.0, 3.0])), [NAN, 1])
    np.testing.assert_array_equal(mean_of_z_scores(scores, np.array([0, 0])), [NAN, 1])


def test_parts_that_determine_each_other_have_no_andersons_index() -> None:
    rule: dict[str, Any] = {"outcomes": ["lateness", "twice"], "weights": "anderson"}
    declared: dict[str, Any] = {
        "lateness": {"sum_of": ["late"]}, "twice": {"sum_of": ["late", "late"]},
        "index": {"index_of": rule},
    }  # fmt: skip
    with pytest.raises(Refusal, match="set `weights: equal`"):
        _made(**declared)


def test_of_those_outside_the_population_an_outcome_is_set_aside() -> None:
    made = _made(
        girls={"sum_of": ["reading"], "population": {"girl": [1]}},
        index={"index_of": {"outcomes": ["girls", "maths"]}},
    )
    np.testing.assert_array_equal(made["girls"], [10, NAN, 20, NAN, 20, NAN])
    assert made["index"].notna().all()


def test_an_outlier_is_set_aside_and_told_to_the_ledger_before_others_are_made_of_it() -> None:
    ledger = Ledger("secret")
    rule: dict[str, Any] = {"beyond_sd": 1.4}
    made = _made(
        ledger,
        days={"sum_of": ["reading"], "outliers": rule},
        total={"sum_of": ["days", "late"]},
    )
    z = (FRAME["reading"] - FRAME["reading"].mean()) / FRAME["reading"].std()
    assert made["days"].isna().tolist() == (z.abs() > 1.4).tolist() == [False] * 3 + [
        True, False, False,
    ]  # fmt: skip
    assert made["total"].isna().sum() == 1
    told = ledger.departed()
    assert told["reason"].tolist() == ["days more than 1.4 SD from the mean"]


def test_outliers_are_judged_within_their_groups() -> None:
    frame = pd.DataFrame({"y": [0.0, 1, 2, 9, 100, 101, 102, 103], "grade": [3] * 4 + [4] * 4,
                          "year": 2020})  # fmt: skip
    every: Any = {"beyond_sd": 1.4, "within": []}
    own: Any = {"beyond_sd": 1.4, "within": ["grade"]}
    assert not outliers(frame, "y", every).any()
    assert outliers(frame, "y", own).tolist() == [False, False, False, True] + [False] * 4


def test_an_outcome_of_what_no_row_has_is_refused() -> None:
    with pytest.raises(Refusal, match="uses 'boarding', but no pupil has a value"):
        _made(girls={"sum_of": ["reading"], "population": {"boarding": [1]}})
