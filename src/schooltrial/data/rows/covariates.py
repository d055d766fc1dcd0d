"""A model's covariates as columns, without the intercept; missing values have an indicator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.data.rows.coding import code_columns
from schooltrial.protocol.content.sections import Model, covariate_variables

Array = npt.NDArray[np.float64]

CATEGORIES = ("year",)
"""Numbers that enter as categories."""


def covariate_columns(rows: pd.DataFrame, terms: Sequence[str]) -> dict[str, Array]:
    """Return the columns of a model's covariates by name, without a missing value.

    A number is one column, a category an indicator of each of its levels but the first, and
    ``a:b`` of each cell but the first. Where some rows lack the term, they have the mean of the
    others (a category: none of its levels), and a column ``<term>=missing`` is 1 for them. In a
    linear model the value that they are given changes no other coefficient.

    Parameters
    ----------
    rows : DataFrame
        The rows that are analysed.
    terms : sequence of str
        Variables, or several joined by colons.
    """
    coded = code_columns(
        rows, terms, levels="all but the first", missing="indicated",
        categories=CATEGORIES, between="=",
    )  # fmt: skip
    found: dict[str, Array] = {}
    for column in coded:
        values = column.values.to_numpy("float64")
        if column.kind == "missing" and not values.any():
            continue
        lacking = np.isnan(values)
        if lacking.any():
            is_level = column.kind == "level" or lacking.all()
            values = np.where(lacking, 0.0 if is_level else values[~lacking].mean(), values)
        found[column.label] = values
    return found


def with_missing_baselines(rows: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Return rows in which a baseline that is not known is missing, and no longer 0.

    A sample holds 0 there, with an indicator of 1 (``<outcome>_before_missing``), and so it is for
    a model that keeps the indicator (`missing_covariates`).
    """
    if model["missing_covariates"] == "indicator":
        return rows
    unknown = {
        name: rows[name].mask(rows[f"{name}_missing"] == 1)
        for name in map(str, rows.columns)
        if name.endswith("_before") and f"{name}_missing" in rows
    }
    return rows.assign(**unknown) if unknown else rows


def count_unknown_baselines(rows: pd.DataFrame, variables: Sequence[str]) -> dict[str, int]:
    """Return how many rows lack each baseline that enters with its indicator of that."""
    flags = [name for name in variables if name.endswith("_before_missing") and name in rows]
    counts = {name.removesuffix("_missing"): int((rows[name] == 1).sum()) for name in flags}
    return {name: count for name, count in counts.items() if count}


def count_baselines_held_as_0(rows: pd.DataFrame, model: Model, outcome: str) -> dict[str, int]:
    """Return how many rows enter with 0 for each baseline score that they do not have.

    The sample holds 0 there; without the indicator ``<outcome>_before_missing`` beside it, a model
    takes it for a score.
    """
    used = {*covariate_variables(model, outcome), *filter(None, [model["moderator"]])}
    alone = [name for name in sorted(used) if name.endswith("_before")]
    counts = {
        name: int((rows[f"{name}_missing"] == 1).sum() - rows[name].isna().sum())
        for name in alone
        if f"{name}_missing" in rows and f"{name}_missing" not in used
    }
    return {name: count for name, count in counts.items() if count > 0}


def count_missing(rows: pd.DataFrame, variables: Sequence[str]) -> dict[str, int]:
    """Return how many rows lack each variable, for those that some rows lack."""
    counts = rows[list(variables)].isna().sum()
    return {str(name): int(count) for name, count in counts.items() if count}
