"""Claims about what the programme costs."""

from __future__ import annotations

from math import isnan, nan
from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.implementation.costs import cost_band, cost_table, pupils_reached

SETTINGS: dict[str, Any] = {
    "currency": "GBP", "price_year": 2024, "years": 3, "pupils": None, "gbp_rate": None,
    "usual_practice": None,
}  # fmt: skip
COSTS = pd.DataFrame({
    "ingredient": ["coaching", "start-up"], "quantity": [10.0, 1.0], "unit_cost": [300.0, 1000.0],
    "each_year": [1, 0],
})  # fmt: skip


def _total(costs: pd.DataFrame = COSTS, reached: float = 50.0, **keys: Any) -> pd.Series:
    return cost_table(costs, {**SETTINGS, **keys}, {"programme": reached}).iloc[-1]


def test_what_is_needed_each_year_counts_in_each_and_the_rest_once() -> None:
    found = cost_table(COSTS, SETTINGS, {"programme": 50.0})
    assert found["total"].tolist() == [9000.0, 1000.0, 10000.0]
    assert found["per_pupil_year"].tolist() == pytest.approx([60.0, 1000 / 150, 10000 / 150])
    assert found["share"].tolist() == [0.9, 0.1, 1.0]


def test_a_longer_average_spreads_what_is_paid_once_and_not_the_rest() -> None:
    assert _total(years=1)["per_pupil_year"] == pytest.approx(4000 / 50)
    assert _total(years=2)["per_pupil_year"] == pytest.approx(7000 / 100)


@pytest.mark.parametrize(
    ("pounds", "band"),
    [
        (0.0, "very low"), (79.99, "very low"), (80.0, "low"), (200.0, "low"),
        (200.01, "moderate"), (720.0, "moderate"), (1200.0, "high"), (1200.5, "very high"),
        (nan, ""),
    ],
)  # fmt: skip
def test_the_bands_are_those_of_the_standard(pounds: float, band: str) -> None:
    assert cost_band(pounds) == band


def test_another_currency_has_a_band_only_where_a_rate_is_given() -> None:
    without = _total(currency="USD")
    assert without["cost_band"] == ""
    assert "no rate is given" in without["note"]
    assert _total(currency="USD", gbp_rate=2.0)["pounds"] == pytest.approx(2 * 10000 / 150)
    assert _total(currency="USD", gbp_rate=2.0)["cost_band"] == "low"


def test_an_ingredient_without_a_price_is_named_and_not_counted_as_nothing() -> None:
    found = _total(COSTS.assign(unit_cost=[300.0, nan]))
    assert found["total"] == 9000.0
    assert found["note"] == "not counted, as quantity or unit cost is missing: start-up"


def test_costs_by_arm_are_divided_by_the_pupils_of_that_arm() -> None:
    by_arm = COSTS.assign(arm=["coached", "both"])
    found = cost_table(by_arm, SETTINGS, {"coached": 100.0, "both": 10.0})
    told = found[found["ingredient"] == "all ingredients"].set_index("arm")["per_pupil_year"]
    assert told.to_dict() == pytest.approx({"both": 1000 / 30, "coached": 9000 / 300})


def test_pupils_that_the_protocol_declares_stand_for_those_of_the_rosters() -> None:
    assert _total(reached=nan)["note"].startswith("no pupils")
    assert _total(reached=nan, pupils=100)["per_pupil_year"] == pytest.approx(10000 / 300)


def test_pupils_reached_are_a_mean_over_the_years_of_the_programme() -> None:
    sample = pd.DataFrame({
        "arm": ["programme"] * 6 + ["control"] * 3,
        "year": [2018, 2019, 2019, 2020, 2020, 2020, 2019, 2019, 2019],
    })  # fmt: skip
    assert pupils_reached(sample, ["control", "programme"], [2019, 2020]) == {"programme": 2.5}


def test_usual_practice_is_subtracted_from_the_whole_alone_and_only_where_it_is_stated() -> None:
    found = cost_table(COSTS, {**SETTINGS, "usual_practice": 6.0}, {"programme": 50.0})
    assert found["net_per_pupil_year"].isna().tolist() == [True, True, False]
    assert found["net_per_pupil_year"].iloc[-1] == pytest.approx(10000 / 150 - 6)
    assert isnan(_total()["net_per_pupil_year"])
