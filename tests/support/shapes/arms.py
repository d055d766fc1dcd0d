"""Shapes of groups and blocks: three groups, one block, many blocks, pairs, two schools a group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from support.shapes.generator import (
    Drawn,
    assignment_reading,
    draw_trial,
    plain_protocol,
    plain_tables,
)
from support.shapes.right import assert_told, check_row, least_squares
from support.shapes.shape import Shape

THREE = ("control", "tutoring", "books")
LAST = {"year": [2025]}
DRAWS = {"checks": {"replications": 199}, "power": {"replications": 0}}


def _arms(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "label": name.capitalize()} for name in names]


def _model(estimator: str, **keys: Any) -> dict[str, Any]:
    """Return a model of the last year, without covariates."""
    if estimator in ("randomisation_inference", "wild_bootstrap"):
        keys["replications"] = 199
    return {
        "label": estimator.replace("_", " ").capitalize(), "estimator": estimator,
        "role": "sensitivity", "outcomes": ["maths"], "where": LAST, **keys,
    }  # fmt: skip


def _models(*estimators: str, **keys: Any) -> dict[str, Any]:
    """Return a primary model by least squares, and one of each of the estimators."""
    found = {"itt": _model("cluster_robust", **keys) | {"role": "primary"}}
    return found | {name: _model(name, **keys) for name in estimators}


def _effects(drawn: Drawn, arms: Sequence[str]) -> tuple[list[float], pd.DataFrame]:
    """Return the effects of the groups but the first, with an intercept a block, and the rows."""
    rows = drawn.year(2025).merge(drawn.units[["school", "block"]], on="school")
    rows = rows[rows["arm"].isin(arms)]
    columns = [(rows["arm"] == arm).to_numpy(float) for arm in arms[1:]]
    columns += list(pd.get_dummies(rows["block"]).to_numpy(float).T)
    found = np.linalg.lstsq(np.column_stack(columns), rows["score"].to_numpy(float), rcond=None)[0]
    return [float(effect) for effect in found[: len(arms) - 1]], rows


def _three_arms(drawn: Drawn) -> Callable[[Path], None]:
    def right(results: Path) -> None:
        effects, rows = _effects(drawn, THREE)
        for arm, effect in zip(THREE[1:], effects, strict=True):
            pair = rows[rows["arm"].isin(["control", arm])]  # those whom the effect compares
            n_schools = pair["school"].nunique()
            term = f"treated[arm={arm}]"
            check_row(results, "itt", effect, len(pair), n_schools, term=term)

    return right


EQUAL = draw_trial(seed=31, schools=18, pupils=6, block_size=3, arms=THREE)
UNEQUAL = draw_trial(seed=32, schools=20, pupils=6, block_size=4, arms=THREE)


def _two_of_three(results: Path) -> None:
    (effect,), rows = _effects(EQUAL, ("control", "books"))
    for model in ("itt", "randomisation_inference"):
        check_row(results, model, effect, len(rows), 12)


def _one_effect(drawn: Drawn, *models: str) -> Callable[[Path], None]:
    def right(results: Path) -> None:
        rows = drawn.year(2025).merge(drawn.units[["school", "block"]], on="school")
        wanted = least_squares(rows, "score", blocks=rows["block"])
        for model in models:
            check_row(results, model, wanted, len(rows), rows["school"].nunique())

    return right


def _two_arms(
    name: str, kind: str, models: dict[str, Any], right: Callable[[Path], None], **drawing: Any
) -> Shape:
    drawn = draw_trial(**drawing)
    design = {"kind": kind, "arms": _arms("control", "programme")}
    protocol = plain_protocol(drawn, design=design, models=models, **DRAWS)
    return Shape(name, protocol, plain_tables(drawn), right=right)


def _three_pairs(results: Path) -> None:
    _one_effect(draw_trial(**PAIRS), "itt", "randomisation_inference")(results)
    rows = pd.read_csv(results / "estimates" / "estimates.csv").set_index("model")
    redrawn = rows.loc["randomisation_inference"]
    assert redrawn["p_value"] * 8 == round(redrawn["p_value"] * 8)  # 2³ assignments
    assert redrawn[["conf_low", "conf_high"]].isna().all()
    assert "no lower and no upper end" in redrawn["note"]
    assert_told(results, "no lower and no upper end")


ONE_BLOCK: dict[str, Any] = {"seed": 33, "schools": 121, "pupils": 3, "block_size": 0}
MANY_BLOCKS: dict[str, Any] = {"seed": 34, "schools": 244, "pupils": 2}
PAIRS: dict[str, Any] = {"seed": 35, "schools": 6, "pupils": 10}
FOUR: dict[str, Any] = {"seed": 36, "schools": 4, "pupils": 15, "block_size": 0}
REDRAWN = ("itt", "randomisation_inference", "wild_bootstrap")


def _in_numbers() -> Shape:
    drawn = draw_trial(seed=37)
    tables = plain_tables(drawn)
    listed = tables["assignment.csv"]
    tables["assignment.csv"] = listed.assign(arm=(listed["arm"] == "programme").astype(int))
    protocol = plain_protocol(drawn, models=_models(), **DRAWS)
    arm = {"column": "arm", "type": "category", "codes": {"0": "control", "1": "programme"}}
    protocol["tables"]["assignment"] = [assignment_reading(arm=arm)]
    return Shape("arms_in_numbers", protocol, tables, right=_one_effect(drawn, "itt"))


def _called_all() -> Shape:
    drawn = draw_trial(seed=37, arms=("none", "all"))
    design = {"kind": "blocked", "arms": _arms("none", "all")}
    protocol = plain_protocol(drawn, design=design)
    refused = ("design.arms.1.name", "all groups together", "Rename it")
    return Shape("an_arm_called_all", protocol, plain_tables(drawn), refused=refused)


def _of_three(name: str, drawn: Drawn, right: Callable[[Path], None], **models: Any) -> Shape:
    design = {"kind": "blocked", "arms": _arms(*THREE)}
    protocol = plain_protocol(drawn, design=design, models=models, **DRAWS)
    return Shape(name, protocol, plain_tables(drawn), right=right)


SHAPES = (
    _of_three("three_arms_alike", EQUAL, _three_arms(EQUAL), **_models("multilevel")),
    _of_three("three_arms_unlike", UNEQUAL, _three_arms(UNEQUAL), **_models()),
    _of_three(
        "two_arms_of_three", EQUAL, _two_of_three,
        **_models("randomisation_inference", arms=["control", "books"]),
    ),
    _in_numbers(),
    _called_all(),
    _two_arms(
        "one_block_of_121", "complete", _models(*REDRAWN[1:]),
        _one_effect(draw_trial(**ONE_BLOCK), *REDRAWN), **ONE_BLOCK,
    ),
    _two_arms(
        "blocks_122", "blocked", _models(*REDRAWN[1:]),
        _one_effect(draw_trial(**MANY_BLOCKS), *REDRAWN), **MANY_BLOCKS,
    ),
    _two_arms("three_pairs", "paired", _models("randomisation_inference"), _three_pairs, **PAIRS),
    _two_arms(
        "two_schools_an_arm", "complete", _models("multilevel"),
        _one_effect(draw_trial(**FOUR), "itt"), **FOUR,
    ),
)  # fmt: skip
