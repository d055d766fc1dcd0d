"""A text that a filter asks for and no row has is refused, with the one that was meant."""

from __future__ import annotations

from typing import Any

import pytest

from schooltrial.refusal import Refusal
from support.sections import section
from support.standard_study import build, model, outcome, roster, scores

PUPILS = roster(
    [(name, year, school, town) for year in (2019, 2020) for name, school, town in
     (("a", "S1", "Bath"), ("b", "S2", "Wells"), ("c", "S3", "Bath"), ("d", "S4", "Wells"))],
    "town",
)  # fmt: skip
TABLES = {"pupils": PUPILS, "scores": scores([("a", 2020, 1.0), ("b", 2020, 2.0)])}
ASKED: dict[str, dict[str, Any]] = {
    "sample.keep": {"keep": {"town": ["Bath", "Wels"]}},
    "models.itt.where": {
        "models": {"itt": model(outcomes=["maths"], where={"none_of": [{"town": ["Wels"]}]})}
    },
    "outcomes.maths.population": {
        "outcomes": {"maths": outcome(population={"town": {"not_in": ["Wels"]}})}
    },
    "variables.other.where": {
        "variables": section("variables", other={"where": {"town": ["Wels"]}})
    },
    "variables.other.equals": {
        "variables": section("variables", other={"from": "town", "equals": "Wels"})
    },
}


@pytest.mark.parametrize("place", ASKED)
def test_a_text_that_no_row_has_is_refused_wherever_it_is_asked_for(place: str) -> None:
    with pytest.raises(Refusal) as refused:
        build(TABLES, **ASKED[place])
    (fault,) = refused.value.faults
    assert (fault.column, fault.remedy) == (place, "did you mean 'Wells'?")
    assert "'Wels', but no row has this value" in fault.found


def test_texts_that_some_row_has_are_kept_and_codes_that_are_declared_may_be_of_nobody() -> None:
    made = build(TABLES, keep={"town": ["Bath"], "school": ["S1", "S6"], "region": ["north"]})
    assert set(made.pupils["pupil"]) == {"a"}
