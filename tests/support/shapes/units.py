"""Shapes of what was randomised: pupils with and without schools, teachers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from support.shapes.generator import (
    ARMS,
    Drawn,
    assignment_reading,
    draw_trial,
    plain_protocol,
    pupils_reading,
    scores_reading,
)
from support.shapes.right import assert_told, check_row, least_squares
from support.shapes.shape import Shape

PUPILS = draw_trial(seed=31, years=(2025,), unit="pupil", schools=8, pupils=12)
TWO_WAVES = draw_trial(seed=32, years=(2024, 2025), unit="pupil", schools=8, pupils=12)
TEACHERS = draw_trial(seed=33, years=(2024, 2025), unit="teacher", schools=12, pupils=8)
MODEL = {"label": "Intention to treat", "estimator": "cluster_robust", "role": "primary"}


def _pupil_protocol(kind: str, *, schools: bool, **sections: Any) -> dict[str, Any]:
    assignment = assignment_reading("pupil")
    roster = pupils_reading()
    if kind == "complete":
        del assignment["columns"]["block"]
    if not schools:
        del roster["columns"]["school"]
    model = {**MODEL, "outcomes": ["maths"], "where": {"year": [2025]}, "covariates": ["pretest"]}
    redrawn = {"estimator": "randomisation_inference", "role": "sensitivity", "replications": 500}
    return {
        **plain_protocol(PUPILS),
        "design": {"kind": kind, "unit": "pupil", "arms": ARMS},
        "tables": {"assignment": [assignment], "pupils": [roster], "scores": [scores_reading()]},
        "models": {"itt": model, "redrawn": {**model, **redrawn}},
        **sections,
    }


def _files(drawn: Drawn, unit: str, *, missing: int = 0) -> dict[str, pd.DataFrame]:
    """Return the raw files; the scores of the first pupils of the last year are not known."""
    last = drawn.pupils["year"].max()
    files = {"assignment.csv": drawn.units[list(dict.fromkeys([unit, "school", "block", "arm"]))]}
    for year in sorted(drawn.pupils["year"].unique()):
        rows = drawn.year(year, "pupil", "school", "teacher", "sex", "pretest", "score")
        if year == last:
            rows.loc[: missing - 1, "score"] = np.nan
        files[f"pupils_{year}.csv"] = rows
    return files


def _within_schools(results: Path) -> None:
    rows = PUPILS.year(2025)
    wanted = least_squares(rows, "score", ["pretest"], blocks=rows["school"])
    for model in ("itt", "redrawn"):
        check_row(results, model, wanted, n_individuals=96)


def _without_schools(drawn: Drawn, missing: int) -> Any:
    def right(results: Path) -> None:
        rows = drawn.year(2025)[missing:]
        wanted = least_squares(rows, "score", ["pretest"])
        for model in ("itt", "redrawn"):
            check_row(results, model, wanted, n_individuals=96 - missing, n_schools=0)

    return right


def _teacher_of(drawn: Drawn) -> pd.DataFrame:
    """Return the mean of a teacher's pupils by year: what an observer might have scored."""
    means = drawn.pupils.groupby(["teacher", "school", "year", "arm"], as_index=False)["score"]
    return means.mean().assign(score=lambda rows: rows["score"].round(2))


def _teachers_right(results: Path) -> None:
    rows = _teacher_of(TEACHERS)
    rows = rows[rows["year"] == 2025]
    check_row(results, "itt", least_squares(rows, "score", blocks=rows["school"]), n_individuals=24)


def _teachers_protocol() -> dict[str, Any]:
    return {
        "design": {"kind": "blocked", "unit": "teacher", "arms": ARMS, "block_label": "school"},
        "years": {"baseline": [2024], "programme": [2025]},
        "tables": {
            "assignment": [assignment_reading("teacher", school={"column": "school"})],
            "teachers": [{
                "file": "teachers_{year}.csv",
                "columns": {"teacher": {"column": "teacher"}, "school": {"column": "school"}},
            }],
            "observations": [{
                "file": "teachers_{year}.csv", "columns": {"teacher": {"column": "teacher"}},
                "outcomes": {"practice": {"column": "score", "type": "number"}},
            }],
        },
        "outcomes": {
            "practice": {
                "label": "Practice", "family": "practice", "primary": True,
                "measured_on": "teacher", "baseline_year": 2024,
            },
        },
        "balance": {"teacher_variables": ["practice"]},
        "models": {"itt": {**MODEL, "outcomes": ["practice"], "where": {"year": [2025]}}},
    }  # fmt: skip


