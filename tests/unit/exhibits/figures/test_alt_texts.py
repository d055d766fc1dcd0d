"""The words of a figure for those who do not see it give its numbers."""

from __future__ import annotations

from importlib import import_module
from math import inf, nan
from typing import Any

import pandas as pd
import pytest

from schooltrial.exhibits.catalogue import FIGURES
from schooltrial.exhibits.figures import (
    attrition_boundary,
    bacon_weights,
    cohorts,
    distributions,
    dosage,
    event_study,
    fidelity,
    flow,
    love_plot,
    missingness,
    parallel_trends,
    placebos,
    power_curve,
    school_outliers,
    trends,
)
from schooltrial.exhibits.style.alt_words import span, told, with_ends


def test_the_love_plot_names_its_largest_known_difference() -> None:
    rows = [
        ["pupil", "Age", "analysed", 0.02], ["school", "Score", "analysed", -0.31],
        ["pupil", "Male", "randomised", inf], ["pupil", "Free lunch", "randomised", nan],
    ]  # fmt: skip
    data = pd.DataFrame(rows, columns=["level", "label", "sample", "size"])
    assert love_plot.alt_text(data) == (
        "Love plot of 4 standardised baseline differences. "
        "The largest is −0.31 SD: Score (school means, analysed). 2 infinite or not known."
    )
    assert love_plot.alt_text(data[2:]) == (
        "Love plot of 2 baseline differences. 2 infinite or not known."
    )


def test_trends_give_each_arms_mean_in_its_first_and_last_year() -> None:
    rows = [["maths", year, "c", year - 2019.5] for year in (2021, 2019, 2020)]
    data = pd.DataFrame(rows, columns=["outcome", "year", "arm", "mean"])
    outcomes: Any = {"maths": {"label": "Maths", "units_label": "SD"}, "ela": {"label": "English"}}
    arms: Any = [{"name": "c", "label": "Control"}]
    assert trends.alt_text(data, outcomes, arms) == (
        "Means by group and year. Maths (SD): Control −0.50 in 2019, 1.50 in 2021."
    )


def test_fidelity_counts_those_who_met_the_threshold_among_those_on_record() -> None:
    rows = [["Coaching", 2019, 34.0, 38.0], ["Coaching", 2020, nan, nan]]
    data = pd.DataFrame(rows, columns=["label", "year", "n_met", "n_recorded"])
    assert fidelity.alt_text(data) == (
        "Units that met the threshold, by component and year. Coaching, 2019: 34 of 38 on record."
    )
    assert fidelity.alt_text(data[1:]).endswith(" None recorded.")


OUTCOMES: Any = {"maths": {"label": "Maths", "units_label": "SD"}}
ARMS: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]


def test_attrition_gives_each_points_losses_and_the_verdict_of_the_boundary_that_decides() -> None:
    row = {"level": "pupils", "outcome_label": "Maths", "detail": "2020", "arm": "Tutored",
           "overall": 24.231, "differential": -1.754, "verdict_cautious": "low",
           "verdict_optimistic": nan}  # fmt: skip
    data = pd.DataFrame([row] * 7)
    said = attrition_boundary.alt_text(data, "cautious")
    told_of = "Pupils, Maths, 2020: 24.23% lost, difference 1.75 percentage points, low attrition."
    assert said.count(told_of) == 6
    assert said.endswith(" The data file has all 7 points.")
    assert "no verdict" in attrition_boundary.alt_text(data[:1], "optimistic")
    assert attrition_boundary.alt_text(data[:0], "cautious").endswith("Attrition is not known.")


def test_comparisons_of_cohorts_are_told_by_kind_with_their_weight() -> None:
    rows = [["never treated", 2.0, 0.75], ["already treated", -2.0, 0.25]]
    data = pd.DataFrame(rows, columns=["kind", "estimate", "weight"]).assign(
        model="m", outcome="maths", outcome_label="Maths", model_label="", two_way=1.0,
        units_label="SD",
        share_forbidden=0.25,
    )  # fmt: skip
    assert bacon_weights.alt_text(data) == (
        "Estimates of comparisons of cohorts by weight. Maths: two-way effect +1 SD from "
        "2 comparisons (never treated, 75.0% of the weight, estimates 2; already treated, 25.0% of "
        "the weight, estimates −2); forbidden comparisons weigh 25.0%."
    )


