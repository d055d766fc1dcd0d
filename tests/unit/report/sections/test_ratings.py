"""What the section on ratings says once, and what of each outcome."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd

from schooltrial.checks.rating.inputs import _decisive
from schooltrial.checks.rating.terms import BaselineDifference
from schooltrial.report.sections.ratings import SCHOOLS, raising, rated_alike
from schooltrial.report.sections.summary import (
    at_most_notes,
    low_rating_notes,
    unadjusted_notes,
)
from schooltrial.report.tables.rating import measures_shown


def _rated(label: str, lost: str, rating: str = "at most 1 of 5") -> dict[str, Any]:
    unknown = "‘At most’: the share of joiners is not known, which could only lower the rating"
    return {
        "label": label, "year": 2020, "disagreement": [],
        "ratings": [
            {"standard": "WWC", "rating": "meets", "rule": "randomised", "would_change": ""},
            {
                "standard": "EEF", "rating": rating,
                "rule": f"3 of 5 for attrition ({lost}; of 90); {unknown}", "would_change": "",
            },
        ],
    }  # fmt: skip


def test_outcomes_that_are_rated_alike_are_told_together_and_others_apart() -> None:
    alike = rated_alike([_rated("Maths", "24%"), _rated("Reading", "23%")])
    assert [[one.label for one in group] for group in alike] == [["Maths", "Reading"]] * 2
    assert alike[1][0].sentences[0] == "3 of 5 for attrition (24%; of 90)."
    apart = rated_alike([_rated("Maths", "24%"), _rated("Reading", "23%", "0 of 5")])
    assert [[one.label for one in group] for group in apart] == [
        ["Maths", "Reading"], ["Maths"], ["Reading"],
    ]  # fmt: skip


def test_what_at_most_means_is_noted_once_where_a_rating_is_such() -> None:
    assert at_most_notes([_rated("Maths", "24%"), _rated("Reading", "23%")]) == [
        "‘At most’: the share of joiners is not known, which could only lower the rating."
    ]


def _criterion(name: str, finding: str, result: str, *, lowers: bool = True) -> dict[str, Any]:
    return {"name": name, "finding": finding, "result": result, "lowers": lowers}


def test_a_rating_below_the_highest_is_noted_with_the_criteria_that_lower_it() -> None:
    lost = _criterion("attrition", "24% of pupils lost (240 of 1,000)", "3 of 5, the lowest")
    moved = _criterion("threats", "25% changed group", "lowered by 2")
    unknown = _criterion("not known", "the share of joiners", "could only lower the rating")
    sound = _criterion("design", "randomised", "5 of 5", lowers=False)

    def rated(label: str, *eef: dict[str, Any]) -> dict[str, Any]:
        return {"label": label, "ratings": [{"criteria": [sound]}, {"criteria": list(eef)}]}

    assert low_rating_notes([
        rated("Maths", sound, lost, moved, unknown), rated("Reading", lost, moved),
        rated("Attendance", sound), rated("Science", lost),
    ]) == [
        "EEF-style rating of Maths and Reading. Attrition: 24% of pupils lost (limits the rating "
        "to 3 of 5); threats: 25% changed group (takes 2 off the rating).",
        "EEF-style rating of Science. Attrition: 24% of pupils lost (limits the rating to 3 of "
        "5).",
    ]  # fmt: skip


def test_the_measures_that_decide_are_told_from_those_that_do_not() -> None:
    cells = {
        "outcome": "maths", "arm": "", "basis": "own", "n_control": 20, "n_treated": 20,
        "missing": 0, "wwc_band": "", "note": "", "standardised_difference": -0.459,
    }  # fmt: skip
    rows = pd.DataFrame([
        {**cells, "level": "pupil", "variable": "maths", "label": "Maths",
         "wwc_effect_size": -0.18},
        {**cells, "level": "school", "variable": "maths_before_school", "label": "Of the school",
         "wwc_effect_size": float("nan")},
    ])  # fmt: skip
    rated = {
        "outcome": "maths", "inputs": {"baseline": [{"level": "pupil", "variable": "maths"}]},
    }  # fmt: skip
    table = measures_shown(rows, {"maths": "Maths"}, [rated])
    assert table is not None
    assert table.cells["Decides"].tolist() == ["yes", "no"]
    assert table.cells["Difference"].tolist() == ["−0.180", "−0.459"]


def test_that_p_values_are_unadjusted_is_noted_where_there_are_several_outcomes() -> None:
    one: Any = SimpleNamespace(outcome="maths")
    assert unadjusted_notes([one]) == []
    assert unadjusted_notes([one, one]) == [
        "P-values and intervals are unadjusted for the two primary results."
    ]
    other: Any = SimpleNamespace(outcome="reading")
    assert unadjusted_notes([one, other]) == [
        "P-values and intervals are unadjusted for the two primary outcomes."
    ]


def _of(level: str, *, covered: bool = True, basis: str = "own") -> BaselineDifference:
    return BaselineDifference(
        level, "maths", "Maths", 0.1, own=basis == "own", adjusted=True, arm="a", basis=basis,
        covered=covered,
    )  # fmt: skip


def test_the_caption_says_when_the_row_of_a_school_decides() -> None:
    people, few, school = _of("pupil"), _of("pupil", covered=False), _of("school")

    def deciding(*found: BaselineDifference) -> list[str]:
        return [one.level for one in _decisive(found, "pupil")]

    assert deciding(people, school) == ["pupil"]
    assert deciding(few, school) == ["pupil", "school"]
    assert "together with the row of individuals where too few" in SCHOOLS
    assert deciding(school) == ["school"]
    assert "alone where no such row is known" in SCHOOLS
    assert deciding(people, _of("school", basis="named")) == ["pupil", "school"]
    assert "always where the protocol names it" in SCHOOLS


def test_a_rating_says_what_would_raise_it_and_not_what_would_lower_it() -> None:
    lower = "It would be lower if attrition of pupils differed by more than 6.1 (it is 1.9)."
    assert raising(lower) == []
    assert raising(f"It would be higher if nobody left. {lower}") == [
        "It would be higher if nobody left."
    ]
    assert raising("") == []