def _teachers_files() -> dict[str, pd.DataFrame]:
    rows = _teacher_of(TEACHERS)
    return {
        "assignment.csv": TEACHERS.units[["teacher", "school", "block", "arm"]],
        **{
            f"teachers_{year}.csv": rows.loc[rows["year"] == year, ["teacher", "school", "score"]]
            for year in (2024, 2025)
        },
    }


def _pupils_of_teachers() -> dict[str, Any]:
    plain = plain_protocol(TEACHERS)
    return {
        **plain,
        "design": {"kind": "blocked", "unit": "teacher", "arms": ARMS, "block_label": "school"},
        "tables": {
            "assignment": [assignment_reading("teacher", school={"column": "school"})],
            "teachers": [{
                "file": "pupils_{year}.csv", "collapse_repeats": True,
                "columns": {"teacher": {"column": "teacher"}, "school": {"column": "school"}},
            }],
            "pupils": [pupils_reading(teacher={"column": "teacher"})],
            "scores": [scores_reading()],
        },
    }  # fmt: skip


def _pupils_of_teachers_right(results: Path) -> None:
    rows = TEACHERS.year(2025)
    wanted = least_squares(rows, "score", ["pretest"], blocks=rows["school"])
    check_row(results, "itt", wanted, n_individuals=96)


def _of_two_years() -> dict[str, Any]:
    """Return a protocol of two years of the programme, none before, and models of both."""
    protocol = _pupil_protocol("simple", schools=False, years={"programme": [2024, 2025]})
    del protocol["tables"]["assignment"][0]["columns"]["block"]
    for model in protocol["models"].values():
        del model["where"]
    return protocol


def _of_two_years_right(results: Path) -> None:
    rows = pd.concat([TWO_WAVES.year(2024), TWO_WAVES.year(2025)[6:]], ignore_index=True)
    wanted = least_squares(rows, "score", ["pretest"])
    check_row(results, "itt", wanted, n_individuals=186, n_schools=0)
    assert_told(results, "186 pupil-years")


SHAPES = (
    Shape(
        "pupils_within_schools", _pupil_protocol("blocked", schools=True),
        _files(PUPILS, "pupil"), right=_within_schools,
    ),
    Shape(
        "pupils_at_once_in_schools", _pupil_protocol("complete", schools=True),
        _files(PUPILS, "pupil"), right=_within_schools,
    ),
    Shape(
        "pupils_on_their_own", _pupil_protocol("complete", schools=False),
        _files(PUPILS, "pupil", missing=6), right=_without_schools(PUPILS, 6),
    ),
    Shape(
        "pupils_on_their_own_in_two_waves",
        _pupil_protocol(
            "complete", schools=False, years={"baseline": [2024], "programme": [2025]},
            outcomes={
                "maths": {
                    "label": "Maths", "family": "tests", "primary": True, "baseline_year": 2024,
                },
            },
            balance={"pupil_variables": ["sex", "pretest", "maths"]},
        ),
        _files(TWO_WAVES, "pupil", missing=6), right=_without_schools(TWO_WAVES, 6),
    ),
    Shape(
        "pupils_on_their_own_over_two_years", _of_two_years(),
        _files(TWO_WAVES, "pupil", missing=6), right=_of_two_years_right,
    ),
    Shape("teachers", _teachers_protocol(), _teachers_files(), right=_teachers_right),
    Shape(
        "pupils_of_teachers", _pupils_of_teachers(), _files(TEACHERS, "teacher"),
        right=_pupils_of_teachers_right,
    ),
)  # fmt: skip
