"""Claims about what notebooks ask of a study: counts, summaries, figures, plans."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from schooltrial.refusal import UserError
from schooltrial.study.opened.digests import (
    describe_variables,
    list_differences,
    list_effects,
    list_effects_by_year,
    list_leavers,
)
from schooltrial.study.opened.next_trial import Lessons, plan_trials, read_lessons
from schooltrial.study.opened.opened_study import OpenedStudy
from schooltrial.study.opened.published import (
    compare_with_published,
    read_published,
    write_as_printed,
)

PLAN = Lessons("school", "SD", 40, 0.07, 38, 0.15, 0.5, 0.4, 50, 1, 0.2, 0.05, 0.8)


def test_people_are_counted_once_a_year_in_each_group(opened: OpenedStudy) -> None:
    counts = opened.counts()
    sample = opened.sample("pupil", year=2020)
    total = counts.query("Year == 2020")["Pupils"].sum()
    assert total == sample["pupil"].nunique()
    assert counts.query("Year == 2020")["Schools"].sum() == sample["school"].nunique()
    labels = {arm["label"] for arm in opened.protocol.content["design"]["arms"]}
    assert set(counts["Group"]) == labels


def test_leavers_add_up_to_those_of_the_flow(opened: OpenedStudy) -> None:
    leavers = list_leavers(opened.flow, opened.protocol.content)
    assert leavers.select_dtypes("number").to_numpy().sum() == opened.flow["left"].sum()


def test_effects_are_those_of_the_table_by_label(opened: OpenedStudy) -> None:
    effects = opened.effects()
    kept = opened.estimates.query("estimand in ['ITT', 'ATT', 'CACE']")
    assert effects["Estimate"].tolist() == kept["estimate"].tolist()
    primary = opened.effects("primary")
    assert len(primary) == kept["model"].isin(opened.models_of("primary")).sum()


def test_a_model_without_a_label_is_listed_by_its_name() -> None:
    rows = pd.DataFrame({
        "model": ["itt"], "outcome": ["maths"], "estimand": ["ITT"], "estimate": [0.1],
        "std_error": [0.1], "conf_low": [0.0], "conf_high": [0.2], "p_value": [0.3],
        "n_individuals": [10],
    })  # fmt: skip
    models: dict[str, object] = {"itt": {"label": ""}}
    outcomes: dict[str, object] = {"maths": {"label": "Maths"}}
    found = list_effects(rows, models, outcomes)  # type: ignore[arg-type]
    assert found[["Model", "Outcome"]].to_numpy().tolist() == [["itt", "Maths"]]


def test_effects_by_year_are_of_panel_models_only(opened: OpenedStudy) -> None:
    by_year = opened.effects_by_year("did")
    assert "event study" in set(by_year["What"])
    assert not by_year["Year or cohort"].str.contains("[", regex=False).any()
    with pytest.raises(UserError, match="no panel model 'itt'"):
        opened.effects_by_year("itt")


def test_years_since_the_start_are_counted_in_words() -> None:
    terms = ["treated[since=-2]", "treated[since=-1]", "treated[since=0]", "treated[since=1]",
             "treated[cohort=2016]"]  # fmt: skip
    numbers = ("estimate", "std_error", "conf_low", "conf_high", "p_value", "n_individuals")
    rows = pd.DataFrame({
        "model": "by", "outcome": "maths", "estimand": "event study", "term": terms,
        **dict.fromkeys(numbers, 1),
    })  # fmt: skip
    outcomes: dict[str, object] = {"maths": {"label": "Maths"}}
    listed = list_effects_by_year(rows, "by", outcomes)  # type: ignore[arg-type]
    assert listed["Year or cohort"].tolist() == [
        "2 years before the start", "1 year before the start", "first year",
        "1 year after the first", "cohort 2016",
    ]  # fmt: skip


def test_the_largest_difference_comes_first_whatever_its_sign() -> None:
    balance = pd.DataFrame({
        "label": ["a", "b", "c"], "level": "pupil", "sample": "randomised",
        "mean_control": 0.0, "mean_treated": 0.0, "wwc_band": ["satisfied", None, None],
        "standardised_difference": [0.1, -0.3, nan],
    })  # fmt: skip
    assert list_differences(balance)["Measure"].tolist() == ["b", "a", "c"]
    assert list_differences(balance, most=1)["WWC band"].tolist() == [""]


def test_variables_are_described_without_the_values_of_anybody() -> None:
    codebook = pd.DataFrame({
        "table": ["pupils"], "variable": ["age"], "label": [None], "type": ["number"],
        "rows": [200], "missing": [10], "distinct": [7], "low": [11], "high": [18],
        "values": ["11; 12"],
    })  # fmt: skip
    found = describe_variables(codebook)
    assert found["Variable"].tolist() == ["age"]
    assert found["Missing (%)"].tolist() == [5.0]
    assert not {"low", "high", "values"} & {name.lower() for name in found}


def test_a_larger_trial_detects_smaller_effects() -> None:
    plan = plan_trials(PLAN, units=[20, 40, 80])
    assert plan["Schools"].tolist() == [20, 40, 80]
    assert plan["MDES (SD)"].is_monotonic_decreasing
    assert plan["Power at 0.2 (%)"].is_monotonic_increasing


def test_more_pupils_in_each_school_help_less_and_less() -> None:
    errors = [plan_trials(PLAN, [40], pupils)["Standard error"].item() for pupils in (10, 100, 1e6)]
    assert errors[0] > errors[1] > errors[2] > np.sqrt(0.15 * 0.5 * 4 / 40) - 1e-9


def test_an_outcome_of_one_level_is_planned_from_the_standard_error() -> None:
    one_level = Lessons("school", "percentage points", 40, 2.0, 38, nan, nan, nan, nan, 0, nan,
                        0.05, 0.8)  # fmt: skip
    plan = plan_trials(one_level, units=[160])
    assert plan["Standard error"].item() == pytest.approx(1.0)
    assert not any("Power" in name for name in plan)
    assert "fall with the square root" in one_level.words


def test_a_plan_with_groups_of_one_size_learns_from_groups_that_were_not() -> None:
    few = Lessons("school", "percentage points", 541, 1.5, 26.9, nan, nan, nan, nan, 0, nan, 0.05,
                  0.8, treated=29)  # fmt: skip
    same = few.precision(4 / (1 / 29 + 1 / 512))
    assert same.std_error == pytest.approx(1.5)  # as precise as 29 of 541
    sizes = plan_trials(few, units=[20, 40, 541])["MDES (percentage points)"].tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < 12
    assert few.precision(40).df == 38
    assert "541 schools, 29 of them in the programme" in few.words


def test_lessons_are_of_the_analysis_where_there_is_one() -> None:
    power = pd.DataFrame({
        "outcome": "maths", "stage": ["randomisation", "analysis"], "unit_kind": "school",
        "units_label": "SD", "n_units": [40.0, 38.0], "std_error": [0.1, 0.2], "df": 30.0,
        "icc": 0.1, "n_treated_units": 19.0,
        "r2_school": 0.0, "r2_pupil": 0.0, "individuals_per_unit": 20.0, "covariates_school": nan,
        "effect": nan, "alpha": 0.05, "target_power": 0.8,
    })  # fmt: skip
    assert read_lessons(power, "maths").units == 38
    unknown = read_lessons(power.assign(std_error=nan), "maths")
    assert not unknown.known
    assert "nothing is planned" in unknown.words
    assert plan_trials(unknown).empty
    with pytest.raises(UserError, match="no row of 'english'"):
        read_lessons(power, "english")


ESTIMATES = pd.DataFrame({
    "model": ["a", "a"], "term": ["treated", "treated"], "method": ["OLS, CR1", "OLS, CR2"],
    "estimate": [0.11006, 0.11006], "std_error": [0.0459, 0.0484],
})  # fmt: skip


def _published(**values: str) -> pd.DataFrame:
    row = {"source": "x", "model": "a", "term": "treated", "method": "CR2",
           "quantity": "estimate", "printed": ".1101"}  # fmt: skip
    return pd.DataFrame([row | values])


def test_a_published_number_agrees_where_every_printed_digit_does() -> None:
    assert compare_with_published(_published(), ESTIMATES)["Agrees"].tolist() == ["yes"]
    other = compare_with_published(_published(printed=".1102"), ESTIMATES)
    assert other[["Computed", "Agrees"]].to_numpy().tolist() == [[".1101", "no"]]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"method": ""}, "2 rows in the table of estimates"),
        ({"model": "b"}, "0 rows in the table of estimates"),
        ({"quantity": "wald"}, "no column 'wald'"),
    ],
)
def test_a_published_number_that_has_no_row_of_its_own_is_told(
    values: dict[str, str], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        compare_with_published(_published(**values), ESTIMATES)


def test_a_file_of_published_numbers_without_a_column_is_told(tmp_path: Path) -> None:
    file = tmp_path / "published.csv"
    _published().drop(columns="method").to_csv(file, index=False)
    with pytest.raises(UserError, match="has no column 'method'"):
        read_published(file)


@pytest.mark.parametrize(
    ("value", "printed", "written"),
    [
        (0.1101, ".110", ".110"),
        (-0.0104, "-.0104", "-.0104"),
        (34.0, "34", "34"),
        (5.7, "5.746", "5.700"),
    ],
)
def test_a_number_is_written_as_another_was_printed(
    value: float, printed: str, written: str
) -> None:
    assert write_as_printed(value, printed) == written


def test_a_figure_that_the_study_lacks_is_told_in_a_sentence(opened: OpenedStudy) -> None:
    shown = opened.show("cohorts")
    assert shown.svg == ""
    assert shown.words == "The programme began for all at the same time."
    assert "<p>The programme began" in shown._repr_html_()
    with pytest.raises(UserError, match="no figure 'love_plt'; did you mean 'love_plot'"):
        opened.show("love_plt")
    with pytest.raises(UserError, match="run the study first"):
        opened.show("trends")


@pytest.mark.parametrize(("icc", "pupils"), [(1.0, 1.0), (0.2, 1.0), (1.0, 5.0)])
def test_more_records_in_each_unit_are_not_planned_where_they_would_change_nothing(
    icc: float, pupils: float
) -> None:
    assert PLAN.two_levels
    assert not replace(PLAN, icc=icc, pupils=pupils).two_levels


def test_people_without_a_row_count_as_missing_as_they_do_in_the_figure() -> None:
    codebook = pd.DataFrame({
        "table": ["scores"], "variable": ["maths"], "label": ["Maths"], "type": ["number"],
        "rows": [90], "missing": [5], "distinct": [7],
    })  # fmt: skip
    counted = pd.DataFrame({
        "table": ["scores"] * 2, "variable": ["maths"] * 2, "rows": [50, 50], "missing": [10, 5],
    })  # fmt: skip
    assert describe_variables(codebook, counted)["Missing (%)"].tolist() == [15.0]
