"""Which rows have the wanted values, and which levels a variable has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.wording import exact


def among(column: pd.Series, values: pd.Series | pd.Index) -> pd.Series:
    """Return which rows of a column are among many values, as ``column.isin(values)`` does.

    Missing is among values of which one is missing. For columns of text pandas turns every value
    into a Python object first; here text is looked up as it lies in memory.
    """
    if not (column.dtype == "str" and values.dtype == "str"):
        return column.isin(values)
    found = pc.is_in(pa.array(column.array), value_set=pa.array(values.array))
    return pd.Series(found.to_numpy(zero_copy_only=False), index=column.index, name=column.name)


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
        return [exact(level) for level in sorted(present.unique())]
    return sorted(present.astype("str").unique())


def has_level(values: pd.Series, level: str) -> pd.Series:
    """Return which values are at one of the `levels`; a number is compared as a number."""
    return matches(values.to_frame(values.name), {str(values.name): [level]})
