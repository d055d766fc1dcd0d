"""Balance at baseline: differences by hand, their sign, and the bands at their borders."""

from collections.abc import Sequence
from itertools import combinations
from math import log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.report import balance_report
from schooltrial.checks.balance.standardised_differences import (
    COLUMNS,
    balance,
    balance_rows,
    balance_table,
    band,
)
from schooltrial.models.cluster_robust.fit import fit_least_squares_frame
from schooltrial.randomisation.criterion import DrawCriterion
from support.sections import planned_model

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
        "equivalent_to": 0.05, "adjust_to": 0.25, **keys,
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
    third = PUPILS.assign(sex=PUPILS["sex"].astype("str").mask(PUPILS.index == 0, "x"))
    rows = _balance(["sex"], frame=third)
    assert rows["category"].nunique() == 3
    assert rows["difference"].sum() == pytest.approx(0)


def test_of_two_levels_the_first_is_shown_as_the_other_says_the_same() -> None:
    rows = _balance(["sex"])
    assert rows["label"].tolist() == ["sex: m"]
    assert rows["mean_control"].tolist() == [0.5]
    assert rows["mean_treated"].tolist() == [0.25]


def test_schools_are_compared_by_their_means_with_one_row_each() -> None:
    rows = _balance([], ["score", "kind"]).set_index("label")
    score = rows.loc["Score"]
    assert (score["n_control"], score["n_treated"]) == (2, 2)
    assert (score["mean_control"], score["mean_treated"]) == (2.5, 5.5)
    assert score["sd_used"] == pytest.approx(sqrt((2 + 4.5) / 2))
    assert rows.loc["kind: x", "difference"] == 0.5


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


def test_a_variable_that_varies_only_between_arms_is_as_unbalanced_as_can_be() -> None:
    frame = PUPILS.assign(even=PUPILS["treated"])
    row = _balance(["even"], frame=frame).iloc[0]
    assert row["difference"] == 1
    assert row["standardised_difference"] == np.inf
    assert (row["band"], row["wwc_band"]) == ("not satisfied", "not satisfied")


def test_disjoint_levels_of_a_category_are_not_called_balanced() -> None:
    frame = PUPILS.assign(kind=np.where(PUPILS["treated"] == 1, "x", "y"))
    rows = _balance(["kind"], frame=frame)
    assert rows["standardised_difference"].abs().tolist() == [np.inf]
    assert set(rows["band"]) == {"not satisfied"}
    assert (rows["distribution_distance"] == 1).all()


@pytest.mark.parametrize("known", [[], [0], [0, 4], [0, 1, 4]])
def test_few_or_no_observations_are_no_breakdown(known: list[int]) -> None:
    score = PUPILS["score"].where(PUPILS.index.isin(known))
    row = _balance(["score"], frame=PUPILS.assign(score=score)).iloc[0]
    assert row["n_control"] + row["n_treated"] == len(known)
    assert (row["band"] == "not defined") == (len(known) < 3)


def test_the_columns_are_always_the_same() -> None:
    assert list(_balance([]).columns) == COLUMNS


def test_a_flag_has_the_cox_index_and_a_number_hedges_g() -> None:
    frame = PUPILS.assign(flag=[0.0, 1, 0, 0, 1, 1, 0, 1])
    rows = _balance(["flag", "score"], frame=frame).set_index("variable")
    logits = log(0.75 / 0.25) - log(0.25 / 0.75)
    assert rows.loc["flag", "wwc_effect_size"] == pytest.approx(logits / 1.65)
    assert rows.loc["flag", "wwc_measure"] == "Cox index"
    omega = 1 - 3 / (4 * 7 - 9)
    expected = rows.loc["score", "standardised_difference"] * omega
    assert rows.loc["score", "wwc_effect_size"] == pytest.approx(expected)
    assert rows.loc["score", "wwc_measure"] == "Hedges' g"


def test_the_band_of_a_rare_flag_is_that_of_its_cox_index() -> None:
    # 2 and 4 in a hundred: 0.12 SD of the indicator, and 0.43 by Cox.
    frame = pd.DataFrame({
        "school": np.arange(200), "treated": np.repeat([0.0, 1.0], 100), "year": 2019,
        "flag": [*[1.0] * 2, *[0.0] * 98, *[1.0] * 4, *[0.0] * 96],
    })  # fmt: skip
    row = _balance(["flag"], frame=frame).iloc[0]
    assert (row["band"], row["wwc_band"]) == ("adjustment needed", "not satisfied")


def test_variance_ratio_and_distance_of_distributions_by_hand() -> None:
    row = _balance(["score"]).iloc[0]
    assert row["variance_ratio"] == pytest.approx(4.0 / (5 / 3))
    # At 4 all of control lie below or at, and one of three treated.
    assert row["distribution_distance"] == pytest.approx(2 / 3)
    assert (row["missing_control"], row["missing_treated"]) == (0, 1)
    assert (row["n_control_units"], row["n_treated_units"]) == (2, 2)


