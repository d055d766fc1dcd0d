"""Claims about power where the closed form of two levels is not the whole story."""

from __future__ import annotations

from math import sqrt
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.power.inputs import with_lost
from schooltrial.checks.power.panel import PANEL, STAGGERED, year_to_year
from schooltrial.checks.power.simulation import SIMULATED
from schooltrial.checks.power.stages import StudyPlan
from schooltrial.checks.power.table import power_table
from schooltrial.models.power.allocation import counted_allocation
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.models.power.panel import panel_precision
from schooltrial.models.power.staggered import staggered_precision
from schooltrial.protocol.content.sections import Arm, Model
from support import standard_study
from support.sections import planned_model, section

PLANNED = {
    "schools": 24, "treated_share": 0.5, "pupils_per_school": 30, "icc": 0.2, "r2_school": 0.5,
    "r2_pupil": 0.4, "covariates_school": 0, "blocks": 0,
}  # fmt: skip
ARMS = cast(list[Arm], [{"name": n, "label": n, "share": None} for n in ("c", "t")])
SCHOOLS = [f"s{k:02d}" for k in range(24)]
LIST = pd.DataFrame({"school": SCHOOLS, "arm": ["t", "c"] * 12, "block": np.repeat(range(12), 2)})


def _model(**keys: Any) -> Model:
    stated = {"estimator": "multilevel", "role": "primary", "outcomes": ["maths"],
              "where": {"year": [2020]}, "blocks": "none", **keys}  # fmt: skip
    return planned_model(**stated)


def _plan(model: Model, level: str = "pupil", unit: str = "school", **keys: Any) -> StudyPlan:
    settings = section("power", **{
        "effect": 0.3, "planned": PLANNED, "replications": 4000,
        "by_outcome": keys.pop("by_outcome", {}), **keys.pop("settings", {}),
    })  # fmt: skip
    outcome = standard_study.outcome(primary=True, measured_on=level, units_label="points")
    return StudyPlan(
        settings=settings,
        models={"main": model},
        outcomes={"maths": outcome},
        arms=ARMS,
        unit=unit,
        kind=keys.pop("kind", "blocked"),
        baseline=2018,
        **keys,
    )


def _rosters(sizes: list[int]) -> pd.DataFrame:
    rows = LIST.assign(cluster=LIST["school"], treated=(LIST["arm"] == "t").astype(float))
    frame = rows.loc[rows.index.repeat(sizes)]
    return pd.concat([frame.assign(year=2018), frame.assign(year=2020, maths=0.0)])


def _rows(table: pd.DataFrame, stage: str) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in table[table["stage"] == stage].to_dict("records")}


def test_units_of_one_size_need_no_simulation_and_have_none() -> None:
    table = power_table(_plan(_model()), LIST, {"pupil": _rosters([20] * 24)})
    assert SIMULATED not in set(table["method"])


def test_units_that_differ_in_size_are_simulated_beside_the_closed_form() -> None:
    table = power_table(_plan(_model()), LIST, {"pupil": _rosters([19, 20, 21] * 8)})
    found = _rows(table, "randomisation")
    closed, drawn = found["closed form, two levels"], found[SIMULATED]
    # sizes that hardly differ: the two must agree to Monte Carlo error
    assert drawn["power"] == pytest.approx(closed["power"], abs=3 * sqrt(0.25 / 4000))
    assert drawn["mdes"] == pytest.approx(closed["mdes"], rel=0.05)
    assert "4,000 trials drawn" in drawn["note"]


def test_a_few_large_units_lower_the_power_that_is_simulated() -> None:
    even = power_table(_plan(_model()), LIST, {"pupil": _rosters([19, 21] * 12)})
    odd = power_table(_plan(_model()), LIST, {"pupil": _rosters([2, 2, 2, 74] * 6)})
    power = [_rows(table, "randomisation")[SIMULATED]["power"] for table in (even, odd)]
    assert power[1] < power[0] - 0.05


def test_no_trials_wanted_means_none_drawn_and_the_same_seed_the_same_numbers() -> None:
    samples = {"pupil": _rosters([10, 20, 30] * 8)}
    none = power_table(_plan(_model(), settings={"replications": 0}), LIST, samples)
    assert SIMULATED not in set(none["method"])
    pd.testing.assert_frame_equal(
        power_table(_plan(_model(), seed=3), LIST, samples),
        power_table(_plan(_model(), seed=3), LIST, samples),
    )


