"""Pupils over the years: who joined, moved, repeated, and whose grade is out of step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.data.linking.roster_history import (
    out_of_step,
    read_rosters,
    repeated_grade,
    trace_rosters,
)
from schooltrial.data.linking.school_crosswalk import Crosswalk
from schooltrial.data.tables.parquet import FrameByYear
from support.standard_study import build, roster, scores

ROWS = [
    ("on", 2018, "S1", 3), ("on", 2019, "S1", 4), ("on", 2020, "S2", 5),
    ("again", 2018, "S1", 3), ("again", 2019, "S1", 3), ("again", 2020, "S1", 4),
    ("odd", 2018, "S2", 4), ("odd", 2019, "S2", 7), ("odd", 2020, "S2", 6),
    ("gap", 2018, "S2", 3), ("gap", 2020, "S2", 5),
    ("new", 2020, "S2", 5),
]  # fmt: skip


def test_a_pupil_is_told_by_the_first_thing_that_holds() -> None:
    history = trace_rosters(
        read_rosters(FrameByYear(roster(ROWS, "grade")), "pupil"), Crosswalk(), assigned=["S1"]
    )
    status = {
        year: dict(zip(*(history.links(year)[name] for name in ("pupil", "status")), strict=True))
        for year in history.years
    }
    assert set(status[2018].values()) == {"joined"}
    assert status[2019] == {"on": "stayed", "again": "repeated", "odd": "out of step"}
    assert status[2020] == {
        "on": "moved", "again": "stayed", "odd": "out of step", "gap": "stayed", "new": "joined",
    }  # fmt: skip
    gap = history.links(2020).set_index("pupil").loc["gap"]
    assert (gap["previous_year"], gap["previous_school"], gap["previous_grade"]) == (2018, "S2", 3)
    assert history.links(2018)["previous_year"].isna().all()


def test_a_grade_is_out_of_step_beyond_the_years_that_passed() -> None:
    grade, before = np.array([5, 5, 5, 5, np.nan]), np.array([5, 6, 3, 2, 4])
    passed = np.array([1, 1, 2, 2, 1])
    assert repeated_grade(grade, before, passed).tolist() == [True, False, False, False, False]
    assert out_of_step(grade, before, passed).tolist() == [False, True, False, True, False]
    assert not out_of_step(grade, before, np.zeros(5, int)).any()


def cleaned(**cleaning: str) -> Any:
    return build({"pupils": roster(ROWS, "grade"), "scores": scores([])}, cleaning=cleaning)


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ({"joiners": "drop"}, {"without an enrolment record up to 2019": 1}),
        ({"repeated_grade": "drop"}, {"in the same grade as the year before": 1}),
        (
            {"grade_out_of_step": "drop"},
            {"the grade fell, or rose by more than the years that passed": 2},
        ),
        (
            {"analyse_in": "baseline_school"},
            {"without an enrolment record in the study in 2019": 3},
        ),
        ({}, {}),
    ],
)
def test_who_leaves_by_a_declared_rule(rule: dict[str, str], left: dict[str, int]) -> None:
    ledger = cleaned(**rule).ledger
    told = ledger[(ledger["level"] == "pupil") & ~ledger["step"].str.startswith("followed up")]
    assert told["reason"].value_counts().to_dict() == left


def test_a_grade_out_of_step_can_be_set_to_missing_and_is_counted() -> None:
    sample = cleaned(grade_out_of_step="missing")
    odd = sample.pupils[sample.pupils["pupil"] == "odd"].set_index("year")["grade"]
    assert odd.isna().to_dict() == {2018: False, 2019: True, 2020: True}
    counted = sample.mobility.groupby("year")[["n_out_of_step", "n_repeated_grade"]].sum()
    assert counted.to_numpy().tolist() == [[0, 0], [1, 1], [1, 0]]


def test_pupils_are_analysed_in_the_school_of_the_baseline_year_where_declared() -> None:
    sample = cleaned(analyse_in="baseline_school")
    on = sample.pupils[sample.pupils["pupil"] == "on"]
    assert on["school"].tolist() == ["S1", "S1", "S1"]
    elsewhere = sample.mobility.groupby("year")["n_elsewhere"].sum()
    assert elsewhere.to_dict() == {2018: 0, 2019: 0, 2020: 1}


def test_a_date_of_entry_tells_who_joined_where_there_is_one() -> None:
    pupils = roster(ROWS, "grade")
    pupils["entered"] = pd.Timestamp("2019-07-01")
    pupils.loc[pupils["pupil"] == "on", "entered"] = pd.Timestamp("2020-01-10")
    pupils.loc[pupils["pupil"] == "again", "entered"] = pd.NaT
    cleaning = {"joiners": "drop", "assigned_on": "2019-07-01"}
    sample = build({"pupils": pupils, "scores": scores([])}, cleaning=cleaning)
    assert set(sample.pupils["pupil"]) == {"again", "odd", "gap", "new"}


def test_a_date_of_every_years_entry_makes_nobody_of_an_earlier_roster_a_joiner() -> None:
    pupils = roster(ROWS, "grade")
    pupils["entered"] = pd.to_datetime(pupils["year"].astype("str") + "-01-10")
    cleaning = {"joiners": "drop", "assigned_on": "2019-07-01"}
    kept = build({"pupils": pupils, "scores": scores([])}, cleaning=cleaning).pupils
    before = set(pupils.loc[pupils["year"] <= 2019, "pupil"])
    assert before & set(kept.loc[kept["year"] == 2020, "pupil"])
    assert set(kept["pupil"]) <= before


def test_a_pupil_whose_id_changes_spelling_is_another_pupil() -> None:
    rows = [("01", 2018, "S1", 3), ("1", 2019, "S1", 4)]
    history = trace_rosters(
        read_rosters(FrameByYear(roster(rows, "grade")), "pupil"), Crosswalk(), assigned=["S1"]
    )
    assert history.links(2019)["status"].tolist() == ["joined"]
