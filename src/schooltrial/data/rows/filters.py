"""Which rows have the wanted values, and which levels a variable has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def matches(frame: pd.DataFrame, where: Mapping[str, Sequence[Any]]) -> pd.Series:
    """Return which rows have one of the wanted values in each named column."""
    kept = pd.Series(True, index=frame.index)
    for variable, values in where.items():
        column = frame[variable]
        if pd.api.types.is_numeric_dtype(column):
            kept &= column.isin([float(value) for value in values])
        else:
            kept &= column.isin([str(value) for value in values])
    return kept


def levels(values: pd.Series) -> list[str]:
    """Return the levels that occur: in the order of the protocol's codes, of numbers or letters."""
    present = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [str(level) for level in values.cat.categories if (present == level).any()]
    if pd.api.types.is_numeric_dtype(values):
        return [f"{level:g}" for level in sorted(present.unique())]
    return sorted(present.astype("str").unique())


def has_level(values: pd.Series, level: str) -> pd.Series:
    """Return which values are at one of the `levels`; a number is compared as a number."""
    return matches(values.to_frame(values.name), {str(values.name): [level]})
