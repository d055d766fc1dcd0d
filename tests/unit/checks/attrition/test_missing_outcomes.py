"""Who left, and what the missing could do: planted selection is found; bounds hold the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.attrition.baseline_covariates import baseline_columns
from schooltrial.checks.attrition.missing_outcomes import COLUMNS, bound_effects
from schooltrial.checks.attrition.roster import draw_up_roster
from schooltrial.checks.attrition.selective_attrition import who_left
from schooltrial.checks.attrition.teachers import of_teachers
from schooltrial.models.missing_outcomes.lee_bounds import bound_by_lee
from schooltrial.protocol.content.sections import Arm, Outcome
from support import standard_study

EFFECT = 0.3
ARMS: list[Arm] = [
    {"name": "control", "label": "Control", "share": None, "in_models": True},
    {"name": "programme", "label": "Programme", "share": None, "in_models": True},
]


def _outcome(**keys: Any) -> Outcome:
    return standard_study.outcome(label="Maths", **keys)


def _trial(
    *, selective: float, seed: int = 1, schools: int = 40, pupils: int = 25, loss: float = 0.2
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return assignment and sample; `selective`: how much more the weak of the programme leave."""
    rng = np.random.default_rng(seed)
    names = [f"S{j:02d}" for j in range(schools)]
    arm = np.tile(["control", "programme"], schools // 2)
    assignment = pd.DataFrame(
        {"school": names, "block": [f"b{j // 10}" for j in range(schools)], "arm": arm}
    )
    school = np.repeat(np.arange(schools), pupils)
    ability = rng.normal(size=len(school)) + 0.3 * rng.normal(size=schools)[school]
    treated = school % 2 == 1
    base = pd.DataFrame(
        {
            "pupil": [f"p{i}" for i in range(len(school))],
            "school": np.array(names)[school],
            "year": 2018,
            "maths": ability + 0.4 * rng.normal(size=len(school)),
            "sex": pd.Categorical(rng.choice(["girl", "boy"], len(school))),
        }
    )
    base.loc[rng.random(len(base)) < 0.05, "maths"] = np.nan
    later = base.assign(
        year=2020, maths=ability + EFFECT * treated + 0.4 * rng.normal(size=len(school))
    )
    lost = rng.random(len(school)) < loss - selective * np.tanh(ability) * treated
    return assignment, pd.concat([base, later[~lost]], ignore_index=True)


def _call(function: Any, trial: tuple[pd.DataFrame, pd.DataFrame], **keys: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {
        "outcomes": {"maths": _outcome(range=[-9, 9])}, "arms": ARMS, "analysis_years": [2020],
        "baseline": 2018, "covariates": ["maths", "sex"], **keys,
    }  # fmt: skip
    found: pd.DataFrame = function(*trial, **settings)
    return found


def _points(table: pd.DataFrame) -> pd.Series:
    return table.set_index(["approach", "term"])["estimate"]


def test_selective_leaving_is_found_by_the_interaction_with_baseline() -> None:
    table = _call(who_left, _trial(selective=0.2)).set_index("term")
    row = table.loc["treated:maths"]
    assert row["estimate"] < -0.08
    assert row["p_value"] < 0.001
    assert row["lost_treated"] < row["kept_treated"] - 0.4
    assert abs(row["lost_control"] - row["kept_control"]) < 0.3
    assert table.loc["all interactions = 0", "p_value"] < 0.001
    assert table.loc["treated:sex: girl", "p_value"] > 0.01


def test_the_joint_test_rejects_at_its_level_where_leaving_is_by_chance() -> None:
    rejected = [
        _call(who_left, _trial(selective=0.0, seed=seed, schools=20, pupils=12))
        .set_index("term")
        .loc["all interactions = 0", "p_value"]
        < 0.1
        for seed in range(60)
    ]
    # Binomial(60, .1): at most 13 with probability .998.
    assert 0 < sum(rejected) <= 13


def test_counts_of_who_left_are_those_of_the_roster() -> None:
    trial = _trial(selective=0.1)
    table = _call(who_left, trial)
    there = trial[1][trial[1]["year"] == 2020]
    control = there["school"].map(trial[0].set_index("school")["arm"]) == "control"
    assert set(table["n_lost_control"]) == {500 - int(control.sum())}
    assert set(table["n_lost_treated"]) == {500 - int((~control).sum())}


def test_nobody_lost_is_one_row_that_says_so() -> None:
    trial = _trial(selective=0.0, loss=0.0)
    (row,) = _call(who_left, trial).to_dict("records")
    assert row["note"] == "no attrition"
    rows = _call(bound_effects, trial)
    assert rows["approach"].tolist() == ["complete cases"]


def test_too_few_units_for_the_joint_test_are_said() -> None:
    trial = _trial(selective=0.1, schools=4)
    table = _call(who_left, trial, covariates=["maths", "sex"]).set_index("term")
    assert (
        table.loc["group and all interactions = 0", "note"] == "too few units for this many terms"
    )
    assert np.isnan(table.loc["group and all interactions = 0", "p_value"])


def test_without_selection_all_approaches_agree_with_the_complete_cases() -> None:
    points = _points(_call(bound_effects, _trial(selective=0.0)))
    plain = points["complete cases", "effect"]
    # By chance the observed of an arm differ from all by an SD of √(.2/500)·1.1, two arms by .03.
    assert points["response weights", "effect"] == pytest.approx(plain, abs=0.1)
    for name in ("Lee bounds", "Lee bounds by block", "Horowitz-Manski bounds"):
        assert points[name, "lower bound"] <= plain + 0.02
        assert points[name, "upper bound"] >= plain - 0.02


def test_selection_on_ability_biases_complete_cases_and_weights_take_most_of_it_away() -> None:
    gaps = []
    for seed in range(8):
        trial = _trial(selective=0.3, seed=seed, loss=0.35)
        points = _points(_call(bound_effects, trial))
        whole = _whole(seed)
        gaps.append(
            [
                points["complete cases", "effect"] - whole,
                points["response weights", "effect"] - whole,
            ]
        )
    biased, weighted = np.mean(gaps, axis=0)
    assert biased > 0.12
    assert abs(weighted) < 0.5 * biased


def _whole(seed: int) -> float:
    """Return the estimate of the same trial with nobody lost."""
    trial = _trial(selective=0.0, seed=seed, loss=0.0)
    return float(_points(_call(bound_effects, trial))["complete cases", "effect"])


def test_worst_case_bounds_hold_the_effect_with_nobody_lost() -> None:
    points = _points(_call(bound_effects, _trial(selective=0.3, loss=0.35)))
    name = "Horowitz-Manski bounds"
    assert points[name, "lower bound"] < _whole(1) < points[name, "upper bound"]


def test_lee_rows_are_those_of_the_model_on_the_roster() -> None:
    trial = _trial(selective=0.2)
    table = _call(bound_effects, trial).set_index(["approach", "term"])
    listed = draw_up_roster(*trial, unit="school", year=2020, baseline=2018)
    y, people = listed.outcome(trial[1], "maths"), listed.people
    found = bound_by_lee(y, people["arm"] == "programme", cluster=people["unit"]).bounds
    lower, whole = table.loc[("Lee bounds", "lower bound")], table.loc[("Lee bounds", "effect")]
    assert lower["estimate"] == pytest.approx(found.lower)
    assert lower["std_error"] == pytest.approx(found.se_lower)
    assert whole["conf_low"] == pytest.approx(found.conf_low)
    assert whole["conf_high"] == pytest.approx(found.conf_high)
    assert np.isnan(whole["estimate"])
    assert (whole["n_individuals"], whole["n_units"]) == (1000, 40)


def test_unequal_shares_by_block_do_not_bias_bounds_without_block_effects() -> None:
    rng = np.random.default_rng(3)
    arms = ["programme"] * 8 + ["control"] * 2 + ["programme"] * 2 + ["control"] * 8
    assignment = pd.DataFrame(
        {
            "school": [f"S{j}" for j in range(20)],
            "block": ["good"] * 10 + ["weak"] * 10,
            "arm": arms,
        }
    )
    level = dict(zip(assignment["school"], [3.0] * 10 + [0.0] * 10, strict=True))
    frame = pd.DataFrame({"school": np.repeat(assignment["school"], 40)}).reset_index(drop=True)
    frame["pupil"] = [f"p{i}" for i in range(len(frame))]
    frame["year"] = 2020
    frame["maths"] = frame["school"].map(level) + 0.1 * rng.normal(size=len(frame))
    frame.loc[rng.random(len(frame)) < 0.1, "maths"] = np.nan
    points = _points(_call(bound_effects, (assignment, frame), covariates=[]))
    middle = (points["Lee bounds", "lower bound"] + points["Lee bounds", "upper bound"]) / 2
    assert middle == pytest.approx(0, abs=0.1)  # 1.8 without the weights
    assert points["complete cases", "effect"] == pytest.approx(0, abs=0.02)


def test_a_standardised_outcome_has_no_worst_case_unless_its_support_is_given() -> None:
    trial = _trial(selective=0.1)
    outcomes = {"maths": _outcome(standardise="control", range=[0, 500])}
    table = _call(bound_effects, trial, outcomes=outcomes)
    row = table[table["approach"] == "Horowitz-Manski bounds"]
    assert row["note"].tolist() == ["the outcome has no range in its unit of analysis"]
    given = _call(bound_effects, trial, outcomes=outcomes, support={"maths": (-9, 9)})
    assert (given["approach"] == "Horowitz-Manski bounds").sum() == 3


def test_a_block_without_one_of_the_arms_is_left_out_and_said() -> None:
    assignment, pupils = _trial(selective=0.1)
    assignment.loc[assignment["block"] == "b0", "arm"] = "control"
    table = _call(bound_effects, (assignment, pupils))
    assert table["note"].str.contains("blocks left out because they lack a group: 1").all()
    assert set(table["n_units"]) == {30}


def test_an_arm_with_nobody_observed_is_undefined_and_said() -> None:
    assignment, pupils = _trial(selective=0.1)
    arm = pupils["school"].map(assignment.set_index("school")["arm"])
    gone = (pupils["year"] == 2020) & (arm == "control")
    (row,) = _call(bound_effects, (assignment, pupils[~gone])).to_dict("records")
    assert row["note"] == "nobody was observed in a group"
    assert list(_call(bound_effects, (assignment, pupils)).columns) == COLUMNS


def test_pupils_who_were_assigned_one_by_one_are_their_own_clusters() -> None:
    _, pupils = _trial(selective=0.2)
    people = pupils.loc[pupils["year"] == 2018, "pupil"]
    assignment = pd.DataFrame({"pupil": people, "arm": np.tile(["control", "programme"], 500)})
    table = _call(bound_effects, (assignment, pupils), unit="pupil")
    assert "HC2" in table.loc[0, "method"]
    assert table.loc[0, "n_units"] == table.loc[0, "n_individuals"]
    lower = table[table["term"] == "lower bound"].iloc[0]
    assert np.isinf(lower["df"])


def test_an_outcome_is_no_baseline_of_the_same_year() -> None:
    assignment, pupils = _trial(selective=0.0)
    then = pupils[pupils["year"] == 2020].assign(maths_before=1.5, maths_before_missing=0.0)
    then.loc[then.index[:50], "maths_before"] = 0.0
    then.loc[then.index[:50], "maths_before_missing"] = 1.0
    listed = draw_up_roster(assignment, then, unit="school", year=2020, baseline=2018)
    columns = baseline_columns(listed, ["maths", "sex", "unknown"], {"maths": _outcome()})
    assert [column.name for column in columns] == ["maths: missing", "sex: girl"]
    assert columns[0].values.sum() == 50


def test_a_flag_is_compared_from_0_to_1_and_a_number_per_sd() -> None:
    assignment, sample = _trial(selective=0.1)
    flag = (sample["sex"] == "girl").astype("float64")
    both = sample.assign(girl=flag, tens=10 * sample["maths"])
    call = _call(who_left, (assignment, both), covariates=["girl", "tens"]).set_index("term")
    same = _call(who_left, (assignment, both), covariates=["sex", "maths"]).set_index("term")
    assert abs(call.loc["treated:girl", "estimate"]) == pytest.approx(
        abs(same.loc["treated:sex: girl", "estimate"])
    )
    assert call.loc["treated:tens", "estimate"] == pytest.approx(
        same.loc["treated:maths", "estimate"]
    )


def test_teachers_who_left_are_compared_and_bounded_as_pupils_are() -> None:
    assignment, sample = _trial(selective=0.2)
    teachers = sample.rename(columns={"pupil": "teacher"})
    outcomes = {"maths": _outcome(measured_on="teacher", range=[-9, 9])}
    settings: dict[str, Any] = {
        "outcomes": outcomes, "arms": ARMS, "analysis_years": [2020], "baseline": 2018,
        "unit": "school", "covariates": ["sex"],
    }  # fmt: skip
    left = of_teachers(who_left, assignment, teachers, **settings).set_index("term")
    pupils = _call(who_left, (assignment, sample), covariates=["sex", "maths"]).set_index("term")
    assert left.loc["treated:maths", "p_value"] == pupils.loc["treated:maths", "p_value"]
    without = of_teachers(who_left, assignment, teachers, **settings, with_outcomes=False)
    assert "treated:maths" not in set(without["term"])  # no outcome precedes the programme
    bounds = of_teachers(bound_effects, assignment, teachers, **settings)
    assert {"Lee bounds", "Horowitz-Manski bounds"} <= set(bounds["approach"])
    assert (bounds["method"] != "").all()
