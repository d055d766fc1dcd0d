"""Shapes of when outcomes were measured: one year, one wave without baseline, a year to come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from support.shapes.generator import (
    Drawn,
    assignment_reading,
    draw_trial,
    plain_protocol,
    plain_tables,
    pupils_reading,
    scores_reading,
)
from support.shapes.right import assert_told, check_row, least_squares
from support.shapes.shape import Shape

ONE_YEAR = draw_trial(seed=11, years=(2025,))
"""The pre-test is in the file of the one year."""
TWO_YEARS = draw_trial(seed=12, years=(2024, 2025))


def _with_blocks(drawn: Drawn, year: int) -> pd.DataFrame:
    return drawn.year(year).merge(drawn.units[["school", "block"]], on="school")


def _one_year(results: Path) -> None:
    rows = _with_blocks(ONE_YEAR, 2025)
    wanted = least_squares(rows, "score", ["pretest"], blocks=rows["block"])
    check_row(results, "itt", wanted, n_individuals=120, n_schools=12)


def _without_scores() -> dict[str, pd.DataFrame]:
    return {
        name: table.assign(score="") if "score" in table else table
        for name, table in plain_tables(ONE_YEAR).items()
    }


def _one_wave_protocol() -> dict[str, Any]:
    """Return a protocol of nothing but schools, arms and one score."""
    assignment, pupils = assignment_reading(), pupils_reading()
    del assignment["columns"]["block"]
    for variable in ("sex", "pretest"):
        del pupils["columns"][variable]
    model = {"label": "Intention to treat", "role": "primary", "outcomes": ["maths"]}
    return {
        **plain_protocol(ONE_YEAR),
        "design": {**plain_protocol(ONE_YEAR)["design"], "kind": "complete"},
        "tables": {"assignment": [assignment], "pupils": [pupils], "scores": [scores_reading()]},
        "balance": {},
        "models": {
            "itt": {**model, "estimator": "multilevel"},
            "clustered": {**model, "estimator": "cluster_robust", "role": "sensitivity"},
            "redrawn": {
                **model, "estimator": "randomisation_inference", "role": "sensitivity",
                "replications": 500,
            },
        },
    }  # fmt: skip


def _one_wave(results: Path) -> None:
    rows = ONE_YEAR.year(2025)
    wanted = least_squares(rows, "score")
    for model in ("itt", "clustered", "redrawn"):  # schools of one size
        check_row(results, model, wanted, n_individuals=120, n_schools=12)


def _with_year_to_come(**years: Any) -> dict[str, Any]:
    protocol = plain_protocol(TWO_YEARS)
    return {**protocol, "years": {**protocol["years"], **years}}


def _in_one_file(drawn: Drawn) -> dict[str, pd.DataFrame]:
    tables = plain_tables(drawn)
    columns = ["pupil", "year", "school", "sex", "pretest", "score"]
    return {"assignment.csv": tables["assignment.csv"], "pupils.csv": drawn.pupils[columns]}


def _of_one_file(protocol: dict[str, Any]) -> dict[str, Any]:
    year = {"column": "year", "type": "integer"}
    scores = scores_reading("pupils.csv")
    scores["columns"]["year"] = year
    tables = {
        **protocol["tables"],
        "pupils": [pupils_reading("pupils.csv", year=year)],
        "scores": [scores],
    }
    return {**protocol, "tables": tables}


def _two_years(results: Path) -> None:
    rows = _with_blocks(TWO_YEARS, 2025)
    wanted = least_squares(rows, "score", ["pretest"], blocks=rows["block"])
    check_row(results, "itt", wanted, n_individuals=120, n_schools=12)


def _planned(**years: Any) -> dict[str, Any]:
    """Return a protocol with a model of the year that no file holds yet."""
    protocol = _with_year_to_come(**years)
    later = {**protocol["models"]["itt"], "label": "A year later", "where": {"year": [2026]}}
    return {**protocol, "models": {**protocol["models"], "later": later}}


def _planned_is_told(results: Path) -> None:
    _two_years(results)
    assert_told(results, "There are no data for 2026 yet; planned for then: A year later[.]")
    assert "later" not in set(pd.read_csv(results / "estimates" / "estimates.csv")["model"])


BLIND = Shape(
    "blind",
    {
        **_with_year_to_come(programme=[2025, 2026], to_come=[2025, 2026]),
        "models": {"itt": plain_protocol(TWO_YEARS)["models"]["itt"]},
        "blinding": {"until": "2999-01-01"},
    },
    {name: table for name, table in plain_tables(TWO_YEARS).items() if "2025" not in name},
)
"""A trial before the first outcome: only its monitoring page can be made."""

NO_SCORE = ("model itt, outcome maths", "missing for all of them: maths; check the column")

SHAPES = (
    Shape("one_year", plain_protocol(ONE_YEAR), plain_tables(ONE_YEAR), right=_one_year),
    Shape("one_wave_no_baseline", _one_wave_protocol(), plain_tables(ONE_YEAR), right=_one_wave),
    Shape(
        "follow_up_to_come", _of_one_file(_with_year_to_come(follow_up=[2026])),
        _in_one_file(TWO_YEARS), right=_two_years,
    ),
    Shape(
        "follow_up_files_to_come", _planned(follow_up=[2026], to_come=[2026]),
        plain_tables(TWO_YEARS), right=_planned_is_told,
    ),
    Shape(
        "follow_up_files_not_there", _planned(follow_up=[2026]), plain_tables(TWO_YEARS),
        refused=("pupils_2026.csv: no such file", "`years: {to_come: [2026]}`"),
    ),
    Shape(
        "programme_year_to_come", _of_one_file(_with_year_to_come(programme=[2025, 2026])),
        _in_one_file(TWO_YEARS), right=_two_years,
    ),
    Shape(
        "outcome_for_a_baseline",
        {**plain_protocol(ONE_YEAR), "balance": {"pupil_variables": ["pretest", "maths"]}},
        plain_tables(ONE_YEAR),
        refused=("balance.pupil_variables names maths, measured in 2025", "Delete maths from"),
    ),
    Shape(
        "all_in_one_arm", plain_protocol(ONE_YEAR),
        {
            name: table.assign(arm="control") if "arm" in table else table
            for name, table in plain_tables(ONE_YEAR).items()
        },
        refused=("assignment.csv, column 'arm': no school is in the group 'programme'",),
    ),
    Shape(
        "faults_of_years_together",
        {
            **_planned(follow_up=[2026], to_come=[2024, 2027]),
            "balance": {"pupil_variables": ["maths"], "baseline_year": 2025},
        },
        plain_tables(TWO_YEARS),
        refused=(
            "years.to_come names 2024", "years.to_come names 2027",
            "balance.pupil_variables names maths", "baseline_year: 2024",
        ),
    ),
    Shape("no_score_at_all", plain_protocol(ONE_YEAR), _without_scores(), refused=NO_SCORE),
)  # fmt: skip
