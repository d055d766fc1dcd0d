"""Are the arms alike at baseline? Standardised differences of pupils and of schools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.sample import levels, matches

COLUMNS = [
    "level", "variable", "category", "label", "n_control", "n_treated", "missing",
    "mean_control", "mean_treated", "sd_control", "sd_treated", "difference",
    "standardised_difference", "sd_used", "band",
]  # fmt: skip


def balance(
    pupils: pd.DataFrame, settings: Mapping[str, Any], labels: Mapping[str, str], year: int
) -> pd.DataFrame:
    """Compare the arms in the baseline year, pupils and schools.

    Parameters
    ----------
    pupils : DataFrame
        The analysed sample.
    settings : mapping
        The protocol's ``balance`` section.
    labels : mapping
        Variable → name in exhibits.
    year : int
        Baseline year.

    Returns
    -------
    DataFrame
        One row per variable; a categorical variable has one per level, each an indicator. The
        standardised difference keeps its sign, treated minus control, and is divided by the pooled
        SD of the two arms (of the indicator, for a level or a flag), of pupils or of school means
        as ``level`` says. ``band`` holds that of pupils to the bounds of What Works Clearinghouse
        (satisfied, adjustment needed, not satisfied); school means have none. The pupils are those
        of the sample in the baseline year.
    """
    then = pupils[(pupils["year"] == year) & matches(pupils, settings["where"])]
    rows = [
        *_compare(then, settings["pupil_variables"], "pupil", labels, settings),
        *_compare(
            _school_means(then, settings), settings["school_variables"], "school", labels, settings
        ),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _school_means(pupils: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per school: the mean of a number, the one value of a category."""
    groups = pupils.groupby(["school", "treated"])
    columns = {
        name: groups[name].mean()
        if pd.api.types.is_numeric_dtype(pupils[name])
        else groups[name].first()
        for name in settings["school_variables"]
    }
    return pd.DataFrame(columns).reset_index()


def _compare(
    frame: pd.DataFrame,
    variables: Sequence[str],
    level: str,
    labels: Mapping[str, str],
    settings: Mapping[str, Any],
) -> Iterator[list[Any]]:
    for name in variables:
        for category, values in _columns(frame[name]):
            label = labels.get(name, name) + (f": {category}" if category else "")
            yield [
                level,
                name,
                category,
                label,
                *_difference(values, frame["treated"], settings, level),
            ]


def _columns(values: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    """Yield a number as it is, and a category as one indicator per level, missing kept missing."""
    if pd.api.types.is_numeric_dtype(values):
        yield "", values.astype("float64")
        return
    for category in levels(values):
        yield str(category), (values == category).astype("float64").mask(values.isna())


def _difference(
    values: pd.Series, treated: pd.Series, settings: Mapping[str, Any], level: str
) -> list[Any]:
    control, programme = (values[(treated == arm) & values.notna()] for arm in (0, 1))
    sds = [part.std() for part in (control, programme)]
    pooled = _pooled_sd(control, programme)
    difference = programme.mean() - control.mean()
    standardised = difference / pooled if pooled > 0 else np.nan
    if pooled == 0 and control.min() == programme.min():
        difference = standardised = 0.0
    missing = int(values.isna().sum())
    return [
        len(control), len(programme), missing, control.mean(), programme.mean(), *sds, difference,
        standardised, pooled,
        _band(standardised, settings, level),
    ]  # fmt: skip


def _pooled_sd(control: pd.Series, programme: pd.Series) -> float:
    """Return the pooled SD; just 0 where neither arm varies, so that rounding does not show."""
    parts = (control, programme)
    if min(map(len, parts)) == 0 or sum(map(len, parts)) < 3:
        return np.nan
    if all(part.min() == part.max() for part in parts):
        return 0.0
    squares = sum(part.var() * (len(part) - 1) for part in parts if len(part) > 1)
    return sqrt(squares / (len(control) + len(programme) - 2))


def _band(standardised: float, settings: Mapping[str, Any], level: str) -> str:
    """Return the band of pupils; the standard has none for school means."""
    if level != "pupil":
        return ""
    return band(standardised, settings["satisfied"], settings["adjustable"])


def band(standardised: float, satisfied: float, adjustable: float) -> str:
    """Return the What Works Clearinghouse band of a standardised baseline difference."""
    size = abs(standardised)
    if np.isnan(size):
        return "not defined"
    if size <= satisfied:
        return "satisfied"
    return "adjustment needed" if size <= adjustable else "not satisfied"