def test_cohorts_give_their_mean_change_since_they_began() -> None:
    rows = [["comparison", 9, False, nan, 0], ["2020", 1, False, 0.0, 1],
            ["2020", 1, True, 0.75, 1]]  # fmt: skip
    columns = ["cohort", "n_schools", "begun", "change", "n_changed"]
    data = pd.DataFrame(rows, columns=columns).assign(outcome="maths")
    assert cohorts.alt_text(data, OUTCOMES) == (
        "Mean change of each cohort since its start, less that of comparison schools. "
        "Maths (SD), cohort of 2020 (1 school): +0.750."
    )


def test_distributions_give_range_fullest_bin_and_heaps_of_the_last_year() -> None:
    rows = [[2019, 0, 1, 9, 1.0, True], [2020, 0, 1, 1, 0.25, False], [2020, 1, 2, 3, 0.75, False],
            [2020, 2, 3, 0, 0.0, False]]  # fmt: skip
    data = pd.DataFrame(rows, columns=["year", "bin_low", "bin_high", "n", "share", "heap"])
    said = distributions.alt_text(data.assign(outcome="maths", arm=None), OUTCOMES, ARMS)
    assert said.endswith(
        "Maths: 4 values in 2020, from 0 to 2; 75.0% of them lie from 1 to 2, the fullest bin; "
        "2 years, 1 heap."
    )
    assert distributions.alt_text(data.assign(outcome="ela", arm=None), OUTCOMES, ARMS).endswith(
        "None was read."
    )


def test_dosage_tells_what_the_schools_of_an_arm_received() -> None:
    rows = [["007", "2019-01", 2.0], ["007", "2019-02", 4.0], ["008", "2019-02", 9.0]]
    data = pd.DataFrame(rows, columns=["school", "period", "value"]).assign(
        component="coaching", arm="t"
    )
    components: Any = {"coaching": {"label": "Coaching", "indicator": "hours"}}
    assert dosage.alt_text(data, components, ARMS) == (
        "Dosage by component, school and period. Coaching, hours, Tutored: 2 schools with a "
        "record, 2019-01 to 2019-02; mean per record 5, from 2 to 9; in all, schools received from "
        "6 to 9."
    )


def test_an_event_study_counts_the_years_whose_interval_excludes_zero() -> None:
    rows = [["before", False, -2, 0.1, -0.1, 0.3], ["before", True, -1, 0.0, nan, nan],
            ["since", False, 0, 0.5, 0.2, 0.8], ["since", False, 1, 0.25, -0.1, 0.6]]  # fmt: skip
    columns = ["part", "reference", "time", "estimate", "conf_low", "conf_high"]
    data = pd.DataFrame(rows, columns=columns).assign(
        model="m", outcome="maths", outcome_label="Maths", model_label="Panel", units_label="SD",
        axis="since", conf_level=0.95,
    )  # fmt: skip
    assert event_study.alt_text(data) == (
        "Effects by year with 95% intervals. Maths, Panel (SD): before the programme, 1 year "
        "0.100, of which none exclude zero; since the programme began, 2 years from 0.250 to "
        "0.500, of which 1 excludes zero; last, year 1: +0.250 (−0.100 to 0.600)."
    )
    assert event_study.alt_text(data[:0]) == "No event study was estimated."


def test_the_flow_says_who_was_there_at_each_step_and_who_left_and_came() -> None:
    rows = [["all", "", "", "in", "schools assigned", 40], ["c", "", "", "in", "pupils", 1200],
            ["c", "", "", "lost", "schools with no pupils in the data", 1],
            ["c", "", "", "lost", "who moved", 200], ["c", "", "", "lost", "who died", 0],
            ["c", "", "", "joined", "who came", 50], ["c", "", "", "in", "pupils in 2020", 1050],
            ["c", "maths", "2020", "lost", "no score", 50],
            ["c", "maths", "2020", "in", "pupils analysed", 1000]]  # fmt: skip
    boxes = pd.DataFrame(rows, columns=["arm", "outcome", "year", "kind", "text", "n"])
    assert flow.alt_text(boxes, ARMS[:1], {"maths": "Maths"}) == (
        "Participant flow. Before allocation: 40 schools assigned. Control: 1,200 pupils, "
        "less 1 school with no pupils in the data, less 200 who moved, plus 50 who came, 1,050 "
        "pupils in 2020. Control, Maths, 2020: 1,000 pupils analysed."
    )


def test_missing_data_name_the_variables_that_lack_most() -> None:
    rows = [["pupils", "age", "all", 10, 0.0], ["pupils", "score", "2019", 1000, 0.1],
            ["pupils", "score", "2020", 10, 0.025]]  # fmt: skip
    data = pd.DataFrame(rows, columns=["table", "variable", "year", "rows", "share"])
    data = data.assign(label=data["variable"])
    assert missingness.alt_text(data) == (
        "Share of missing cells of 2 variables in 1 table, by year. 1 have missing cells, most: "
        "pupils, score, 2019: 10.0% of 1,000."
    )
    assert missingness.alt_text(data[:1]).endswith("No cell is missing.")


