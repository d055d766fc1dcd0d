"""Teachers and pupils are drawn, and their list is checked, where the protocol names no columns."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.assignment.chance_tests import Redraws
from schooltrial.checks.assignment.criterion import judge_criterion
from schooltrial.checks.assignment.findings import NOTED
from schooltrial.checks.assignment.unit_attributes import KnownOfUnits
from schooltrial.checks.assignment.verdict import (
    CONTRADICTED,
    REPRODUCED,
    AssignmentVerdict,
    verify_assignment,
)
from schooltrial.protocol.content.sections import Design
from schooltrial.randomisation.criterion import draw_criterion
from schooltrial.randomisation.record import AssignmentRecord, draw_assignment
from schooltrial.refusal import Refusal
from support.sections import design

NUMBERS = [f"{at:03d}" for at in range(1, 13)]
SCHOOLS = ["N", "S"] * 6
UNNAMED: list[dict[str, Any]] = [{}, {"unit_column": None, "block_column": None}]
LETTERS = "pcppcppccccp"
"""Arms of the people 001 to 012 that seed 3 draws inside their schools, N and S by turns."""


def _frame(unit: str) -> pd.DataFrame:
    frame = pd.DataFrame({unit: NUMBERS, "school": SCHOOLS, "score": np.arange(12) ** 1.5})
    return frame.iloc[::-1]  # a file in another order than that of the names


def _design(unit: str, kind: str = "blocked", **draw: Any) -> Design:
    """Return a design whose draw has no columns but those that are given."""
    made: Any = design(unit=unit, kind=kind, randomisation={"seed": 3, **draw})
    for column in ("unit_column", "block_column"):
        del made["randomisation"][column]
    made["randomisation"] |= draw
    return cast(Design, made)


def _record(design: Design) -> AssignmentRecord:
    return draw_assignment(
        _frame(design["unit"]), design, study="s", seed=3, date="2024-05-01", software={}
    )


def _verify(
    listed: pd.DataFrame, design: Design, record: AssignmentRecord | None
) -> AssignmentVerdict:
    known = KnownOfUnits(frame=_frame(design["unit"]))
    return verify_assignment(
        listed, design, record=record, known=known, redraws=Redraws(draws=99, exact_up_to=1000)
    )


@pytest.mark.parametrize("unit", ["teacher", "pupil"])
@pytest.mark.parametrize("draw", [*UNNAMED, {"unit_column": "", "block_column": "school"}])
@pytest.mark.parametrize("kind", ["blocked", "staggered"])
def test_people_are_drawn_inside_their_school(unit: str, draw: dict[str, Any], kind: str) -> None:
    record = _record(_design(unit, kind, **draw))
    assert record.unit == unit
    assert list(record.table()) == [unit, "block", "arm"]
    expected = [
        (name, school, {"c": "control", "p": "programme"}[letter])
        for name, school, letter in zip(NUMBERS, SCHOOLS, LETTERS, strict=True)
    ]
    assert list(record.listing) == expected
    assert record.table().groupby("block")["arm"].value_counts().tolist() == [3, 3, 3, 3]


def test_a_column_that_is_named_goes_before_what_was_assigned() -> None:
    frame = _frame("teacher").rename(columns={"teacher": "number", "school": "site"})
    design = _design("teacher", unit_column="number", block_column="site")
    named = draw_assignment(frame, design, study="s", seed=3, date="2024-05-01", software={})
    assert named.listing == _record(_design("teacher")).listing


def test_schools_go_on_to_be_drawn_in_blocks() -> None:
    frame = pd.DataFrame({"school": NUMBERS, "block": SCHOOLS})
    record = draw_assignment(frame, _design("school"), study="s", seed=3, date="", software={})
    assert {block for _, block, _ in record.listing} == {"N", "S"}
    unnamed: Any = _design("school")
    del unnamed["unit"]  # without a unit, schools are meant
    same = draw_assignment(frame, unnamed, study="s", seed=3, date="", software={})
    assert (same.unit, same.listing) == ("school", record.listing)


def test_people_whose_frame_names_no_school_are_refused_by_the_name_of_the_column() -> None:
    frame = _frame("pupil").drop(columns="school")
    with pytest.raises(Refusal, match="the column 'school' is missing"):
        draw_assignment(frame, _design("pupil"), study="s", seed=3, date="", software={})


@pytest.mark.parametrize("unit", ["teacher", "pupil"])
@pytest.mark.parametrize("draw", UNNAMED)
@pytest.mark.parametrize("block", ["block", "school"])
def test_a_list_of_people_is_reproduced_from_its_record_and_from_its_seed(
    unit: str, draw: dict[str, Any], block: str
) -> None:
    design = _design(unit, **draw)
    record = _record(design)
    listed = record.table().rename(columns={"block": block})
    found = _verify(listed, design, record)
    assert found.verdict == REPRODUCED
    assert set(found.units["verdict"]) == {"passed"}
    assert found.units["block"].tolist() == SCHOOLS
    tests = found.tests.set_index("check")
    for check in (
        "frame of the record",
        "randomisation reproduced",
        f"{unit}s of the eligible list",
    ):
        assert tests.loc[check, "verdict"] == "passed"
    assert _verify(listed, design, None).verdict == REPRODUCED


@pytest.mark.parametrize("unit", ["teacher", "pupil"])
def test_two_people_of_a_school_who_changed_places_are_named(unit: str) -> None:
    design = _design(unit)
    record = _record(design)
    listed = record.table()
    rows = listed[listed["block"] == "S"].drop_duplicates("arm").index
    listed.loc[rows, "arm"] = listed.loc[rows[::-1], "arm"].to_numpy()
    found = _verify(listed, design, record)
    assert found.verdict == CONTRADICTED
    assert found.told()["units_contradicted"] == listed.loc[rows, unit].tolist()
    # Of 12 people, two draws agree on 10 in more than one case of a hundred: no doubt without
    # the record, but a note.
    by_seed = _verify(listed, design, None).tests.set_index("check").loc["randomisation reproduced"]
    assert by_seed["finding"] == f"seed 3 gives 2 {unit}s of 12 another group"
    assert by_seed["verdict"] == NOTED


@pytest.mark.parametrize("unit", ["teacher", "pupil"])
def test_a_person_who_is_not_in_the_frame_is_named(unit: str) -> None:
    design = _design(unit)
    record = _record(design)
    listed = record.table()
    listed.loc[0, unit] = "1"  # a leading zero that a spreadsheet took away
    found = _verify(listed, design, record)
    said = found.units.groupby("unit")["reason"].first()
    assert said["1"].startswith("not in the eligible list")
    assert "no longer in the list" in said["001"]


@pytest.mark.parametrize("draw", UNNAMED)
def test_the_criterion_of_people_is_that_of_draws_inside_their_school(draw: dict[str, Any]) -> None:
    design = _design("teacher", balance_on=["score"], acceptance_rate=0.1, **draw)
    record = _record(design)
    known = draw_criterion(record.table(), design, _frame("teacher"), record)
    finding = judge_criterion(known)
    assert finding is not None
    assert finding.verdict == "passed"
    assert known.criterion is not None
    # Schools with these numbers and scores, drawn in blocks, lie as far from balance.
    schools = _frame("teacher").rename(columns={"school": "block", "teacher": "school"})
    blocked = _design("school", balance_on=["score"], acceptance_rate=0.1)
    listed = record.table().rename(columns={"teacher": "school"})
    assert finding == judge_criterion(draw_criterion(listed, blocked, schools, record))
    assert _verify(record.table(), design, record).verdict == REPRODUCED
