"""Who is still there, who came, and who changed arm."""

from __future__ import annotations

import pandas as pd

from schooltrial.data.ledger.follow_up import (
    FLAGS,
    mobility,
    record_follow_up,
    without_baseline,
)
from schooltrial.data.ledger.ledger import Ledger
from support.standard_study import build, roster, scores

ROWS = [
    # pupil, year, school, arm, grade
    ("stays", 2018, "1", "control", 4), ("stays", 2020, "1", "control", 6),
    ("moves", 2018, "1", "control", 4), ("moves", 2020, "2", "control", 6),
    ("crosses", 2018, "2", "control", 5), ("crosses", 2020, "3", "treated", 7),
    ("leaves", 2018, "3", "treated", 4),
    ("finishes", 2018, "3", "treated", 7),
    ("joins", 2020, "3", "treated", 3),
]  # fmt: skip


def pupils() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["pupil", "year", "school", "arm", "grade"])


def told(ledger: Ledger) -> dict[str, tuple[int, int, int]]:
    """Return reason → entered, left, remained over both groups."""
    flow = ledger.flow().groupby("reason")[["entered", "left", "remained"]].sum()
    return {str(row.Index): (row.entered, row.left, row.remained) for row in flow.itertuples()}


def test_those_who_left_are_told_from_those_who_finished_the_studys_grades() -> None:
    ledger = Ledger("1")
    record_follow_up(pupils(), 2018, [2020], ledger)
    assert told(ledger) == {
        "above the study's grades by 2020": (5, 1, 4),
        "without an enrolment record in the study in 2020": (4, 1, 3),
    }


def test_without_grades_everyone_who_is_gone_is_in_no_roster() -> None:
    ledger = Ledger("1")
    record_follow_up(pupils().drop(columns="grade"), 2018, [2020], ledger)
    assert told(ledger) == {"without an enrolment record in the study in 2020": (5, 2, 3)}


def test_a_repeated_cross_section_has_nobody_to_follow() -> None:
    frame = pupils()
    frame["pupil"] = [f"pupil {n}" for n in range(len(frame))]
    ledger = Ledger("1")
    record_follow_up(frame, 2018, [2020], ledger)
    assert ledger.counts == []


def test_a_baseline_in_the_analysed_year_follows_nobody() -> None:
    ledger = Ledger("1")
    record_follow_up(pupils(), 2020, [2020], ledger)
    assert ledger.counts == []


def test_every_pupil_analysed_is_counted_by_where_he_was_at_baseline() -> None:
    found = mobility(pupils(), 2018, [2020])
    rows = {(row.arm, row.where_at_baseline): row.n_pupils for row in found.itertuples()}
    assert rows == {
        ("control", "the same school"): 1,
        ("control", "another school in the same group"): 1,
        ("treated", "a school of the other group"): 1,
        ("treated", "no school in the study"): 1,
    }
    assert found["n_pupils"].sum() == (pupils()["year"] == 2020).sum()


def test_those_in_a_class_outside_the_lottery_are_neither_gone_nor_beyond_the_grades() -> None:
    ledger = Ledger("1")
    places = {2020: {"a class outside the randomisation": ["finishes", "stays"]}}
    record_follow_up(pupils(), 2018, [2020], ledger, elsewhere=places)
    assert told(ledger) == {
        "in a class outside the randomisation in 2020": (5, 1, 4),
        "without an enrolment record in the study in 2020": (4, 1, 3),
        "above the study's grades by 2020": (4, 0, 4),
    }


def test_pupils_of_a_lottery_of_teachers_are_followed_into_classes_outside_it() -> None:
    lot = pd.DataFrame({"teacher": ["t1", "t2"], "arm": ["control", "programme"]})
    rows = [
        *((who, 2019, "S1", "t1") for who in "abcde"), ("x", 2019, "S1", "t9"),
        ("y", 2019, "S1", None), ("z", 2019, "S9", "t9"),
        ("a", 2020, "S1", "t1"), ("b", 2020, "S1", "t9"), ("c", 2020, "S2", None),
        ("d", 2020, "S9", "t9"), *((who, 2020, "S1", "t2") for who in "xyz"),
    ]  # fmt: skip
    sample = build(
        {"pupils": roster(rows, "teacher"), "scores": scores([]), "assignment": lot},
        unit="teacher",
    )
    flow = sample.flow[sample.flow["step"] == "followed up: 2019 to 2020"]
    left = flow.groupby("reason")["left"].sum().to_dict()
    assert left == {
        "in a class outside the randomisation in 2020": 1,
        "in a class without a known teacher in 2020": 1,
        "without an enrolment record in the study in 2020": 2,
    }
    assert (flow["entered"] == flow["left"] + flow["remained"]).all()
    came = sample.mobility[sample.mobility["year"] == 2020].set_index("where_at_baseline")
    assert came["n_pupils"].to_dict() == {
        "the same school": 1,
        "a class outside the randomisation": 1,
        "a class without a known teacher": 1,
        "no school in the study": 1,
    }


def test_teachers_of_assigned_schools_who_are_gone_are_told_as_teachers() -> None:
    ledger = Ledger("1")
    staff = pupils().rename(columns={"pupil": "teacher"}).drop(columns="grade")
    record_follow_up(staff, 2018, [2020], ledger, key="teacher", level="teacher")
    assert set(ledger.flow()["level"]) == {"teacher"}
    assert told(ledger) == {"without an enrolment record in the study in 2020": (5, 2, 3)}
    assert ledger.departed()["level"].tolist() == ["teacher", "teacher"]


def test_without_a_year_before_the_programme_nobody_is_said_to_have_been_anywhere() -> None:
    counted = pd.DataFrame({
        "year": [2025, 2025, 2026], "arm": "control",
        "where_at_baseline": ["the same school", "no school in the study", "the same school"],
        "n_pupils": [3, 2, 4], **dict.fromkeys(FLAGS, 0),
    })  # fmt: skip
    found = without_baseline(counted, 2025, dated=True)
    assert found["n_joined_late"].tolist() == [0, 0]
    assert without_baseline(counted, 2025, dated=False)["n_joined_late"].isna().all()
    assert found[["where_at_baseline", "n_pupils"]].to_numpy().tolist() == [
        ["not known: no baseline year", 5],
        ["the same school, in 2025 (no baseline year)", 4],
    ]
