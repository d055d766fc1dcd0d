"""What was assigned: arms, blocks, cohorts and take-up, checked before anything is linked."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.data.linking.assigned_units import read_units
from schooltrial.data.tables.assignment_list import list_faults
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.refusal import Refusal
from support.standard_study import SCHOOLS, build, reasons, roster, sample_rules, scores

THREE = [{"name": "control"}, {"name": "letters"}, {"name": "tutoring"}]


def rules(**keys: Any) -> SampleRules:
    return sample_rules(**{"outcomes": {}, "arms": THREE, **keys})


def table(unit: str = "school", **columns: list[Any]) -> pd.DataFrame:
    plain: dict[str, list[Any]] = {
        unit: ["S1", "S2", "S3"],
        "arm": ["control", "letters", "tutoring"],
    }
    return pd.DataFrame(plain | columns)


def test_every_arm_but_the_control_is_treated() -> None:
    units = read_units(table(), SCHOOLS, rules())
    assert units["treated"].tolist() == [0, 1, 1]
    assert units["cluster"].tolist() == ["S1", "S2", "S3"]
    assert set(units["block"]) == {"all schools"}


def test_teachers_are_blocked_by_their_school_unless_the_table_says_otherwise() -> None:
    unit = rules(unit="teacher")
    first = pd.Series(["S4", "S5"], index=["S1", "S2"], dtype="str")
    by_roster = read_units(table("teacher"), SCHOOLS, unit, first)
    assert by_roster["block"].fillna("").tolist() == ["S4", "S5", ""]
    by_school = read_units(table("teacher", school=["S6"] * 3), SCHOOLS, unit, first)
    assert set(by_school["block"]) == {"S6"}
    by_table = read_units(table("teacher", block=["a", "a", "b"]), SCHOOLS, unit, first)
    assert by_table["block"].tolist() == ["a", "a", "b"]


def test_take_up_is_carried_and_the_date_of_the_draw_is_not() -> None:
    units = read_units(table(drawn=["2019-06-01"] * 3, attended=[0.0, 1.0, 0.0]), SCHOOLS, rules())
    assert list(units) == ["school", "block", "arm", "cluster", "treated", "attended"]


def test_arm_and_cohort_must_not_contradict_each_other() -> None:
    staggered = rules(kind="staggered")
    good = read_units(table(cohort=[None, 2020, 2021]), SCHOOLS, staggered)
    assert good["cohort"].isna().tolist() == [True, False, False]
    with pytest.raises(Refusal) as caught:
        read_units(table(cohort=[2020, 2020, None]), SCHOOLS, staggered)
    assert [fault.found for fault in caught.value.faults] == [
        "school S1 is in the group 'control' and is treated from 2020 on",
        "school S3 is in the group 'tutoring' and has no cohort",
    ]


def test_the_control_arm_may_be_empty_where_every_school_enters_in_one_of_several_cohorts() -> None:
    staggered = rules(kind="staggered", arms=THREE[:2])
    all_in = ["letters"] * 3
    units = read_units(table(arm=all_in, cohort=[2019, 2020, 2021]), SCHOOLS, staggered)
    assert units["treated"].tolist() == [1, 1, 1]
    for cohorts in ([2020, 2020, 2020], [2019, 2020, None]):
        told = [one.found for one in list_faults(table(arm=all_in, cohort=cohorts), None, "school",
                                                 ["control", "letters"])]  # fmt: skip
        assert told == ["no school is in the group 'control'"]


def test_a_code_for_never_in_the_place_of_a_cohort_is_told_as_one() -> None:
    with pytest.raises(Refusal) as caught:
        read_units(table(cohort=[0, 2020, 2021]), SCHOOLS, rules(kind="staggered"))
    (fault,) = caught.value.faults
    assert fault.remedy.startswith('if 0 means never, set `cohort: {…, missing: ["", "0"]}`')


def test_a_code_for_never_is_told_once_for_all_schools() -> None:
    coded = table(arm=["control", "control", "letters"], cohort=[9999, 9999, 2021])
    with pytest.raises(Refusal) as caught:
        read_units(coded, SCHOOLS, rules(kind="staggered", arms=THREE[:2]))
    (fault,) = caught.value.faults
    assert fault.found == "school S1 and 1 more are in the group 'control' and treated from 9999 on"
    assert 'missing: ["", "9999"]' in fault.remedy


def test_every_fault_of_the_assignment_is_told_at_once() -> None:
    broken = table(school=["S1", "S9", "S3"], arm=["control", "sms", None])
    with pytest.raises(Refusal) as caught:
        read_units(broken, SCHOOLS, rules())
    assert [fault.found for fault in caught.value.faults] == [
        "school S9 is in the group 'sms'",
        "school S3 has no group",
        "no school is in the group 'letters'",
        "no school is in the group 'tutoring'",
        "school S9 is not in the table of schools",
    ]


def test_pupils_are_in_the_arm_of_their_teacher_of_the_year() -> None:
    lot = pd.DataFrame({"teacher": ["t1", "t2"], "arm": ["control", "programme"]})
    pupils = roster(
        [("a", 2019, "S1", "t1"), ("a", 2020, "S1", "t2"), ("b", 2020, "S1", "t9"),
         ("c", 2020, "S2", None)], "teacher",
    )  # fmt: skip
    teachers = roster([("t1", 2019, "S1"), ("t2", 2020, "S1")], unit="teacher").assign(rank=[1, 2])
    sample = build(
        {"pupils": pupils, "teachers": teachers, "scores": scores([]), "assignment": lot},
        unit="teacher",
    )
    shown = sample.pupils[["pupil", "year", "cluster", "block", "treated", "rank"]]
    assert shown.to_numpy().tolist() == [
        ["a", 2019, "t1", "S1", 0, 1],
        ["a", 2020, "t2", "S1", 1, 2],
    ]
    assert reasons(sample) == {
        "teacher is missing": 1,
        "teacher is not in the allocation list": 1,
    }
    assert sample.panel.empty
    moved = sample.mobility[sample.mobility["year"] == 2020]
    assert moved["where_at_baseline"].tolist() == ["a teacher of the other group"]


def test_assigned_pupils_on_no_roster_are_told_as_not_followed_up() -> None:
    lot = pd.DataFrame({"pupil": ["a", "b", "c"], "arm": ["control", "programme", "programme"]})
    pupils = roster([("a", 2019, "S1"), ("a", 2020, "S1"), ("b", 2019, "S2"), ("d", 2020, "S2")])
    sample = build({"pupils": pupils, "scores": scores([]), "assignment": lot}, unit="pupil")
    assert sample.pupils["cluster"].tolist() == ["a", "b", "a"]
    assert sample.pupils["block"].tolist() == ["S1", "S2", "S1"]
    told = sample.flow[sample.flow["step"] == "followed up: assignment to 2020"]
    assert told[["arm", "entered", "left"]].to_numpy().tolist() == [
        ["control", 1, 0],
        ["programme", 2, 2],
    ]


def test_schools_of_the_list_that_lost_their_zeros_are_refused_with_the_width() -> None:
    described = pd.Series([f"{at:03d}" for at in range(8, 13)], dtype="str")
    schools = pd.DataFrame({"school": ["8", "9", "010", "011"]}, dtype="str")
    listed = schools.assign(arm=["control", "programme"] * 2)
    found = list(list_faults(listed, described, "school", ["control", "programme"]))
    assert [fault.found for fault in found] == [
        f"school {school} is not in the table of schools" for school in "89"
    ]
    assert "'008' differs by leading zeros" in found[0].remedy
    assert "`school: {column: school, width: 3, pad: true}`" in found[0].remedy
