"""Covariates coded as columns of numbers: flags, numbers, and the levels of categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from schooltrial.data.rows.filters import levels


@dataclass(frozen=True)
class Covariate:
    """One column that is compared.

    Attributes
    ----------
    name, category, label : str
        Variable, its level (empty for a number), and its name in exhibits.
    kind : {"number", "flag", "level"}
        A flag is a number that is only ever 0 or 1; a level is 1 for those at it, else 0.
    values : Series of float
        Missing kept missing.
    """

    name: str
    category: str
    label: str
    kind: str
    values: pd.Series


def covariates(
    frame: pd.DataFrame, variables: Sequence[str], labels: Mapping[str, str]
) -> list[Covariate]:
    """Return the columns of the variables; of a category, one for each level that occurs.

    Levels are those of either arm, so that one which only one arm holds is seen.
    """
    found = []
    for name in variables:
        values, label = frame[name], labels.get(name, name)
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            number = values.astype("float64")
            is_flag = bool(number.dropna().isin([0.0, 1.0]).all()) and number.notna().any()
            found.append(Covariate(name, "", label, "flag" if is_flag else "number", number))
            continue
        for level in levels(values):
            at = (values.astype("str") == str(level)).astype("float64").mask(values.isna())
            found.append(Covariate(name, str(level), f"{label}: {level}", "level", at))
    return found
