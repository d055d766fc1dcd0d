"""The table of comparison schools: balance before and after, and what the weights are worth."""

from __future__ import annotations

from typing import Any

from schooltrial.report.tables.comparison_schools import weighted_schools_shown

TOLD: dict[str, Any] = {
    "cohort": 2016, "compared_with": ["never treated"], "schools": 17, "comparison_schools": 521,
    "weighted_schools": 521, "effective_number": 244.54, "largest_weight": 0.0106,
    "largest_weight_of": "121695",
    "balance": [
        {"variable": "trend", "cohort_mean": -1.92, "mean_before": -1.55, "mean_after": -1.92,
         "difference_before": -0.19, "difference_after": 0.0},
        {"variable": "region=West", "cohort_mean": 0.8, "mean_before": 0.3, "mean_after": 0.8,
         "difference_before": 1.01, "difference_after": None},
    ],
}  # fmt: skip


def test_each_characteristic_has_a_row_in_words_and_the_schools_stand_once() -> None:
    fits: dict[str, Any] = {
        "alike": {"ela": {"comparison_schools": [TOLD]}},
        "plain": {"ela": {"cells": 3}},
    }
    table = weighted_schools_shown(fits, {"ela": "English", "region": "Region"})
    assert table is not None
    page = table.__html__()
    for words in ("trend before, per year", "Region: West", "2016, against never treated", "1.01"):
        assert words in page
    assert page.count("worth 245 of equal weight, the heaviest 1.1% (121695)") == 1
    assert "English" in page


def test_without_weights_there_is_no_table() -> None:
    assert weighted_schools_shown({"plain": {"ela": {"Cells": 3}}}, {}) is None
