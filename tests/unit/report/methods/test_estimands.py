"""The report says whose outcomes an effect is of, from the protocol alone."""

from __future__ import annotations

from typing import Any

import pytest

from schooltrial.report.methods.estimands import estimand_sentence, estimands_told
from unit.report.methods.test_check_methods import evidence_of


def _protocol(
    unit: str = "school", measured_on: str = "pupil", randomised: bool = True, **cleaning: str
) -> Any:
    outcome = {"label": "Maths", "primary": True, "measured_on": measured_on}
    return {
        "design": {"unit": unit, "randomised": randomised},
        "cleaning": {"analyse_in": "current_school", "joiners": "keep", **cleaning},
        "outcomes": {"maths": outcome, "reading": {**outcome, "label": "Reading"},
                     "art": {**outcome, "label": "Art", "primary": False}},
    }  # fmt: skip


def _told(protocol: Any) -> str:
    return estimand_sentence(protocol, protocol["outcomes"]["maths"])


def test_pupils_of_the_current_school_are_as_attended_and_joiners_count() -> None:
    told = _told(_protocol())
    assert told.startswith("As attended: pupils are counted in the group of the school where they")
    assert "those who joined since count" in told
    assert "joined since the baseline are left out" in _told(_protocol(joiners="drop"))


def test_pupils_of_the_baseline_school_are_as_assigned() -> None:
    told = _told(_protocol(analyse_in="baseline_school"))
    assert told.startswith("As assigned: pupils are counted")
    assert "at the randomisation" in told
    assert "at the assignment" in _told(_protocol(analyse_in="baseline_school", randomised=False))


@pytest.mark.parametrize("unit", ["teacher", "pupil"])
def test_those_who_were_assigned_themselves_are_as_assigned(unit: str) -> None:
    assert _told(_protocol(unit, unit)) == (
        f"As assigned: {unit}s are counted in the group that they were assigned to, whatever they "
        "received."
    )


@pytest.mark.parametrize("unit", ["teacher", "class"])
def test_pupils_are_in_the_group_of_the_teacher_or_class_they_had(unit: str) -> None:
    assert f"in the group of the {unit} they had when" in _told(_protocol(unit))


def test_teachers_of_randomised_schools_are_where_they_work() -> None:
    told = _told(_protocol(measured_on="teacher", analyse_in="baseline_school"))
    assert told.startswith("As attended: teachers are counted in the group of the school")


def test_a_result_of_a_whole_school_is_of_whoever_is_in_it() -> None:
    assert "whoever they are" in _told(_protocol(measured_on="school"))


def test_primary_outcomes_alike_are_told_together_and_secondary_ones_are_not() -> None:
    (told,) = estimands_told(_protocol())
    assert told.startswith("Maths and Reading. As attended")
    told_of = estimands_told(evidence_of("university_certificate", {}).protocol)
    assert [one.split(".")[0] for one in told_of] == ["Leadership knowledge", "Maths"]
