"""What the check of parallel trends finds in panels whose trends are known."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators import difference_in_differences, staggered_adoption
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.parallel_trends.tables import ModelCells, parallel_trends_tables
from schooltrial.checks.parallel_trends.panel_models import COLUMNS, PLACEBO_COLUMNS
from schooltrial.protocol.content.sections import Years
from support.sections import planned_model, planned_outcome, section

YEARS: Years = section("years", baseline=[2014, 2015, 2016, 2017], programme=[2018, 2019])


def _cells(effect: float = 2.0, drift: float = 0.0, outcome: str = "score") -> pd.DataFrame:
    """Return 60 schools in six years: 8 begin in 2018, 6 in 2019; these drift apart by a line."""
    rng = np.random.default_rng(7)
    school, year = np.repeat(np.arange(60), 6), np.tile(np.arange(2014, 2020), 60)
    begins = np.select([school < 8, school < 14], [2018.0, 2019.0], np.nan)
    treated = np.isfinite(begins)
    mean = rng.normal(size=60)[school] + 0.5 * rng.normal(size=360)
    mean += effect * (year >= begins) + drift * treated * (year - 2014)
    return pd.DataFrame(
        {
            "school": [f"S{at:02d}" for at in school], "year": year, "outcome": outcome,
            "treated": treated.astype("float64"), "cohort": begins, "mean": mean,
            "block": np.where(school % 2, "East", "West"), "n_pupils": 50.0,
            "arm": np.where(treated, "programme", "control"),
        }
    )  # fmt: skip


def _found(
    cells: pd.DataFrame, estimator: str = "staggered_adoption", years: Years = YEARS,
    placebo: pd.DataFrame | None = None, keys: Any = None, **settings: Any,
) -> tuple[pd.DataFrame, pd.DataFrame, PlannedModel]:  # fmt: skip
    outcomes = {name: planned_outcome(measured_on="school") for name in ("score", "other")}
    model = planned_model(estimator=estimator, role="primary", outcomes=["score"], **(keys or {}))
    plan = PlannedModel("study", "main", model, outcomes)
    chosen = section("checks", parallel_trends={"placebo_draws": 200, **settings})
    others = cells.iloc[:0] if placebo is None else placebo
    found, drawn = parallel_trends_tables(
        [ModelCells(plan, cells, others)], chosen["parallel_trends"], years, seed=1
    )
    assert found.columns.tolist() == COLUMNS
    assert drawn.columns.tolist() == PLACEBO_COLUMNS
    unsaid = found[found["estimate"].isna() & (found["note"] == "")]
    assert unsaid.empty
    return found, drawn, plan


@cache
def _plain() -> tuple[pd.DataFrame, pd.DataFrame, PlannedModel]:
    return _found(_cells())


def _of(found: pd.DataFrame, check: str) -> pd.DataFrame:
    return found[found["check"] == check].set_index("setting")


def test_without_a_violation_the_bounds_give_the_interval_of_the_effect_as_fitted() -> None:
    found, _, _ = _found(_cells(), relative_magnitudes=[0, 1])
    fitted = found.iloc[0]
    bound = _of(found, "relative magnitudes").loc[0]
    assert bound["estimate"] == pytest.approx(fitted["estimate"])
    assert [bound["conf_low"], bound["conf_high"]] == pytest.approx(
        [fitted["conf_low"], fitted["conf_high"]], abs=1e-6
    )
    assert bound["df"] == pytest.approx(fitted["df"])


def test_a_straight_drift_is_taken_off_by_smoothness_and_seen_by_placebo_years() -> None:
    found, _, _ = _found(_cells(effect=0.0, drift=1.0), smoothness=[0])
    years = _of(found, "placebo year")["estimate"]
    assert years.loc[1] == pytest.approx(1.0, abs=0.4)
    assert years.loc[2] == pytest.approx(1.5, abs=0.4)  # one and two years of drift
    assert years.loc[3] == pytest.approx(2.0, abs=0.4)
    assert found["estimate"].iloc[0] > 1.0
    line = _of(found, "smoothness").loc[0]
    assert line["conf_low"] < 0.0 < line["conf_high"]
    assert _of(found, "relative magnitudes").loc[1]["conf_low"] < 0.0


def test_the_placebo_of_one_year_earlier_is_the_effect_in_the_years_before() -> None:
    cells = _cells()
    found, _, plan = _plain()
    begins = cells["cohort"]
    before = cells[~(cells["year"] >= begins)].assign(cohort=begins - 1)
    expected = staggered_adoption.fit_planned(plan, before, seed=1).table.iloc[0]
    placebo = _of(found, "placebo year").loc[1]
    assert placebo["estimate"] == pytest.approx(expected["estimate"])
    assert placebo["std_error"] == pytest.approx(expected["std_error"])
    assert not placebo["note"]  # schools lack years, but only those that this check leaves out


def test_an_effect_without_a_part_is_that_of_the_cells_that_remain() -> None:
    cells = _cells()
    found, _, plan = _plain()
    for check, setting, left in (
        ("leave out cohort", "2018", cells[cells["cohort"] != 2018]),
        ("leave out block", "East", cells[cells["block"] != "East"]),
        ("leave out year", "2019", cells[cells["year"] != 2019]),
    ):
        expected = staggered_adoption.fit_planned(plan, left, seed=1).table.iloc[0]
        row = _of(found, check).loc[setting]
        assert row["estimate"] == pytest.approx(expected["estimate"])
        assert row["df"] == pytest.approx(expected["df"])


def test_years_on_which_the_effect_does_not_rest_have_no_row() -> None:
    found, _, _ = _plain()
    assert _of(found, "leave out year").index.tolist() == ["2017", "2018", "2019"]


def test_the_effect_stands_among_those_of_placebo_cohorts() -> None:
    found, drawn, _ = _plain()
    row = found[found["check"] == "placebo cohort"].iloc[0]
    assert drawn["estimate"].iloc[0] == pytest.approx(found["estimate"].iloc[0])
    others = drawn["estimate"].iloc[1:]
    assert len(others) == 200
    assert abs(others.mean()) < 0.05
    assert row["p_value"] == pytest.approx(1 / 201)
    assert "as many of each block" in row["method"]


def test_the_same_seed_draws_the_same_placebos() -> None:
    assert _found(_cells())[1].equals(_plain()[1])


def test_a_placebo_outcome_has_its_own_row() -> None:
    found, _, _ = _found(
        _cells(), placebo=_cells(effect=0.0, outcome="other"), placebo_outcomes=["other"]
    )
    row = found[found["check"] == "placebo outcome"].iloc[0]
    assert row["outcome"] == "other"
    assert row["conf_low"] < 0.0 < row["conf_high"]


def test_the_trend_test_sees_a_drift_with_the_power_that_it_says() -> None:
    found, _, _ = _plain()
    power = found[(found["check"] == "pre-trend power") & (found["term"] == "slope")]
    assert power["setting"].tolist() == [0.5, 0.8]
    assert power["estimate"].is_monotonic_increasing
    bias = found[(found["check"] == "bias of a drift") & (found["term"] == "slope")]
    # Of the post years 2018 and 2019 cohort 2018 has two, cohort 2019 one: 1.36 years on average.
    assert (bias["estimate"].to_numpy() / power["estimate"].to_numpy()).tolist() == pytest.approx(
        [(8 * 1 + 8 * 2 + 6 * 1) / 22] * 2
    )


def test_a_programme_that_begins_everywhere_at_once_is_tried_too() -> None:
    cells = _cells().assign(cohort=np.nan)
    found, drawn, plan = _found(cells, "difference_in_differences")
    fitted = difference_in_differences.fit_planned(plan, cells, years=YEARS).table.iloc[0]
    assert found["estimate"].iloc[0] == pytest.approx(fitted["estimate"])
    assert drawn["estimate"].iloc[0] == pytest.approx(fitted["estimate"])
    assert _of(found, "relative magnitudes")["conf_low"].is_monotonic_decreasing
    assert _of(found, "placebo year")["estimate"].notna().all()
    years = _of(found, "leave out year")
    assert years["estimate"].notna().all()
    assert len(years) == 6
    note = _of(found, "leave out cohort")["note"].iloc[0]
    assert note == "the schools of this model have no cohort"


def test_cohorts_of_a_two_way_model_are_tried_in_years_since_their_own_beginning() -> None:
    found, _, _ = _found(
        _cells(), "difference_in_differences", keys={"active_from": "cohort"}, leave_out=[]
    )
    bound = _of(found, "relative magnitudes")
    assert bound["estimate"].notna().all()
    assert bound["conf_low"].is_monotonic_decreasing


def test_years_that_one_school_alone_has_are_named_where_they_leave_no_bounds() -> None:
    cells = _cells()
    alone = cells["school"] == "S00"
    cells.loc[alone, "cohort"] = 2016.0
    found, _, _ = _found(
        cells, "difference_in_differences",
        keys={"active_from": "cohort", "event_window": [-3, 1]},
    )  # fmt: skip
    note = found.loc[found["check"] == "relative magnitudes", "note"].iloc[0]
    assert note.startswith("no standard error: one school in a group")
    assert "(treated[since=2], treated[since=3]); the bounds take every year by itself" in note


def test_the_effect_on_all_schools_is_tried_where_a_model_splits_it() -> None:
    found, _, _ = _found(_cells(), keys={"effects_by": "block"}, leave_out=[])
    assert found["estimate"].iloc[0] == pytest.approx(_plain()[0]["estimate"].iloc[0])


def test_a_variable_of_schools_is_left_out_level_by_level() -> None:
    cells = _cells()
    cells["charter"] = np.where(cells["school"].str[-1].astype(int) % 3, "no", "yes")
    found, _, plan = _found(cells, leave_out=["charter"])
    expected = staggered_adoption.fit_planned(plan, cells[cells["charter"] != "yes"], seed=1)
    row = _of(found, "leave out charter").loc["yes"]
    assert row["estimate"] == pytest.approx(expected.table["estimate"].iloc[0])


@pytest.mark.parametrize(
    ("change", "check", "told"),
    [
        (lambda c: c[c["cohort"] != 2019], "leave out cohort", "one cohort only"),
        (lambda c: c[c["year"] >= 2017], "placebo year", "one year before the programme"),
        (lambda c: c[(c["year"] >= 2017) & (c["cohort"] != 2019)], "relative magnitudes",
         "one year before the programme"),
        (lambda c: c.drop(columns="block"), "leave out block", "have no block"),
        (lambda c: c[c["school"].isin(["S00", "S08", *[f"S{i}" for i in range(14, 60)]])],
         "relative magnitudes", "every treated cohort is one school"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_named(change: Any, check: str, told: str) -> None:
    found, _, _ = _found(change(_cells()))
    rows = found[found["check"] == check]
    assert rows["estimate"].isna().all()
    assert rows["note"].str.contains(told).all()


def test_without_schools_that_are_never_treated_there_are_no_placebo_cohorts() -> None:
    cells = _cells()
    keys = {"comparison_group": "not_yet_treated"}
    found, drawn, _ = _found(cells[cells["cohort"].notna()], keys=keys)
    (row,) = found[found["check"] == "placebo cohort"].to_dict("records")
    assert "no school is never treated" in row["note"]
    assert drawn.empty


def test_a_model_that_cannot_be_fitted_has_one_row_that_says_why() -> None:
    cells = _cells()
    found, _, _ = _found(cells[cells["cohort"].notna()])
    (note,) = found["note"]
    assert "none is never treated" in note


@pytest.mark.parametrize("method", ["sun_abraham", "imputation", "stacked"])
def test_bounds_of_other_estimators_are_of_an_event_study_with_one_reference(method: str) -> None:
    keys = {"method": method, "event_window": [-3, 0] if method == "stacked" else []}
    found, _, _ = _found(_cells(), keys=keys, leave_out=[], relative_magnitudes=[1])
    (row,) = found[found["check"] == "relative magnitudes"].to_dict("records")
    (plain,) = (
        _plain()[0].query("check == 'relative magnitudes' and setting == 1").to_dict("records")
    )
    assert row["conf_low"] == pytest.approx(plain["conf_low"])
    assert "Callaway and Sant'Anna" in row["note"]
    assert found["method"].iloc[0] != _plain()[0]["method"].iloc[0]
    (placebo,) = found[found["check"] == "placebo cohort"].to_dict("records")
    assert placebo["estimate"] == pytest.approx(_plain()[0]["estimate"].iloc[0])


def test_one_earlier_change_is_said_to_be_all_that_the_bounds_rest_on() -> None:
    cells = _cells()
    found, _, _ = _found(cells[(cells["year"] >= 2016) & (cells["cohort"] != 2019)])
    rows = found[found["check"] == "relative magnitudes"]
    assert rows["note"].str.contains("based on a single change").all()
    assert rows["estimate"].notna().all()
