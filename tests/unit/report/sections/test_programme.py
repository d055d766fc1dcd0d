"""The section on the programme says which effects a simulation holds."""

from __future__ import annotations

from typing import Any

import pandas as pd

from schooltrial.report.sections.programme import simulated_effects


def _drawn(**keys: Any) -> pd.DataFrame:
    row = {
        "outcome": "knowledge", "outcome_label": "Knowledge", "units_label": "SD",
        "estimand": "ITT",
        "primary": True, "subgroup": "all", "truth": 0.498,
    }  # fmt: skip
    taken = {**row, "estimand": "CACE", "primary": False, "truth": 0.66}
    later = {**row, "primary": False, "subgroup": "2024", "truth": 0.4}
    return pd.DataFrame([{**one, **keys} for one in (later, row, taken)])


def test_the_simulated_effect_is_that_of_the_offer_and_beside_it_that_of_taking_it_up() -> None:
    assert simulated_effects(_drawn(), offered=True) == (
        "Simulated effect of the offer in the primary analysis: Knowledge 0.50 SD (of taking it "
        "up: 0.66)."
    )
    assert simulated_effects(_drawn(), offered=False) == (
        "Simulated effect in the primary analysis: Knowledge 0.50 SD."
    )
    small = simulated_effects(_drawn(truth=0.075), offered=False)
    assert small.endswith("Knowledge 0.075 SD.")


def test_effects_of_a_staggered_simulation_are_said_in_their_unit() -> None:
    ela = _drawn(estimand="ATT", units_label="percentage points", truth=6.13)
    both = pd.concat([ela, ela.assign(outcome="maths", outcome_label="Maths", truth=2.15)])
    assert simulated_effects(both, offered=False) == (
        "Simulated effects in the primary analysis: Knowledge 6.1 percentage points; Maths 2.1 "
        "percentage points."
    )


def test_nothing_is_said_of_effects_that_no_simulation_knows() -> None:
    assert simulated_effects(None, offered=True) == ""
    assert simulated_effects(_drawn(truth=float("nan")), offered=True) == ""
    assert simulated_effects(_drawn().drop(columns="truth"), offered=True) == ""