def test_a_unit_lost_before_counts_in_the_block_that_lacks_its_arm() -> None:
    left = LIST[LIST["school"] != "s05"]
    plan = _plan(_model(blocks="fixed"), no_data={"c": 1})
    row = _rows(power_table(plan, left, {"pupil": _rosters([20] * 24)}), "randomisation")
    (whole,) = row.values()
    assert (whole["n_units"], whole["n_treated_units"], whole["n_blocks"]) == (24, 12, 12)
    complete = power_table(_plan(_model(blocks="fixed")), LIST, {"pupil": _rosters([20] * 24)})
    (every,) = _rows(complete, "randomisation").values()
    assert whole["std_error"] == pytest.approx(every["std_error"])
    assert "no data received" in whole["note"]


def test_lost_units_go_where_a_triple_lacks_one() -> None:
    units = pd.DataFrame({"block": ["a", "a", "b", "b", "b"], "treated": [0, 1, 0, 1, 1]})
    found = with_lost(units, {"c": 1}, ["c", "t"])
    assert found[["block", "treated"]].iloc[-1].tolist() == ["b", 0]


def _panel(correlation: float, schools: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    shock = rng.normal(size=schools)
    rows = []
    for year in range(2010, 2016):
        shock = correlation * shock + sqrt(1 - correlation**2) * rng.normal(size=schools)
        mean = 50 + 8 * np.sin(np.arange(schools)) + (year - 2010) ** 2 + 3 * shock
        rows.append(pd.DataFrame({"school": range(schools), "year": year, "mean": mean}))
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.7])
def test_the_autocorrelation_of_school_means_is_found_beside_lasting_differences_and_trends(
    correlation: float,
) -> None:
    found = year_to_year(_panel(correlation), list(range(2010, 2016)))
    assert found is not None
    assert found.correlation == pytest.approx(correlation, abs=0.05)
    assert sqrt(found.variance) == pytest.approx(3.0, rel=0.06)


def _of_schools() -> pd.DataFrame:
    """Return means of the listed schools before the programme and in its first year."""
    panel = _panel(0.4, 24).assign(outcome="maths")
    panel["school"] = panel["school"].map(dict(enumerate(SCHOOLS)))
    panel["arm"] = panel["school"].map(dict(zip(SCHOOLS, LIST["arm"], strict=True)))
    return pd.concat([panel, panel[panel["year"] == 2015].assign(year=2016)])


def test_at_randomisation_a_panel_has_the_precision_of_changes_in_the_unit_of_the_outcome() -> None:
    panel = _of_schools()
    plan = _plan(
        _model(estimator="difference_in_differences", where={}), level="school",
        before=range(2010, 2016), after=[2016], by_outcome={"maths": {"effect": 2.0}},
    )  # fmt: skip
    table = power_table(plan, LIST, {}, panel=panel)
    row = _rows(table, "randomisation")[PANEL]
    shocks = year_to_year(panel[panel["arm"] == "c"], list(range(2010, 2016)))
    assert shocks is not None
    hand = panel_precision(
        counted_allocation([12], [12]), range(2010, 2016), [2016],
        year_variance=shocks.variance, correlation=shocks.correlation,
    )  # fmt: skip
    assert row["mdes"] == pytest.approx(hand.mdes())
    assert (row["units_label"], row["effect"]) == ("points", 2.0)
    assert row["power"] == pytest.approx(hand.power(2.0), abs=1e-6)