def test_bounds_on_trends_give_the_interval_as_fitted_the_widest_and_where_zero_enters() -> None:
    rows = [["as fitted", nan, 0.1, 0.3], ["smoothness", 1.0, -0.5, 0.9],
            ["smoothness", 0.5, 0.0, 0.4]]  # fmt: skip
    data = pd.DataFrame(rows, columns=["check", "setting", "conf_low", "conf_high"]).assign(
        estimate=0.2, model="m", outcome="maths", kind="smoothness", outcome_label="Maths",
        model_label="Panel", units_label="SD", breakdown=0.25,
    )  # fmt: skip
    said = parallel_trends.alt_text(data)
    assert said.endswith(
        "Maths, Panel, smoothness: SD, as fitted +0.200 (0.100 to 0.300); −0.500 to 0.900 at 1, "
        "the largest bound; zero enters from 0.250."
    )
    assert "no value lets zero enter" in parallel_trends.alt_text(data.assign(breakdown=nan))


def test_placebos_stand_beside_the_observed_effect_with_the_share_as_large() -> None:
    rows = [["observed", "0", 0.5, nan], ["draw", "1", -0.6, nan], ["draw", "2", 0.1, nan],
            ["placebo", "begun 1 year early", 0.05, -0.1]]  # fmt: skip
    data = pd.DataFrame(rows, columns=["part", "placebo", "estimate", "conf_low"]).assign(
        conf_high=0.2, model="m", outcome="maths", outcome_label="Maths", model_label="Panel",
        units_label="SD", share_as_large=0.0005,
    )  # fmt: skip
    assert placebos.alt_text(data).endswith(
        "Maths, Panel (SD): 2 placebos from −0.600 to 0.100; observed +0.500; less than 0.1% are "
        "at least as large; begun 1 year early +0.0500 (−0.1000 to 0.2000)."
    )


def test_power_gives_the_detectable_effect_of_each_stage_with_its_units() -> None:
    rows = [["randomisation", "power by effect", 0.31, False],
            ["randomisation", "power by effect", 0.25, True],
            ["randomisation", "minimum detectable effect by units", 40, True],
            ["analysis", "power by effect", 0.3, True]]  # fmt: skip
    data = pd.DataFrame(rows, columns=["stage", "panel", "x", "own"]).assign(
        outcome="maths", arm="t", units_label="SD", unit_kind="school", outcome_label="Maths",
        target_power=0.8,
    )  # fmt: skip
    assert power_curve.alt_text(data) == (
        "Effects that are detectable with a power of 80%. Maths: 0.250 SD as randomised, "
        "40 schools; 0.300 SD as analysed."
    )
    assert power_curve.alt_text(data[:0]) == "Power is not known."


def test_unusual_school_means_are_counted_and_the_farthest_is_named() -> None:
    rows = [["007", 2019, -3.5, "outlier"], ["007", 2020, 3.25, "outlier"], ["008", 2020, 0.0, ""]]
    data = pd.DataFrame(rows, columns=["school", "year", "z", "verdict"]).assign(
        outcome="maths", threshold=3.0
    )
    assert school_outliers.alt_text(data, OUTCOMES).endswith(
        "Maths: 2 schools, 2 years; 2 means beyond 3 SDs, the farthest 007 in 2019 at −3.50 SDs."
    )
    none = school_outliers.alt_text(data[:0], OUTCOMES)
    assert none.endswith("No outcome of any school was read.")


OF_QUALITY = ("distributions", "missingness", "school_outliers")


@pytest.mark.parametrize("name", [*FIGURES, *OF_QUALITY])
def test_every_figure_has_words_for_those_who_do_not_see_it(name: str) -> None:
    module = import_module(f"schooltrial.exhibits.figures.{name}")
    assert callable(module.alt_text)


def test_numbers_have_three_digits_and_large_ones_are_whole() -> None:
    assert [told(value) for value in (0.03851, 5.611, 1234.5, -2.0, nan, inf)] == [
        "0.0385", "5.61", "1,234", "−2", "not known", "∞",
    ]  # fmt: skip
    assert span([2.0, nan, 2.0]) == "2"
    assert span([nan]) == "not known"
    assert with_ends(0.5, nan, nan) == "+0.500 (no interval)"
