"""What a school leader reads has the direction of each effect, and what its range allows."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.text import Link, Strong, Text, spans
from schooltrial.report.findings.headlines import Finding
from schooltrial.report.pages.leader_summary import (
    certainty,
    disagreements,
    doubts,
    missed,
    offer_taken,
    others_in_words,
    plain_finding,
    shortened,
    unknown,
)

NAN = float("nan")
SCORES = Finding(
    model="itt", outcome="maths", arm="a", estimand="ITT", label="Maths", model_label="ITT",
    group="pupils in programme schools", comparison="pupils in control schools", unit="SD",
    estimate=0.1, low=-0.05, high=0.25, level=0.95, p_value=0.2, effect_size=0.1, es_low=-0.05,
    es_high=0.25, people="pupils", n_people=100, places="8 schools", units="",
    converged=True, note="",
    binary=False, in_sd=True, gained=False,
)  # fmt: skip
SHARE = replace(
    SCORES, label="Certificate", unit="percentage points", estimate=11.3, low=-2.3, high=24.9,
    binary=True, in_sd=False,
)  # fmt: skip
GAIN = replace(SHARE, gained=True, group="fellowship schools", comparison="comparison schools")


def turned(one: Finding) -> Finding:
    """Return a finding of the same size in the other direction."""
    return replace(
        one, estimate=-one.estimate, low=-one.high, high=-one.low, effect_size=-one.effect_size,
        es_low=-one.es_high, es_high=-one.es_low,
    )  # fmt: skip


def words(text: Text) -> str:
    return "".join(
        span.words if isinstance(span, Strong | Link) else str(span) for span in spans(text)
    )


def told(one: Finding, *, randomised: bool = True) -> str:
    return words(plain_finding(one, randomised=randomised))


@pytest.mark.parametrize(
    ("one", "gain", "loss"),
    [
        (SCORES, "scored higher than pupils in control schools on average: about 4 places up.",
         "scored lower than pupils in control schools on average: about 4 places down."),
        (SHARE, "the share was higher for pupils in programme schools than for pupils in control "
         "schools: about 11.3 percentage points.",
         "the share was lower for pupils in programme schools than for pupils in control "
         "schools: about 11.3 percentage points."),
        (GAIN, "fellowship schools gained ground on comparison schools: about 11.3",
         "fellowship schools lost ground to comparison schools: about 11.3"),
    ],
)  # fmt: skip
def test_a_gain_reads_as_a_gain_and_a_loss_as_a_loss(one: Finding, gain: str, loss: str) -> None:
    assert gain.casefold() in told(one).casefold()
    assert loss.casefold() in told(turned(one)).casefold()
    for word in ("higher", "gained", " up."):
        assert word not in told(turned(one)).split(" The true")[0], word


def test_the_range_says_the_direction_of_both_its_ends() -> None:
    assert "between 2 places down and 10 places up" in told(SCORES)
    assert "between 10 places down and 2 places up" in told(turned(SCORES))
    assert "between 2.3 percentage points lower and 24.9 percentage points higher" in told(SHARE)
    tiny = replace(SHARE, low=0.0003)
    assert "between almost nothing and 24.9 percentage points higher" in told(tiny)
    small = replace(SCORES, effect_size=0.005, es_low=-0.004)
    assert "less than one place up. The true" in told(small)
    assert "less than one place down and" in told(small)


@pytest.mark.parametrize("one", [SCORES, SHARE, GAIN])
def test_what_the_range_allows_is_said_and_causes_only_of_randomised_groups(one: Finding) -> None:
    clear = replace(one, low=one.estimate / 2)
    assert "cannot tell whether the programme helped, harmed" in told(one)
    assert told(clear).endswith("Chance alone would rarely make a difference this large.")
    assert "whether the groups differ at all" in told(one, randomised=False)
    assert "something other than the programme may have made it" in told(clear, randomised=False)
    for finding in (one, clear):
        assert "helped" not in told(finding, randomised=False)
        for term in ("significant", "CI", "SD", "p =", "confidence"):
            assert term not in told(finding).replace("percentage", "")


def test_results_are_counted_by_their_direction() -> None:
    clear = replace(SCORES, low=0.05)
    down, open_ = replace(turned(clear), label="English"), replace(SCORES, label="Arts")
    assert certainty([clear, down, open_], randomised=True).endswith(
        "Three main results: Maths is clearly higher; English is clearly lower; Arts is not clear "
        "in either direction."
    )
    assert "Maths and Arts are not clear in" in certainty([down, SCORES, open_], randomised=True)
    alike = certainty([clear, SCORES, SCORES], randomised=True)
    assert alike.endswith("Maths is clearly higher; 2 are not clear in either direction.")
    assert certainty([SCORES, SCORES], randomised=True).endswith("Neither main result is clear.")
    assert certainty([clear, clear, clear], randomised=True).endswith(
        "All three main results are clearly higher."
    )
    assert certainty([turned(clear)], randomised=True).endswith(
        "The one main result is clearly lower."
    )
    assert "what went along with the programme" in certainty([clear], randomised=False)


def test_a_result_that_could_not_be_computed_has_no_direction() -> None:
    lacking = replace(SCORES, estimate=NAN, low=NAN, high=NAN)
    assert told(lacking) == "Maths: no result could be computed."
    assert "main result" not in certainty([lacking], randomised=True)


def test_scores_without_an_effect_size_are_told_in_places_and_never_in_sds() -> None:
    bare: dict[str, Any] = {"effect_size": NAN, "es_low": NAN, "es_high": NAN}
    assert told(replace(SCORES, **bare)) == told(SCORES)
    assert "SD" not in told(replace(SCORES, **bare))


def test_a_long_description_is_cut_after_a_sentence() -> None:
    long = "One sentence of some length. " * 30
    assert len(shortened(long)) <= 420
    assert shortened(long).endswith("length.")
    assert shortened("Short") == "Short"
    assert shortened("word " * 200).endswith("word …")


def _evidence(*eef: str, **inputs: Any) -> Any:
    known = {
        "people": "pupils", "joined": 0.0, "changed_arm": None, "formed_since": False, **inputs
    }  # fmt: skip
    rated = [
        {"model": "itt", "outcome": "maths", "inputs": known,
         "ratings": [{"rating": "meets"}, {"rating": rating}]}
        for rating in eef
    ]  # fmt: skip
    return SimpleNamespace(records={"verdict": {"ratings": rated}}, protocol={})


def test_who_joined_and_a_low_rating_are_said_in_words() -> None:
    evidence = _evidence("at most 1 of 5", "1 of 5", joined=0.449, changed_arm=0.249)
    assert doubts([SCORES], evidence) == [
        "44.9% of the pupils whose results count came after the groups were formed and 24.9% of "
        "the pupils who stayed changed group: they may have had only a part of what their group "
        "received. "
        "By rules like those of the Education Endowment Foundation, confidence should be low in "
        "these results."
    ]
    (mixed,) = doubts([SCORES], _evidence("1 of 5", "4 of 5"))
    assert mixed.endswith("confidence should be low in the result on Maths.")
    assert doubts([SCORES], _evidence("4 of 5", joined=0.01)) == []
    assert doubts([SCORES], _evidence("not rated")) == []


def test_new_classes_of_each_year_are_no_doubt_about_a_lottery_of_teachers() -> None:
    formed = _evidence("4 of 5", joined=0.6, changed_arm=0.5, formed_since=True)
    assert doubts([SCORES], formed) == []


def test_a_comparison_of_those_first_assigned_that_disagrees_makes_a_result_disputed() -> None:
    clear = replace(SCORES, low=0.02, high=0.2)
    row = {
        "outcome": "maths", "model": "itt", "arm": "a", "approach": "complete cases",
        "estimate": 0.09, "conf_low": -0.02, "conf_high": 0.2, "n_individuals": 100,
    }  # fmt: skip

    def evidence(**keys: Any) -> Any:
        bounds = pd.DataFrame([{**row, **keys}])
        models = {"itt": {"role": "primary"}}
        return SimpleNamespace(
            estimates=pd.DataFrame(columns=["model", "outcome", "estimand", "subgroup"]),
            protocol={"models": models}, check=lambda _: bounds,
        )  # fmt: skip

    (words,) = disagreements([clear], evidence(n_individuals=90))
    assert words == (
        "among only those who were there at the start, in the group first assigned, the result is "
        "not clear."
    )
    (words,) = disagreements([clear], evidence())
    assert words == "with the same pupils in the group first assigned, the result is not clear."
    assert disagreements([clear], evidence(conf_low=0.01)) == [""]


def test_what_may_have_been_missed_follows_from_the_power_of_the_study() -> None:
    row = {
        "outcome": "maths", "model": "itt", "subgroup": "all", "stage": "analysis",
        "units_label": "SD",
        "method": "closed form", "mdes": 0.21, "target_power": 0.8, "effect": 0.075, "power": 0.17,
    }  # fmt: skip
    short = missed([SCORES], pd.DataFrame([row]))
    assert short.startswith("an effect as large as the one hoped for may have been missed")
    assert "about 8 places or more" in short
    enough = missed([SCORES], pd.DataFrame([{**row, "power": 0.9}]))
    assert enough.startswith("an effect, good or bad, may have been missed")
    assert missed([SCORES], None) == "an effect, good or bad, may have been missed"


def test_chance_is_left_open_where_other_analyses_disagree() -> None:
    clear = replace(SCORES, low=0.02, high=0.2, es_low=0.02, es_high=0.2)
    open_ = words(plain_finding(clear, randomised=True, disputed=True))
    assert open_.endswith("Not every way of analysing the data gives a clear result: see below.")
    assert "Chance alone would rarely" not in open_
    assert "Chance alone would rarely" in words(plain_finding(clear, randomised=True))


def test_a_result_with_which_other_analyses_disagree_is_not_called_clear() -> None:
    clear = replace(SCORES, low=0.02, high=0.2)
    told = certainty([clear], randomised=True, disputed=["Both include zero."])
    assert told.endswith(
        "The one main result is clear in the main analysis, but not in all others."
    )
    english = replace(clear, label="English")
    two = certainty([english, clear], randomised=True, disputed=["It includes zero.", ""])
    assert two.endswith(
        "Two main results: Maths is clearly higher; English is clear in the main analysis, but not "
        "in all others."
    )
    assert certainty([clear], randomised=True, disputed=[""]).endswith("is clearly higher.")
    open_ = certainty([SCORES], randomised=True, disputed=["It excludes zero."])
    assert open_.endswith("is not clear in either direction.")


def test_other_analyses_are_counted_without_names_of_models_or_sds() -> None:
    clear = replace(SCORES, low=0.02)
    ways = "other ways of analysing the data"
    assert others_in_words(SCORES, [False] * 4 + [True]) == (
        f"of five {ways}, one gives a clear result."
    )
    assert others_in_words(clear, [True, True, False]) == (
        f"of three {ways}, two do not give a clear result."
    )
    assert others_in_words(clear, [True, True]) == f"neither of two {ways} gives a clear result."
    assert others_in_words(SCORES, [True]).endswith("the data gives a clear result.")


def _offered(variable: str, taken: list[float]) -> Any:
    units = pd.DataFrame({"arm": ["control", *["offer"] * len(taken)], "taken_up": [1.0, *taken]})
    protocol = {"take_up": {"variable": variable}, "design": {"randomised": True}}
    return SimpleNamespace(
        protocol=protocol, arms={"control": "", "offer": ""}, study={"synthetic": False},
        records={"verdict": {"ratings": []}},
        check=lambda name: units if name == "assignment_units" else None,
    )  # fmt: skip


def test_where_an_offer_was_assigned_it_is_said_who_did_not_take_it_up() -> None:
    offered = _offered("certified", [1.0, 0.0, 0.0, NAN])
    said = certainty([SCORES], randomised=True, offer=offer_taken(offered))
    assert said.startswith(
        "Who was offered a place was decided at random, so the groups were alike at the start but "
        "for chance. 2 of the 3 did not take it up."
    )
    assert "are the effect of an offer" in " ".join(unknown([SCORES], offered))
    plain = _offered("", [1.0, 0.0])
    assert offer_taken(plain) == ""
    assert "offer" not in " ".join(unknown([SCORES], plain))


def test_a_low_rating_says_why_it_is_low() -> None:
    criteria = [
        {"name": "MDES at randomisation", "finding": "0.14 SD", "result": "5 of 5",
         "lowers": False},
        {"name": "baseline imbalance", "finding": "a", "result": "lowered by 2", "lowers": True},
        {"name": "threats", "finding": "6.5% of pupils (b) joined", "result": "lowered by 1",
         "lowers": True},
    ]  # fmt: skip
    evidence = _evidence("at most 2 of 5")
    evidence.records["verdict"]["ratings"][0]["ratings"][1]["criteria"] = criteria
    (said,) = doubts([SCORES], evidence)
    assert said.endswith(
        "confidence should be moderate to low in this result, because of the difference between "
        "the groups at the start and what happened to the groups (6.5% of pupils joined)."
    )


def test_what_was_not_recorded_is_among_what_the_study_cannot_tell() -> None:
    plain = _offered("", [1.0])
    plain.records["verdict"]["ratings"] = [
        {"inputs": {"people": "pupils", "joined": None, "formed_since": False}}
    ]
    told = unknown([replace(SCORES, low=0.05)], plain)
    assert [one.split(":")[0] for one in told] == [
        "What it does for pupils who had the whole programme",
        "Whether the programme was delivered as planned",
        "Whether it is worth its cost.",
        "What it would do in schools unlike those in the study.",
    ]


def test_a_gap_before_the_programme_is_said_after_how_the_groups_came_about() -> None:
    said = certainty([SCORES], randomised=True, gaps=["Before the programme, they were unlike."])
    assert "but for chance. Before the programme, they were unlike. The one main" in said
