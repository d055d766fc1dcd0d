"""What a reading lacks, or asks for in vain, is a fault of the protocol before any file is read."""

import hashlib
from typing import Any

import pytest

from schooltrial.protocol.content.column_map import SIZES
from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial


def _faults(trial: SmallTrial) -> list[Fault]:
    trial.write()
    with pytest.raises(Refusal) as caught:
        trial.read()
    return list(caught.value.faults)


def _column(trial: SmallTrial, name: str, **keys: Any) -> None:
    trial.reading("pupils")["columns"][name].update(keys)


@pytest.mark.parametrize(
    ("table", "needed"),
    [
        ("teachers", "teacher, year, school"),
        ("observations", "teacher, year, outcome, value"),
        ("school_scores", "school, year, outcome, value"),
        ("crosswalk", "from_school, from_year, to_school, change"),
        ("costs", "ingredient, quantity, unit_cost"),
    ],
)
def test_each_table_tells_the_columns_that_it_needs(
    trial: SmallTrial, table: str, needed: str
) -> None:
    reading = {"file": "f.csv", "columns": {"note": {"column": "note"}}}
    trial.protocol["tables"][table] = [reading]
    faults = _faults(trial)
    assert {fault.expected for fault in faults} == {f"columns for {needed}"}
    assert len(faults) == len(needed.split(", "))


def test_the_assignment_needs_the_unit_that_was_assigned(trial: SmallTrial) -> None:
    trial.protocol["design"] |= {"unit": "teacher", "kind": "blocked"}
    found = [fault.found for fault in _faults(trial)]
    assert "tables.assignment.0 has no 'teacher'" in found


@pytest.mark.parametrize(
    ("name", "keys", "found"),
    [
        ("sex", {"range": [0, 1]}, "has a range, but is read as category"),
        ("sex", {"percent": True}, "has a percent, but is read as category"),
        ("grade", {"width": 2}, "has a width, but is read as integer"),
        ("school", {"pad": True}, "has `pad: true` but no `width`"),
        ("days_enrolled", {"suppressed": "bounds"}, "but `≥95` has no upper end"),
        (
            "days_enrolled",
            {"thousands": "."},
            "uses '.' both as decimal mark and as thousands separator",
        ),
        ("sex", {"suppressed": "missing"}, "is not a numeric column without codes"),
    ],
)
def test_a_key_that_cannot_act_on_a_column_is_a_fault(
    trial: SmallTrial, name: str, keys: dict[str, Any], found: str
) -> None:
    _column(trial, name, **keys)
    (fault,) = _faults(trial)
    assert found in fault.found
    assert fault.column is not None
    assert fault.column.startswith(f"tables.pupils.0.columns.{name}.")


def test_bounds_need_no_range_of_the_column_where_each_outcome_has_one(trial: SmallTrial) -> None:
    trial.reading("scores")["columns"]["value"]["suppressed"] = "bounds"
    trial.protocol["outcomes"]["attendance"]["range"] = [0, 100]
    trial.write()
    trial.read()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("days", "days_enrolled"),
        ({"keep": "largest", "by": "days"}, "days_enrolled"),
        ({"keep": "largest"}, "a variable that is read there"),
    ],
)
def test_a_rule_for_repeated_keys_names_a_variable_that_is_read(
    trial: SmallTrial, rule: Any, expected: str
) -> None:
    trial.reading("pupils")["duplicate_keys"] = rule
    (fault,) = _faults(trial)
    assert expected in fault.expected


def test_a_variable_is_of_one_type_in_all_files_of_a_table(trial: SmallTrial) -> None:
    columns = {
        "pupil": {"column": "p"}, "school": {"column": "s"},
        "grade": {"column": "g", "type": "number"},
    }  # fmt: skip
    trial.protocol["tables"]["pupils"].append({"file": "more_{year}.csv", "columns": columns})
    (fault,) = _faults(trial)
    assert fault.found == "'grade' is read as number here and as integer in another file"


