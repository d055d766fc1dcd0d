"""A model's covariates as columns beside an intercept; what is missing has an indicator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.data.rows.coding import code_columns

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


def count_missing(rows: pd.DataFrame, variables: Sequence[str]) -> dict[str, int]:
    """Return how many rows lack each variable, for those that some rows lack."""
    counts = rows[list(variables)].isna().sum()
    return {str(name): int(count) for name, count in counts.items() if count}
