"""Which rows have the wanted values, and which levels a variable has."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.protocol.content.filters import (
    ORDERED,
    Truth,
    evaluate,
    mentioned_years,
    possible_years,
)
from schooltrial.wording import exact

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
}


def among(column: pd.Series, values: pd.Series | pd.Index) -> pd.Series:
    """Return which rows of a column are among many values, as ``column.isin(values)`` does.

    Missing is among values of which one is missing. For columns of text pandas turns every value
    into a Python object first; here text is looked up as it lies in memory.
    """
    if not (column.dtype == "str" and values.dtype == "str"):
        return column.isin(values)
    found = pc.is_in(pa.array(column.array), value_set=pa.array(values.array))
    return pd.Series(found.to_numpy(zero_copy_only=False), index=column.index, name=column.name)


def matches(frame: pd.DataFrame, where: Mapping[str, Any]) -> pd.Series:
    """Return which rows a filter of the protocol keeps.

    Numbers are compared as numbers, days as days, and everything else as the texts that stand
    there. A row whose value is missing is kept only if the filter holds whatever that value may
    be; see `schooltrial.protocol.content.filters`.

    Parameters
    ----------
    frame : DataFrame
        Holds the variables that the filter names.
    where : mapping
        Variable → values or conditions; ``any_of``, ``all_of``, ``none_of`` → lists of filters.

    Raises
    ------
    ValueError
        Where a value of the filter is of another kind than the variable.
    """

    def judge(variable: str, rule: Mapping[str, Any]) -> Truth[Any]:
        return _judged(frame[variable], rule)

    every = np.ones(len(frame), dtype=bool)
    return pd.Series(evaluate(where, judge, Truth(every, ~every)).holds, index=frame.index)


def known_truth(
    frame: pd.DataFrame, where: Mapping[str, Any], unknown: Collection[str] = ()
) -> tuple[pd.Series, pd.Series]:
    """Return which rows a filter is known to keep, and which it is known not to keep.

    Parameters
    ----------
    frame : DataFrame
        May lack variables that the filter names: nothing is known of these.
    where : mapping
        The filter.
    unknown : collection of str
        Variables of the frame that say nothing here. That a value is missing is no characteristic
        either: no row is outside because the filter asks for a value that it lacks.
    """
    nothing = np.zeros(len(frame), dtype=bool)

    def judge(variable: str, rule: Mapping[str, Any]) -> Truth[Any]:
        if variable not in frame or variable in unknown:
            return Truth(nothing, nothing)
        found = _judged(frame[variable], rule)
        if rule.get("is_missing") is False:
            return Truth(found.holds, found.fails & frame[variable].notna().to_numpy(dtype=bool))
        return found

    found = evaluate(where, judge, Truth(~nothing, nothing))
    return (
        pd.Series(found.holds, index=frame.index, dtype=bool),
        pd.Series(found.fails, index=frame.index, dtype=bool),
    )


def matches_in_some_year(frame: pd.DataFrame, where: Mapping[str, Any]) -> pd.Series:
    """Return which rows a filter would keep if they were of another year."""
    years = mentioned_years(where)
    if not years:
        return matches(frame, where)
    kept = pd.Series(False, index=frame.index)
    for year in possible_years(where, years):
        kept |= matches(frame.assign(year=year), where)
    return kept


def _judged(column: pd.Series, rule: Mapping[str, Any]) -> Truth[Any]:
    """Return where all conditions are known to hold of a column, and where one is known not to."""
    absent = column.isna().to_numpy(dtype=bool)
    every = np.ones(len(column), dtype=bool)
    found: Truth[Any] = Truth(every, ~every)
    for kind, value in rule.items():
        if kind == "is_missing":
            held = absent == bool(value)
            found = found & Truth(held, ~held)
        else:
            held = _held(column, kind, value)
            found = found & Truth(held & ~absent, ~held & ~absent)
    return found


def _held(column: pd.Series, kind: str, value: Any) -> np.ndarray:
    """Return where a condition holds; of missing values it does not matter."""
    if kind in ("in", "not_in"):
        inside: np.ndarray = column.isin([_like(column, one) for one in value]).to_numpy(bool)
        return inside if kind == "in" else ~inside
    wanted = _like(column, value)
    if isinstance(wanted, str):
        raise ValueError(
            f"the filter asks for {column.name!r} {ORDERED[kind]} {value!r}, but it is text, which "
            "has no order; read it as a number, or list its values"
        )
    is_day = isinstance(wanted, pd.Timestamp)
    there = column.to_numpy() if is_day else column.to_numpy("float64", na_value=np.nan)
    compared: np.ndarray = COMPARE[kind](there, wanted.to_datetime64() if is_day else wanted)
    return compared


def _like(column: pd.Series, value: Any) -> Any:
    """Return a value of a filter as the column holds such values."""
    if pd.api.types.is_numeric_dtype(column):
        try:
            return float(value)
        except ValueError as error:
            told = f"the filter asks for {column.name!r} {value!r}, but it is a number"
            raise ValueError(told) from error
    if pd.api.types.is_datetime64_any_dtype(column):
        return pd.Timestamp(str(value))
    return str(value)


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