def test_variables_of_joined_files_may_be_used_by_models(trial: SmallTrial) -> None:
    columns = {"pupil": {"column": "p"}, "ward": {"column": "w", "type": "flag"}}
    trial.reading("pupils")["join"] = [{"file": "w.csv", "on": ["pupil"], "columns": columns}]
    trial.protocol["models"]["itt"]["covariates"] = ["ward"]
    trial.write()
    assert trial.read().models() == ["itt", "did"]


def test_outcomes_are_read_only_where_a_table_holds_them(trial: SmallTrial) -> None:
    trial.reading("pupils")["outcomes"] = {"maths": {"column": "m", "type": "number"}}
    (fault,) = _faults(trial)
    assert fault.found == "tables.pupils.0 reads outcomes, but pupils holds none"


@pytest.mark.parametrize("name", ["../outside.csv", "sub/../../outside.csv", "/outside.csv"])
def test_a_fetched_file_is_kept_below_its_folder(trial: SmallTrial, name: str) -> None:
    trial.reading("pupils").update(
        file=name, url="https://example.org/a.csv", sha256=hashlib.sha256().hexdigest()
    )
    found = [fault.found for fault in _faults(trial)]
    assert any("downloads a file to" in text and name in text for text in found)


@pytest.mark.parametrize("kind", ["integer", "number", "flag", "date"])
def test_what_names_somebody_is_an_identifier(trial: SmallTrial, kind: str) -> None:
    _column(trial, "pupil", type=kind)
    (fault,) = _faults(trial)
    assert fault.found == f"tables.pupils.0.columns.pupil is read as {kind}"
    assert f"remove `type: {kind}`" in fault.remedy


@pytest.mark.parametrize(
    ("keys", "found", "remedy"),
    [
        ({"position": 2}, "has both `column` and `position`", "remove `position`"),
        ({"column": []}, "the key 'column' is missing", "`position: 3`"),
    ],
)
def test_a_column_is_named_or_counted_but_not_both(
    trial: SmallTrial, keys: dict[str, Any], found: str, remedy: str
) -> None:
    _column(trial, "grade", **keys)
    (fault,) = _faults(trial)
    assert found in fault.found
    assert remedy in fault.remedy


def test_a_column_that_is_counted_needs_no_name(trial: SmallTrial) -> None:
    trial.reading("pupils")["columns"]["grade"] = {"position": 3, "type": "integer"}
    trial.write()
    column = trial.read().content["tables"]["pupils"][0]["columns"]["grade"]
    assert (column["column"], column["position"]) == ([], 3)


@pytest.mark.parametrize(
    ("file", "keys", "found"),
    [
        ("f.dta", {"notes_below": True}, "has `notes_below`, but .dta files cannot have notes"),
        ("f.SAV", {"header_row": 2}, "has `header_row`, but .sav files store their column names"),
        ("f.csv", {"value_labels": True}, "has `value_labels`, but its file has no value labels"),
        ("f.xpt", {"value_labels": True}, "has `value_labels`, but its file has no value labels"),
        ("f.csv", {"header_row": [3, 2]}, "has the header lines [3, 2]"),
        ("f.csv", {"header_row": [2, 2]}, "has the header lines [2, 2]"),
    ],
)
def test_a_key_that_would_not_act_on_a_file_of_its_kind_is_refused(
    trial: SmallTrial, file: str, keys: dict[str, Any], found: str
) -> None:
    trial.reading("schools").update(file=file, **keys)
    (fault,) = _faults(trial)
    assert found in fault.found


def test_the_limits_of_size_are_those_of_the_schema_unless_stated(trial: SmallTrial) -> None:
    trial.write()
    assert trial.read().content["limits"] == SIZES
    trial.protocol["limits"] = {"columns": 7}
    trial.write()
    assert trial.read().content["limits"] == {**SIZES, "columns": 7}