def _trial(arms: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    school = np.repeat(np.arange(24), rng.integers(4, 9, 24))
    arm = np.tile(np.arange(arms), 24 // arms)[school]
    names = np.array(["control", "a", "b"])
    return pd.DataFrame({
        "school": school.astype(str), "block": (school // 6).astype(str), "arm": names[arm],
        "treated": (arm > 0).astype(float), "year": 2019,
        "score": rng.normal(size=school.size) + rng.normal(size=24)[school],
        "kind": rng.choice(["x", "y", "z"], school.size),
    })  # fmt: skip


SETTINGS = {
    "where": {}, "pupil_variables": ["score", "kind"], "school_variables": ["score"],
    "equivalent_to": 0.05, "adjust_to": 0.25,
}  # fmt: skip


def test_the_adjusted_difference_is_the_cr2_regression_with_block_effects() -> None:
    frame = _trial()
    rows = balance_table(balance_rows(frame, SETTINGS, 2019), SETTINGS, {})
    fit = fit_least_squares_frame(frame, "score", ["treated"], cluster="school", absorb="block")
    expected = fit.estimates(["treated"], vcov="CR2")[0]
    found = rows.iloc[0]
    assert found["adjusted_difference"] == pytest.approx(expected.estimate, rel=1e-10)
    assert found["adjusted_std_error"] == pytest.approx(expected.std_error, rel=1e-10)
    assert found["adjusted_df"] == pytest.approx(expected.df, rel=1e-10)
    assert found["adjusted_p_value"] == pytest.approx(expected.p_value, rel=1e-10)
    assert found["adjusted_standardised"] == pytest.approx(expected.estimate / found["sd_used"])


def test_each_arm_is_compared_with_control_as_if_alone() -> None:
    frame = _trial(3)
    redrawing = Redrawing(draws=500, exact_up_to=500)
    rows = balance_table(
        balance_rows(frame, SETTINGS, 2019), SETTINGS, {}, arms=["control", "a", "b"],
        redrawing=redrawing,
    )  # fmt: skip
    assert rows["arm"].unique().tolist() == ["a", "b"]
    alone = balance_table(
        balance_rows(frame[frame["arm"] != "a"], SETTINGS, 2019), SETTINGS, {},
        arms=["control", "b"], redrawing=redrawing,
    )  # fmt: skip
    again = rows[rows["arm"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, alone)


def test_balanced_draws_judge_a_difference_among_draws_that_were_acceptable() -> None:
    frame = _trial()
    units = tuple(sorted(frame["school"].unique()))
    listed = frame.groupby("school")["treated"].first()[list(units)].to_numpy("int8")
    first = int(listed[0])
    criterion = DrawCriterion(
        units, listed, ("control", "programme"), lambda codes: codes[:, 0] == first, 0.5
    )
    redrawing = Redrawing(exact_up_to=200_000, criterion=criterion)
    free, bound = (
        balance_table(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}, redrawing=use).iloc[0]
        for use in (Redrawing(exact_up_to=200_000), redrawing)
    )
    # Fixing one school's arm is as good as dividing its block's assignments by two.
    assert (free["replications"], bound["replications"]) == (20**4, 20**4 / 2)


def test_re_randomised_p_of_school_means_is_that_of_all_assignments() -> None:
    frame = pd.DataFrame({
        "school": list("ABCDEF"), "treated": [0.0, 0, 0, 1, 1, 1], "year": 2019,
        "score": [1.0, 2, 4, 3, 8, 16],
    })  # fmt: skip
    row = _balance([], ["score"], frame=frame).iloc[0]
    sums = np.array([sum(c) for c in combinations(frame["score"], 3)])
    expected = np.mean(np.abs(2 * sums - 34) >= 2 * 27 - 34)
    assert (row["rerandomisation_p_value"], row["exact"], row["replications"]) == (
        expected,
        True,
        20,
    )


def test_schools_inside_which_units_were_drawn_are_not_compared() -> None:
    inside = PUPILS.assign(school="A", cluster=[f"p{k}" for k in range(8)])
    rows = _balance(["score"], ["score"], frame=inside)
    assert rows["level"].tolist() == ["pupil"]
    assert (rows["n_control_units"][0], rows["n_treated_units"][0]) == (4, 3)


def test_those_outside_the_population_of_an_outcome_are_not_counted_as_missing() -> None:
    frame = PUPILS.assign(girl=[1.0, 0, 1, 0, 1, 0, 1, 0])
    settings = {**SETTINGS, "pupil_variables": ["score"], "school_variables": []}
    rows = balance_rows(
        frame.assign(score=frame["score"].where(frame["girl"] == 1)), settings, 2019
    )
    every = balance_table(rows, settings, {}).iloc[0]
    theirs = balance_table(rows, settings, {}, populations={"score": {"girl": [1]}}).iloc[0]
    assert (every["missing"], theirs["missing"]) == (4, 0)
    assert every["standardised_difference"] == theirs["standardised_difference"]


def test_those_analysed_are_compared_in_the_arms_that_their_model_compares() -> None:
    frame = _trial(3).assign(pupil=lambda rows: [f"p{k}" for k in range(len(rows))])
    frame = pd.concat([frame, frame.assign(year=2020)], ignore_index=True)
    settings = {**SETTINGS, "school_variables": [], "teacher_variables": []}
    for named, compared in (([], {"a", "b"}), (["control", "b"], {"b"})):
        model = planned_model(
            estimator="cluster_robust", role="primary", outcomes=["score"], arms=named,
            where={"year": [2020]},
        )  # fmt: skip
        found = balance_report(
            frame, settings, {}, 2019, arms=["control", "a", "b"], models={"itt": model},
            outcomes=["score"], redrawing=Redrawing(impossible="no re-draws here"),
        )  # fmt: skip
        table = found.balance
        assert set(table.loc[table["sample"] == "randomised", "arm"]) == {"a", "b"}
        assert set(table.loc[table["sample"] == "analysed", "arm"]) == compared
        assert (table["n_treated"] > 0).all()
