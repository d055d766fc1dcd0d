"""Every key of a model acts in each estimator, or is refused by it: all cells of the table.

Where a key acts, two values of it give two results. Where it is refused, reading the protocol names
the key, the estimator and what to do, whatever the value, its default included.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators.randomisation_inference import Lottery
from schooltrial.analysis.estimators.registry import ESTIMATORS
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.panel.panel_cells import cells_of_pupils, cells_of_schools
from schooltrial.data.rows.analysed import columns_of_analyses
from schooltrial.document.tables import fragment
from schooltrial.exhibits.tables.plain_labels import PlainLabels
from schooltrial.exhibits.tables.results import results_table
from schooltrial.protocol.consistency.model_keys import MODEL_KEYS
from schooltrial.protocol.consistency.references import reference_faults
from schooltrial.protocol.content.sections import PANELS, Model, StudyLine
from schooltrial.protocol.reading import with_subgroup_models
from schooltrial.randomisation.criterion import CriterionKnown
from support.sections import planned_model, planned_outcome, small_content
from support.small_trial import schema

STUDY: StudyLine = {"title": "A trial", "synthetic": False, "protocol": "0123456789abcdef"}
YEARS: Any = {"baseline": [2018, 2019], "programme": [2020, 2021], "follow_up": [],
              "reference": None, "lasts": None, "label": "year"}  # fmt: skip
OUTCOMES = {"score": planned_outcome(), "passed": planned_outcome(scale="binary")}
OF_SCHOOLS = {"score": planned_outcome(measured_on="school")}
TWO_ARMS = {"arms": ["control", "a"]}
SOME_DRAWS = {"replications": 199}
SUBGROUPS = {"girls": {"label": "Girls", "where": {"girl": [1]}}}

BASE: dict[str, dict[str, Any]] = {
    "multilevel": {},
    "cluster_robust": {},
    "randomisation_inference": {**TWO_ARMS, **SOME_DRAWS},
    "wild_bootstrap": {**TWO_ARMS, **SOME_DRAWS},
    "complier_effect": TWO_ARMS,
    "difference_in_differences": TWO_ARMS,
    "staggered_adoption": TWO_ARMS,
}
"""Estimator → a model of it."""

ACTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "outcomes": ({}, {"outcomes": ["passed"]}),
    "where": ({}, {"where": {"girl": [1]}}),
    "arms": ({}, {"arms": ["control", "b"]}),
    "comparison_group": ({}, {"comparison_group": "not_yet_treated"}),
    "base_period": ({}, {"base_period": "universal"}),
    "anticipation": ({}, {"anticipation": 1}),
    "comparison_on": ({}, {"comparison_on": ["level"]}),
    "comparison_weights": ({"comparison_on": ["level"]}, {"comparison_weights": "nearest"}),
    "method": ({}, {"method": "imputation"}),
    "event_window": ({"method": "stacked"}, {"event_window": [-1, 1]}),
    "bounded_cells": ({}, {"bounded_cells": "midpoint"}),
    "where_label": ({"where": {"girl": [1]}}, {"where_label": "girls"}),
    "covariates": ({}, {"covariates": ["age"]}),
    "adjustment": ({"covariates": ["girl"]}, {"adjustment": "doubly_robust"}),
    "missing_covariates": ({"covariates": ["age"]}, {"missing_covariates": "drop"}),
    "blocks": ({}, {"blocks": "none"}),
    "fixed_effects": ({}, {"fixed_effects": ["girl"]}),
    "cluster": ({}, {"cluster": "district"}),
    "random_levels": ({"blocks": "none"}, {"random_levels": ["school", "district"]}),
    "weights": ({}, {"weights": "size"}),
    "covariance": ({}, {"covariance": ["CR1"]}),
    "df": ({}, {"df": "satterthwaite"}),
    "replications": ({}, {"replications": 399}),
    "active_years": ({}, {"active_years": [2021]}),
    "active_from": ({}, {"active_from": "cohort"}),
    "effects_by": ({}, {"effects_by": "urban"}),
    "moderator": ({}, {"moderator": "urban"}),
    "unit_trends": ({}, {"unit_trends": True}),
    "tests": ({}, {"tests": {"none": ["treated[arm=a]", "treated[arm=b]"]}}),
    "confidence_level": ({}, {"confidence_level": 0.9}),
}
"""Key → what the models of both values have, and the other value."""

OF_PANELS = {"fixed_effects": {"fixed_effects": ["district:year"]}}
"""Key → the other value, in a model of schools by year."""

IN_EXHIBITS = ("label", "role")
EVERY_CELL = [(key, name) for key in MODEL_KEYS for name in BASE]


@cache
def pupils() -> pd.DataFrame:
    """Return two pupils of 36 schools in four years: three groups in four blocks, two cohorts."""
    rng = np.random.default_rng(11)
    school, at, _ = (part.ravel() for part in np.indices((36, 4, 2)))
    year, arm, count = 2018 + at, school % 3, len(school)
    cohort = np.where(arm == 0, np.nan, 2020 + (school // 3) % 2)
    age = rng.normal(10, 1, count)
    score = rng.normal(0, 1, 36)[school] + 0.5 * age + rng.normal(0, 1, count)
    score += np.nan_to_num(year >= cohort) * (1 + arm)
    return pd.DataFrame({
        "pupil": [f"P{n}" for n in range(count)], "school": [f"S{n:02d}" for n in school],
        "cluster": [f"S{n:02d}" for n in school], "block": [f"{n // 9}" for n in school],
        "district": [f"D{n // 3 % 6}" for n in school], "urban": 1.0 * (school // 6 % 2),
        "arm": np.array(["control", "a", "b"])[arm], "treated": (arm > 0).astype(float),
        "cohort": pd.array(cohort, dtype="Int64"), "year": pd.array(year, dtype="Int64"),
        "girl": rng.integers(0, 2, count).astype(float), "size": 1.0 + school % 5,
        "age": np.where(rng.random(count) < 0.1, np.nan, age),
        "took": (arm > 0) * (rng.random(count) < 0.7).astype(float),
        "score": score, "passed": (score > 5.5).astype(float),
    })  # fmt: skip


@cache
def school_cells() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cells of schools with a value, and those published as a bound."""
    known = ["school", "block", "arm", "treated", "cohort", "year"]
    cells = pupils().groupby(known, dropna=False)["score"].mean().rename("mean").reset_index()
    cells = cells.assign(outcome="score", n_pupils=20.0)
    partly = np.arange(len(cells)) % 7 == 3
    low = cells["mean"] - 1
    bounded = cells.assign(mean=np.nan, mean_low=low, mean_high=low + 3)[partly]
    return cells[~partly].reset_index(drop=True), bounded.reset_index(drop=True)


