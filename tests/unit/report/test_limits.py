"""What a study does not show."""

from __future__ import annotations

from typing import Any

import pandas as pd

from schooltrial.report.limits import MOST, SIMULATED, describe_limits


def _protocol(unit: str = "school", kind: str = "blocked", randomised: bool = True) -> Any:
    return {"design": {"unit": unit, "kind": kind, "randomised": randomised}}


def _rated(outcome: str = "maths", people: str = "pupils", **inputs: Any) -> dict[str, Any]:
    known = {
        "people": people, "compromised": False, "doubted": False, "joined": 0.0,
        "changed_arm": 0.0, "crossovers": None, "attrition": [], **inputs,
    }  # fmt: skip
    return {"outcome": outcome, "label": outcome.capitalize(), "model": "itt", "inputs": known}


def _verdict(*rated: dict[str, Any], synthetic: bool = False) -> dict[str, Any]:
    return {"synthetic": synthetic, "ratings": list(rated)}


def _power(**changed: Any) -> pd.DataFrame:
    row = {
        "outcome": "maths", "model": "itt", "subgroup": "all", "stage": "analysis", "scale": "SD",
        "method": "closed form", "mdes": 0.192, "power_wanted": 0.8, "effect": 0.075,
        "power": 0.194,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changed}])


LOST = {"level": "pupils", "overall": 0.31, "differential": -0.082, "verdict": "high"}


def test_a_school_trial_says_its_power_then_who_joined_and_that_its_data_are_simulated() -> None:
    rated = _rated(joined=0.4487, changed_arm=0.2487)
    assert describe_limits(_protocol(), _verdict(rated, synthetic=True), _power()) == [
        "The study could detect effects of 0.19 SD with 80% power; at the expected effect of "
        "0.075 SD its power was 19%.",
        "44.9% of analysed pupils joined after randomisation and 24.9% of retained pupils were "
        "analysed in the other group.",
        SIMULATED,
    ]


def test_a_lottery_of_teachers_speaks_of_teachers() -> None:
    rated = _rated(outcome="knowledge", people="teachers", crossovers=0.1935)
    told = describe_limits(_protocol("teacher"), _verdict(rated))
    assert len(told) == 1
    assert "19.4% of teachers did not receive what they were assigned" in told[0]
    assert not any("school" in one or "pupil" in one for one in told)


def test_a_staggered_study_says_first_that_it_was_not_randomised_and_when_it_breaks_down() -> None:
    trends = pd.DataFrame({
        "model": "itt", "outcome": "maths", "check": ["breakdown", "breakdown"],
        "term": ["relative magnitudes", "smoothness"], "estimate": [0.401, 1.144],
    })  # fmt: skip
    protocol = _protocol(kind="staggered", randomised=False)
    told = describe_limits(protocol, _verdict(_rated(), synthetic=True), _power(), trends)
    assert told[0].startswith("Schools were not randomised")
    assert "parallel" in told[0]
    assert "0.40 times (Maths)" in told[1]
    assert told[-1] == SIMULATED


def test_a_comparison_that_is_neither_randomised_nor_staggered_does_not_speak_of_trends() -> None:
    told = describe_limits(_protocol(randomised=False), _verdict(_rated()))
    assert told[0].startswith("Schools were not randomised")
    assert "trends" not in " ".join(told)


def test_without_a_table_of_power_nothing_is_said_of_it() -> None:
    verdict = _verdict(_rated())
    assert describe_limits(_protocol(), verdict) == []
    assert describe_limits(_protocol(), verdict, _power(mdes=float("nan"))) == []


def test_without_an_expected_effect_power_is_not_told() -> None:
    told = describe_limits(_protocol(), _verdict(_rated()), _power(effect=None, power=None))
    assert told == ["The study could detect effects of 0.19 SD with 80% power."]


def test_several_outcomes_are_told_as_a_range_and_their_number_is_named() -> None:
    power = pd.concat([_power(), _power(outcome="reading", mdes=0.25, power=0.12)])
    told = describe_limits(_protocol(), _verdict(_rated(), _rated("reading")), power)
    assert told[0] == (
        "The study could detect effects of 0.19 to 0.25 SD with 80% power; at the expected effect "
        "of 0.075 SD on Reading its power was 12%."
    )
    assert told[1].startswith("There are 2 primary outcomes")


def test_high_attrition_is_told_with_the_difference_between_the_groups() -> None:
    told = describe_limits(_protocol(), _verdict(_rated(attrition=[LOST])))
    assert len(told) == 1
    assert "31.0% of pupils had no outcome" in told[0]
    assert "8.2 percentage points: attrition is high" in told[0]


def test_an_allocation_in_doubt_comes_first() -> None:
    told = describe_limits(_protocol(), _verdict(_rated(doubted=True)), _power())
    assert told[0].startswith("The recorded allocation is in doubt")


def test_joiners_that_cannot_be_told_are_named_only_where_chance_assigned() -> None:
    said = "Pupils who joined after randomisation cannot be identified."
    assert said in describe_limits(_protocol(), _verdict(_rated(joined=None)))
    other = describe_limits(_protocol(randomised=False), _verdict(_rated(joined=None)))
    assert said not in other


def test_at_most_four_are_told_and_simulation_is_never_left_out() -> None:
    everything: dict[str, Any] = {
        "joined": 0.3,
        "crossovers": 0.2,
        "attrition": [LOST],
        "doubted": True,
    }
    rated = [_rated(**everything), _rated("reading", **everything)]
    told = describe_limits(_protocol(), _verdict(*rated, synthetic=True), _power())
    assert len(told) == MOST
    assert told[-1] == SIMULATED
