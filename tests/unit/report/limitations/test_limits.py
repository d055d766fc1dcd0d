"""What a study does not show."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.report.limitations.limits import (
    MOST,
    SIMULATED,
    Grounds,
    first_limits,
    moves_sentence,
)


def _protocol(unit: str = "school", kind: str = "blocked", randomised: bool = True) -> Any:
    return {"design": {"unit": unit, "kind": kind, "randomised": randomised}}


def _rated(outcome: str = "maths", people: str = "pupils", **inputs: Any) -> dict[str, Any]:
    known = {
        "people": people, "compromised": False, "doubted": False, "joined": 0.0,
        "changed_arm": 0.0, "crossovers": None, "crossed": "", "attrition": [],
        "formed_since": False, **inputs,
    }  # fmt: skip
    return {
        "outcome": outcome,
        "label": outcome.capitalize(),
        "model": "itt",
        "year": 2020,
        "inputs": known,
    }


def _verdict(*rated: dict[str, Any], synthetic: bool = False) -> dict[str, Any]:
    return {"synthetic": synthetic, "ratings": list(rated)}


def _power(**changed: Any) -> pd.DataFrame:
    row = {
        "outcome": "maths", "model": "itt", "subgroup": "all", "stage": "analysis",
        "units_label": "SD",
        "method": "closed form", "mdes": 0.192, "target_power": 0.8, "effect": 0.075,
        "power": 0.194,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changed}])


LOST = {"level": "pupils", "overall": 0.31, "differential": -0.082, "verdict": "high"}


def _limits(*stored: Any, **named: Any) -> list[str]:
    return first_limits(Grounds(*stored, **named))


def test_a_school_trial_says_its_power_then_who_joined_and_that_its_data_are_simulated() -> None:
    rated = _rated(joined=0.4487, changed_arm=0.2487)
    assert _limits(_protocol(), _verdict(rated, synthetic=True), _power()) == [
        "The study was too small for the effect expected, 0.075 SD: its chance of detecting it "
        "was 19%. It could reliably (80% power) detect only effects of 0.19 SD.",
        "44.9% of analysed pupils joined after randomisation and 24.9% of pupils who stayed were "
        "in another group by then.",
        SIMULATED,
    ]


def test_a_lottery_of_teachers_speaks_of_teachers() -> None:
    crossed = "of the teachers in the intervention group did not take the programme up"
    rated = _rated("knowledge", people="teachers", crossovers=0.1935, crossed=crossed)
    told = _limits(_protocol("teacher"), _verdict(rated))
    assert told == [f"19.4% {crossed}."]


def test_who_is_new_on_rosters_drawn_up_since_the_randomisation_is_told_from_where_they_were() -> (
    None
):
    verdict = _verdict(_rated(joined=None))
    mobility = pd.DataFrame({
        "year": [2020, 2020, 2019], "n_pupils": [30, 70, 900], "where_at_baseline": [
            "no school in the study", "a class outside the randomisation", "the same school",
        ],
    })  # fmt: skip
    assert _limits(_protocol("teacher"), verdict, mobility=mobility) == [
        "The pupils are those on the rosters of 2020, drawn up after randomisation: 30.0% of them "
        "were in no school of the study at baseline."
    ]
    unknown = mobility.assign(where_at_baseline="not known: no baseline year")
    for known in (None, unknown):
        assert _limits(_protocol("teacher"), verdict, mobility=known) == [
            "Pupils who joined after randomisation cannot be identified."
        ]


def test_a_staggered_study_says_first_that_it_was_not_randomised_and_when_it_breaks_down() -> None:
    trends = pd.DataFrame({
        "model": "itt", "outcome": "maths", "check": ["breakdown", "breakdown"],
        "term": ["relative magnitudes", "smoothness"], "estimate": [0.401, 1.144],
    })  # fmt: skip
    protocol = _protocol(kind="staggered", randomised=False)
    told = _limits(protocol, _verdict(_rated(), synthetic=True), _power(), trends)
    assert told[0].startswith("Schools were not randomised")
    assert "parallel" in told[0]
    assert told[1] == (
        "For Maths, a departure from parallel trends 0.4 times as large as the largest seen from "
        "one year to the next before the start makes the result unclear."
    )
    assert told[-1] == SIMULATED


def test_a_comparison_that_is_neither_randomised_nor_staggered_does_not_speak_of_trends() -> None:
    told = _limits(_protocol(randomised=False), _verdict(_rated()))
    assert told[0].startswith("Schools were not randomised")
    assert "trends" not in " ".join(told)


def test_without_a_table_of_power_nothing_is_said_of_it() -> None:
    verdict = _verdict(_rated())
    assert _limits(_protocol(), verdict) == []
    assert _limits(_protocol(), verdict, _power(mdes=float("nan"))) == []


def test_without_an_expected_effect_power_is_not_told() -> None:
    told = _limits(_protocol(), _verdict(_rated()), _power(effect=None, power=None))
    assert told == ["Smaller effects: with 80% power the study could detect 0.19 SD or more."]


def test_almost_any_departure_from_parallel_trends_is_said_in_words() -> None:
    trends = pd.DataFrame({
        "model": "itt", "outcome": ["maths", "reading", "art"], "check": "breakdown",
        "term": "relative magnitudes", "estimate": [0.401, 0.012, 0.0],
    })  # fmt: skip
    protocol = _protocol(kind="staggered", randomised=False)
    rated = [_rated(), {**_rated("reading"), "label": "Reading"}, {**_rated("art"), "label": "Art"}]
    assert _limits(protocol, _verdict(*rated), trends=trends)[1] == (
        "For Art, the result is unclear even if trends are parallel; for Reading, almost any "
        "departure from parallel trends makes the result unclear; for Maths, one 0.4 times as "
        "large as the largest seen from one year to the next before the start."
    )


def test_several_outcomes_are_told_each_with_its_own_effect() -> None:
    power = pd.concat([_power(), _power(outcome="reading", mdes=0.25, power=0.12)])
    told = _limits(_protocol(), _verdict(_rated(), _rated("reading")), power)
    assert told[0] == (
        "The study was too small for the effect expected, 0.075 SD: its chance of detecting it "
        "was 12 to 19%. It could reliably (80% power) detect only effects of 0.19 SD (Maths) "
        "and 0.25 SD (Reading)."
    )


def test_high_attrition_is_told_with_the_difference_between_the_groups() -> None:
    told = _limits(_protocol(), _verdict(_rated(attrition=[LOST])))
    assert len(told) == 1
    assert told[0].startswith(
        "31.0% of the pupils who were there at randomisation and could still be measured were not "
        "analysed: they left or have no outcome."
    )
    assert "8.2 percentage points between the groups; attrition is high" in told[0]
    assert "was lost" not in told[0]


def test_it_is_said_that_no_school_was_lost_only_where_none_was() -> None:
    stayed = {**LOST, "level": "pupils in schools that stay"}
    for lost, said in ((0.0, True), (0.1, False)):
        schools = {"level": "schools", "overall": lost, "differential": 0.0, "verdict": "low"}
        (told,) = _limits(_protocol(), _verdict(_rated(attrition=[stayed, schools])))
        assert ("No school was lost." in told) is said
        assert ("in schools that stay" in told) is not said


def test_a_study_is_too_small_only_where_its_power_is_below_the_one_wanted() -> None:
    (told,) = _limits(_protocol(), _verdict(_rated()), _power(effect=0.25, power=0.95))
    assert told == (
        "Smaller effects: with 80% power the study could detect 0.19 SD or more; at the expected "
        "effect, 0.25 SD, its power was 95%."
    )
    power = pd.concat([_power(), _power(outcome="reading", effect=0.25, power=0.95)])
    told = _limits(_protocol(), _verdict(_rated(), _rated("reading")), power)[0]
    assert told.startswith("The study was too small for the effect expected on Maths, 0.075 SD")


def _moves(promoted: float, other: float) -> pd.DataFrame:
    shares = {"changed group": 0.25, "promoted": promoted, "changed school": other}
    return pd.DataFrame({
        "kind": list(shares), "overall": list(shares.values()), "level": "pupils",
        "arm": "programme", "year": 2020,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("promoted", "other", "why"),
    [
        (0.47, 0.02, "most finished the last grade of their school"),
        (0.02, 0.47, "most changed school before its last grade"),
        (0.47, 0.47, ""),
    ],
)
def test_why_pupils_changed_group_is_said_where_the_counts_prove_it(
    promoted: float, other: float, why: str
) -> None:
    moves = _moves(promoted, other)
    told = moves_sentence(moves, [2020])
    assert told.startswith("25.0% of the pupils")
    assert why in told
    assert ("most" in told) is bool(why)
    (limit,) = _limits(_protocol(), _verdict(_rated(changed_arm=0.25)), attrition=moves)
    assert why in limit
    assert moves_sentence(moves.assign(overall=0.01), [2020]) == ""
    assert moves_sentence(moves, [2021]) == ""


def test_an_allocation_in_doubt_comes_first() -> None:
    told = _limits(_protocol(), _verdict(_rated(doubted=True)), _power())
    assert told[0].startswith("The recorded allocation is in doubt")


def test_joiners_that_cannot_be_told_are_named_only_where_chance_assigned() -> None:
    said = "Pupils who joined after randomisation cannot be identified."
    assert said in _limits(_protocol(), _verdict(_rated(joined=None)))
    other = _limits(_protocol(randomised=False), _verdict(_rated(joined=None)))
    assert said not in other


def test_at_most_four_are_told_and_simulation_is_never_left_out() -> None:
    everything: dict[str, Any] = {
        "joined": 0.3,
        "crossovers": 0.2,
        "crossed": "of the schools in the control group took the programme up",
        "attrition": [LOST],
        "doubted": True,
    }
    rated = [_rated(**everything), _rated("reading", **everything)]
    told = _limits(_protocol(), _verdict(*rated, synthetic=True), _power())
    assert len(told) == MOST
    assert told[-1] == SIMULATED


def test_that_those_who_left_differed_is_said_of_primary_outcomes_with_a_small_p_value() -> None:
    tests = pd.DataFrame(
        [["maths", "itt", 0.023], ["ela", "itt", 0.2], ["maths", "did", 0.001]],
        columns=["outcome", "model", "p_value"],
    ).assign(term="all interactions = 0")
    verdict = _verdict(_rated(), _rated("ela"))
    (told,) = _limits(_protocol(), verdict, who_left=tests)
    assert told == (
        "The groups may have lost different individuals, so that those analysed may differ too: "
        "joint tests of what was known of them at baseline (those without Maths: p = 0.023)."
    )
    assert _limits(_protocol(), verdict, who_left=tests.assign(p_value=0.2)) == []
    assert _limits(_protocol(), verdict, who_left=tests.assign(term="treated:male")) == []


def test_who_has_no_earlier_row_in_a_file_that_is_both_roster_and_scores_is_counted_as_joined() -> (
    None
):
    reading = {"file": "results.csv"}
    protocol = {
        **_protocol(), "years": {"baseline": [2023], "programme": [2024]},
        "tables": {"pupils": [reading], "scores": [reading]},
    }  # fmt: skip
    assert _limits(protocol, _verdict(_rated(joined=0.065))) == [
        "6.5% of analysed pupils have no record of 2023 in the file of scores and are counted as "
        "joiners."
    ]
    protocol["tables"] = {"pupils": [reading], "scores": [{"file": "other.csv"}]}
    assert _limits(protocol, _verdict(_rated(joined=0.065))) == [
        "6.5% of analysed pupils joined after randomisation."
    ]
