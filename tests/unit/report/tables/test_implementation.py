"""Claims about how implementation and costs are told."""

from __future__ import annotations

from typing import Any

import pandas as pd

from schooltrial.checks.implementation.contrast import contrast_arms
from schooltrial.checks.implementation.costs import cost_table
from schooltrial.checks.implementation.fidelity import measure_fidelity
from schooltrial.report.tables.implementation import implementation_shown

LABELS = {"control": "Control schools", "programme": "Programme schools"}
ARMS = {"A": "programme", "B": "control"}
LOG = pd.DataFrame({
    "school": ["A"], "component": ["coaching"], "period": ["2019-09"], "value": [12.0],
})  # fmt: skip
PART: dict[str, Any] = {
    "label": "Coaching", "indicator": "hours", "source": "log", "unit": "school", "total": "sum",
    "unit_threshold": 10.0, "sample_threshold": 0.8, "contrast": True, "arms": [],
}  # fmt: skip
SETTINGS = {"currency": "USD", "price_year": 2020, "years": 2, "pupils": None, "pounds_per_unit": 1}
COSTS = pd.DataFrame({"ingredient": ["coaching"], "quantity": [4.0], "unit_cost": [5000.0]})


def _tables() -> dict[str, pd.DataFrame]:
    parts = {"coaching": PART}
    return {
        "fidelity": measure_fidelity(LOG, parts, ARMS, "control", 7),
        "contrast": contrast_arms(LOG, parts, ARMS, "control", 7),
        "costs": cost_table(COSTS, SETTINGS, {"programme": 100.0}),
    }


def test_what_is_not_recorded_is_not_shown_as_zero() -> None:
    shown = implementation_shown(_tables(), LABELS)["contrast"].set_index("arm")
    row = shown.loc["Control schools"]
    assert row["verdict"] == "not recorded"
    assert set(row[["mean dose", "schools with any", "at the threshold"]]) == {""}
    assert shown.loc["Programme schools", "mean dose"] == "12.0"


def test_fidelity_names_the_arms_and_the_count() -> None:
    row = implementation_shown(_tables(), LABELS)["fidelity"].iloc[0]
    assert (row["arms"], row["reached it"], row["met"]) == (
        "Programme schools", "1 of 1 (100.0%)", "yes",
    )  # fmt: skip


def test_the_costs_are_told_with_what_they_rest_on_and_their_band() -> None:
    (told,) = implementation_shown(_tables(), LABELS)["costs_told"]
    assert told == (
        "The programme costs USD 100.00 per pupil and year, averaged over 2 years and 100 pupils a "
        "year, in prices of 2020; a low cost by the bands of the Education Endowment Foundation "
        "(£100.00)."
    )


def test_a_study_without_these_tables_has_none_of_them() -> None:
    shown = implementation_shown({}, LABELS)
    assert shown == {"fidelity": None, "contrast": None, "costs": None, "costs_told": []}


def test_half_of_an_ingredient_is_not_shown_as_none_and_what_keeps_the_band_away_is_told() -> None:
    half = pd.DataFrame({"ingredient": ["coach"], "quantity": [2.5], "unit_cost": [60000.0]})
    settings = {**SETTINGS, "years": 1, "pounds_per_unit": None, "price_year": None}
    shown = implementation_shown(
        {"costs": cost_table(half, settings, {"programme": 500.0})}, LABELS
    )
    assert shown["costs"]["quantity"].tolist() == ["2.5", ""]
    assert shown["costs_told"] == [
        "The programme costs USD 300.00 per pupil and year, averaged over a year and 500 pupils a "
        "year; no band: the costs are not in pounds, and no rate is given."
    ]