@cache
def school_rows() -> pd.DataFrame:
    """Return rows of schools, with the point at which a model may put a bound."""
    cells, bounded = school_cells()
    every = pd.concat([cells.assign(score=cells["mean"]), bounded], ignore_index=True)
    middle = every["score"].fillna((every["mean_low"] + every["mean_high"]) / 2)
    took = every["treated"] * (every.index % 4 > 0)
    return every.assign(
        cluster=every["school"], score_n_pupils=20.0, score_midpoint=middle, took=took
    ).drop(columns=["mean", "n_pupils", "outcome"])


def fit(name: str, keys: Mapping[str, Any], of: str = "pupil") -> pd.DataFrame:
    """Return the estimates of a model of pupils, or of values of schools."""
    model = planned_model(**{"outcomes": ["score"], "estimator": name, **keys})
    outcomes = OUTCOMES if of == "pupil" else OF_SCHOOLS
    plan, estimator = PlannedModel("s", "m", model, outcomes), ESTIMATORS[name]
    needed: dict[str, Any] = {
        "lottery": Lottery(("control", "a"), False, CriterionKnown(None, "")),
        "seed": 5, "taken_up": "took", "years": YEARS, "randomised": True,
        "drawn_by_lot": True,
    }  # fmt: skip
    if estimator.rows == "sample":
        rows = pupils() if of == "pupil" else school_rows()
    elif of == "pupil":
        rows = cells_of_pupils(pupils(), plan)
    else:
        cells, bounded = school_cells()
        schools = cells[["school"]].drop_duplicates()
        rows = cells_of_schools(cells, bounded, schools, plan, YEARS)
    return estimator.fit(plan, rows, **{need: needed[need] for need in estimator.needs}).table


