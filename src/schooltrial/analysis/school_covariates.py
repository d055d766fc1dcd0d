"""Covariates of rows as numbers: categories as indicators, and what becomes of missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.data.rows.covariates import count_missing, covariate_columns

Array = npt.NDArray[np.float64]

Missing = Literal["indicator", "drop", "refuse"]


def coded_covariates(
    rows: pd.DataFrame, names: Sequence[str], missing: Missing = "indicator"
) -> dict[str, Array]:
    """Return covariates by name, a category as an indicator of each level but the first.

    Parameters
    ----------
    rows : DataFrame
    names : sequence of str
        Columns.
    missing : {"indicator", "drop", "refuse"}
        Whether a missing value becomes the mean beside an indicator of it, is NaN, or is refused.

    Raises
    ------
    ValueError
        Where values are missing that are refused, or a column has none at all.
    """
    counts = count_missing(rows, names)
    empty = [name for name, count in counts.items() if count == len(rows)]
    if empty:
        raise ValueError(
            f"the covariate {empty[0]!r} is missing everywhere, so that it can adjust nothing. "
            "Check the column and the `missing` texts of its file, or take it out of `covariates`"
        )
    if counts and missing == "refuse":
        told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        raise ValueError(
            f"covariates are missing in some of the {len(rows):,} cells of school and year: "
            f"{told}; the model has `missing_covariates: refuse`. Complete the files, or set "
            "`missing_covariates: indicator` (keep these schools, with an indicator) or `drop` "
            "(leave them out)"
        )
    if missing == "indicator" or not counts:
        return covariate_columns(rows, names)
    known = rows[list(names)].notna().all(axis=1).to_numpy("bool")
    found = {}
    for name, values in covariate_columns(rows[known], names).items():
        column = np.full(len(rows), np.nan)
        column[known] = values
        found[name] = column
    return found
