"""The sample links, derives and standardises as it says; who is not in it is in the ledger."""

import numpy as np
import pandas as pd
import pytest

from schooltrial.data.panel.school_panel import build_school_panel
from schooltrial.data.rows.filters import has_level, levels, matches
from schooltrial.data.sample.baseline_scores import add_baseline
from schooltrial.data.variables.composites import add_ratios
from schooltrial.data.variables.derived import add_variables
from schooltrial.data.variables.standardisation import standardise_by_control
from schooltrial.protocol.content.sections import Outcome
from schooltrial.protocol.form.schema_validation import with_defaults
from support.sections import section
from support.small_trial import SmallTrial, schema


def _outcome(**keys: object) -> Outcome:
    node = schema()["properties"]["outcomes"]["additionalProperties"]
    made: Outcome = with_defaults({"label": "", "family": "", **keys}, node, schema())
    return made


def _sample(trial: SmallTrial) -> pd.DataFrame:
    trial.obtain()
    trial.clean()
    return pd.read_parquet(trial.path("sample.parquet"))


def test_treated_is_1_in_the_second_arm(trial: SmallTrial) -> None:
    sample = _sample(trial)
    arms = sample.groupby("school")[["arm", "treated"]].first()
    assert arms["arm"].tolist() == ["control", "programme"] * 4
    assert arms["treated"].tolist() == [0.0, 1.0] * 4


def test_standardised_scores_have_mean_0_and_sd_1_in_the_control_arm_by_grade_and_year(
    trial: SmallTrial,
) -> None:
    sample = _sample(trial)
    control = sample[sample["treated"] == 0].groupby(["grade", "year"])["maths"]
    np.testing.assert_allclose(control.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(control.std(), 1, rtol=1e-12)
    assert control.ngroups == 4


def test_standardising_changes_neither_the_order_of_rows_nor_that_of_scores() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "grade": pd.array(rng.integers(3, 5, 60), dtype="Int64"),
            "year": 2020,
            "arm": rng.choice(["control", "programme"], 60),
            "score": rng.normal(200, 15, 60),
        },
        index=rng.permutation(60),
    )
    made = standardise_by_control(frame, "score", control="control")
    assert made.index.equals(frame.index)
    for _, cells in frame.groupby("grade"):
        assert made[cells.index].rank().equals(cells["score"].rank())


def test_a_grade_without_control_scores_that_differ_cannot_be_standardised() -> None:
    frame = pd.DataFrame(
        {
            "grade": [3, 3, 3, 4, 4, 4, 5, 5],
            "year": 2020,
            "arm": ["c", "c", "t", "c", "c", "t", "c", "t"],
            "score": [1.0, 3.0, 4.0, 2.0, 2.0, 9.0, 1.0, 2.0],
        }
    )
    made = standardise_by_control(frame, "score", control="c")
    np.testing.assert_allclose(made[:3], np.array([-1, 1, 2]) / np.sqrt(2))
    assert made[3:].isna().all()


def test_the_baseline_is_the_pupils_own_score_or_0_with_an_indicator() -> None:
    frame = pd.DataFrame(
        {
            "pupil": ["a", "b", "c", "a", "b", "d"],
            "year": [2019, 2019, 2019, 2020, 2020, 2020],
            "school": ["S", "S", "R", "S", "R", "R"],
            "score": [1.0, np.nan, 5.0, 2.0, 3.0, 4.0],
        }
    )
    made = add_baseline(frame, "score", 2019)
    assert made["score_before"].tolist() == [1, 0, 5, 1, 0, 0]
    assert made["score_before_missing"].tolist() == [0, 1, 0, 0, 1, 1]
    assert made["score_before_school"].tolist() == [1, 1, 5, 1, 5, 5]


def test_made_variables_are_1_0_or_missing_where_their_source_is() -> None:
    frame = pd.DataFrame(
        {
            "siblings": pd.array([3, 4, None], dtype="Int64"),
            "sex": pd.Categorical(["girl", None, "boy"]),
            "wave": pd.Categorical(["1", "2", "1"]),
        }
    )
    rules = {
        "large": {"from": "siblings", "at_least": 4},
        "four": {"from": "siblings", "equals": 4},
        "girl": {"from": "sex", "equals": "girl"},
        "first": {"from": "wave", "equals": 1},
    }
    made = add_variables(frame, section("variables", **rules))
    np.testing.assert_array_equal(made["large"], [0, 1, np.nan])
    np.testing.assert_array_equal(made["four"], [0, 1, np.nan])
    np.testing.assert_array_equal(made["girl"], [1, np.nan, 0])
    np.testing.assert_array_equal(made["first"], [1, 0, 1])


def test_a_ratio_over_zero_is_missing() -> None:
    frame = pd.DataFrame(
        {"up": pd.array([9, 1, 3], "Int64"), "down": pd.array([10, 0, None], "Int64")}
    )
    rule = {"numerator": "up", "denominator": "down", "times": 100}
    made = add_ratios(frame, {"rate": _outcome(ratio=rule)})
    np.testing.assert_array_equal(made["rate"], [90, np.nan, np.nan])


