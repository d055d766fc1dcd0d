"""Each limitation of a study is told where its numbers have it, and not elsewhere."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest

from schooltrial.report.evidence import Evidence
from schooltrial.report.limitations.limitations import LIMITATIONS, limitations_told
from unit.report.methods.test_check_methods import evidence_of

INPUTS: dict[str, Any] = {
    "people": "pupils", "compromised": False, "doubted": False, "joined": 0.0, "changed_arm": 0.0,
    "crossovers": None, "crossed": "", "attrition": [], "formed_since": False, "baseline": [],
    "satisfied": 0.05,
}  # fmt: skip
OWN = {"own": True, "level": "pupil", "label": "Maths before", "known": 90, "missing": 10,
       "size": 0.02, "adjusted": True, "arm": ""}  # fmt: skip
ESTIMATES = pd.DataFrame({
    name: pd.Series(dtype="object")
    for name in ("model", "outcome", "estimand", "term", "subgroup", "std_error")
})  # fmt: skip


def _evidence(
    checks: dict[str, pd.DataFrame] | None = None,
    inputs: dict[str, Any] | None = None,
    *,
    synthetic: bool = False,
    changed: bool = False,
    units: int = 20,
    **sections: Any,
) -> Evidence:
    """Return a study with no limitation but those that every study has, and what is asked for."""
    blocks = pd.DataFrame({"n_control": [units], "n_programme": [units]})
    costs = pd.DataFrame({"ingredient": ["coach"]})
    told = evidence_of("chicago_collaborative", {
        "assignment": blocks, "costs": costs, **(checks or {}),
    }, ESTIMATES)  # fmt: skip
    rated = {"outcome": "maths", "label": "Maths", "model": "itt_multilevel", "year": 2020,
             "inputs": {**INPUTS, **(inputs or {})}}  # fmt: skip
    protocol: Any = {
        **told.protocol,
        "registration": {"registry": "ISRCTN", "identifier": "1", "url": "", "date": ""},
        "blinding": {"until": "2030-01-01"},
        **sections,
    }
    study: Any = {"title": "", "protocol": "", "synthetic": synthetic}
    plan = {"first": {"models": "a"}, "now": {"models": "b" if changed else "a"}}
    return dataclasses.replace(
        told, protocol=protocol, study=study,
        records={"verdict": {"ratings": [rated], "synthetic": synthetic}, "plan": plan},
    )  # fmt: skip


ALWAYS = ["How reliably Maths", "How the 40 schools"]


def test_a_sound_study_has_only_the_limitations_that_no_protocol_can_answer() -> None:
    told = limitations_told(_evidence())
    assert [words[: len(one)] for words, one in zip(told, ALWAYS, strict=True)] == ALWAYS


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"inputs": {"baseline": [{**OWN, "size": -0.2}]}},
         "Before the programme, pupils in programme schools scored 0.20 SD lower in Maths before "
         "than pupils in control schools (up to 0.05 SD counts as alike). The primary analysis "
         "takes account of this difference."),
        ({"inputs": {"baseline": [{**OWN, "size": 0.2, "adjusted": False}]}},
         "Before the programme, pupils in programme schools scored 0.20 SD higher in Maths before "
         "than pupils in control schools (up to 0.05 SD counts as alike). The primary analysis "
         "takes no account of this difference."),
        ({"inputs": {"baseline": [{**OWN, "known": 20, "missing": 80}]}},
         "Of those analysed only 20.0% (Maths) have a baseline measure of the outcome of their"),
        ({"inputs": {"joined": 0.4}}, "40.0% of analysed pupils joined after randomisation."),
        ({"units": 6}, "Few units were assigned (6 schools in Control schools and 6 schools in"),
        ({"registration": {"registry": "", "identifier": "", "url": "", "date": ""}},
         "No registration of the plan is stated"),
        ({"blinding": {"until": ""}}, "No embargo of outcomes is stated"),
        ({"changed": True},
         "The plan was changed after outcomes were first read (sections: models)."),
        ({"deviations": [{"date": "2020", "what": "a", "why": "b"}]},
         "There is 1 deviation from the plan"),
        ({"synthetic": True}, "The data are simulated"),
        ({"checks": {"costs": pd.DataFrame()}}, "No costs are given"),
        ({"checks": {"contrast": pd.DataFrame({
            "arm": ["control", "programme"], "verdict": ["not recorded", ""],
            "label": ["Coaching", "Coaching"],
        })}}, "What the control group received was not recorded (Coaching)"),
        ({"checks": {"assignment_tests": pd.DataFrame({
            "check": ["randomisation reproduced"], "verdict": ["not tested"],
        })}}, "The allocation could not be drawn again"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_limitation_is_told_where_the_study_has_it(keys: Any, said: str) -> None:
    (more,) = [
        words for words in limitations_told(_evidence(**keys))
        if not words.startswith(("How reliably", "How the"))
    ]  # fmt: skip
    assert more.startswith(said)


def test_a_reliability_that_is_stated_says_how_much_smaller_an_effect_in_sds_is() -> None:
    outcomes = _evidence().protocol["outcomes"]
    stated: Any = {
        name: {**one, "reliability": 0.81} if one["primary"] else one
        for name, one in outcomes.items()
    }
    told = limitations_told(_evidence(outcomes=stated))
    assert [words for words in told if words.startswith("The reliability of Maths is 0.81")] == [
        "The reliability of Maths is 0.81: an effect in SDs is 90.0% of what it would be on a "
        "measure without error."
    ]
    assert not [words for words in told if words.startswith("How reliably")]


def test_where_recruitment_is_stated_it_is_not_said_to_be_unknown() -> None:
    study: Any = {**_evidence().protocol["study"], "recruitment": "All schools were invited."}
    told = limitations_told(_evidence(study=study))
    assert "The results are of the 40 schools of the study, and need not hold for others." in told
    assert not [words for words in told if words.startswith("How the")]


def test_groups_that_are_alike_and_measured_are_no_limitation() -> None:
    assert len(limitations_told(_evidence(inputs={"baseline": [OWN]}))) == len(ALWAYS)


def test_each_rule_is_of_a_kind_of_its_own() -> None:
    kinds = [one.kind for one in LIMITATIONS]
    assert len(set(kinds)) == len(kinds)
