"""Joint balance: of all covariates of a level, of a category as a whole, and over years."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.assignment.unit_attributes import known_of_units
from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.analysed import analysed_rows, primary_analysis
from schooltrial.checks.balance.omnibus import OMNIBUS_COLUMNS, balance_omnibus
from schooltrial.checks.balance.pretrends import SLOPE, compare_pretrends, pretrends_omnibus, slopes
from schooltrial.checks.balance.report import balance_report
from schooltrial.checks.balance.standardised_differences import balance_rows
from schooltrial.models.assignment.design import design_as_assigned
from schooltrial.models.cluster_robust.fit import fit_least_squares_frame
from schooltrial.models.randomisation_inference.mahalanobis import omnibus_balance
from support.sections import planned_model

FEW = Redrawing(draws=300, exact_up_to=2000)
SETTINGS: dict[str, Any] = {
    "where": {}, "pupil_variables": ["score", "size", "kind"], "school_variables": [],
    "equivalent_to": 0.05, "adjust_to": 0.25,
}  # fmt: skip
MODEL: Any = planned_model(
    role="primary", estimator="multilevel", outcomes=["score"], covariates=["size"],
    where={"year": [2020]}, missing_covariates="drop",
)  # fmt: skip


def _trial(arms: int = 2, schools: int = 12, years: tuple[int, ...] = (2019,)) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    arm = np.tile(np.arange(arms), schools // arms)
    parts = []
    for year in years:
        for at in range(schools):
            parts.append(pd.DataFrame({
                "pupil": [f"{at}-{k}" for k in range(6)], "year": year, "school": f"S{at}",
                "block": str(at // 6), "arm": np.array(["control", "a", "b"])[arm[at]],
                "treated": float(arm[at] > 0), "score": rng.normal(size=6) + year - 2018,
                "size": rng.normal(size=6), "kind": rng.choice(["x", "y", "z"], 6),
            }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_it_is_the_test_of_the_units_means_and_of_a_regression_of_the_arm() -> None:
    frame = _trial()
    found = balance_omnibus(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}, redrawing=FEW)
    assert list(found.columns) == OMNIBUS_COLUMNS
    dummies = pd.get_dummies(frame["kind"], dtype=float)
    means = pd.concat([frame[["school", "score", "size"]], dummies], axis=1)
    units = means.groupby("school").mean()
    place = frame.groupby("school")[["treated", "block"]].first()
    design = design_as_assigned(units.index, place["treated"], place["block"])
    expected = omnibus_balance(design, place["treated"], units.to_numpy())
    row = found.iloc[0]
    assert (row["n_covariates"], row["rank"], row["n_units"], row["n_blocks"]) == (5, 4, 12, 2)
    assert row["statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert (row["rerandomisation_p_value"], row["replications"], row["exact"]) == (
        expected.p_value,
        400,
        True,
    )
    joined = units[["score", "size", "x", "y"]].join(place).reset_index()
    fit = fit_least_squares_frame(
        joined, "treated", ["score", "size", "x", "y"], cluster="school", absorb="block"
    )
    theirs = fit.joint_test(["score", "size", "x", "y"])
    assert row["f_statistic"] == pytest.approx(theirs.statistic, rel=1e-8)
    assert row["df_denom"] == pytest.approx(theirs.df_denom, rel=1e-8)


def test_a_category_is_tested_as_a_whole_and_its_distance_is_that_of_shares() -> None:
    frame = _trial()
    found = balance_omnibus(balance_rows(frame, SETTINGS, 2019), SETTINGS, {"kind": "Kind"},
                            redrawing=FEW)  # fmt: skip
    row = found[found["scope"] == "category"].iloc[0]
    shares = pd.crosstab(frame["treated"], frame["kind"], normalize="index")
    assert row["label"] == "Kind"
    assert row["rank"] == 2
    assert row["distance"] == pytest.approx((shares.loc[1] - shares.loc[0]).abs().sum() / 2)


def test_a_category_with_no_level_in_common_is_the_most_unbalanced_of_all() -> None:
    frame = _trial().assign(kind=lambda data: np.where(data["treated"] == 1, "x", "y"))
    found = balance_omnibus(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}, redrawing=FEW)
    row = found[found["scope"] == "category"].iloc[0]
    assert row["distance"] == 1
    assert row["rerandomisation_p_value"] == pytest.approx(2 / 400)
    assert np.isnan(row["f_p_value"])
    assert "without error" in row["note"]


def test_of_three_arms_each_is_tested_and_all_together() -> None:
    found = balance_omnibus(
        balance_rows(_trial(3), SETTINGS, 2019), SETTINGS, {}, arms=["control", "a", "b"],
        redrawing=FEW,
    )  # fmt: skip
    together = found[found["scope"] == "all"].set_index("arm")
    assert list(together.index) == ["a", "b", "all groups"]
    assert together["n_units"].tolist() == [8, 8, 12]
    assert together.loc["all groups", "rank"] == 2 * together.loc["a", "rank"]


def test_a_mean_that_is_not_known_takes_that_of_its_block_and_is_counted() -> None:
    frame = _trial()
    frame.loc[frame["school"] == "S3", "size"] = np.nan
    found = balance_omnibus(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}, redrawing=FEW)
    assert found["filled"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"treated": 1.0}, "a single group"),
        ({"size": 1.0, "score": 2.0, "kind": "x"}, "no covariate"),
    ],
)
def test_what_cannot_be_tested_says_why(change: dict[str, Any], note: str) -> None:
    frame = _trial().assign(**change)
    row = balance_omnibus(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}, redrawing=FEW).iloc[0]
    assert note in row["note"]
    assert np.isnan(row["rerandomisation_p_value"])


def test_the_analysed_sample_is_those_analysed_as_they_were_at_baseline() -> None:
    frame = _trial(years=(2019, 2020))
    frame.loc[(frame["year"] == 2020) & frame["pupil"].str.endswith("-5"), "score"] = np.nan
    frame.loc[(frame["year"] == 2020) & frame["pupil"].str.endswith("-4"), "size"] = np.nan
    joiner = frame[frame["year"] == 2020].iloc[[0]].assign(pupil="new")
    frame = pd.concat([frame, joiner], ignore_index=True)
    rows = analysed_rows(frame, MODEL, "score", 2019)
    assert rows is not None
    then = frame[frame["year"] == 2019].set_index("pupil")["score"]
    assert len(rows) == 12 * 4 + 1
    known = rows[rows["pupil"] != "new"]
    np.testing.assert_array_equal(known["score"], then[known["pupil"]])
    assert rows.loc[rows["pupil"] == "new", "score"].isna().all()


def test_the_score_from_before_is_that_of_the_analysed_who_were_outside_the_sample() -> None:
    frame = _trial(years=(2019, 2020)).assign(score_before=5.0, score_before_missing=0.0)
    outside, unknown = frame["pupil"].iloc[0], frame["pupil"].iloc[1]
    frame.loc[frame["pupil"] == unknown, ["score_before", "score_before_missing"]] = [0.0, 1.0]
    frame = frame[~frame["pupil"].isin([outside, unknown]) | (frame["year"] == 2020)]
    rows = analysed_rows(frame, MODEL, "score", 2019, scored=["score"])
    assert rows is not None
    own = rows.set_index("pupil")
    assert own.loc[outside, "score"] == 5.0
    assert np.isnan(own.loc[unknown, "score"])
    assert own.loc[[outside, unknown], "size"].isna().all()
    assert (own["score"].drop([outside, unknown]) != 5.0).all()


def test_a_cohort_that_was_not_there_at_baseline_has_no_analysed_sample() -> None:
    frame = _trial(years=(2019, 2020))
    frame["pupil"] = frame["pupil"] + frame["year"].astype(str)
    assert analysed_rows(frame, MODEL, "score", 2019) is None
    secondary: Any = {**MODEL, "role": "secondary"}
    assert primary_analysis({"m": secondary}, ["score"]) == ("", "")


def test_slopes_are_least_squares_over_the_years_that_are_known() -> None:
    years = (2017, 2018, 2019)
    frame = _trial(years=years)
    frame.loc[(frame["school"] == "S1") & (frame["year"] == 2018), "score"] = np.nan
    frame.loc[(frame["school"] == "S2") & (frame["year"] > 2017), "score"] = np.nan
    found = slopes(frame, ["score"], years).set_index("school")["score"]
    means = frame.groupby(["school", "year"])["score"].mean().unstack()
    assert found["S0"] == pytest.approx(np.polyfit(years, means.loc["S0"], 1)[0])
    assert found["S1"] == pytest.approx((means.loc["S1", 2019] - means.loc["S1", 2017]) / 2)
    assert np.isnan(found["S2"])


def test_every_year_before_has_its_row_and_one_is_of_slopes() -> None:
    frame = _trial(years=(2017, 2018, 2019, 2020))
    years = [2017, 2018, 2019]
    found = compare_pretrends(frame, ["score"], years, "pupil", SETTINGS, {}, redrawing=FEW)
    assert found["year"].tolist() == ["2017", "2018", "2019", SLOPE]
    then = frame[frame["year"] == 2018].groupby("treated")["score"].mean()
    assert found["difference"][1] == pytest.approx(then[1] - then[0])
    joint = pretrends_omnibus(frame, ["score"], years, {}, redrawing=FEW)
    assert joint["n_covariates"].tolist() == [3]  # of one outcome there is one test


def test_an_outcome_that_was_not_measured_in_a_year_has_no_row_of_it() -> None:
    frame = _trial(years=(2018, 2019))
    frame["late"] = frame["size"].where(frame["year"] == 2019)
    found = compare_pretrends(
        frame, ["score", "late"], [2018, 2019], "pupil", SETTINGS, {}, redrawing=FEW
    )
    assert found["year"][found["variable"] == "late"].tolist() == ["2019"]
    assert found["year"][found["variable"] == "score"].tolist() == ["2018", "2019", SLOPE]


def test_a_report_holds_both_samples_and_schools_without_pupils() -> None:
    frame = _trial(years=(2018, 2019, 2020))
    units = frame.groupby("school")[["block", "arm"]].first().reset_index()
    extra = pd.DataFrame({"school": ["S98", "S99"], "block": "1", "arm": ["control", "a"]})
    assignment = pd.concat([units, extra], ignore_index=True)
    schools = assignment[["school"]].assign(sector="state")
    settings = {**SETTINGS, "school_variables": ["sector", "score"]}
    report = balance_report(
        frame, settings, {}, 2019, arms=["control", "a"], models={"m": MODEL}, outcomes=["score"],
        before=[2018, 2019], assignment=assignment, schools=schools, redrawing=FEW,
    )  # fmt: skip
    table = report.balance
    assert table["sample"].unique().tolist() == ["randomised", "analysed"]
    school = table[(table["level"] == "school") & (table["sample"] == "randomised")]
    school = school.set_index("variable")
    assert school.loc["sector", ["n_control", "n_treated"]].tolist() == [7, 7]
    assert school.loc["score", ["n_control", "missing"]].tolist() == [6, 2]
    assert report.omnibus["scope"].unique().tolist() == ["all", "category", "pre-trend"]
    assert report.pretrends["year"].tolist() == ["2018", "2019", SLOPE]


def test_schools_analysed_keep_their_own_attributes_whoever_moved_there() -> None:
    frame = _trial(years=(2019, 2020))
    later = frame["year"] == 2020
    # All pupils of S0 and S1 change places after the baseline year; a school's sector does not.
    frame.loc[later, "school"] = frame["school"].replace({"S0": "S1", "S1": "S0"})
    arm = frame[~later].groupby("school")[["block", "arm", "treated"]].first()
    for name in arm:
        frame.loc[later, name] = frame.loc[later, "school"].map(arm[name])
    schools = pd.DataFrame({"school": arm.index, "size_of": np.arange(len(arm)) * 10.0})
    schools["sector"] = np.where(schools["school"].isin(["S0", "S2"]), "church", "state")
    frame = frame.merge(schools.rename(columns={"sector": "was"}), on="school")
    frame["half"] = np.where(frame["was"] == "church", "c", "s")
    settings = {**SETTINGS, "school_variables": ["sector", "size_of", "half", "kind"]}
    found = balance_report(
        frame, settings, {}, 2019, arms=["control", "a"], models={"m": MODEL},
        assignment=arm.reset_index()[["school", "block", "arm"]], schools=schools, redrawing=FEW,
    ).balance  # fmt: skip
    school = found[found["level"] == "school"].set_index(["sample", "variable", "category"])
    columns = ["n_control", "n_treated", "mean_control", "mean_treated"]
    for variable in ("sector", "size_of", "half"):  # half is no column of the table of schools
        one, other = (
            school.loc[sample].loc[variable, columns] for sample in ("randomised", "analysed")
        )
        pd.testing.assert_frame_equal(one, other)
    # A category that differs between the pupils of a school is no attribute of it.
    assert "kind" not in school.index.get_level_values("variable")


def test_teachers_analysed_are_compared_as_they_were_at_baseline() -> None:
    frame = _trial(years=(2019, 2020))
    teachers = frame.rename(columns={"pupil": "teacher", "score": "practice"})
    came = teachers["teacher"].str.endswith("5") & (teachers["year"] == 2019)
    model: Any = {**MODEL, "outcomes": ["practice"], "covariates": []}
    settings = {**SETTINGS, "pupil_variables": [], "teacher_variables": ["practice"]}
    found = balance_report(
        frame, settings, {}, 2019, models={"m": model}, teachers=teachers[~came], redrawing=FEW
    ).balance.set_index("sample")
    assert found["level"].tolist() == ["teacher", "teacher"]
    assert (found.loc["randomised", "missing"], found.loc["analysed", "missing"]) == (0, 12)
    one, other = found.loc["randomised", "difference"], found.loc["analysed", "difference"]
    assert one == pytest.approx(other)


def test_teachers_and_outcomes_of_schools_have_rows_of_their_own() -> None:
    frame = _trial(years=(2018, 2019))
    teachers = frame.assign(teacher=frame["pupil"], practice=frame["size"])
    settings = {**SETTINGS, "teacher_variables": ["practice"]}
    panel = frame.groupby(["school", "block", "arm", "treated", "year"], as_index=False).agg(
        mean=("size", "mean")
    )
    report = balance_report(
        frame, settings, {}, 2019, outcomes=["score", "passed"], before=[2018, 2019],
        teachers=teachers, panel=panel.assign(outcome="passed"), redrawing=FEW,
    )  # fmt: skip
    assert (report.balance["level"] == "teacher").sum() == 1
    years = report.pretrends[["variable", "level", "year"]].to_numpy().tolist()
    assert ["passed", "school", "2018"] in years
    assert ["score", "pupil", "2019"] in years


def test_a_study_without_pupils_compares_what_was_published_of_schools() -> None:
    frame = _trial(years=(2018, 2019))
    keys = ["school", "block", "arm", "treated", "year"]
    panel = frame.groupby(keys, as_index=False).agg(mean=("score", "mean")).assign(outcome="rate")
    assignment = frame.drop_duplicates("school")[["school", "block", "arm"]]
    settings = {**SETTINGS, "pupil_variables": [], "school_variables": ["rate"]}
    report = balance_report(
        frame[:0], settings, {}, 2019, arms=["control", "a"], outcomes=["rate"],
        before=[2018, 2019], assignment=assignment, schools=assignment[["school"]], panel=panel,
        redrawing=FEW,
    )  # fmt: skip
    then = panel[panel["year"] == 2019].groupby("treated")["mean"].mean()
    assert report.balance["level"].tolist() == ["school"]
    assert report.balance["difference"][0] == pytest.approx(then[1] - then[0])
    assert report.pretrends["year"].tolist() == ["2018", "2019", SLOPE]
    known = known_of_units(
        frame[:0], assignment, "school", panel=panel, baseline=2019, before=[2019]
    )
    assert known.covariates is not None
    assert known.covariates.loc["S3", "rate"] == pytest.approx(
        panel[(panel["school"] == "S3") & (panel["year"] == 2019)]["mean"].iloc[0]
    )
