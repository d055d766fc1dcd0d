"""Claims about the registry: what it says that an estimator needs, and reads, is so."""

import inspect
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from schooltrial.analysis.estimators.registry import ESTIMATORS
from support.small_trial import schema

MODEL = schema()["properties"]["models"]["additionalProperties"]["properties"]
OTHERWISE: dict[str, Any] = {
    "df": "satterthwaite", "replications": 100, "covariance": ["CR0"], "fixed_effects": ["year"],
    "tests": {"none": ["treated"]}, "comparison_group": "not_yet_treated",
    "bounded_cells": "midpoint",
}  # fmt: skip


def test_every_estimator_of_the_protocol_has_its_door_in_the_module_of_its_name() -> None:
    assert set(ESTIMATORS) == set(MODEL["estimator"]["enum"])
    for name, estimator in ESTIMATORS.items():
        assert estimator.fit.__module__ == f"schooltrial.analysis.estimators.{name}"


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_a_door_takes_a_plan_its_rows_and_by_name_what_it_is_said_to_need(name: str) -> None:
    estimator = ESTIMATORS[name]
    taken = inspect.signature(estimator.fit).parameters.values()
    places = [one.name for one in taken if one.kind is not one.KEYWORD_ONLY]
    assert places == ["plan", estimator.rows]
    named = {one.name for one in taken if one.kind is one.KEYWORD_ONLY}
    assert named - {"draws"} == set(estimator.needs)  # a caller's choice, and not of the study


def test_every_key_of_a_model_is_read_by_an_estimator_and_no_other_is_named() -> None:
    assert {key for one in ESTIMATORS.values() for key in one.keys} == set(MODEL)


@pytest.mark.parametrize("name", ["multilevel", "cluster_robust", "wild_bootstrap"])
def test_a_key_that_an_estimator_is_not_said_to_read_changes_nothing(
    name: str, plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    estimator = ESTIMATORS[name]
    needed = dict.fromkeys(estimator.needs, 1)
    base = {"estimator": name, "draws": 150}
    unread = [key for key in OTHERWISE if key not in estimator.keys]
    assert unread
    planned = estimator.fit(plan(**base), sample, **needed).table
    changed = plan(**{**base, **{key: OTHERWISE[key] for key in unread}})
    pd.testing.assert_frame_equal(estimator.fit(changed, sample, **needed).table, planned)
