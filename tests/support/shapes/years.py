"""Shapes of when outcomes were measured: one year, one wave without baseline, a year to come."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from support.shapes.generator import draw_trial, plain_protocol, plain_tables
from support.shapes.right import check_row, least_squares
from support.shapes.shape import Shape

ONE_YEAR = draw_trial(seed=11, years=(2025,))
"""The pre-test is in the file of the one year."""


def _one_year(results: Path) -> None:
    rows = ONE_YEAR.year(2025).merge(ONE_YEAR.units[["school", "block"]], on="school")
    wanted = least_squares(rows, "score", ["pretest"], blocks=rows["block"])
    check_row(results, "itt", wanted, n_pupils=120, n_schools=12)


def _without_scores() -> dict[str, pd.DataFrame]:
    return {
        name: table.assign(score="") if "score" in table else table
        for name, table in plain_tables(ONE_YEAR).items()
    }


SHAPES = (
    Shape("one_year", plain_protocol(ONE_YEAR), plain_tables(ONE_YEAR), right=_one_year),
    Shape(
        "no_score_at_all", plain_protocol(ONE_YEAR), _without_scores(),
        refused=("maths",),
    ),
)  # fmt: skip
