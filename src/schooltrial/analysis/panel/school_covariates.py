"""Covariates of rows as numbers: categories as indicators, and what becomes of missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.analysis.panel.panel_cells import covariate_bases
from schooltrial.analysis.panel.panel_columns import columns_of_base
from schooltrial.data.rows.covariates import count_missing, covariate_columns
from schooltrial.protocol.content.sections import Model

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
        Columns; ``a:b`` for the cells of two categories.
    missing : {"indicator", "drop", "refuse"}
        Whether a missing value becomes the mean beside an indicator of it, is NaN, or is refused.

    Raises
    ------
    ValueError
        Where values are missing that are refused, or a column has none at all.
    """
    parts = list(dict.fromkeys(part for name in names for part in name.split(":")))
    counts = count_missing(rows, parts)
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
    known = rows[parts].notna().all(axis=1).to_numpy("bool")
    found = {}
    for name, values in covariate_columns(rows[known], names).items():
        column = np.full(len(rows), np.nan)
        column[known] = values
        found[name] = column
    return found


def covariates_of_cells(cells: pd.DataFrame, model: Model, outcome: str) -> dict[str, Array]:
    """Return the covariates of a panel model as columns of its cells, by name.

    Parameters
    ----------
    cells : DataFrame
        Cells of school and year. Those of pupils hold the means of their covariates already, of a
        category the share at each level; of schools, the variables as they were read.
    model : Model
    outcome : str

    Raises
    ------
    ValueError
        As ``coded_covariates``.
    """
    found: dict[str, Array] = {}
    for base, _ in covariate_bases(model, outcome):
        raw = [part for part in base.split(":") if part in cells]
        held = [name for name in cells if str(name).startswith(f"{base.split(':')[0]}=")]
        if len(raw) == len(base.split(":")) and not held:
            found |= coded_covariates(cells, [base], model["missing_covariates"])
        else:
            found |= dict(columns_of_base(cells, base))
    return found
