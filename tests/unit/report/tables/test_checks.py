"""What the report shows of the lot and of balance: every digit, and what each row is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.balance.omnibus import OMNIBUS_COLUMNS
from schooltrial.checks.balance.standardised_differences import COLUMNS
from schooltrial.report.tables import assignment as assignment_tables
from schooltrial.report.tables.balance import (
    compared_sentence,
    equivalence_shown,
    omnibus_shown,
    pretrends_shown,
)
from schooltrial.report.tables.checks import BOUNDS, bounds_shown, power_shown, power_terms
from schooltrial.report.tables.rating import criteria_shown, measures_shown


def test_counts_are_counts_and_a_level_keeps_its_digits() -> None:
    tests = pd.DataFrame({
        "check": ["assigned once", "ranks"], "finding": ["", ""], "value": [0.0, 0.85894],
        "threshold": [0.0, 0.00125], "p_value": [np.nan, 0.368], "verdict": "passed",
        "reason": ["", ""],
    })  # fmt: skip
    told = assignment_tables.tests_shown(tests).cells
    assert told["Value"].tolist() == ["0", "0.8589"]
    assert told["Threshold"].tolist() == ["0", "0.00125"]
    assert told["p"].tolist() == ["", "0.368"]


def test_levels_of_several_tests_are_explained_with_how_they_share_one_level() -> None:
    tests = pd.DataFrame({
        "check": ["assigned once", "sample ratio", "ranks", "baseline", "baseline of Maths"],
        "threshold": [0.0, 0.005 / 3, 0.005 / 3, 0.005 / 3, 0.005],
        "p_value": [np.nan, 1.0, 0.4, 0.5, 0.6],
    })  # fmt: skip
    assert assignment_tables.levels_note(tests, 0.01) == (
        "Threshold of a check with a p-value: a smaller p-value puts the allocation in doubt. All "
        "4 such tests together have the level 0.01, which is shared out among them (Bonferroni): "
        "0.01 / 2 / 1 = 0.005 for the baseline of a primary outcome; 0.01 / 2 / 3 = "
        "0.001667 for each other test."
    )
    alone = assignment_tables.levels_note(tests.iloc[:2].assign(threshold=[0.0, 0.01]), 0.01)
    assert alone.endswith("(Bonferroni): 0.01 / 1 = 0.01 for the test.")
    assert assignment_tables.levels_note(tests.iloc[:1], 0.01) == ""


def test_only_units_of_which_something_was_said_are_listed_and_all_are_counted() -> None:
    units = pd.DataFrame({
        "unit": ["010", "017", "020"], "block": "N", "arm": "control", "drawn_arm": np.nan,
        "verdict": ["failed", "passed", "noted"], "reason": ["drawn to x", "", "took it up"],
    })  # fmt: skip
    table = assignment_tables.units_shown(units)
    assert table is not None
    told = table.cells
    assert told["Unit"].tolist() == ["010", "020"]
    assert "Drawn group" not in told
    verdict = {"units": {"failed": 1, "in doubt": 0, "noted": 1, "passed": 1}}
    said = assignment_tables.units_told(verdict, "school")
    assert said == "1 of 3 schools failed a check; 1 with a remark; 1 without remark."


def test_of_people_remarks_are_counted_and_nobody_is_named() -> None:
    units = pd.DataFrame({
        "unit": ["T1", "T2", "T3", "T4"], "block": "N", "arm": ["offer", "offer", "offer",
        "none"],
        "verdict": ["noted", "noted", "passed", "noted"],
        "reason": ["12 pupils moved", "1 pupil moved", "", "took it up"],
    })  # fmt: skip
    table = assignment_tables.remarks_counted(units)
    assert table is not None
    assert table.cells["Remark"].tolist() == ["pupils moved", "took it up"]
    assert table.cells["Number"].tolist() == ["2", "1"]
    tests = pd.DataFrame({
        "reason": ["T1, T2 and 6 more", "in two groups: T4", "5 missing values", "T1", ""],
    })  # fmt: skip
    hidden = assignment_tables.without_names(tests, set(units["unit"]))["reason"].tolist()
    assert hidden == [
        "who they are is in the data file", "in two groups: who they are is in the data file",
        "5 missing values", "who they are is in the data file", "",
    ]  # fmt: skip


def _omnibus(**cells: object) -> pd.DataFrame:
    row = dict.fromkeys(OMNIBUS_COLUMNS, np.nan) | {"replications": 400, "exact": True, "arm": "a"}
    return pd.DataFrame([row | {"note": "", **cells}])


@pytest.mark.parametrize(
    ("scope", "label", "what"),
    [
        ("all", "all together", "all together"),
        ("category", "Region", "category: Region"),
        ("pre-trend", "Maths", "years before: Maths"),
    ],
)
def test_every_joint_test_says_what_it_is_of_and_shows_the_p_of_its_f(
    scope: str, label: str, what: str
) -> None:
    told = omnibus_shown(
        _omnibus(
            scope=scope, label=label, level="pupil", n_covariates=5, f_p_value=0.0004, sample="s"
        )
    ).cells.iloc[0]
    assert told["Quantity"] == what
    assert told["Level"] == "unit means of pupils"  # they are not weighted by pupils
    assert (told["Covariates tested"], told["F-test p"]) == ("5", "<0.001")


def test_equivalence_says_how_many_of_those_analysed_have_a_baseline() -> None:
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "level": "pupil", "sample": "analysed", "label": "Maths", "n_control": 20, "n_treated": 10,
        "missing": 90, "wwc_effect_size": -0.06, "wwc_measure": "Hedges' g", "arm": "a",
        "wwc_band": "adjustment needed",
    }  # fmt: skip
    rows = pd.DataFrame([row, {**row, "level": "school"}, {**row, "sample": "randomised"}])
    table = equivalence_shown(rows)
    assert table is not None
    assert len(table) == 1
    told = table.cells
    assert told["Baseline known"][0] == "30 of 120 (25.0%)"
    assert (told["Effect size"][0], told["WWC band"][0]) == ("−0.060", "adjustment needed")
    assert equivalence_shown(rows[1:]) is None


def test_an_assignments_level_below_zero_has_a_true_minus() -> None:
    words = dict.fromkeys(["check", "finding", "verdict", "reason"], "")
    numbers = {"value": [-0.12345, -3.0, np.nan], "threshold": np.nan, "p_value": np.nan}
    tests = pd.DataFrame(words | numbers)
    told = assignment_tables.tests_shown(tests).cells
    assert told["Value"].tolist() == ["−0.1235", "−3", ""]
    assert set(told["Threshold"]) == set(told["p"]) == {""}


def test_units_that_all_passed_are_not_listed_and_a_sentence_counts_them() -> None:
    units = pd.DataFrame({"unit": ["1"], "verdict": "passed", "reason": ""})
    assert assignment_tables.units_shown(units) is None
    said = assignment_tables.units_told({"units": {"passed": 1234}}, "pupil")
    assert said == "None of 1,234 pupils failed a check; 1,234 without remark."


def test_power_is_shown_by_the_outcomes_name_with_three_decimals_and_counts_as_counts() -> None:
    row: dict[str, Any] = dict.fromkeys(
        [
            "subgroup", "arm", "stage", "unit_kind", "method", "note", "n_units", "n_treated_units",
            "n_individuals", "individuals_per_unit", "icc", "r2_school", "r2_pupil", "df",
            "target_power",
            "effect", "power", "type_s", "type_m", "mdes_estimate",
        ],
        np.nan,
    )  # fmt: skip
    row |= {
        "outcome": "maths",
        "mdes": 0.21234,
        "df": 31.94,
        "n_units": 40.0,
        "alpha": 0.05,
        "stage": "analysis",
    }
    arms = {"control": "Control", "programme": "Programme"}
    shown = power_shown(pd.DataFrame([row]), {"maths": "Maths"}, arms)
    (told,) = shown.cells.to_dict("records")
    assert shown.group == ("Maths",)
    assert (told["MDES"], told["Units"], told["df"]) == ("0.212", "40", "31.9")
    assert (told["Stage"], "Power (%)" in told, "alpha" in told) == ("as analysed", False, False)
    assert list(told)[:3] == ["Stage", "Method", "MDES"]


def _bounds(approach: str, *terms: tuple[str, float]) -> pd.DataFrame:
    same = {
        "outcome": "maths", "model": "itt", "year": 2020, "arm": "a", "approach": approach,
        "std_error": 0.1, "p_value": 0.0001, "n_individuals": 1200, "n_units": 40,
        "method": "Lee", "note": np.nan, "more": 0,
    }  # fmt: skip
    rows = [
        {**same, "term": term, "estimate": size, "conf_low": -0.1 - at, "conf_high": 0.2 + at}
        for at, (term, size) in enumerate(terms)
    ]
    return pd.DataFrame(rows)


def test_an_effect_without_bounds_is_shown_by_the_outcomes_name() -> None:
    table = bounds_shown(_bounds("complete cases", ("effect", 0.12345)), {"maths": "Maths"}, {})
    (told,) = table.cells.to_dict("records")
    assert list(told) == [one.name for one in BOUNDS if one.name not in ("Group", "Unit")]
    assert (told["Outcome"], told["Effect, or its bounds"]) == ("Maths", "0.123")
    assert (told["CI"], told["p"]) == ("−0.100 to 0.200", "<0.001")
    assert (told["Individuals"], told["Note"]) == ("1,200", "")


def test_two_bounds_are_one_row_with_the_interval_around_both_and_no_p() -> None:
    check = _bounds("Lee bounds", ("lower bound", -0.5), ("upper bound", 0.25), ("effect", np.nan))
    (told,) = bounds_shown(check, {"maths": "Maths"}, {}).cells.to_dict("records")
    assert told["Effect, or its bounds"] == "−0.500 to 0.250"
    assert told["CI"] == "−2.100 to 2.200"
    assert told["p"] == ""


def test_blocks_are_shown_with_the_units_of_each_arm() -> None:
    check = pd.DataFrame({
        "block": ["1", "2"], "n_units": [2, 3], "n_control": [1, 1], "n_extra_help": [1, 2],
        "treated_share": [0.5, 2 / 3], "verdict": "both groups present",
    })  # fmt: skip
    groups = {"control": "Control", "extra_help": "Extra help + books"}
    table = assignment_tables.blocks_shown(check, groups)
    assert table.cells.to_dict("records")[1] == {
        "Block": "2", "Units": "3", "Control": "1", "Extra help + books": "2",
        "Share in intervention": "0.67", "Verdict": "both groups present",
    }  # fmt: skip


def test_of_many_blocks_those_with_a_remark_are_listed_first_and_the_others_counted() -> None:
    blocks = pd.DataFrame({
        "block": [f"b{at}" for at in range(122)], "n_units": 2, "n_control": 1,
        "treated_share": 0.5, "verdict": ["both groups present"] * 121 + ["one group only"],
    })  # fmt: skip
    shown = assignment_tables.blocks_shown(blocks, {}).cells
    assert (len(shown), shown["Block"][0]) == (40, "b121")
    told = assignment_tables.blocks_left_out(blocks)
    assert told == "82 blocks more in checks/assignment.csv, none of them with a remark."
    assert assignment_tables.blocks_left_out(blocks[:40]) == ""


def test_joint_tests_are_headed_as_readers_know_them_and_empty_columns_are_left_out() -> None:
    cells: dict[str, object] = {
        "scope": "all", "label": "", "level": "school", "sample": "randomised", "n_covariates": 5,
        "n_units": 40, "statistic": 4.5, "expected": 5.0, "rerandomisation_p_value": 0.25,
        "f_statistic": 1.25, "f_p_value": 0.3,
    }  # fmt: skip
    (told,) = omnibus_shown(_omnibus(**cells)).cells.to_dict("records")
    assert told == {
        "Sample": "randomised", "Level": "schools", "Group": "a", "Quantity": "all together",
        "Covariates tested": "5", "Units": "40", "Mahalanobis distance": "4.500",
        "Distance expected by chance": "5",
        "Randomisation p": "0.250", "F": "1.250", "F-test p": "0.300",
    }  # fmt: skip
    (alone,) = omnibus_shown(_omnibus(**cells, arm="")).cells.to_dict("records")
    assert "Group" not in alone


def test_differences_before_the_programme_are_shown_with_both_p_values() -> None:
    row: dict[str, Any] = {
        "year": 2018, "level": "pupil", "arm": "", "label": "Maths", "n_control": 1200,
        "n_treated": 1300, "mean_control": 0.5, "mean_treated": 0.25, "difference": -0.25,
        "standardised_difference": -0.2, "adjusted_difference": -0.1, "adjusted_p_value": 0.0004,
        "rerandomisation_p_value": 0.05, "note": "few", "more": 1,
    }  # fmt: skip
    rows = pd.DataFrame([row, {**row, "year": "slope per year"}])
    told, slope = pretrends_shown(rows).cells.to_dict("records")
    assert slope == told | {"Year, or slope": "slope per year"}
    assert told == {
        "Year, or slope": "2018", "Of": "pupils", "Outcome": "Maths", "n, control": "1,200",
        "n, intervention": "1,300", "Mean, control": "0.500", "Mean, intervention": "0.250",
        "Difference": "−0.250", "Standardised difference": "−0.200",
        "Adjusted difference": "−0.100", "Adjusted p": "<0.001", "Randomisation p": "0.050",
        "Note": "few",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("level", "of"),
    [
        ("teacher", "unit means of teachers"),
        ("school", "schools"),
        ("unit", "unit means by year"),
    ],
)
def test_a_joint_test_says_of_what_its_means_are(level: str, of: str) -> None:
    told = omnibus_shown(_omnibus(scope="all", label="", level=level, sample="s"))
    assert told.cells["Level"].tolist() == [of]


def test_what_the_balance_table_does_not_compare_is_said() -> None:
    rows = pd.DataFrame({"sample": ["randomised", "analysed"]})
    assert compared_sentence(rows) == ""
    told = compared_sentence(rows[:1])
    assert "all who were assigned, whether they are analysed or not" in told
    assert "no primary model analyses pupils or teachers who are on record" in told
    assert "names no variable" in compared_sentence(rows[:0])


def test_a_difference_that_is_not_known_or_infinite_is_in_words_in_every_table() -> None:
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "sample": "analysed", "level": "pupil", "label": "Maths", "n_control": 3, "n_treated": 4,
        "missing": 0, "arm": "a",
    }  # fmt: skip
    balance = pd.DataFrame([row, row | {"wwc_effect_size": np.inf}])
    shown = equivalence_shown(balance)
    assert shown is not None
    assert shown.cells["Effect size"].tolist() == ["not known", "∞ (infinite)"]
    years = pretrends_shown(balance.assign(year="2019", standardised_difference=[np.nan, -np.inf]))
    assert years.cells["Standardised difference"].tolist() == ["not known", "−∞ (infinite)"]
    measures = measures_shown(balance.assign(outcome="maths", basis="own"), {"maths": "Maths"})
    assert measures is not None
    assert measures.cells["Difference"].tolist() == ["not known", "∞ (infinite)"]
    assert measures.cells["Why it counts"].tolist() == ["the outcome's own baseline"] * 2


def test_every_criterion_of_every_rating_has_a_row() -> None:
    one = {"name": "design", "finding": "randomised", "result": "5 of 5", "lowers": False}
    rated = {"label": "Maths", "ratings": [{"criteria": [one]}, {"criteria": [one, one]}]}
    table = criteria_shown([rated])
    assert table is not None
    assert table.cells["Standard"].tolist() == ["WWC-style", "EEF-style", "EEF-style"]
    assert table.cells["Finding"].tolist() == ["randomised"] * 3
    assert criteria_shown([]) is None


def test_a_report_lists_few_units_the_worst_first_and_counts_the_others_by_remark() -> None:
    units = pd.DataFrame({
        "unit": [f"{k:04d}" for k in range(4_550)], "verdict": ["failed", *["noted"] * 4_549],
        "reason": ["drawn to x", *["took it up"] * 4_549],
    })  # fmt: skip
    shown = assignment_tables.units_shown(units)
    assert shown is not None
    assert len(shown) == assignment_tables.MOST
    assert shown.cells["Unit"][0] == "0000"
    assert assignment_tables.units_left_out(units) == (
        "4,510 more have a remark, and are not listed here: 4,510 noted: took it up."
    )
    assert assignment_tables.units_left_out(units[:40]) == ""


def test_headings_of_the_table_of_power_are_explained_where_they_have_numbers() -> None:
    power = pd.DataFrame({"mdes": [0.2], "type_s": [np.nan], "individuals_per_unit": [12.5]})
    told = power_terms(power)
    assert [one.split(":")[0] for one in told] == [
        "MDES, minimum detectable effect size", "Per unit",
    ]  # fmt: skip
    assert "harmonic mean" in told[1]


def test_the_balance_of_a_re_randomised_allocation_is_told_among_those_it_was_drawn_from() -> None:
    rows = pd.DataFrame(
        [
            ("draw without the criterion", 0.0, 0.1), ("draw without the criterion", 0.01, 0.2),
            ("draw without the criterion", 1.0, 30.0), ("largest accepted", 0.1, 2.5),
            ("allocation", 0.04, 1.25),
        ],
        columns=["what", "share", "distance"],
    )  # fmt: skip
    assert assignment_tables.distances_sentence(rows, ["Score", "Size"]) == (
        "Re-randomisation: the 10.0% of allocations that were most balanced on Score and Size were "
        "acceptable, those with a Mahalanobis distance between the groups of at most 2.50. The "
        "distance of this allocation is 1.25; 4.0% of those drawn without the criterion are as "
        "balanced or better."
    )
    shown = assignment_tables.distances_shown(rows).cells
    assert shown["Mahalanobis distance"].tolist() == ["0.10", "1.25", "2.50", "30.00"]
