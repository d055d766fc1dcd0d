"""The section on the programme says which effects a simulation holds."""

from __future__ import annotations

import copy
from typing import Any

from schooltrial.report.sections.programme import simulated_effects
from support.small_trial import SmallTrial


def test_effects_of_a_simulation_are_said_for_the_years_analysed_only(
    finished: SmallTrial,
) -> None:
    content: Any = copy.deepcopy(dict(finished.read().content))
    name, outcome = next(iter(content["outcomes"].items()))
    content.pop("simulation", None)
    assert simulated_effects(content, [2020]) == ""
    effects = {"value": {name: {"2019": 0.05, "2020": 0.075}}}
    content["simulation"] = {"parameters": {"effects": effects}}
    assert simulated_effects(content, [2020]).endswith(f": {outcome['label']} 0.075.")
    assert simulated_effects(content, [2031]) == ""
