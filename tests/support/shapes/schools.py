"""Shapes of outcomes that are known by school alone: one row a school, published rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from support.shapes.generator import (
    ARMS,
    assignment_reading,
    draw_trial,
    plain_protocol,
    pupils_reading,
    scores_reading,
)
from support.shapes.right import check_row, least_squares
from support.shapes.shape import Shape

DRAWN = draw_trial(seed=21, schools=16, years=(2023, 2024, 2025))
SCHOOL_OUTCOME = {"label": "Maths", "family": "tests", "primary": True, "measured_on": "school"}
MODEL = {"label": "Intention to treat", "estimator": "cluster_robust", "role": "primary"}


def _means() -> pd.DataFrame:
    """Return the mean of each school and year, with its block and arm."""
    means = DRAWN.pupils.groupby(["school", "year"], as_index=False).agg(
        mean=("score", "mean"), tested=("score", "size")
    )
    means["mean"] = means["mean"].round(2)
    return means.merge(DRAWN.units, on="school")


MEANS = _means()


def _reading(file: str, *columns: str) -> dict[str, Any]:
    found = {
        "school": {"column": "school"},
        "year": {"column": "year", "type": "integer"},
        "n_pupils": {"column": "tested", "type": "integer"},
    }
    return {
        "file": file,
        "columns": {name: found[name] for name in columns},
        "outcomes": {"maths": {"column": "mean", "type": "number"}},
    }


def _protocol(years: dict[str, Any], reading: dict[str, Any], **models: Any) -> dict[str, Any]:
    return {
        "design": {"kind": "blocked", "arms": ARMS},
        "years": years,
        "tables": {"assignment": [assignment_reading()], "school_scores": [reading]},
        "outcomes": {"maths": SCHOOL_OUTCOME},
        "models": models,
    }


LIST = DRAWN.units[["school", "block", "arm"]]
LAST = MEANS[MEANS["year"] == 2025]


def _one_row_a_school(results: Path) -> None:
    check_row(results, "itt", least_squares(LAST, "mean", blocks=LAST["block"]), n_schools=16)
    tests = pd.read_csv(results / "checks" / "assignment_tests.csv").set_index("check")
    assert tests.loc["baseline", "verdict"] == "not tested"  # the outcome is no baseline


def _a_pupil_a_school() -> pd.DataFrame:
    """Return what is left of rosters where each school is one row: its mean as a pupil's score."""
    rows = LAST.rename(columns={"mean": "score"}).assign(pupil=LAST["school"], sex="F")
    return rows.assign(pretest=MEANS.loc[MEANS["year"] == 2024, "mean"].to_numpy())


def _one_pupil_a_school(results: Path) -> None:
    rows = _a_pupil_a_school()
    check_row(
        results, "itt", least_squares(rows, "score", ["pretest"]), n_individuals=16, n_schools=16
    )


def _pupils_protocol(**models: Any) -> dict[str, Any]:
    plain = plain_protocol(draw_trial(years=(2025,)))
    return {
        **plain,
        "tables": {
            "assignment": [assignment_reading()],
            "pupils": [pupils_reading("schools.csv")],
            "scores": [scores_reading("schools.csv")],
        },
        "balance": {"pupil_variables": ["pretest"]},
        "models": {
            name: {**plain["models"]["itt"], "blocks": "none", **model}
            for name, model in models.items()
        },
    }


def _published(results: Path) -> None:
    then = MEANS[MEANS["year"] == 2024].set_index("school")["mean"]
    rows = LAST.assign(before=LAST["school"].map(then))
    wanted = least_squares(rows, "mean", ["before"], blocks=rows["block"])
    check_row(results, "itt", wanted, n_schools=16)
    change = rows.assign(change=rows["mean"] - rows["before"])
    before = MEANS[MEANS["year"] < 2025].groupby("school")["mean"].mean()
    change["change"] = change["mean"] - change["school"].map(before)
    check_row(results, "did", least_squares(change, "change"), n_schools=16)


SHAPES = (
    Shape(
        "one_row_a_school",
        _protocol(
            {"programme": [2025]}, {**_reading("rates.csv", "school"), "year": 2025},
            itt={**MODEL, "outcomes": ["maths"]},
            redrawn={
                **MODEL, "estimator": "randomisation_inference", "role": "sensitivity",
                "outcomes": ["maths"], "replications": 200,
            },
        ),
        {"assignment.csv": LIST, "rates.csv": LAST[["school", "mean"]]},
        right=_one_row_a_school,
    ),
    Shape(
        "one_pupil_a_school", _pupils_protocol(itt={}),
        {"assignment.csv": LIST, "schools.csv": _a_pupil_a_school()},
        right=_one_pupil_a_school,
    ),
    Shape(
        "one_pupil_a_school_in_levels", _pupils_protocol(itt={"estimator": "multilevel"}),
        {"assignment.csv": LIST, "schools.csv": _a_pupil_a_school()},
        refused=("model itt", "each of the 16 rows is a group of its own", "cluster_robust"),
    ),
    Shape(
        "published_rates_alone",
        {
            **_protocol(
                {"baseline": [2023, 2024], "programme": [2025]},
                _reading("rates.csv", "school", "year"),
                itt={
                    **MODEL, "outcomes": ["maths"], "where": {"year": [2025]},
                    "covariates": ["baseline"],
                },
                did={
                    "label": "Difference in differences", "role": "sensitivity",
                    "estimator": "difference_in_differences", "outcomes": ["maths"],
                },
            ),
            "outcomes": {"maths": {**SCHOOL_OUTCOME, "baseline_year": 2024}},
            "balance": {"school_variables": ["maths"]},
        },
        {"assignment.csv": LIST, "rates.csv": MEANS[["school", "year", "mean"]]},
        right=_published,
    ),
)  # fmt: skip
