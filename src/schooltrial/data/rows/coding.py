"""Variables coded as columns of numbers: numbers, flags, levels of categories, what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import pandas as pd

from schooltrial.data.rows.filters import levels

Levels = Literal["all", "all but the first"]
Missing = Literal["kept", "indicated"]
Kind = Literal["number", "flag", "level", "missing"]


@dataclass(frozen=True)
class Covariate:
    """One column.

    Attributes
    ----------
    name, category, label : str
        Variable, its level (empty for a number, ``missing`` for an indicator of that), and the
        name of the column.
    kind : {"number", "flag", "level", "missing"}
        A flag is a number that is only ever 0 or 1; a level is 1 for those at it, else 0.
    values : Series of float
        Missing kept missing.
    """

    name: str
    category: str
    label: str
    kind: Kind
    values: pd.Series


def code_columns(
    frame: pd.DataFrame,
    terms: Sequence[str],
    *,
    levels: Levels,
    missing: Missing = "kept",
    categories: Collection[str] = (),
    labels: Mapping[str, str] | None = None,
    between: str = ": ",
) -> list[Covariate]:
    """Return the columns of the terms, in their order.

    A number is one column as it is. A category is one column for each level that occurs, in the
    order of `levels`, and an interaction ``a:b`` one for each pair of their levels, whether or not
    it occurs; the parts of an interaction are all taken as categories. Levels are those of all
    rows, so that one which only one group holds is seen.

    Parameters
    ----------
    frame : DataFrame
    terms : sequence of str
        Columns of the frame, or several joined by colons.
    levels : {"all", "all but the first"}
        All, where columns are compared one by one; all but the first beside an intercept.
    missing : {"kept", "indicated"}
        Values are missing where the variable is; where indicated, a column that says so follows
        those of each term.
    categories : collection of str
        Numbers that are taken as categories.
    labels : mapping of str to str, optional
        Variable → its name in the names of columns.
    between : str
        What stands between variable and level in the name of a column.
    """
    named = labels or {}
    found = []
    for term in terms:
        parts = term.split(":")
        if len(parts) == 1 and is_number(frame[term]) and term not in categories:
            number = frame[term].astype("float64")
            kind: Kind = "flag" if is_flag(number) else "number"
            found.append(Covariate(term, "", named.get(term, term), kind, number))
        else:
            cells = list(_cells(frame, parts))
            for cell, values in cells if levels == "all" else cells[1:]:
                pairs = zip(parts, cell, strict=True)
                label = ":".join(f"{named.get(part, part)}{between}{at}" for part, at in pairs)
                found.append(Covariate(term, ":".join(cell), label, "level", values))
        if missing == "indicated":
            lacking = frame[parts].isna().any(axis=1).astype("float64")
            label = f"{named.get(term, term)}{between}missing"
            found.append(Covariate(term, "missing", label, "missing", lacking))
    return found


def is_number(values: pd.Series) -> bool:
    """Return whether a variable is a number (a truth value is one), not a category."""
    return bool(pd.api.types.is_numeric_dtype(values))


def is_flag(number: pd.Series) -> bool:
    """Return whether a number is only ever 0 or 1, and known of somebody."""
    known = number.dropna()
    return bool(len(known)) and bool(known.isin([0.0, 1.0]).all())


def _cells(
    frame: pd.DataFrame, parts: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], pd.Series]]:
    """Yield each combination of levels, the last part's running fastest, and 1 for its rows."""
    known = frame[list(parts)].notna().all(axis=1)
    coded = [dict(_indicators(frame[part])) for part in parts]
    for cell in product(*coded):
        inside = known
        for indicators, level in zip(coded, cell, strict=True):
            inside = inside & indicators[level]
        yield cell, inside.astype("float64").where(known)


def _indicators(values: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    """Yield each level, and which rows are at it; numbers are compared as numbers."""
    if is_number(values):
        number = values.astype("float64")
        yield from ((level, number == float(level)) for level in levels(values))
    elif isinstance(values.dtype, pd.CategoricalDtype):
        text = values.cat.rename_categories(str)
        yield from ((level, text == level) for level in levels(values))
    else:
        text = values.astype("str")
        yield from ((level, text == level) for level in levels(values))
