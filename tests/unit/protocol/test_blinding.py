"""Claims about blind mode."""

from datetime import date
from typing import Any

import pytest

from schooltrial.protocol.blinding import blinded_until, held_back, without_outcomes
from schooltrial.protocol.schema_validation import with_defaults
from schooltrial.protocol.strict_yaml import parse_yaml
from support.small_trial import PROTOCOL, schema


@pytest.fixture
def content() -> dict[str, Any]:
    filled: dict[str, Any] = with_defaults(parse_yaml(PROTOCOL), schema(), schema())
    return filled


def test_a_study_is_blind_up_to_the_day_before_the_one_stated(content: dict[str, Any]) -> None:
    content["blinding"]["until"] = "2026-05-01"
    assert blinded_until(content, date(2026, 4, 30)) == "2026-05-01"
    assert blinded_until(content, date(2026, 5, 1)) == ""


def test_a_study_that_states_no_day_is_not_blind(content: dict[str, Any]) -> None:
    assert blinded_until(content, date(1900, 1, 1)) == ""


def test_no_column_of_an_outcome_is_left_in_any_table(content: dict[str, Any]) -> None:
    tables = without_outcomes(content["tables"], content["outcomes"])
    assert "scores" not in tables
    columns = {name for readings in tables.values() for r in readings for name in r["columns"]}
    assert not columns & {"days_present", "days_enrolled", "maths", "reading", "value"}
    assert {"school", "pupil", "grade", "sex", "arm"} <= columns
    assert all(reading["outcomes"] == {} for readings in tables.values() for reading in readings)


def test_outcomes_of_joined_files_are_not_read_either(content: dict[str, Any]) -> None:
    (pupils,) = content["tables"]["pupils"]
    days = {name: pupils["columns"].pop(name) for name in ("days_enrolled", "days_present")}
    key = {"pupil": pupils["columns"]["pupil"]}
    pupils["join"] = [{"file": "days_{year}.csv", "on": ["pupil"], "columns": {**key, **days}}]
    tables = without_outcomes(content["tables"], content["outcomes"])
    (joined,) = tables["pupils"][0]["join"]
    assert list(joined["columns"]) == ["pupil"]
    told = dict(held_back(content["tables"], content["outcomes"]))
    assert told["days_{year}.csv"] == "days_enrolled, days_present"


def test_what_is_held_back_is_told_file_by_file(content: dict[str, Any]) -> None:
    assert held_back(content["tables"], content["outcomes"]) == [
        ("roster_{year}.csv", "days_enrolled, days_present"),
        ("scores_{year}.csv", "the whole file"),
    ]
