"""Characteristics that comparison schools are weighted on, and what came of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from schooltrial.arrays import FloatArray
from schooltrial.models.comparison_schools.weighted_comparison import CohortComparison
from schooltrial.models.group_time.panel import NEVER
from schooltrial.protocol.content.sections import PRIOR_PATH


def columns_of_characteristics(
    cells: pd.DataFrame, on: Sequence[str]
) -> tuple[list[str], dict[str, FloatArray]]:
    """Return what comparison schools are to have in common, a category by its levels.

    Parameters
    ----------
    cells : DataFrame
        Cells of school and year, with the variables of schools.
    on : sequence of str
        `comparison_on` of the model.

    Returns
    -------
    names : list of str
        ``level`` and ``trend`` as they are; of a category each level but the first that occurs.
    columns : dict of str to array (n,)
        Numbers of the rows, NaN where not known.

    Raises
    ------
    ValueError
        Where a variable has one value in all schools.
    """
    names: list[str] = []
    columns: dict[str, FloatArray] = {}
    for name in on:
        if name in PRIOR_PATH:
            names.append(name)
            continue
        values = cells[name]
        if values.nunique() < 2:
            raise ValueError(
                f"`comparison_on` names {name!r}, which is the same in all schools: nothing is to "
                "be made alike. Remove it"
            )
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            names.append(name)
            columns[name] = values.to_numpy("float64", na_value=float("nan"))
            continue
        texts = values.astype("str").where(values.notna())
        for level in sorted(texts.dropna().unique())[1:]:
            names.append(f"{name}={level}")
            columns[f"{name}={level}"] = (
                (texts == level).astype("float64").where(values.notna()).to_numpy("float64")
            )
    return names, columns


def describe_comparisons(comparisons: Sequence[CohortComparison]) -> list[dict[str, Any]]:
    """Return what a reader sees of the weights: numbers of schools, and balance before and after.

    Parameters
    ----------
    comparisons : sequence of CohortComparison
    """
    return [
        {
            "cohort": one.cohort,
            "compared_with": [
                "never treated" if group == NEVER else str(group) for group in one.compared
            ],
            "schools": one.n_cohort,
            "comparison_schools": one.n_comparison,
            "weighted_schools": one.n_weighted,
            "effective_number": round(one.effective, 2),
            "largest_weight": round(one.largest_share, 4),
            "largest_weight_of": one.heaviest,
            "balance": [
                {
                    "variable": row.variable,
                    "cohort_mean": _rounded(row.cohort_mean),
                    "mean_before": _rounded(row.mean_before),
                    "mean_after": _rounded(row.mean_after),
                    "difference_before": _rounded(row.difference_before),
                    "difference_after": _rounded(row.difference_after),
                }
                for row in one.balance
            ],
        }
        for one in comparisons
    ]


def _rounded(number: float) -> float | None:
    """Return a number to six digits, or None: JSON has no NaN."""
    return round(number, 6) + 0.0 if number == number else None
