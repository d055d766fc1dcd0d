"""What the report shows of the lot and of balance: every digit, and what each row is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.balance.omnibus import OMNIBUS_COLUMNS
from schooltrial.checks.balance.standardised_differences import COLUMNS
from schooltrial.exhibits.style.table_text import shown
from schooltrial.report.tables import assignment as assignment_tables
from schooltrial.report.tables.balance import (
    TRENDS,
    equivalence_shown,
    omnibus_shown,
    pretrends_shown,
)
from schooltrial.report.tables.checks import named, power_shown


def test_counts_are_counts_and_a_level_keeps_its_digits() -> None:
    tests = pd.DataFrame({
        "check": ["assigned once", "ranks"], "finding": ["", ""], "value": [0.0, 0.85894],
        "threshold": [0.0, 0.00125], "p": [np.nan, 0.368], "verdict": "passed", "reason": ["", ""],
    })  # fmt: skip
    told = assignment_tables.tests_shown(tests)
    assert told["value"].tolist() == ["0", "0.8589"]
    assert told["threshold"].tolist() == ["0", "0.00125"]
    assert told["p"].tolist() == ["", ".368"]


def test_only_units_of_which_something_was_said_are_listed_and_all_are_counted() -> None:
    units = pd.DataFrame({
        "unit": ["010", "017", "020"], "block": "N", "arm": "control", "drawn_arm": np.nan,
        "verdict": ["failed", "passed", "noted"], "reason": ["drawn to x", "", "took it up"],
    })  # fmt: skip
    told = assignment_tables.units_shown(units)
    assert told is not None
    assert told["unit"].tolist() == ["010", "020"]
    assert "drawn_arm" not in told
    verdict = {"units": {"failed": 1, "in doubt": 0, "noted": 1, "passed": 1}}
    said = assignment_tables.units_told(verdict, "school")
    assert said == "Of 3 schools, one by one: 1 failed, 1 noted, 1 passed."


def _omnibus(**cells: object) -> pd.DataFrame:
    row = dict.fromkeys(OMNIBUS_COLUMNS, np.nan) | {"draws": 400, "exact": True, "arm": "a"}
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
        _omnibus(scope=scope, label=label, level="pupil", covariates=5, p_f=0.0004, sample="s")
    ).iloc[0]
    assert told["what"] == what
    assert told["of"] == "unit means of pupils"  # they are not weighted by pupils
    assert (told["covariates"], told["p of F"]) == ("5", "<.001")


def test_equivalence_says_how_many_of_those_analysed_have_a_baseline() -> None:
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "level": "pupil", "sample": "analysed", "label": "Maths", "n_control": 20, "n_treated": 10,
        "missing": 90, "wwc_effect_size": -0.06, "wwc_measure": "Hedges' g", "arm": "a",
        "wwc_band": "adjustment needed",
    }  # fmt: skip
    rows = pd.DataFrame([row, {**row, "level": "school"}, {**row, "sample": "randomised"}])
    told = equivalence_shown(rows)
    assert told is not None
    assert len(told) == 1
    assert told["baseline known"][0] == "30 of 120 (25.0%)"
    assert (told["effect size"][0], told["band"][0]) == ("−0.060", "adjustment needed")
    assert equivalence_shown(rows[1:]) is None


def test_an_assignments_level_below_zero_has_a_true_minus() -> None:
    tests = pd.DataFrame({"value": [-0.12345, -3.0, np.nan], "threshold": np.nan, "p": np.nan})
    told = assignment_tables.tests_shown(tests)
    assert told["value"].tolist() == ["−0.1235", "−3", ""]
    assert set(told["threshold"]) == set(told["p"]) == {""}


def test_units_that_all_passed_are_not_listed_and_a_sentence_counts_them() -> None:
    units = pd.DataFrame({"unit": ["1"], "verdict": "passed", "reason": ""})
    assert assignment_tables.units_shown(units) is None
    said = assignment_tables.units_told({"units": {"passed": 1234}}, "pupil")
    assert said == "Of 1,234 pupils, one by one: 1,234 passed."


def test_whole_columns_are_without_decimals_and_p_values_are_told_as_such() -> None:
    told = shown(
        pd.DataFrame(
            {
                "n": [1.0, np.nan], "share": [0.5, 1.0], "p": [0.0216, np.nan],
                "adjusted_p": [0.0001, 0.5], "p_rerandomisation": [1.0, 0.0], "pupils": [3.0, 4.0],
                "note": ["few", np.nan],
            }
        )
    )  # fmt: skip
    assert told.to_dict("list") == {
        "n": ["1", ""], "share": ["0.50", "1.00"], "p": [".022", ""],
        "adjusted_p": ["<.001", ".500"], "p_rerandomisation": ["1.000", "<.001"],
        "pupils": ["3", "4"], "note": ["few", ""],
    }  # fmt: skip
    assert shown(pd.DataFrame({"share": [0.5]}), 3)["share"].tolist() == ["0.500"]


def test_power_is_shown_by_the_outcomes_name_with_three_decimals_and_counts_as_counts() -> None:
    row: dict[str, Any] = dict.fromkeys(
        [
            "subgroup", "arm", "stage", "unit", "method", "note", "units", "treated_units",
            "pupils", "pupils_per_unit", "icc", "r2_school", "r2_pupil", "df", "power_wanted",
            "effect", "power", "type_s", "exaggeration", "mdes_estimate",
        ],
        np.nan,
    )  # fmt: skip
    row |= {"outcome": "maths", "mdes": 0.21234, "units": 40.0, "alpha": 0.05, "stage": "analysis"}
    (told,) = power_shown(pd.DataFrame([row]), {"maths": "Maths"}).to_dict("records")
    assert (told["outcome"], told["mdes"], told["units"]) == ("Maths", "0.212", "40")
    assert (told["stage"], told["power"], "alpha" in told) == ("analysis", "", False)
    assert list(told)[:6] == ["outcome", "subgroup", "arm", "stage", "unit", "units"]


def test_named_columns_are_shown_in_the_order_asked_for_by_the_names_of_exhibits() -> None:
    check = pd.DataFrame({"variable": ["sex", "x"], "outcome": "maths", "n": [1, 2], "more": 0})
    told = named(check, {"sex": "Sex", "maths": "Maths"}, ["outcome", "lacking", "variable", "n"])
    assert told.to_dict("list") == {
        "outcome": ["Maths", "Maths"], "variable": ["Sex", "x"], "n": ["1", "2"],
    }  # fmt: skip


def test_joint_tests_are_headed_as_readers_know_them_and_empty_columns_are_left_out() -> None:
    cells: dict[str, object] = {
        "scope": "all", "label": "", "level": "school", "sample": "randomised", "covariates": 5,
        "units": 40, "statistic": 4.5, "expected": 5.0, "p_rerandomisation": 0.25,
        "f_statistic": 1.25, "p_f": 0.3,
    }  # fmt: skip
    (told,) = omnibus_shown(_omnibus(**cells)).to_dict("records")
    assert told == {
        "sample": "randomised", "of": "schools", "arm": "a", "what": "all together",
        "covariates": "5", "units": "40", "distance": "4.500", "expected": "5",
        "p re-drawn": ".250", "F": "1.250", "p of F": ".300",
    }  # fmt: skip
    (alone,) = omnibus_shown(_omnibus(**cells, arm="")).to_dict("records")
    assert "arm" not in alone


def test_differences_before_the_programme_are_shown_with_both_p_values() -> None:
    row = dict.fromkeys(TRENDS, np.nan) | {
        "year": 2018, "level": "pupil", "arm": "", "label": "Maths", "n_control": 1200,
        "n_treated": 1300, "mean_control": 0.5, "mean_treated": 0.25, "difference": -0.25,
        "standardised_difference": -0.2, "adjusted_difference": -0.1, "adjusted_p": 0.0004,
        "p_rerandomisation": 0.05, "note": "few", "more": 1,
    }  # fmt: skip
    (told,) = pretrends_shown(pd.DataFrame([row])).to_dict("records")
    assert told == {
        "year": "2018", "level": "pupil", "label": "Maths", "n_control": "1200",
        "n_treated": "1300", "mean_control": "0.500", "mean_treated": "0.250",
        "difference": "−0.250", "standardised_difference": "−0.200",
        "adjusted_difference": "−0.100", "adjusted_p": "<.001", "p_rerandomisation": ".050",
        "note": "few",
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
    assert told["of"].tolist() == [of]
