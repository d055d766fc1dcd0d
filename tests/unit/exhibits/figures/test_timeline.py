"""The timeline shows who had the programme when, and when outcomes were measured."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from schooltrial.exhibits.figures.timeline import _date, alt_text, drawn, timeline_plot
from schooltrial.exhibits.style.figures import rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import (
    overlapping_texts,
    points,
    smallest_letters,
    tick_words,
    with_marker,
    words,
)

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
ARMS: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]
YEARS: Any = {
    "label": "spring", "baseline": [2018], "programme": [2019, 2020], "follow_up": [2021],
    "to_come": [], "reference": None, "lasts": None,
}  # fmt: skip
OUTCOMES: Any = {
    "maths": {"label": "Maths", "measured_on": "pupil"},
    "practice": {"label": "Practice", "measured_on": "teacher"},
}
LISTED = pd.DataFrame({"school": list("abcde"), "arm": list("ccttt")})
PUPILS = pd.DataFrame({"year": [2018, 2018, 2019, 2021], "maths": [1.0, None, 2.0, 3.0]})
TEACHERS = pd.DataFrame({"year": [2020], "practice": [1.0]})
PANEL = pd.DataFrame({"outcome": [], "school": [], "year": [], "mean": [], "n_pupils": []})


def _design(**keys: Any) -> Any:
    return {
        "kind": "blocked", "unit": "school", "randomised": True, "schools": True, "arms": ARMS,
        "no_data": {}, "randomisation": {"date": "2018-06-05"}, **keys,
    }  # fmt: skip


def _data(listed: pd.DataFrame = LISTED, years: Any = YEARS, **keys: Any) -> pd.DataFrame:
    samples = {"pupil": PUPILS, "teacher": TEACHERS}
    return drawn(_design(**keys), years, OUTCOMES, listed, samples, PANEL)


def test_units_without_any_data_are_among_those_that_were_assigned() -> None:
    data = _data(no_data={"c": 2}).set_index("lane")["n"]
    assert (data["Randomised"], data["Control"], data["Tutored"]) == (7, 4, 3)


def test_years_in_which_an_outcome_was_measured_have_how_many_were() -> None:
    tests = _data()[lambda data: data["kind"] == "test"]
    assert tests[["lane", "start", "when", "n", "counted"]].to_numpy().tolist() == [
        ["Maths", 2018, "before", 1, "pupils"], ["Maths", 2019, "during", 1, "pupils"],
        ["Maths", 2021, "after", 1, "pupils"], ["Practice", 2020, "during", 1, "teachers"],
    ]  # fmt: skip


def test_an_arm_has_the_programme_in_its_years_and_the_control_arm_has_none() -> None:
    groups = _data()[lambda data: data["arm"].notna()]
    assert groups[["kind", "lane", "start", "end", "n"]].to_numpy().tolist() == [
        ["no programme", "Control", 2018, 2021, 2], ["programme", "Tutored", 2019, 2020, 3],
    ]  # fmt: skip
    (panel,) = timeline_plot(_data(), ARMS, YEARS, STUDY).axes
    (bar,) = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == (2018.5, 2020.5)
    assert tick_words(panel.yaxis)[:3] == [
        "Control\n2 schools", "Tutored\n3 schools", "Maths\npupils",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lasts", "ends"), [(None, [2021, 2021]), (2, [2020, 2021]), ({"2019": 1}, [2019, 2021])]
)
def test_each_cohort_has_the_programme_from_its_start_as_long_as_it_lasts(
    lasts: Any, ends: list[int]
) -> None:
    listed = LISTED.assign(cohort=pd.array([None, None, 2019, 2020, 2020], "Int64"))
    data = _data(listed, {**YEARS, "lasts": lasts}, kind="staggered", randomised=False)
    cohorts = data[data["cohort"].notna()]
    assert cohorts["start"].tolist() == [2019, 2020]
    assert cohorts["end"].tolist() == ends
    assert cohorts["n"].tolist() == [1, 2]
    assert not (data["kind"] == "assignment").any()  # schools were chosen over the years


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "Randomised on 5 June 2018 (line): 5 schools"),
        ({"randomisation": {"date": ""}}, "Randomised before the programme (line): 5 schools"),
        ({"randomised": False, "randomisation": {"date": ""}},
         "Assigned, not randomised before the programme (line): 5 schools"),
    ],
)  # fmt: skip
def test_the_assignment_is_said_to_be_what_it_was(keys: Any, said: str) -> None:
    assert said in words(timeline_plot(_data(**keys), ARMS, YEARS, STUDY))


def test_what_was_measured_before_during_and_after_differs_in_its_mark() -> None:
    (panel,) = timeline_plot(_data(), ARMS, YEARS, STUDY).axes
    marks = [
        ([x for x, _ in points(line)], line.get_marker(), line.get_markerfacecolor() == "white")
        for line in with_marker(panel, "o", "D")
    ]
    assert marks == [
        ([2018.0], "o", True), ([2019.0], "o", False), ([2021.0], "D", True),
        ([2020.0], "o", False),
    ]  # fmt: skip


def test_the_words_of_the_figure_say_when_everything_was() -> None:
    assert alt_text(_data()) == (
        "Timeline of the study. Randomised on 5 June 2018: 5 schools. Control (2 schools): no "
        "programme. Tutored (3 schools): 2019, 2020. Maths: measured in 2018, 2019, "
        "2021, 1 pupil a year. Practice: measured in 2020, 1 teacher a year."
    )


@pytest.mark.parametrize(("years", "outcomes", "cohorts"), [(4, 12, 0), (30, 2, 12), (2, 1, 0)])
def test_texts_are_apart_and_at_one_column_no_smaller_than_six_points(
    years: int, outcomes: int, cohorts: int
) -> None:
    span = range(2020 - years, 2020)
    measured: Any = {
        f"o{at}": {"label": f"Outcome number {at}", "measured_on": "pupil"}
        for at in range(outcomes)
    }
    plan: Any = {**YEARS, "baseline": [span[0]], "programme": list(span[1:]), "follow_up": []}
    pupils = pd.DataFrame({"year": list(span), **dict.fromkeys(measured, 1.0)})
    starts = [None, None, *(2007 + at for at in range(cohorts or 3))]
    listed = pd.DataFrame(
        {"school": [f"s{at}" for at in range(len(starts))],
         "arm": ["c", "c", *["t"] * (len(starts) - 2)], "cohort": pd.array(starts, "Int64")}
    )  # fmt: skip
    listed = listed if cohorts else listed.drop(columns="cohort")
    data = drawn(_design(), plan, measured, listed, {"pupil": pupils}, PANEL)
    figure = timeline_plot(data, ARMS, plan, STUDY)
    rendered(figure, ["svg"])
    assert smallest_letters(figure, 88) >= 6
    assert overlapping_texts(figure) == []


def test_where_marks_bear_no_numbers_the_lane_says_how_many_were_measured() -> None:
    years = list(range(2010, 2020))
    plan: Any = {**YEARS, "baseline": years[:5], "programme": years[5:], "follow_up": []}
    pupils = pd.DataFrame({"year": [*years, *years[1:]], "m": 1.0})
    measured: Any = {"m": {"label": "Maths", "measured_on": "pupil"}}
    listed = pd.DataFrame({"school": ["a", "b"], "arm": ["c", "t"]})
    data = drawn(_design(), plan, measured, listed, {"pupil": pupils}, PANEL)
    (panel,) = timeline_plot(data, ARMS, plan, STUDY).axes
    assert tick_words(panel.yaxis)[-1] == "Maths\n1 to 2 pupils"


def test_the_one_day_of_the_list_is_the_date_of_an_assignment_whose_protocol_has_none() -> None:
    design: Any = {"randomisation": {"date": ""}}
    listed = pd.DataFrame({"drawn": pd.to_datetime(["2022-06-17"] * 2)})
    assert _date(design, listed) == "2022-06-17"
    assert _date(design, listed.assign(drawn=pd.to_datetime(["2022-06-17", "2022-06-18"]))) == ""
    design["randomisation"]["date"] = "2021-05-03"
    assert _date(design, listed) == "2021-05-03"
