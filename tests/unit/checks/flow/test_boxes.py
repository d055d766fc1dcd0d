"""Claims about the boxes of the flow diagram."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.flow.analysed import primary_cells, span
from schooltrial.checks.flow.boxes import as_text, flow_boxes, not_in_lists
from schooltrial.data.ledger.ledger import FLOW_COLUMNS
from support.sections import planned_model

ARMS = [{"name": "control", "label": "Control"}, {"name": "coaching", "label": "Coaching"},
        {"name": "institute", "label": "Institute"}]  # fmt: skip
MODELS: dict[str, Any] = {
    "itt": planned_model(
        role="primary", outcomes=["maths", "ela"], estimator="cluster_robust",
        where={"year": [2020]}, covariates=["girl"], missing_covariates="drop",
    )
}  # fmt: skip
OUTCOMES = {"maths": {"primary": True, "measured_on": "pupil"}, "ela": {"primary": False}}
AT = {arm["name"]: at for at, arm in enumerate(ARMS)}


def _flow(arm: str) -> list[list[Any]]:
    lost, unobserved = 10 + AT[arm], 5 * AT[arm]
    there = 100 - lost + 3  # three came from elsewhere
    return [
        ["schools with pupils", "no pupil of the school in the sample in that year", "school", 2020,
         arm, 4, 1, 3],
        ["followed up: 2019 to 2020", "without an enrolment record in the study in 2020",
         "pupil", 2019, arm, 100,
         lost, 100 - lost],
        ["analysed: itt, maths", "maths was not observed", "pupil", 2020, arm, there, unobserved,
         there - unobserved],
        ["analysed: itt, maths", "a covariate was not observed", "pupil", 2020, arm,
         there - unobserved, 0, there - unobserved],
    ]  # fmt: skip


def _sample() -> pd.DataFrame:
    """Return 100 pupils a group in 2019; later two have gone to the next arm, three are new."""
    rows = []
    for arm, at in AT.items():
        school = [f"S{4 * at + n % 3}" for n in range(100)]
        rows += [(f"{arm}{n}", 2019, arm, school[n], 1.0) for n in range(100)]
        next_arm = ARMS[(at + 1) % 3]["name"]
        stay = range(10 + at, 100)
        for n in stay:
            where = next_arm if n < 12 + at else arm
            home = f"S{4 * AT[where] + n % 3}"
            rows.append((f"{arm}{n}", 2020, where, home, 0.0 if n >= 20 + 5 * at else float("nan")))
        rows += [(f"new{arm}{n}", 2020, arm, school[n], 0.0) for n in range(3)]
    frame = pd.DataFrame(rows, columns=["pupil", "year", "arm", "school", "maths"])
    return frame.assign(girl=1.0, cluster=frame["school"])


def _boxes(**keys: Any) -> pd.DataFrame:
    assignment = pd.DataFrame({
        "school": [f"S{n}" for n in range(12)],
        "arm": [arm["name"] for arm in ARMS for _ in range(4)],
    })  # fmt: skip
    settings: dict[str, Any] = {
        "samples": {"pupil": _sample()}, "assignment": assignment, "n_schools": 15,
        "unit": "school", "arms": ARMS, "models": MODELS, "outcomes": OUTCOMES,
        "baseline": 2019, "years": [2020], **keys,
    }  # fmt: skip
    flow = settings.pop("flow", [row for arm in AT for row in _flow(arm)])
    return flow_boxes(pd.DataFrame(flow, columns=FLOW_COLUMNS), **settings)


@pytest.fixture
def boxes() -> pd.DataFrame:
    return _boxes()


def _number(boxes: pd.DataFrame, arm: str, text: str) -> int:
    return int(boxes.loc[(boxes["arm"] == arm) & (boxes["text"] == text), "n"].item())


def _followed(boxes: pd.DataFrame, arm: str, level: str) -> int:
    """Return those on the baseline roster, or allocated, less the lost and with the joined."""
    mine = boxes[(boxes["arm"] == arm) & (boxes["level"] == level)]
    start = mine.loc[(mine["stage"] == "allocated") & (mine["kind"] == "in"), "n"].sum()
    moved = mine[mine["stage"] == "followed up"].groupby("kind")["n"].sum()
    return int(start - moved.get("lost", 0) + moved.get("joined", 0))


def test_those_who_leave_before_the_arms_part_add_up(boxes: pd.DataFrame) -> None:
    files = _number(boxes, "all", "schools in the files")
    lost = _number(boxes, "all", "schools not in the allocation list")
    assert files - lost == _number(boxes, "all", "schools assigned") == 12


def test_schools_of_rosters_that_are_in_no_list_are_named_once() -> None:
    linking = pd.DataFrame(
        {"identifier": ["school", "school", "school", "pupil"],
         "not_found": ['["9", "101O"]', '["9"]', None, '["P1"]']}
    )  # fmt: skip
    assert not_in_lists(linking) == {"9", "101O"}
    assert not_in_lists(linking.iloc[2:]) == set()


def test_a_school_that_is_in_no_file_was_assigned_allocated_and_lost() -> None:
    boxes = _boxes(no_data={"control": 2})
    assert _number(boxes, "all", "schools assigned") == 14
    assert _number(boxes, "control", "schools allocated") == 6
    assert _number(boxes, "control", "schools with no data received") == 2
    assert _number(boxes, "coaching", "schools with no data received") == 0
    assert _followed(boxes, "control", "school") == 3


@pytest.mark.parametrize(("arm", "lost", "unobserved"), [("control", 10, 0), ("institute", 12, 10)])
def test_every_arm_shows_its_losses_with_their_reasons_zeros_included(
    boxes: pd.DataFrame, arm: str, lost: int, unobserved: int
) -> None:
    assert _number(boxes, arm, "pupils without an enrolment record in the study in 2020") == lost
    assert _number(boxes, arm, "outcome not observed") == unobserved
    assert _number(boxes, arm, "a covariate not observed") == 0
    assert _number(boxes, arm, "pupils analysed") == 103 - lost - unobserved
    assert _number(boxes, arm, "schools with no pupil in the sample of 2020") == 1


@pytest.mark.parametrize("arm", AT)
def test_rosters_less_the_lost_and_with_the_joined_are_those_to_be_analysed(
    boxes: pd.DataFrame, arm: str
) -> None:
    assert _number(boxes, arm, "pupils who moved to a school of another group") == 2
    assert _number(boxes, arm, "pupils who came from a school of another group") == 2
    assert _number(boxes, arm, "pupils who joined since 2019") == 3
    there = _followed(boxes, arm, "pupil")
    assert there == _number(boxes, arm, "pupils on the rosters of 2020")
    assert there == _number(boxes, arm, "pupils to be analysed")
    assert _followed(boxes, arm, "school") == _number(boxes, arm, "schools with pupils in 2020")


def test_the_schools_of_those_analysed_are_counted(boxes: pd.DataFrame) -> None:
    assert [_number(boxes, arm, "schools analysed") for arm in AT] == [3, 3, 3]


def test_pupils_who_are_not_followed_make_way_for_those_of_the_year() -> None:
    cohorts = _sample()
    cohorts["pupil"] += cohorts["year"].astype("str")
    boxes = _boxes(samples={"pupil": cohorts})
    assert _number(boxes, "control", "pupils of 2019, who are not followed") == 100
    assert _followed(boxes, "control", "pupil") == 93
    assert _number(boxes, "control", "pupils on the rosters of 2020") == 93


def test_assigned_teachers_who_are_on_no_later_roster_are_lost_to_follow_up() -> None:
    people = pd.DataFrame(
        [(f"{arm}{n}", year, arm, f"S{n % 4}", 1.0) for arm in ("control", "coaching")
         for year, last in ((2019, 8), (2020, 6)) for n in range(last)],
        columns=["teacher", "year", "arm", "school", "maths"],
    )  # fmt: skip
    people = people.assign(girl=1.0, cluster=people["teacher"])
    reason = "without an enrolment record in the study in that year"
    flow: list[list[Any]] = [
        ["teachers with an enrolment record", reason, "teacher", 2020, arm, 8, 2, 6]
        for arm in ("control", "coaching")
    ]
    flow += [
        ["analysed: itt, maths", f"{what} was not observed", "teacher", 2020, arm, 6, 0, 6]
        for what in ("maths", "a covariate")
        for arm in ("control", "coaching")
    ]
    first = people[people["year"] == 2019]
    boxes = _boxes(
        flow=flow, samples={"teacher": people}, assignment=first[["teacher", "school", "arm"]],
        unit="teacher", outcomes={"maths": {"primary": True, "measured_on": "teacher"},
                                  "ela": {"primary": False}},
    )  # fmt: skip
    assert _number(boxes, "control", "teachers allocated") == 8
    assert (
        _number(boxes, "control", "teachers without an enrolment record in the study in 2020") == 2
    )
    assert _number(boxes, "control", "teachers to be analysed") == 6
    assert _followed(boxes, "control", "teacher") == 6
    assert set(boxes.loc[boxes["text"] == "in schools", "stage"]) == {
        "assigned", "allocated", "followed up", "analysed"
    }  # fmt: skip


def test_only_primary_outcomes_are_followed_to_the_analysis(boxes: pd.DataFrame) -> None:
    assert set(boxes.loc[boxes["stage"] == "analysed", "outcome"]) == {"maths"}


def test_consecutive_years_are_told_as_a_span() -> None:
    assert span([2010, 2011, 2012]) == "2010 to 2012"
    assert span([2010, 2012]) == "2010, 2012"
    assert span([2010]) == "2010"


def test_the_text_tells_every_number_of_the_boxes(boxes: pd.DataFrame) -> None:
    text = as_text(boxes, ARMS, {"maths": "Maths"})
    assert len(boxes)
    for row in boxes.itertuples():
        assert f"{row.text}: {row.n:,}" in text
    assert "Maths, 2020:" in text


def test_assigned_pupils_are_followed_from_the_list_and_no_roster_is_counted_twice() -> None:
    people = pd.DataFrame(
        [(f"{arm}{n}", year, arm, f"S{n % 4}", 1.0) for arm in ("control", "coaching")
         for year, last in ((2019, 20), (2020, 16)) for n in range(last)],
        columns=["pupil", "year", "arm", "school", "maths"],
    )  # fmt: skip
    people = people.assign(girl=1.0, cluster=people["pupil"])
    gone = "without an enrolment record in the study in 2020"
    flow: list[list[Any]] = []
    for arm in ("control", "coaching"):
        flow += [
            ["followed up: assignment to 2020", gone, "pupil", 2020, arm, 20, 4, 16],
            ["followed up: 2019 to 2020", gone, "pupil", 2019, arm, 20, 4, 16],
            ["analysed: itt, maths", "maths was not observed", "pupil", 2020, arm, 16, 0, 16],
        ]
    first = people[people["year"] == 2019]
    boxes = _boxes(
        flow=flow, samples={"pupil": people}, assignment=first[["pupil", "school", "arm"]],
        unit="pupil", arms=ARMS[:2], no_data={"coaching": 1},
    )  # fmt: skip
    for arm, allocated in (("control", 20), ("coaching", 21)):
        assert _number(boxes, arm, "pupils allocated") == allocated
        assert _number(boxes, arm, f"pupils {gone}") == 4
        assert _followed(boxes, arm, "pupil") == _number(boxes, arm, "pupils to be analysed") == 16


def test_cells_of_schools_and_years_add_up_and_their_schools_are_counted() -> None:
    model = {**MODELS["itt"], "outcomes": ["rate"], "estimator": "staggered_adoption",
             "where": {}, "bounded_cells": "midpoint"}  # fmt: skip
    outcomes = {"rate": {"primary": True, "measured_on": "school"}}
    cells = pd.DataFrame(
        [(f"S{n}", year, "control" if n < 4 else "coaching", 0.0, "rate", 50.0)
         for n in (0, 1, 2, 4, 5, 6, 7) for year in (2018, 2019, 2020)],
        columns=["school", "year", "arm", "treated", "outcome", "mean"],
    )  # fmt: skip
    cells["cohort"] = cells["arm"].map({"coaching": 2020.0})
    part = cells[:1].assign(school="S3", mean_low=0.0, mean_high=10.0)
    years: Any = {"baseline": [2018, 2019], "programme": [2020], "follow_up": []}
    taken = primary_cells(cells, part, {"did": model}, outcomes, years=years)
    flow: list[list[Any]] = []
    for arm, there in (("control", [4, 3, 3]), ("coaching", [4, 4, 4])):
        flow += [
            ["analysed: did, rate", "rate was not observed", "school", 2018 + at, arm, n, 0, n]
            for at, n in enumerate(there)
        ]
        left = 4 - there[-1]
        flow.append(["schools with scores", "no value of the school in the panel in that year",
                     "school", 2020, arm, 4, left, 4 - left])  # fmt: skip
    boxes = _boxes(
        flow=flow, samples={"school": taken}, arms=ARMS[:2], models={"did": model},
        outcomes=outcomes,
    )  # fmt: skip
    assert _number(boxes, "control", "cells of schools and years") == 12
    assert _number(boxes, "control", "no value in the panel") == 2
    assert _number(boxes, "control", "cells of schools and years to be analysed") == 10
    # S3 has one cell, of 2018: no change of it is known, and no effect rests on it.
    assert _number(boxes, "control", "schools analysed") == 3
    assert _number(boxes, "control", "schools with published values in 2020") == 3
    assert set(boxes.loc[boxes["stage"] == "analysed", "year"]) == {"2018 to 2020"}


def test_who_is_outside_the_population_of_an_analysis_is_told() -> None:
    flow = [row for arm in AT for row in _flow(arm)]
    narrower = [[*row[:5], row[5] - 40, row[6], row[7] - 40] if row[0].startswith("analysed")
                else row for row in flow]  # fmt: skip
    boxes = _boxes(flow=narrower)
    assert _number(boxes, "control", "pupils outside the population of the analysis") == 40
    assert _number(boxes, "control", "pupils to be analysed") == 53


def test_an_outcome_of_two_primary_models_has_a_heading_for_each() -> None:
    twice = [[row[0].replace("itt", "also"), *row[1:]] for arm in AT for row in _flow(arm)
             if row[0].startswith("analysed")]  # fmt: skip
    flow = [*(row for arm in AT for row in _flow(arm)), *twice]
    text = as_text(_boxes(flow=flow, models={**MODELS, "also": MODELS["itt"]}), ARMS, {})
    assert text.count("maths, 2020 (itt):") == text.count("maths, 2020 (also):") == 3
