"""Attrition counted by hand: units, pupils in those that stay, pupils; joiners and movers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.attrition.rates import COLUMNS, attrition
from schooltrial.checks.attrition.roster import draw_up_roster
from schooltrial.protocol.content.sections import Arm, Outcome, Years
from support import standard_study

NAN = float("nan")
ARMS: list[Arm] = [
    {"name": "control", "label": "Control", "share": None, "in_models": True},
    {"name": "programme", "label": "Programme", "share": None, "in_models": True},
]
YEARS: Years = {
    "label": "year", "baseline": [2018], "programme": [2019, 2020], "follow_up": [],
    "to_come": [], "reference": None, "lasts": None,
}  # fmt: skip


def outcome(**keys: Any) -> Outcome:
    return standard_study.outcome(label="Maths", **keys)


ASSIGNMENT = pd.DataFrame(
    {
        "school": ["A", "B", "C", "D"],
        "block": ["1", "1", "1", "1"],
        "arm": pd.Categorical(["control", "control", "programme", "programme"]),
    }
)


def _rows(year: int, where: str, **missing: str) -> list[dict[str, Any]]:
    """Return rows from ``pupil:school`` pairs; those named in ``missing`` lack the outcome."""
    absent = missing.get("maths", "").split()
    return [
        {
            "pupil": pair.split(":")[0],
            "school": pair.split(":")[1],
            "year": year,
            "maths": NAN if pair.split(":")[0] in absent else 1.0,
        }
        for pair in where.split()
    ]


PUPILS = pd.DataFrame(
    [
        *_rows(2018, "a1:A a2:A a3:A a4:A b1:B b2:B c1:C c2:C c3:C c4:C d1:D d2:D"),
        *_rows(2019, "a1:A a2:A a3:A b1:B b2:B c1:C c2:C c3:A c4:C d1:D n1:A n2:C", maths="a3"),
        # Of 2020: B without any outcome; c3 in the other arm; d1 in another school of its arm.
        *_rows(2020, "a1:A a2:A b1:B b2:B c1:C c2:C c3:A d1:C n1:A n3:C n4:D", maths="b1 b2 c2"),
    ]
)


def _attrition(pupils: pd.DataFrame = PUPILS, **keys: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {
        "assignment": ASSIGNMENT, "outcomes": {"maths": outcome()}, "arms": ARMS, "years": YEARS,
        "baseline": 2018, **keys,
    }  # fmt: skip
    return attrition(pupils=pupils, **settings)


def _row(table: pd.DataFrame, level: str, year: int = 2020, quantity: str = "lost") -> pd.Series:
    chosen = table[
        (table["level"] == level) & (table["year"] == year) & (table["kind"] == quantity)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def _counts(row: pd.Series) -> list[int]:
    return [int(row[name]) for name in ("n_control", "count_control", "n_treated", "count_treated")]


def test_a_school_is_lost_when_no_pupil_in_it_has_the_outcome() -> None:
    table = _attrition()
    assert _counts(_row(table, "schools", 2019)) == [2, 0, 2, 0]
    assert _counts(_row(table, "schools")) == [2, 1, 2, 0]


def test_pupils_are_those_of_the_baseline_roster_in_the_arm_of_that_year() -> None:
    table = _attrition()
    assert _counts(_row(table, "pupils", 2019)) == [6, 2, 6, 1]
    # a3, a4, b1, b2 lost; c2, c4, d2 lost, while c3 and d1 were measured elsewhere.
    assert _counts(_row(table, "pupils")) == [6, 4, 6, 3]


def test_within_schools_that_stay_the_pupils_of_a_lost_school_are_not_counted() -> None:
    assert _counts(_row(_attrition(), "pupils in schools that stay")) == [4, 2, 6, 3]


def test_the_losses_of_units_and_within_them_make_up_all_losses() -> None:
    table = _attrition()
    within, every = _row(table, "pupils in schools that stay"), _row(table, "pupils")
    of_lost = PUPILS[(PUPILS["year"] == 2018) & (PUPILS["school"] == "B")]
    assert every["count_control"] == within["count_control"] + len(of_lost)


def test_overall_and_differential_attrition_and_the_verdict() -> None:
    row = _row(_attrition(boundary="optimistic"), "pupils")
    assert row["overall"] == pytest.approx(7 / 12)
    assert row["differential"] == pytest.approx(3 / 6 - 4 / 6)
    assert np.isnan(row["boundary_cautious"])
    assert row["boundary_optimistic"] == pytest.approx(0.019)
    assert (row["verdict_cautious"], row["verdict"]) == ("high", "high")
    assert row["bias_cautious"] > row["bias_optimistic"] > 0
    low = _row(_attrition(), "schools", 2019)
    assert (low["overall"], low["differential"], low["verdict"]) == (0, 0, "low")


def test_the_verdict_follows_the_boundary_that_the_protocol_chose() -> None:
    many = pd.concat(
        [
            pd.DataFrame(_rows(year, " ".join(f"{s}{i}:{s}" for s in "ABCD" for i in range(keep))))
            for year, keep in ((2018, 50), (2019, 47), (2020, 47))
        ]
    )
    gone = (many["year"] > 2018) & many["pupil"].isin([f"{s}{i}" for s in "CD" for i in range(4)])
    choices = {
        boundary: _row(_attrition(many[~gone], boundary=boundary), "pupils")["verdict"]
        for boundary in ("cautious", "optimistic")
    }
    assert choices == {"cautious": "high", "optimistic": "low"}  # 10 %, 8 points apart


def test_joiners_are_early_in_the_first_year_and_late_after_it() -> None:
    table = _attrition()
    assert _counts(_row(table, "pupils", 2019, "joined early")) == [7, 1, 5, 1]
    assert _counts(_row(table, "pupils", 2019, "joined late")) == [7, 0, 5, 0]
    assert _counts(_row(table, "pupils", 2020, "joined early")) == [6, 1, 5, 0]
    assert _counts(_row(table, "pupils", 2020, "joined late")) == [6, 0, 5, 2]


def test_movers_are_counted_in_the_arm_they_were_assigned_to() -> None:
    table = _attrition()
    assert _counts(_row(table, "pupils", 2020, "changed school")) == [4, 0, 4, 2]
    row = _row(table, "pupils", 2020, "changed group")
    assert _counts(row) == [4, 0, 4, 1]
    assert row["differential"] == pytest.approx(0.25)
    assert row["verdict"] == ""


def test_who_came_by_grade_is_intake_and_who_left_the_grades_of_a_school_was_promoted() -> None:
    first = {"n1": 2, "n2": 3, "n3": 1, "n4": 3, "d1": 4}  # in 2018, the study's grades being 3-6
    start = PUPILS["pupil"].map(first).fillna(3)
    school = PUPILS["school"].mask((PUPILS["pupil"] == "c2") & (PUPILS["year"] == 2020), "D")
    aged = PUPILS.assign(
        grade=(start + PUPILS["year"] - 2018).astype("Int64"),
        school=school,
    )
    # D teaches the grades 3 to 5, so that d1, in grade 6 of 2020, had to leave it; c2 had not.
    table = _attrition(aged)
    assert _counts(_row(table, "pupils", 2020, "new intake")) == [6, 1, 5, 1]
    assert _counts(_row(table, "pupils", 2020, "joined early")) == [6, 0, 5, 0]
    assert _counts(_row(table, "pupils", 2020, "joined late")) == [6, 0, 5, 1]
    assert _counts(_row(table, "pupils", 2020, "promoted")) == [4, 0, 4, 1]
    assert _counts(_row(table, "pupils", 2020, "changed school")) == [4, 0, 4, 2]
    assert _counts(_row(table, "pupils", 2020, "changed group")) == [4, 0, 4, 1]


def test_a_school_whose_pupils_are_all_beyond_the_grades_has_a_roster_nevertheless() -> None:
    old = PUPILS["pupil"].isin(["d1", "d2"])
    aged = PUPILS.assign(grade=(old * 2 + 3 + PUPILS["year"] - 2018).astype("Int64"))
    left = aged[~(old & (aged["year"] > 2018))]
    assert _row(_attrition(left), "pupils")["note"] == "beyond the study's grades, not counted: 2"


def test_where_pupils_differ_from_year_to_year_the_roster_of_the_year_counts() -> None:
    cohorts = PUPILS.assign(pupil=PUPILS["pupil"] + PUPILS["year"].astype(str))
    table = _attrition(cohorts)
    row = _row(table, "pupils")
    assert _counts(row) == [6, 2, 5, 1]
    assert row["note"] == "on the roster of 2020 itself"
    assert set(table["kind"]) == {"lost"}


def test_who_is_beyond_the_studys_grades_by_then_is_not_lost() -> None:
    grades = PUPILS["pupil"].map(lambda name: 5 if name in ("a4", "d2") else 3)
    aged = PUPILS.assign(grade=(grades + PUPILS["year"] - 2018).astype("Int64"))
    row = _row(_attrition(aged), "pupils")
    assert _counts(row) == [5, 3, 5, 2]
    assert row["note"] == "beyond the study's grades, not counted: 2"


def test_units_in_no_file_count_as_lost() -> None:
    table = _attrition(no_data={"control": 3})
    assert _counts(_row(table, "schools", 2019)) == [5, 3, 2, 0]
    assert _row(table, "schools", 2019)["note"] == "no data received: 3"
    note = _row(table, "pupils", 2019)["note"]
    assert note == "schools with no roster, whose pupils are not counted: 3"
    assert _counts(_row(table, "pupils", 2019)) == [6, 2, 6, 1]


def test_an_outcome_observed_for_nobody_in_a_year_is_not_measured_rather_than_lost() -> None:
    none = PUPILS.assign(maths=PUPILS["maths"].where(PUPILS["year"] != 2020))
    row = _row(_attrition(none), "pupils")
    assert row["verdict"] == "not measured"
    assert np.isnan(row["overall"])
    assert row["note"].startswith("observed for nobody in this year")


def test_each_of_several_arms_is_held_against_control() -> None:
    arms: list[Arm] = [*ARMS, {"name": "other", "label": "Other", "share": None, "in_models": True}]
    three = ASSIGNMENT.assign(arm=["control", "control", "programme", "other"])
    table = _attrition(assignment=three, arms=arms)
    rows = table[(table["kind"] == "lost") & (table["year"] == 2020)]
    pupils = rows[rows["level"] == "pupils"].set_index("arm")
    assert _counts(pupils.loc["programme"]) == [6, 4, 4, 2]
    assert _counts(pupils.loc["other"]) == [6, 4, 2, 1]


def test_an_arm_without_pupils_has_no_verdict() -> None:
    row = _row(_attrition(PUPILS[PUPILS["school"].isin(["A", "B"])]), "pupils")
    assert row["verdict"] == "not defined"
    assert (
        _row(_attrition(PUPILS[PUPILS["school"].isin(["A", "B"])]), "schools")["rate_treated"] == 1
    )


def test_teachers_were_assigned_so_teachers_are_lost_and_the_pupils_they_teach() -> None:
    assignment = pd.DataFrame(
        {"teacher": ["t1", "t2", "t3", "t4"], "arm": ["control", "control", *["programme"] * 2]}
    )
    frame = PUPILS.assign(
        teacher=PUPILS["school"].map(dict(zip("ABCD", assignment["teacher"], strict=True)))
    )
    table = _attrition(frame, assignment=assignment, unit="teacher")
    assert _counts(_row(table, "teachers")) == [2, 1, 2, 0]
    assert _counts(_row(table, "pupils of teachers that stay")) == [4, 0, 5, 1]
    assert set(table["kind"]) == {"lost"}


def test_pupils_were_assigned_so_everybody_on_the_list_counts() -> None:
    assignment = pd.DataFrame(
        {"pupil": ["a1", "a2", "a3", "zz", "c1", "c2"], "arm": ["control", "programme"] * 3}
    )
    table = _attrition(assignment=assignment, unit="pupil")
    assert set(table["level"]) == {"pupils"}
    assert _counts(_row(table, "pupils")) == [3, 1, 3, 2]


def test_outcomes_of_schools_and_teachers_are_not_counted_by_pupils() -> None:
    table = _attrition(outcomes={"maths": outcome(), "climate": outcome(measured_on="school")})
    assert set(table["outcome"]) == {"maths", ""}
    assert list(table.columns) == COLUMNS


def test_the_roster_keeps_the_assigned_arm_of_pupils_who_moved() -> None:
    listed = draw_up_roster(ASSIGNMENT, PUPILS, unit="school", year=2020, baseline=2018)
    people = listed.people.set_index("pupil")
    assert people.loc["c3", ["unit", "arm"]].tolist() == ["C", "programme"]
    assert listed.outcome(PUPILS, "maths").notna().sum() == 5
    assert listed.outcome(PUPILS, "absent").isna().all()


def test_a_year_that_nobody_of_the_roster_can_reach_is_not_followed() -> None:
    grades = PUPILS["pupil"].str[0].map({"n": 3}).fillna(4)
    aged = PUPILS.assign(grade=(grades + PUPILS["year"] - 2018).clip(upper=6).astype("Int64"))
    # All who were on the roster are beyond grade 6 by 2021, when others are there.
    later = pd.DataFrame(_rows(2021, "m1:A m2:B m3:C m4:D")).assign(grade=6)
    years: Years = {**YEARS, "follow_up": [2021]}
    table = _attrition(pd.concat([aged, later]), years=years)
    for level in ("pupils", "pupils in schools that stay"):
        row = _row(table, level, 2021)
        assert row["verdict"] == row["verdict_cautious"] == "not followed"
        assert np.isnan(row["overall"])
        assert "nobody of the roster could have an outcome" in row["note"]
        assert "on the roster of 2021 itself" not in row["note"]
    assert _row(table, "schools", 2021)["verdict"] == "low"


def test_those_who_left_a_school_that_closed_were_not_promoted() -> None:
    grades = {"b1": 5, "b2": 5, "a1": 5}  # B's only grade in 2018; A goes up to 6
    start = PUPILS["pupil"].map(grades).fillna(3)
    aged = PUPILS.assign(grade=(start + PUPILS["year"] - 2018).astype("Int64"))
    aged = aged[~((aged["school"] == "B") & (aged["year"] == 2019))]
    closed = aged["school"].mask((aged["school"] == "B") & (aged["year"] == 2020), "A")
    table = _attrition(aged.assign(school=closed))
    assert _counts(_row(table, "pupils", 2020, "promoted"))[1] == 0
    assert _counts(_row(table, "pupils", 2020, "changed school"))[1] == 2


def test_where_teachers_were_assigned_pupils_are_those_of_teachers_that_stay() -> None:
    units = ASSIGNMENT.rename(columns={"school": "teacher"})
    table = _attrition(PUPILS.rename(columns={"school": "teacher"}), assignment=units,
                       unit="teacher")  # fmt: skip
    assert "pupils of teachers that stay" in set(table["level"])


def _girls_trial() -> pd.DataFrame:
    """Return four schools of two girls and two boys, but for D, which has boys alone."""
    rows = []
    for school in "ABCD":
        for at in range(4):
            girl = float(at < 2 and school != "D")
            for year in (2018, 2019):
                rows.append({
                    "pupil": f"{school}{at}", "school": school, "year": year, "grade": year - 2014,
                    "girl": girl, "maths": NAN if not girl else 1.0,
                })  # fmt: skip
    return pd.DataFrame(rows)


def test_those_outside_the_population_of_an_outcome_are_not_lost_nor_are_their_schools() -> None:
    pupils = _girls_trial()
    pupils.loc[(pupils["pupil"] == "C0") & (pupils["year"] == 2019), "maths"] = NAN
    table = attrition(
        ASSIGNMENT, pupils, outcomes={"maths": outcome(population={"girl": [1]})}, arms=ARMS,
        years={**YEARS, "programme": [2019]}, baseline=2018,
    )  # fmt: skip
    lost = table[table["kind"] == "lost"].set_index("level")
    counts = ["n_control", "count_control", "n_treated", "count_treated"]
    assert lost.loc["pupils", counts].tolist() == [4, 0, 2, 1]
    assert lost.loc["schools", ["n_control", "n_treated", "count_treated"]].tolist() == [2, 1, 0]


def test_a_population_by_grade_is_that_of_the_year_of_the_outcome_also_of_those_lost() -> None:
    pupils = _girls_trial()
    gone = (pupils["pupil"] == "A0") & (pupils["year"] == 2019)
    listed = draw_up_roster(ASSIGNMENT, pupils[~gone], unit="school", year=2019, baseline=2018)
    assert len(listed.of_population(pupils[~gone], {"grade": [5]}).people) == 16
    assert len(listed.of_population(pupils[~gone], {"grade": [4]}).people) == 0
    assert listed.of_population(pupils[~gone], {}) is listed


def test_who_is_not_known_to_be_outside_a_population_is_counted_and_told() -> None:
    listed = pd.DataFrame({"pupil": ["p", "q", "r"], "arm": ["control", "programme", "programme"]})
    seen = pd.DataFrame({"pupil": ["p", "q"], "year": 2018, "girl": [1.0, 0.0], "maths": [1.0, NAN],
                         "school": "A"})  # fmt: skip
    table = attrition(
        listed, pd.concat([seen, seen.assign(year=2019)]),
        outcomes={"maths": outcome(population={"girl": [1]})}, arms=ARMS,
        years={**YEARS, "programme": [2019]}, baseline=2018, unit="pupil",
    )  # fmt: skip
    # q is a boy; r is on no roster, and may be a girl.
    assert _counts(table.iloc[0]) == [1, 0, 1, 1]
    assert "not known to be outside the population, and counted: 1" in table["note"].iloc[0]
