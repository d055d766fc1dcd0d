"""How estimates differ between two runs: of two protocols, two versions of data, two of code."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from schooltrial.refusal import UserError
from schooltrial.study.layout import Layout

KEY = ["model", "outcome", "estimand", "subgroup", "term", "method"]
SHOWN = ["estimate", "std_error", "p_value", "n_individuals"]
"""Columns that are compared; those that a table does not have are left out."""


def read_estimates(results: Path) -> pd.DataFrame:
    """Return the estimates of a folder of results.

    Raises
    ------
    UserError
        Where the run did not come to any.
    """
    file = Layout(results).estimates
    if not file.is_file():
        raise UserError(f"{results} has no estimates: {file} is missing; run the study")
    return pd.read_csv(file)


def moved_estimates(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of two tables of estimates that are not alike, one under the other's key.

    Returns
    -------
    DataFrame
        Key, `estimate_before`, `estimate_after` and so on, and `moved`: the difference of the
        estimates; missing where a row is in one table only.
    """
    shown = [name for name in SHOWN if name in before and name in after]
    both = _keyed(before, shown).merge(
        _keyed(after, shown), how="outer", on=[*KEY, "nth"], suffixes=("_before", "_after")
    )
    both["moved"] = both["estimate_after"] - both["estimate_before"]
    alike = pd.Series(True, index=both.index)
    for name in shown:
        first, second = both[f"{name}_before"], both[f"{name}_after"]
        alike &= (first == second) | (first.isna() & second.isna())
    return both.loc[~alike].drop(columns="nth").reset_index(drop=True)


def _keyed(table: pd.DataFrame, shown: list[str]) -> pd.DataFrame:
    """Return the columns compared; rows of one key are numbered, so that each meets its own."""
    found = table[[*KEY, *shown]].copy()
    found[KEY] = found[KEY].fillna("")
    found["nth"] = found.groupby(KEY).cumcount()
    return found