@cache
def fitted(name: str, shared: str, of: str) -> pd.DataFrame:
    both = ACTS[shared][0] if shared else {}
    return fit(name, {**BASE[name], **both}, of)


def faults(name: str, **keys: Any) -> list[str]:
    """Return what is wrong with a model of the small trial in which keys are written."""
    content = small_content()
    model = planned_model(**{"outcomes": ["maths"], "estimator": name, **keys})
    content["models"] = {"m": model}
    written = {"m": frozenset(keys)}
    place = "key 'models.m."
    return [str(one) for one in reference_faults(content, "trial.yaml", written)
            if place in str(one)]  # fmt: skip


@pytest.mark.parametrize(("key", "name"), EVERY_CELL, ids=lambda one: one)
def test_a_key_acts_or_is_refused(key: str, name: str) -> None:
    spec = MODEL_KEYS[key]
    if name not in spec.readers:
        _is_refused(key, name)
    elif key == "label":
        told = fragment(
            results_table(fitted(name, "", "pupil"), _models(name, label="Named so"), OUTCOMES,
                          YEARS, PlainLabels()),
            STUDY)  # fmt: skip
        assert "Named so" in told
    elif key == "role":
        columns = [
            columns_of_analyses(pupils(), "pupil", _models(name, where=GIRLS, role=role), OUTCOMES)
            for role in ("primary", "secondary")
        ]
        assert set(columns[0]) - set(columns[1]) >= {"girl"}
    elif key == "estimator":
        other = next(one for one in BASE if one != name)
        assert not fitted(name, "", "pupil").equals(fitted(other, "", "pupil"))
    elif key == "subgroups":
        models = with_subgroup_models(_models(name, subgroups=["girls"]), cast(Any, SUBGROUPS))
        own = {k: v for k, v in models["m__girls"].items() if k != "outcomes"}
        assert not fit(name, own).equals(fitted(name, "", "pupil"))
    else:
        both, other_value = ACTS[key]
        if name in PANELS:
            other_value = OF_PANELS.get(key, other_value)
        of = "school" if key == "bounded_cells" else "pupil"
        changed = fit(name, {**BASE[name], **both, **other_value}, of)
        assert not changed.equals(fitted(name, key, of))


GIRLS = {"girl": [1]}


def _models(name: str, **keys: Any) -> dict[str, Model]:
    return {"m": planned_model(outcomes=["score"], estimator=name, **{**BASE[name], **keys})}


def _is_refused(key: str, name: str) -> None:
    node = schema()["properties"]["models"]["additionalProperties"]["properties"][key]
    default = node.get("default")
    told = f"models.m has `{key}`, which {name} does not read"
    for value in (default, ACTS[key][1][key]):
        (fault,) = [one for one in faults(name, **{key: value}) if told in one]
        assert f"key 'models.m.{key}'" in fault
        assert "fix:      " in fault
    assert not [one for one in faults(name) if told in one]


def test_the_table_has_the_keys_of_the_schema_with_their_defaults() -> None:
    node = schema()["properties"]["models"]["additionalProperties"]["properties"]
    assert list(MODEL_KEYS) == list(node)
    for key, spec in MODEL_KEYS.items():
        given = node[key].get("default", {} if key == "where" else None)
        assert spec.default == given, key
    assert set(MODEL_KEYS) == {*ACTS, *IN_EXHIBITS, "estimator", "subgroups"}


@pytest.mark.parametrize("name", list(BASE))
def test_a_model_without_dead_keys_is_not_refused(name: str) -> None:
    keys = {key: value for key, value in BASE[name].items() if key != "arms"}
    told = [one for one in faults(name, **keys) if "`" in one and "does not read" in one]
    assert told == []
