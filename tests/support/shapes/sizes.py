"""Shapes of size: 5,000 pupils, a giant among small schools, many outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from support.shapes.generator import (
    ARMS,
    Drawn,
    draw_trial,
    plain_protocol,
    plain_tables,
    scores_reading,
)
from support.shapes.right import check_row, least_squares, text_of
from support.shapes.shape import Shape

QUICK = {"checks": {"replications": 199}, "power": {"replications": 0}}
PLAIN_MODEL = {
    "label": "Intention to treat", "estimator": "cluster_robust", "role": "primary",
    "outcomes": ["maths"], "where": {"year": [2025]},
}  # fmt: skip


def _rows(drawn: Drawn, year: int = 2025) -> pd.DataFrame:
    return drawn.year(year).merge(drawn.units[["school", "block"]], on="school")


def _check(drawn: Drawn, results: Path) -> None:
    rows = _rows(drawn)
    wanted = least_squares(rows, "score", blocks=rows["block"])
    check_row(results, "itt", wanted, len(rows), rows["school"].nunique())


EVEN = draw_trial(seed=52, schools=12, pupils=600)
SMALL = Drawn(
    EVEN.units,
    EVEN.pupils[
        (EVEN.pupils["school"] == "S001") | (EVEN.pupils.groupby(["school", "year"]).cumcount() < 5)
    ].reset_index(drop=True),
)
"""A school of 600 among schools of five."""

MANY = draw_trial(seed=53, schools=12, pupils=4, years=tuple(range(2014, 2026)))


def _five_thousand() -> Shape:
    rng = np.random.default_rng(54)
    arms = rng.permutation(np.repeat(["control", "programme"], 2500))
    names = [f"P{at:04d}" for at in range(5000)]
    score = np.round(rng.normal(50, 10, 5000) + 5 * (arms == "programme"), 2)
    tables = {
        "list.csv": pd.DataFrame({"pupil": names, "arm": arms}),
        "pupils_2025.csv": pd.DataFrame({"pupil": names, "score": score}),
    }
    protocol: dict[str, Any] = {
        "design": {
            "kind": "complete", "unit": "pupil",
            "arms": ARMS,
        },
        "years": {"programme": [2025]},
        "tables": {
            "assignment": [{
                "file": "list.csv",
                "columns": {
                    "pupil": {"column": "pupil"},
                    "arm": {"column": "arm", "type": "category"},
                },
            }],
            "pupils": [{"file": "pupils_{year}.csv", "columns": {"pupil": {"column": "pupil"}}}],
            "scores": [scores_reading()],
        },
        "outcomes": {"maths": {"label": "Maths", "family": "tests", "primary": True}},
        "models": {"itt": PLAIN_MODEL},
        **QUICK,
    }  # fmt: skip

    def right(results: Path) -> None:
        gap = score[arms == "programme"].mean() - score[arms == "control"].mean()
        check_row(results, "itt", float(gap), 5000)
        assert sum(name in text_of(results) for name in names) <= 80  # no list of thousands

    return Shape("five_thousand_pupils", protocol, tables, right=right)


def _many_outcomes() -> Shape:
    drawn = draw_trial(seed=55, schools=12, pupils=4)
    names = [f"outcome_{at}" for at in range(12)]
    tables = {
        file: rows.assign(**{name: rows["score"] + at for at, name in enumerate(names)})
        if "score" in rows else rows
        for file, rows in plain_tables(drawn).items()
    }  # fmt: skip
    protocol = plain_protocol(drawn, models={"itt": PLAIN_MODEL | {"outcomes": names}}, **QUICK)
    read: dict[str, Any] = {name: {"column": name, "type": "number"} for name in names}
    protocol["tables"]["scores"] = [scores_reading(**read)]
    protocol["outcomes"] = {
        name: {"label": name.capitalize(), "family": "tests", "primary": at == 0}
        for at, name in enumerate(names)
    }

    def right(results: Path) -> None:
        rows = _rows(drawn)
        wanted = least_squares(rows, "score", blocks=rows["block"])
        for name in names:  # one more point for everybody changes no effect
            check_row(results, "itt", wanted, 48, 12, outcome=name)

    return Shape("twelve_outcomes", protocol, tables, right=right)


def _binary() -> Shape:
    drawn = draw_trial(seed=56, schools=16, pupils=8)
    passed = Drawn(drawn.units, drawn.pupils.assign(score=(drawn.pupils["score"] > 52).astype(int)))
    protocol = plain_protocol(passed, models={"itt": PLAIN_MODEL}, balance={}, **QUICK)
    protocol["outcomes"]["maths"] |= {"label": "Passed", "scale": "binary"}
    return Shape(
        "binary_alone_and_no_balance", protocol, plain_tables(passed),
        right=lambda results: _check(passed, results),
    )  # fmt: skip


def _plain(name: str, drawn: Drawn) -> Shape:
    protocol = plain_protocol(drawn, models={"itt": PLAIN_MODEL}, **QUICK)
    del protocol["balance"]
    return Shape(name, protocol, plain_tables(drawn), right=lambda results: _check(drawn, results))


SHAPES = (
    _plain("one_school_of_hundreds", SMALL),
    _plain("twelve_years", MANY),
    _many_outcomes(),
    _binary(),
    _five_thousand(),
)
