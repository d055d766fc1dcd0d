"""Claims about how implementation and costs are told."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.implementation.contrast import contrast_arms
from schooltrial.checks.implementation.costs import cost_table
from schooltrial.checks.implementation.fidelity import measure_fidelity
from schooltrial.report.tables.implementation import (
    contrast_shown,
    costs_shown,
    costs_told,
    fidelity_shown,
)

LABELS = {"control": "Control schools", "programme": "Programme schools"}
ARMS = {"A": "programme", "B": "control"}
LOG = pd.DataFrame({
    "school": ["A"], "component": ["coaching"], "period": ["2019-09"], "value": [12.0],
})  # fmt: skip
PART: dict[str, Any] = {
    "label": "Coaching", "indicator": "hours", "source": "log", "measured_on": "school",
    "total": "sum",
    "unit_threshold": 10.0, "share_required": 0.8, "contrast": True, "arms": [],
}  # fmt: skip
SETTINGS = {"currency": "USD", "price_year": 2020, "years": 2, "pupils": None, "gbp_rate": 1,
            "usual_practice": None}  # fmt: skip
COSTS = pd.DataFrame({"ingredient": ["coaching"], "quantity": [4.0], "unit_cost": [5000.0]})


def _tables() -> dict[str, pd.DataFrame]:
    parts = {"coaching": PART}
    return {
        "fidelity": measure_fidelity(LOG, parts, ARMS, "control", 7),
        "contrast": contrast_arms(LOG, parts, ARMS, "control", 7),
        "costs": cost_table(COSTS, SETTINGS, {"programme": 100.0}),
    }


def test_what_is_not_recorded_is_not_shown_as_zero() -> None:
    shown = contrast_shown(_tables()["contrast"], LABELS).cells.set_index("Group")
    row = shown.loc["Control schools"]
    assert row["Verdict"] == "not recorded"
    assert set(row[["Mean dose", "Schools with any", "Met threshold"]]) == {""}
    assert shown.loc["Programme schools", "Mean dose"] == "12.0"


def test_fidelity_names_the_arms_and_the_count() -> None:
    row = fidelity_shown(_tables()["fidelity"], LABELS).cells.iloc[0]
    assert (row["Groups"], row["Met threshold"], row["Met"]) == (
        "Programme schools", "1 of 1 (100.0%)", "yes",
    )  # fmt: skip


def test_the_costs_are_told_with_what_they_rest_on_and_their_band() -> None:
    told, per_school, basis = costs_told(
        _tables()["costs"], LABELS, {"programme": 4}, "school", "control"
    )
    assert told == (
        "The programme costs USD 100 per pupil per year, averaged over 2 years and 100 pupils a "
        "year, in prices of 2020; a low cost by the bands of the Education Endowment Foundation "
        "(£100, at the protocol’s rate of £1 for USD 1)."
    )
    assert per_school == (
        "In all it costs USD 20,000, which is 2,500 per school per year (4 schools of the "
        "intervention)."
    )
    assert basis.startswith("The costs are gross: what the control group spends")


def test_costs_are_net_of_usual_practice_where_that_is_stated() -> None:
    table = cost_table(COSTS, {**SETTINGS, "usual_practice": 30}, {"programme": 100.0})
    assert costs_told(table, LABELS, {}, "school", "comparison")[1:] == [
        "Net of what the comparison group spends (USD 30 per pupil per year): 70 per pupil per "
        "year."
    ]


def test_half_of_an_ingredient_is_not_shown_as_none_and_what_keeps_the_band_away_is_told() -> None:
    half = pd.DataFrame({"ingredient": ["coach"], "quantity": [2.5], "unit_cost": [60000.0]})
    settings = {**SETTINGS, "years": 1, "gbp_rate": None, "price_year": None}
    table = cost_table(half, settings, {"programme": 500.0})
    assert costs_shown(table, LABELS).cells["Quantity"].tolist() == ["2.5", ""]
    told = costs_told(table, LABELS, {}, "school", "control")
    assert told[:2] == [
        "The programme costs USD 300 per pupil per year, averaged over a year and 500 pupils a "
        "year; no band: the costs are not in pounds, and no rate is given.",
        "The year of the prices is not stated.",
    ]


def test_a_row_of_fidelity_tells_its_thresholds_and_the_share_that_reached_them() -> None:
    check = pd.DataFrame(
        {
            "label": ["Coaching"], "indicator": "hours", "source": "log",
            "arms": "programme, other", "year": 2020, "unit_kind": "school", "n_recorded": 9,
            "unit_threshold": 2.5, "n_met": 3.0, "n_units": 8.0, "share_met": 0.375,
            "share_required": 0.8, "met": "no", "note": [None],
        }
    )  # fmt: skip
    assert fidelity_shown(check, LABELS).cells.to_dict("records") == [
        {
            "Component": "Coaching", "Indicator": "hours", "Source": "log",
            "Groups": "Programme schools, other", "School year": "2020", "Unit": "school",
            "On record": "9", "Threshold": "2.5", "Met threshold": "3 of 8 (37.5%)",
            "Planned share (%)": "80.0", "Met": "no",
        }
    ]  # fmt: skip


def test_a_row_of_the_contrast_tells_the_mean_dose_and_who_had_any_of_it() -> None:
    check = pd.DataFrame(
        {
            "label": ["Coaching"], "year": 2020, "arm": "control", "intended": "no",
            "n_schools": 10, "n_recorded": 8, "mean": 1.26, "n_with_any": 2.0,
            "n_at_threshold": 1.0, "n_units": 10.0, "unit_kind": "school", "verdict": [None],
        }
    )  # fmt: skip
    assert contrast_shown(check, LABELS).cells.to_dict("records") == [
        {
            "Component": "Coaching", "School year": "2020", "Group": "Control schools",
            "Intended": "no", "Schools": "10", "On record": "8", "Mean dose": "1.3",
            "Schools with any": "2", "Met threshold": "1 of 10 schools",
        }
    ]  # fmt: skip


def test_each_ingredient_is_shown_with_its_share_in_the_currency_of_the_protocol() -> None:
    costs = pd.DataFrame(
        {
            "ingredient": ["coach", "books"], "quantity": [2.5, 1200.0],
            "unit_cost": [60000.0, 12.5], "unit": ["person", None], "each_year": [1, 0],
            "source": ["payroll", None],
        }
    )  # fmt: skip
    table = cost_table(costs, {**SETTINGS, "years": 1}, {"programme": 500.0})
    shown = costs_shown(table, LABELS).cells.to_dict("records")
    assert shown == [
        {
            "Ingredient": "coach", "Quantity": "2.5",
            "Unit": "person", "Unit cost": "60,000.00", "When": "each year",
            "Total USD": "150,000", "Share (%)": "90.9", "Per pupil per year": "300.00",
            "Source": "payroll",
        },
        {
            "Ingredient": "books", "Quantity": "1,200",
            "Unit": "",
            "Unit cost": "12.50", "When": "once", "Total USD": "15,000", "Share (%)": "9.1",
            "Per pupil per year": "30.00", "Source": "",
        },
        {
            "Ingredient": "all ingredients", "Quantity": "",
            "Unit": "", "Unit cost": "", "When": "", "Total USD": "165,000",
            "Share (%)": "100.0", "Per pupil per year": "330.00", "Source": "",
        },
    ]  # fmt: skip


def test_where_pupils_are_not_known_the_costs_are_told_in_all_and_by_arm() -> None:
    rows = pd.DataFrame(
        {
            "ingredient": ["coach", "all ingredients"], "arm": "programme", "currency": "GBP",
            "per_pupil_year": nan, "total": 1234567.0, "n_years": 2, "n_pupils": nan,
            "price_year": 2021.0, "usual_practice": nan, "cost_band": None,
            "pounds": nan, "note": "no pupils are known",
        }
    )  # fmt: skip
    assert costs_told(rows, LABELS, {}, "school", "control")[0] == (
        "Programme schools costs GBP 1,234,567 in all, in prices of 2021; no pupils are known."
    )
