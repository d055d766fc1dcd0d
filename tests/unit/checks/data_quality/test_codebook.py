"""What the codebook says of raw columns, of dates, and of schools that changed."""

from typing import Any

import pandas as pd

from schooltrial.checks.data_quality.codebook import arms_of_rows, build_codebook, raw_columns
from support.small_trial import SmallTrial


def test_a_variable_of_a_joined_file_has_its_column_and_a_key_that_of_the_main_file(
    trial: SmallTrial,
) -> None:
    joined = {"pupil": {"column": "id"}, "migrant": {"column": "mig"}}
    trial.reading("pupils")["join"] = [{"file": "more.csv", "on": ["pupil"], "columns": joined}]
    trial.write()
    found = raw_columns(trial.read().content["tables"])["pupils"]
    assert (found["pupil"], found["migrant"]) == ("pupil_id", "mig")


def test_each_file_of_a_table_and_each_outcome_has_its_column(trial: SmallTrial) -> None:
    first = trial.reading("pupils")
    second = {**first, "columns": {**first["columns"], "sex": {**first["columns"]["sex"]}}}
    second["columns"]["sex"]["column"] = "gender"
    trial.protocol["tables"]["pupils"].append(second)
    wide = {"file": "wide.csv", "year": 2020, "columns": {"pupil": {"column": "id"}}}
    wide["outcomes"] = {"maths": {"column": "MATH", "type": "number"}}
    trial.protocol["tables"]["scores"].append(wide)
    trial.write()
    found: dict[str, Any] = raw_columns(trial.read().content["tables"])
    assert found["pupils"]["sex"] == "sex or gender"
    assert found["scores"]["maths"] == "score where subject is MATH or MATH"
    assert found["scores"]["reading"] == "score where subject is READ"


def test_dates_are_listed_as_days() -> None:
    days = pd.Series(pd.to_datetime(["2022-06-20", "2022-06-21"]))
    book = build_codebook({"observations": pd.DataFrame({"on": days})}, {}, {})
    assert book["values"].tolist() == ["2022-06-20; 2022-06-21"]


def test_rows_of_a_renamed_school_are_of_the_arm_of_the_one_that_was_assigned() -> None:
    tables = {
        "assignment": pd.DataFrame({"school": ["S1", "S2"], "arm": ["control", "programme"]}),
        "crosswalk": pd.DataFrame(
            {"from_school": ["S1"], "from_year": [2020], "to_school": ["S9"], "change": ["renamed"]}
        ),
        "school_scores": pd.DataFrame(
            {"school": ["S1", "S9", "S9", "S2", "S7"], "year": [2019, 2019, 2020, 2020, 2020]}
        ),
        "pupils": pd.DataFrame({"pupil": ["a", "a"], "year": [2019, 2020], "school": ["S1", "S9"]}),
        "scores": pd.DataFrame({"pupil": ["a", "a"], "year": [2019, 2020]}),
    }
    arms = arms_of_rows(tables, "school")
    assert arms["school_scores"].fillna("").tolist() == ["control", "", "control", "programme", ""]
    assert arms["pupils"].tolist() == ["control", "control"]
    assert arms["scores"].tolist() == ["control", "control"]