@pytest.mark.parametrize("control", ["never_treated", "not_yet_treated"])
def test_at_randomisation_cohorts_have_the_precision_of_their_estimator(control: Any) -> None:
    panel = _of_schools()
    listed = LIST.assign(cohort=pd.array([2015, None, 2016, None] * 6, dtype="Int64"))
    plan = _plan(
        _model(
            estimator="staggered_adoption", where={}, comparison_group=control, blocks="fixed"
        ),
        level="school", before=range(2010, 2015), after=[2015, 2016], kind="staggered",
        no_data={"t": 1},
    )  # fmt: skip
    row = _rows(power_table(plan, listed, {}, panel=panel), "randomisation")[STAGGERED]
    shocks = year_to_year(panel[panel["arm"] == "c"], list(range(2010, 2015)))
    assert shocks is not None
    hand = staggered_precision(
        {2015: 6, 2016: 6}, 12, range(2010, 2017), year_variance=shocks.variance,
        correlation=shocks.correlation, comparison_group=control,
    )  # fmt: skip
    assert row["std_error"] == pytest.approx(hand.std_error)
    assert (row["df"], row["n_units"], row["n_blocks"]) == (pytest.approx(hand.df), 24, 0)
    assert "6 from 2015, 6 from 2016" in row["note"]
    assert "cohort not known, not counted: 1" in row["note"]
    assert "as if all began at once" not in row["note"]


def test_where_all_schools_enter_the_power_is_that_of_cohorts_beside_those_that_enter_later() -> (
    None
):
    panel = _of_schools().assign(arm="t")
    listed = LIST.assign(arm="t", cohort=pd.array([2015, 2017, 2016, 2017] * 6, dtype="Int64"))
    plan = _plan(
        _model(estimator="staggered_adoption", where={}, comparison_group="not_yet_treated"),
        level="school", before=range(2010, 2015), after=[2015, 2016], kind="staggered",
    )  # fmt: skip
    row = _rows(power_table(plan, listed, {}, panel=panel), "randomisation")[STAGGERED]
    shocks = year_to_year(panel, list(range(2010, 2015)))
    assert shocks is not None
    hand = staggered_precision(
        {2015: 6, 2016: 6, 2017: 12}, 0, range(2010, 2017), year_variance=shocks.variance,
        correlation=shocks.correlation, comparison_group="not_yet_treated",
    )  # fmt: skip
    assert row["std_error"] == pytest.approx(hand.std_error)
    assert (row["n_units"], row["n_treated_units"]) == (24, 24)


def test_teachers_drawn_within_schools_have_a_power_at_randomisation_by_hand() -> None:
    rng = np.random.default_rng(2)
    drawn = pd.DataFrame({"teacher": [f"t{k}" for k in range(60)], "school": np.arange(60) // 6})
    drawn["school"] = drawn["school"].astype(str)
    drawn["arm"] = np.where(np.arange(60) % 2 == 0, "t", "c")
    rows = drawn.assign(
        cluster=drawn["teacher"], block=drawn["school"], treated=(drawn["arm"] == "t").astype(float)
    )
    level = np.repeat(rng.normal(0, 2, 10), 6)
    frame = pd.concat([
        rows.assign(year=2018), rows.assign(year=2020, maths=level + rng.normal(size=60)),
    ])  # fmt: skip
    plan = _plan(
        _model(estimator="cluster_robust", blocks="fixed"), level="teacher", unit="teacher"
    )
    table = power_table(plan, drawn, {"teacher": frame}, diagnostics={})
    row = _rows(table, "randomisation")["closed form, one level"]
    last = frame[frame["year"] == 2020]
    x = np.column_stack([
        pd.get_dummies(last["block"]).to_numpy(float), last["treated"].to_numpy(float)
    ])  # fmt: skip
    y = last["maths"].to_numpy(float)
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    centred = last["maths"] - last.groupby("treated")["maths"].transform("mean")
    ratio = (left @ left / (60 - 11)) / ((centred**2).sum() / 58)
    hand = Precision(sqrt(ratio / (10 * 9 / 6)), 60 - 10 - 1)
    assert row["std_error"] == pytest.approx(hand.std_error)
    assert row["df"] == hand.df
    assert row["mdes"] == pytest.approx(hand.mdes())


def test_the_effect_expected_of_pupils_is_not_that_of_teachers() -> None:
    model = _model(where={"year": [2020]})
    samples = {"teacher": _rosters([5] * 24)}
    plain = power_table(_plan(model, level="teacher"), LIST, samples)
    assert plain["effect"].isna().all()
    own = {"maths": {"effect": 0.5, "planned": {**PLANNED, "pupils_per_school": 5}}}
    table = power_table(_plan(model, level="teacher", by_outcome=own), LIST, samples)
    assert (table["effect"] == 0.5).all()
    assert table.loc[table["stage"] == "protocol", "individuals_per_unit"].tolist() == [5.0]
