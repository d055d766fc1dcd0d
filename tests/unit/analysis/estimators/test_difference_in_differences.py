"""Claims about difference-in-differences as protocols reach it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from schooltrial.analysis.estimators.difference_in_differences import fit_planned
from schooltrial.models.panel.difference_in_differences import two_way_effects
from schooltrial.protocol.content.sections import Years
from schooltrial.refusal import Refusal

YEARS: Years = {"label": "", "baseline": [2019, 2020], "programme": [2021], "follow_up": [2022],
                "to_come": [], "reference": None, "lasts": None}  # fmt: skip


def test_the_effect_is_the_difference_of_mean_changes_and_years_after_do_not_count(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(estimator="difference_in_differences"), cells, years=YEARS)
    means = cells.pivot_table(index="treated", columns="year", values="mean")
    change = means[2021] - means[[2019, 2020]].mean(axis=1)
    rows = fitted.table.set_index("estimand")
    assert rows.loc["ATT", "estimate"] == pytest.approx(change[1.0] - change[0.0], rel=1e-9)
    assert fitted.diagnostics["score"] == {"cells": 48, "cells_event_study": 64}


def test_events_are_measured_from_the_last_year_before_and_the_others_before_it_are_tested(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(estimator="difference_in_differences"), cells, years=YEARS)
    events = fitted.table[fitted.table["estimand"] == "event study"]["term"].tolist()
    assert events == [f"treated[year={year}]" for year in (2019, 2021, 2022)]
    assert fitted.table["estimand"].iloc[-2:].tolist() == ["pre-trend test", "pre-trend slope"]
    assert [row.term for row in fitted.results["score"].estimates()][1:] == events


def test_cells_without_a_number_of_pupils_count_alike_and_the_note_says_so(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {
        "baseline": [2019, 2020],
        "programme": [2021, 2022],
        "reference": None,
        "lasts": None,
    }
    model = plan(estimator="difference_in_differences")
    some = cells.assign(n_pupils=cells["n_pupils"].where(cells.index > 2))
    alike = fit_planned(model, cells.assign(n_pupils=1.0), years=years).table
    found = fit_planned(model, some, years=years).table
    pd.testing.assert_series_equal(found["estimate"], alike["estimate"])
    pd.testing.assert_series_equal(found["std_error"], alike["std_error"])
    told = "every cell counts alike: 3 of 64 have no number of pupils"
    assert found["note"].str.contains(told).tolist() == [True, *[False] * (len(found) - 1)]
    assert found["n_individuals"].isna().all()


def test_a_mean_with_no_pupil_behind_it_is_refused_by_school_and_year(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {
        "baseline": [2019, 2020],
        "programme": [2021, 2022],
        "reference": None,
        "lasts": None,
    }
    empty = cells.assign(n_pupils=cells["n_pupils"].where(cells.index != 5, 0.0))
    with pytest.raises(Refusal, match="school S01 has a value in 2020 and `n_pupils` of 0"):
        fit_planned(plan(estimator="difference_in_differences"), empty, years=years)


def test_schools_that_begin_later_than_the_active_years_are_counted_in_the_note(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {
        "baseline": [2019, 2020],
        "programme": [2021, 2022],
        "reference": None,
        "lasts": None,
    }
    model = plan(estimator="difference_in_differences")
    found = fit_planned(model, cells, years=years).table
    assert "4 schools of later cohorts count as treated from 2021" in found["note"].iloc[0]
    assert not found["note"].iloc[1:].str.contains("later cohorts").any()
    alike = fit_planned(model, cells.drop(columns="cohort"), years=years).table
    assert not alike["note"].astype("str").str.contains("cohort").any()
    pd.testing.assert_series_equal(found["estimate"], alike["estimate"])


STAGGERED: Any = {"baseline": [2019, 2020], "programme": [2021, 2022], "reference": None}


def by_estimand(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(name): rows.set_index("term") for name, rows in table.groupby("estimand")}


def fit(plan: Callable[..., Any], cells: pd.DataFrame, **keys: Any) -> pd.DataFrame:
    planned = plan(estimator="difference_in_differences", **keys)
    return fit_planned(planned, cells, years=STAGGERED).table


def test_treatment_acts_from_the_own_cohort_on_and_events_count_from_it(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    rows = by_estimand(fit(plan, cells, active_from="cohort"))
    begun = (cells["year"] >= cells["cohort"]).to_numpy("float64")
    by_hand = two_way_effects(
        cells["mean"].to_numpy(), begun[:, None], names=["treated"],
        school=cells["school"].to_numpy(), year=cells["year"].to_numpy(),
    )  # fmt: skip
    assert rows["ATT"].loc["treated", "estimate"] == pytest.approx(by_hand.coefficients[0])
    events = rows["event study"]
    assert list(events.index) == [f"treated[since={e}]" for e in (-3, -2, 0, 1)]
    assert events["n_treated_schools"].tolist() == [4, 8, 8, 4]
    told = "reference year: the last year before the own cohort began (-1)"
    assert events["note"].str.contains(told, regex=False).tolist() == [True, False, False, False]


def test_events_beyond_the_window_are_binned_and_the_note_says_so(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    rows = by_estimand(fit(plan, cells, active_from="cohort", event_window=[-2, 0]))
    assert list(rows["event study"].index) == ["treated[since<=-2]", "treated[since>=0]"]
    told = "years beyond the window are binned: treated[since<=-2] and treated[since>=0]"
    assert told in rows["event study"]["note"].iloc[0]


def test_bands_hold_for_all_events_and_are_wider_than_each_interval(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    events = by_estimand(fit(plan, cells))["event study"]
    assert (events["band_low"] < events["conf_low"]).all()
    half = events["band_high"] - events["estimate"]
    by_hand = special.stdtrit(events["df"], 1 - 0.05 / 2 / len(events)) * events["std_error"]
    assert half.tolist() == pytest.approx(by_hand.tolist())


def test_each_covariance_has_rows_of_its_own_and_a_plain_one_is_warned_of(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    table = fit(plan, cells, covariance=["CR2", "CR1S"])
    att = table[table["estimand"] == "ATT"]
    assert att["method"].tolist() == [
        "two-way effects, clustered by school, CR2, Satterthwaite df",
        "two-way effects, clustered by school, CR1S, clusters − 1 df",
    ]
    assert att["df"].tolist()[1] == 15
    assert "CR1S standard errors are too small" in att["note"].iloc[1]


def test_few_treated_schools_are_judged_by_few_degrees_of_freedom_and_the_note_says_so(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    few = cells[(cells["treated"] == 0) | cells["school"].isin(["S02", "S03", "S06"])]
    att = fit(plan, few).iloc[0]
    assert att["df"] < 4
    told = f"few treated schools (3): judged by t with {att['df']:.1f} degrees of freedom"
    assert told in att["note"]


def test_a_joint_test_that_few_treated_schools_cannot_bear_says_why_or_that_it_misleads(
    plan: Callable[..., Any],
) -> None:
    """Six years before, two of thirty schools treated: CR2 refuses, CR1S is not to be trusted."""
    rng = np.random.default_rng(5)
    years: Any = {**YEARS, "baseline": [*range(2012, 2019)], "programme": [2019], "follow_up": []}
    wide = pd.DataFrame(
        [(f"S{at:02}", year, float(at < 2)) for at in range(30) for year in range(2012, 2020)],
        columns=["school", "year", "treated"],
    )
    arms = np.where(wide["treated"] == 1, "programme", "control")
    known: Any = {"arm": arms, "outcome": "score", "n_pupils": 30.0, "cohort": np.nan}
    panel = wide.assign(mean=rng.normal(size=len(wide)), **known)
    planned = plan(estimator="difference_in_differences", covariance=["CR2", "CR1S"])
    table = fit_planned(planned, panel, years=years).table
    cr2, cr1s = table[table["estimand"] == "pre-trend test"].to_dict("records")
    assert np.isnan([cr2["p_value"], cr2["statistic"]]).all()
    assert "no F: too few treated schools for a joint test of 6 years" in cr2["note"]
    assert "no degrees of freedom; read the slope" in cr2["note"]
    assert "(6, -" not in cr2["note"]
    assert "CR1S rejects far too often in a joint test of 6 years on 2 treated" in cr1s["note"]


def test_one_treated_school_has_a_point_and_no_standard_error(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    one = cells[(cells["treated"] == 0) | (cells["school"] == "S02")]
    table = fit(plan, one)
    assert table.loc[table["estimand"] != "pre-trend test", "estimate"].notna().all()
    assert table["std_error"].isna().all()
    assert table["note"].str.contains("one school in a group").all()


def test_schools_seen_once_inform_no_change_and_are_counted(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    once = cells[(cells["school"] != "S00") | (cells["year"] == 2020)]
    without = cells[cells["school"] != "S00"]
    found, plain = fit(plan, once), fit(plan, without)
    pd.testing.assert_series_equal(found["estimate"], plain["estimate"])
    assert "1 school seen in one year only" in found["note"].iloc[0]


def test_weights_are_schools_or_pupils_or_a_variable(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    sizes = cells.assign(n_pupils=[10.0 + 7 * (at % 5) for at in range(len(cells))])
    alike, pupils, named = (
        fit(plan, sizes.assign(seats=2 * sizes["n_pupils"]), weights=weights)
        for weights in ("schools", "pupils", "seats")
    )
    pd.testing.assert_series_equal(alike["estimate"], fit(plan, cells)["estimate"])
    pd.testing.assert_series_equal(pupils["estimate"], fit(plan, sizes)["estimate"])
    pd.testing.assert_series_equal(pupils["std_error"], named["std_error"])
    assert "every school and year counts alike" in alike["note"].iloc[0]
    assert "weighted by seats" in named["note"].iloc[0]
    lacking = sizes.assign(n_pupils=sizes["n_pupils"].where(sizes.index > 2))
    with pytest.raises(Refusal, match="3 of 64 cells have no number of pupils"):
        fit(plan, lacking, weights="pupils")
    with pytest.raises(Refusal, match="`weights: seats` must be above 0 in every cell"):
        fit(plan, sizes.assign(seats=0.0), weights="seats")


def test_a_covariate_enters_as_it_varies_and_a_constant_one_by_year(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    rng = np.random.default_rng(1)
    school = cells["school"].str[1:].astype(int)
    known = cells.assign(meals=rng.normal(size=64), size=school % 3 + 1.0, urban=school % 2 == 0)
    found = fit(plan, known, covariates=["meals", "size:year"])
    begun = known["treated"] * (known["year"] >= 2021)
    columns = {"meals": known["meals"]} | {
        f"size:{year}": known["size"] * (known["year"] == year) for year in (2020, 2021, 2022)
    }
    by_hand = two_way_effects(
        known["mean"].to_numpy(), begun.to_numpy("float64")[:, None], names=["treated"],
        school=known["school"].to_numpy(), year=known["year"].to_numpy(),
        covariates={name: column.to_numpy("float64") for name, column in columns.items()},
    )  # fmt: skip
    assert found["estimate"].iloc[0] == pytest.approx(by_hand.coefficients[0], rel=1e-9)
    constant = fit(plan, known, covariates=["size"])
    pd.testing.assert_series_equal(constant["estimate"], fit(plan, known)["estimate"])
    assert "write `size:year` for an effect of it in each year" in constant["note"].iloc[0]


def test_a_cell_without_a_covariate_is_kept_left_out_or_refused(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    meals = np.random.default_rng(1).normal(size=64)
    some = cells.assign(meals=np.where(np.arange(64) == 5, np.nan, meals))
    asked: dict[str, Any] = {"covariates": ["meals"]}
    kept, dropped = (
        fit(plan, some, **asked, missing_covariates=rule) for rule in ("indicator", "drop")
    )
    without = fit(plan, some[some["meals"].notna()], **asked)
    # An indicator of a single cell takes it out of the fit.
    for found in (kept, dropped):
        pd.testing.assert_series_equal(found["estimate"], without["estimate"])
    with pytest.raises(Refusal, match="covariates are missing in some of the 64 cells: meals 1"):
        fit(plan, some, **asked, missing_covariates="refuse")


def test_effects_of_region_and_year_compare_schools_of_a_region(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    regions = cells.assign(region=np.where(cells["school"] < "S05", "north", "south"))
    shocks = regions.assign(mean=regions["mean"] + 3.0 * (regions["region"] == "north")
                            * regions["year"].isin([2020, 2022]))  # fmt: skip
    plain, shocked = (
        fit(plan, one, fixed_effects=["region:year"]) for one in (regions, shocks)
    )  # fmt: skip
    pd.testing.assert_series_equal(shocked["estimate"], plain["estimate"])
    assert not np.allclose(fit(plan, shocks)["estimate"], plain["estimate"], equal_nan=True)
    with pytest.raises(Refusal, match="Write `region:year` for an effect of each region and year"):
        fit(plan, regions, fixed_effects=["region"])


def test_effects_by_a_variable_are_those_of_each_level_alone(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    halves = cells.assign(half=np.where(cells["school"] < "S08", "lower", "upper"))
    rows = by_estimand(fit(plan, halves, effects_by="half"))["effect by group"]
    moderated = by_estimand(fit(plan, halves, moderator="half"))["effect by group"]
    each = {
        half: fit(plan, halves[halves["half"] == half]).iloc[0] for half in ("lower", "upper")
    }  # fmt: skip
    for half, alone in each.items():
        row = rows.loc[f"treated[half={half}]"]
        assert row["estimate"] == pytest.approx(alone["estimate"], rel=1e-9)
        assert row["std_error"] == pytest.approx(alone["std_error"], rel=1e-9)
        assert row["n_treated_schools"] == 4
    gap = each["upper"]["estimate"] - each["lower"]["estimate"]
    assert moderated.loc["treated[half=upper]", "estimate"] == pytest.approx(gap, rel=1e-9)


def test_a_level_without_comparison_schools_has_no_effect_and_is_named(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    regions = cells.assign(region=np.where(cells["school"].isin(["S02", "S03"]), "far", "near"))
    table = fit(plan, regions, effects_by="region")
    assert (
        "no effect at region=far: no school there is left to compare with" in table["note"].iloc[0]
    )
    terms = table.loc[table["estimand"] == "effect by group", "term"]
    assert terms.tolist() == ["treated[region=near]"]


def test_where_chance_drew_the_schools_the_active_years_alone_stand_beside_the_change(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    planned = plan(estimator="difference_in_differences")
    found = fit_planned(planned, cells, years=STAGGERED, randomised=True).table
    rows = found.set_index("estimand")
    means = cells[cells["year"] >= 2021].groupby(["school", "treated"])["mean"].mean()
    arms = means.groupby("treated").agg(["mean", "var", "size"])
    after = rows.loc["post-test difference"]
    assert after["estimate"] == pytest.approx(arms["mean"].diff().iloc[1], rel=1e-9)
    assert after["std_error"] ** 2 == pytest.approx((arms["var"] / arms["size"]).sum(), rel=1e-9)
    adjusted = rows.loc["post-test difference, baseline-adjusted"]
    for row in (after, adjusted):
        ratio = (row["std_error"] / rows.loc["ATT", "std_error"]) ** 2
        assert (
            f"variance {ratio:.2f} times that of the difference-in-differences estimate"
            in row["note"]
        )
    plain = fit_planned(planned, cells, years=STAGGERED).table
    assert "post-test difference" not in plain["estimand"].tolist()


def test_errors_are_clustered_two_ways(plan: Callable[..., Any], cells: pd.DataFrame) -> None:
    table = fit(plan, cells, cluster=["school", "year"])
    att = table.iloc[0]
    assert att["method"] == "two-way effects, clustered two ways, CR1S, clusters − 1 df"
    assert att["df"] == 3
    assert "errors clustered on school (16) and year (4) at once" in att["note"]


def test_an_event_study_without_a_school_that_is_never_treated_says_why_there_is_none(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    begins = np.where(cells["treated"] == 1, cells["cohort"], 2020.0)
    every = cells.assign(cohort=begins, treated=1.0)
    table = fit(plan, every, active_from="cohort")
    assert table["estimand"].tolist() == ["ATT"]
    assert "no event study" in table["note"].iloc[0]
    binned = fit(plan, every, active_from="cohort", event_window=[-2, 1])
    assert (binned["estimand"] == "event study").sum() == 3


def test_thirty_two_events_of_an_unbalanced_panel_with_cohorts_of_one_have_a_point_each(
    plan: Callable[..., Any],
) -> None:
    """Twelve leads and twenty lags, weights, gaps; a cohort of one has no standard error."""
    rng = np.random.default_rng(6)
    school, year = (part.ravel() for part in np.indices((77, 34)))
    cohort = np.full(77, np.nan)
    cohort[:40] = 2013 + np.arange(40) % 9
    cohort[40] = 2024
    frame = pd.DataFrame({
        "school": [f"C{at:02d}" for at in school], "year": 2000 + year, "outcome": "score",
        "treated": np.isfinite(cohort)[school].astype(float), "cohort": cohort[school],
        "arm": np.where(np.isfinite(cohort)[school], "programme", "control"),
        "people": rng.integers(50, 900, len(school)).astype(float), "n_pupils": np.nan,
        "mean": rng.normal(size=len(school)) + (2000 + year >= cohort[school]),
    })  # fmt: skip
    frame = frame[rng.random(len(frame)) < 0.93]
    keys = plan(
        estimator="difference_in_differences", active_from="cohort", weights="people",
        event_window=[-13, 19],
    )  # fmt: skip
    years: Any = {"baseline": list(range(2000, 2013)), "programme": list(range(2013, 2034)),
                  "reference": None}  # fmt: skip
    table = fit_planned(keys, frame, years=years).table
    events = table[table["estimand"] == "event study"]
    assert len(events) == 32
    assert events["estimate"].notna().all()
    assert events["std_error"].notna().all()
    assert events["band_low"].lt(events["conf_low"]).all()
    after = events["term"].str.contains("=[0-9]")
    step = events.loc[after, "estimate"].mean() - events.loc[~after, "estimate"].mean()
    assert step == pytest.approx(1.0, abs=0.1)
    assert table["p_value"].notna().all()


def test_years_after_the_programme_are_held_against_none_and_against_its_years(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    """One cohort, balanced: all rows are differences of mean changes of schools."""
    one = cells[cells["cohort"] != 2022].assign(n_pupils=np.nan)
    fitted = fit_planned(plan(estimator="difference_in_differences"), one, years=YEARS).table
    rows = fitted[fitted["estimand"] == "persistence"].set_index("term")
    wide = one.pivot(index="school", columns="year", values="mean")
    treated = one.groupby("school")["treated"].first()

    def effect(year: int) -> float:
        change = (wide[year] - wide[[2019, 2020]].mean(axis=1)).groupby(treated).mean()
        return float(change[1.0] - change[0.0])

    after = rows.loc["treated[after=1]"]
    assert rows.loc["treated[during]", "estimate"] == pytest.approx(effect(2021))
    assert after["estimate"] == pytest.approx(effect(2022))
    change = rows.loc["treated[after=1] - treated[during]"]
    assert change["estimate"] == pytest.approx(effect(2022) - effect(2021))
    assert np.isfinite([after["df"], change["df"]]).all()
    ratio = rows.loc["treated[after=1] / treated[during]"]
    assert ratio["estimate"] == pytest.approx(effect(2022) / effect(2021))
    assert "no standard error" in ratio["note"]
    several = fit_planned(plan(estimator="difference_in_differences"), cells, years=YEARS).table
    assert "persistence" not in set(several["estimand"])
