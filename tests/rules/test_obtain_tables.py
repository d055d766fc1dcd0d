"""The standard tables of a rehearsal, some of whose files are not there yet."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from support.small_trial import SCHOOLS, SmallTrial

RATES: dict[str, Any] = {
    "columns": {
        "school": {"column": "school"}, "year": {"column": "year", "type": "integer"},
        "n_pupils": {"column": "tested", "type": "integer"},
    },
    "outcomes": {"passed": {"column": "passed", "type": "number"}},
}  # fmt: skip


def _with_teachers(trial: SmallTrial) -> None:
    """Give each school a teacher who is observed by a rater, and answers a survey."""
    for year in (2019, 2020):
        trial.files[f"staff_{year}.csv"] = [
            ["teacher", "school"], *([f"t{school}", school] for school in SCHOOLS)
        ]  # fmt: skip
        trial.files[f"survey_{year}.csv"] = [
            ["teacher", "points"], *([f"t{school}", str(at)] for at, school in enumerate(SCHOOLS))
        ]  # fmt: skip
        trial.files[f"lessons_{year}.csv"] = [
            ["teacher", "rater", "seen", "points"],
            *(
                [f"t{school}", "R1", f"{year}-03-0{1 + at}", "3"]
                for at, school in enumerate(SCHOOLS)
            ),
        ]
    teacher = {"teacher": {"column": "teacher"}}
    points = {"column": "points", "type": "number"}
    trial.protocol["tables"] |= {
        "teachers": [
            {"file": "staff_{year}.csv", "columns": {**teacher, "school": {"column": "school"}}}
        ],
        "observations": [
            {
                "file": "lessons_{year}.csv", "outcomes": {"practice": points},
                "columns": {
                    **teacher, "rater": {"column": "rater"},
                    "observed": {"column": "seen", "type": "date"},
                },
            },
            {"file": "survey_{year}.csv", "outcomes": {"knowledge": points}, "columns": teacher},
        ],
    }  # fmt: skip
    trial.protocol["outcomes"] |= {
        name: {"label": name, "family": "teaching", "measured_on": "teacher"}
        for name in ("practice", "knowledge")
    }


def _with_rates(trial: SmallTrial, **districts: list[str]) -> None:
    """Give schools rates of passing, from a file for each district and year."""
    trial.protocol["tables"]["school_scores"] = []
    for district, schools in districts.items():
        for year in ("2019", "2020"):
            trial.files[f"{district}_{year}.csv"] = [
                ["school", "year", "tested", "passed"],
                *([school, year, "40", str(50 + at)] for at, school in enumerate(schools)),
            ]
        trial.protocol["tables"]["school_scores"].append(
            {"file": f"{district}_{{year}}.csv", **RATES}
        )
    trial.protocol["outcomes"]["passed"] = {
        "label": "Passed", "family": "tests", "measured_on": "school", "range": [0, 100],
    }  # fmt: skip


@pytest.mark.parametrize("years", [["2020"], ["2019", "2020"]])
def test_lessons_and_answers_of_teachers_are_simulated_where_their_files_are_not_there(
    trial: SmallTrial, years: list[str]
) -> None:
    """A column that only the absent files have is there, though no row fills it."""
    _with_teachers(trial)
    trial.obtain(absent=[f"lessons_{year}.csv" for year in years])
    found = pd.read_parquet(trial.path("observations.parquet"))
    rows = found.groupby(["outcome", "year"], observed=True).size()
    assert rows.to_dict() == {
        (outcome, year): 8 for outcome in ("knowledge", "practice") for year in (2019, 2020)
    }
    assert {"rater", "observed"} <= set(found)


def test_each_school_has_one_simulated_rate_a_year_however_many_districts_send_files(
    trial: SmallTrial,
) -> None:
    _with_rates(trial, north=SCHOOLS[:4], south=SCHOOLS[4:])
    trial.obtain(absent=["north_2020.csv", "south_2020.csv"])
    found = pd.read_parquet(trial.path("school_scores.parquet"))
    assert found.groupby("year")["school"].apply(sorted).to_dict() == {2019: SCHOOLS, 2020: SCHOOLS}
    assert set(found["n_pupils"]) == {40}


def test_rates_that_one_district_has_sent_are_read_and_only_the_others_are_simulated(
    trial: SmallTrial,
) -> None:
    _with_rates(trial, north=SCHOOLS[:4], south=SCHOOLS[4:])
    trial.obtain(absent=["south_2020.csv"])
    found = pd.read_parquet(trial.path("school_scores.parquet")).query("year == 2020")
    assert sorted(found["school"]) == SCHOOLS
    read = found.set_index("school").loc[SCHOOLS[:4], "value"]
    assert read.tolist() == [50, 51, 52, 53]


def test_schools_that_began_in_different_years_without_blocks_change_places(
    trial: SmallTrial,
) -> None:
    trial.protocol["design"]["kind"] = "staggered"
    del trial.reading("assignment")["columns"]["block"]
    trial.reading("assignment")["columns"]["cohort"] = {"column": "began", "type": "integer"}
    trial.files["assignment.csv"] = [
        ["school_code", "arm", "began"],
        *([school, "CT"[at % 2], "2020" * (at % 2)] for at, school in enumerate(SCHOOLS)),
    ]
    trial.protocol["models"] = {
        "rollout": {"label": "Roll-out", "estimator": "staggered_adoption", "outcomes": ["maths"]}
    }
    trial.obtain(absent=[])
    drawn = pd.read_parquet(trial.path("assignment.parquet")).set_index("school").loc[SCHOOLS]
    assert drawn["arm"].tolist() != ["control", "programme"] * 4
    assert (drawn["cohort"].notna() == (drawn["arm"] == "programme")).all()
