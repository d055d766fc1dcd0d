"""Comparison schools that are weighted to resemble each cohort, as the report shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import listed, percent

WEIGHTED = [
    Column("Model", optional=True, key="model"),
    Column("Outcome", key="outcome"),
    Column("Cohort", "told", key="cohort"),
    Column("Characteristic", key="characteristic"),
    Column("Cohort’s mean", "number", 2, key="cohort_mean"),
    Column("Comparison before", "number", 2, key="mean_before"),
    Column("After", "number", 2, key="mean_after"),
    Column("Difference before (SD)", "number", 2, key="difference_before"),
    Column("Difference after (SD)", "number", 2, key="difference_after"),
    Column("Schools", "told", key="schools"),
]


def weighted_schools_shown(
    diagnostics: Mapping[str, Mapping[str, Mapping[str, Any]]], labels: Mapping[str, str]
) -> Table | None:
    """Return balance before and after weighting, by model and cohort; None if none weights.

    Parameters
    ----------
    diagnostics : mapping
        Model → outcome → what its fit says of itself.
    labels : mapping of str to str
        Labels of outcomes and variables.
    """
    rows = [
        {
            "model": model,
            "outcome": labels.get(outcome, outcome),
            "cohort": f"{one['cohort']}, against {listed(one['compared_with'])}",
            "characteristic": _characteristic(row["variable"], labels),
            **{key: row[key] for key in MEANS},
            "schools": _schools(one) if first else "",
        }
        for model, outcomes in diagnostics.items()
        for outcome, told in outcomes.items()
        for one in told.get("comparison_schools", [])
        for first, row in zip([True, *[False] * len(one["balance"])], one["balance"], strict=False)
    ]
    if not rows:
        return None
    found = pd.DataFrame(rows)
    if found["model"].nunique() == 1:
        found = found.drop(columns="model")
    return tabulate("Comparison schools before and after weighting", found, WEIGHTED)


MEANS = ("cohort_mean", "mean_before", "mean_after", "difference_before", "difference_after")


def _characteristic(variable: str, labels: Mapping[str, str]) -> str:
    """Return the words for a path, a variable or one of its levels."""
    paths = {"level": "level before", "trend": "trend before, per year"}
    name, _, level = variable.partition("=")
    label = paths.get(name) or labels.get(name, name)
    return f"{label}: {level}" if level else label


def _schools(one: Mapping[str, Any]) -> str:
    return (
        f"{one['schools']} in the cohort; {one['comparison_schools']} others, worth "
        f"{one['effective_number']:.0f} of equal weight, the heaviest "
        f"{percent(one['largest_weight'])} ({one['largest_weight_of']})"
    )
