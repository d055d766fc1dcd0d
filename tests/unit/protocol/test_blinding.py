"""Claims about blind mode."""

from datetime import date

import pytest

from schooltrial.protocol.blinding import blinded_until, held_back, without_outcomes
from schooltrial.protocol.content.sections import Content
from support.sections import joined_file, small_content


@pytest.fixture
def content() -> Content:
    return small_content()


def test_a_study_is_blind_up_to_the_day_before_the_one_stated(content: Content) -> None:
    content["blinding"]["until"] = "2026-05-01"
    assert blinded_until(content, date(2026, 4, 30)) == "2026-05-01"
    assert blinded_until(content, date(2026, 5, 1)) == ""


def test_a_study_that_states_no_day_is_not_blind(content: Content) -> None:
    assert blinded_until(content, date(1900, 1, 1)) == ""


def test_no_column_of_an_outcome_is_left_in_any_table(content: Content) -> None:
    tables = without_outcomes(content["tables"], content["outcomes"], content["variables"])
    assert "scores" not in tables
    columns = {name for readings in tables.values() for r in readings for name in r["columns"]}
    assert not columns & {"days_present", "days_enrolled", "maths", "reading", "value"}
    assert {"school", "pupil", "grade", "sex", "arm"} <= columns
    assert all(reading["outcomes"] == {} for readings in tables.values() for reading in readings)


def test_outcomes_of_joined_files_are_not_read_either(content: Content) -> None:
    (pupils,) = content["tables"]["pupils"]
    days = {name: pupils["columns"].pop(name) for name in ("days_enrolled", "days_present")}
    key = {"pupil": pupils["columns"]["pupil"]}
    pupils["join"] = [joined_file("days_{year}.csv", on=["pupil"], columns={**key, **days})]
    tables = without_outcomes(content["tables"], content["outcomes"], content["variables"])
    (joined,) = tables["pupils"][0]["join"]
    assert list(joined["columns"]) == ["pupil"]
    told = dict(held_back(content["tables"], content["outcomes"], content["variables"]))
    assert told["days_{year}.csv"] == "days_enrolled, days_present"


def test_what_is_held_back_is_told_file_by_file(content: Content) -> None:
    assert held_back(content["tables"], content["outcomes"], content["variables"]) == [
        ("roster_{year}.csv", "days_enrolled, days_present"),
        ("scores_{year}.csv", "the whole file"),
    ]