def test_rows_match_a_filter_where_every_variable_has_a_wanted_value() -> None:
    frame = pd.DataFrame(
        {
            "year": pd.array([2019, 2020, None], "Int64"),
            "sex": pd.Categorical(["girl", "girl", None]),
            "code": ["1", "2", "2"],
        }
    )
    assert matches(frame, {}).tolist() == [True, True, True]
    assert matches(frame, {"year": [2020]}).tolist() == [False, True, False]
    assert matches(frame, {"sex": ["girl"], "year": [2019]}).tolist() == [True, False, False]
    assert matches(frame, {"code": [2]}).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pd.Series(pd.Categorical(["b", "a"], categories=["b", "c", "a"])), ["b", "a"]),
        (pd.Series(["b", "a", None]), ["a", "b"]),
        (pd.Series([10, 9, 10]), ["9", "10"]),
        (pd.Series([1.0, 0.0, np.nan]), ["0", "1"]),
    ],
)
def test_levels_are_those_that_occur_in_the_order_of_codes_numbers_or_letters(
    values: pd.Series, found: list[str]
) -> None:
    values = values.rename("x")
    assert levels(values) == found
    counts = [int(has_level(values, level).sum()) for level in found]
    assert sum(counts) == values.notna().sum()
    assert min(counts) > 0


def test_pupils_of_schools_that_were_not_assigned_leave_with_the_reason(trial: SmallTrial) -> None:
    del trial.files["assignment.csv"][8]
    sample = _sample(trial)
    assert "S8" not in set(sample["school"])
    flow = pd.read_csv(trial.path("flow.csv"))
    step = flow[flow["step"] == "assigned schools"]
    assert step["left"].sum() == 40
    assert set(step[step["left"] > 0]["arm"]) == {"not assigned"}
    scores = flow[flow["step"] == "link scores"]
    assert scores["left"].sum() == 80


def test_pupils_outside_what_is_kept_leave_with_the_reason(trial: SmallTrial) -> None:
    trial.protocol["sample"] = {"keep": {"grade": [3, 4]}}
    sample = _sample(trial)
    assert set(sample["grade"]) == {3, 4}
    ledger = pd.read_csv(trial.path("ledger.csv"))
    gone = ledger[ledger["step"] == "keep grade"]
    assert len(gone) == 80
    assert set(gone["reason"]) == {"grade is not 3, 4"}


def test_a_school_without_pupils_in_a_year_is_in_the_ledger_by_name(trial: SmallTrial) -> None:
    rows = trial.files["roster_2020.csv"]
    trial.files["roster_2020.csv"] = [cells for cells in rows if cells[1] != "S5"]
    trial.protocol["cleaning"] = {"match_at_least": {"scores": 0.8}}
    _sample(trial)
    ledger = pd.read_csv(trial.path("ledger.csv"))
    gone = ledger[ledger["level"] == "school"]
    assert gone[["unit", "year"]].to_numpy().tolist() == [["S5", 2020]]


def test_the_ledger_names_no_pupil(trial: SmallTrial) -> None:
    for row in range(2, 20):
        trial.set("scores_2020.csv", row, "score", "")
    sample = _sample(trial)
    ledger = pd.read_csv(trial.path("ledger.csv"), dtype=str)
    assert len(ledger) == 18
    assert not set(ledger["unit"]) & set(sample["pupil"])


def test_every_step_of_the_flow_is_a_partition(trial: SmallTrial) -> None:
    del trial.files["assignment.csv"][3]
    trial.protocol["sample"] = {"keep": {"grade": [3, 4]}}
    _sample(trial)
    flow = pd.read_csv(trial.path("flow.csv"))
    assert (flow["entered"] == flow["left"] + flow["remained"]).all()


def test_an_outcome_without_any_score_is_missing_for_all(trial: SmallTrial) -> None:
    trial.protocol["outcomes"]["art"] = {"label": "Art", "family": "tests"}
    assert _sample(trial)["art"].isna().all()


def test_panel_means_weighted_by_pupils_sum_to_the_total_of_the_pupils(trial: SmallTrial) -> None:
    trial.set("scores_2020.csv", 2, "score", "")
    sample = _sample(trial)
    panel = pd.read_parquet(trial.path("panel.parquet"))
    sums = (panel["mean"] * panel["n_pupils"]).groupby(panel["outcome"]).sum()
    for outcome in ("maths", "reading", "attendance"):
        np.testing.assert_allclose(sums[outcome], sample[outcome].sum(), rtol=1e-12, atol=1e-10)
    assert panel.groupby("outcome")["n_pupils"].sum()["maths"] == 319
    assert not panel.duplicated(["outcome", "school", "year"]).any()


def test_the_panel_can_be_of_some_pupils_only(trial: SmallTrial) -> None:
    sample = _sample(trial)
    panel = build_school_panel(sample, ["maths"], {"sex": ["girl"]})
    assert panel["n_pupils"].sum() == (sample["sex"] == "girl").sum()
    assert set(panel["outcome"]) == {"maths"}
