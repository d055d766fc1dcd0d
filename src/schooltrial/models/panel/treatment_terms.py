"""Columns of a two-way panel that carry treatment: one effect, or one for each year.

Where all treated schools begin together, events are calendar years, each compared with a reference
year. Where cohorts begin in years of their own, events are years since the own cohort began, each
compared with the last year before (−1); schools that are never treated have none. A window bins
what lies beyond its ends: their terms are of all those years together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LAST_BEFORE = -1
"""Years since a cohort began, of the year that others are compared with."""


def programme_indicator(
    treated: Array, year: npt.NDArray[Any], active_years: Sequence[int]
) -> tuple[Array, list[str]]:
    """Return the treated × active years column, named ``treated``."""
    return (treated * np.isin(year, list(active_years)))[:, None], ["treated"]


def cohort_indicator(cohort: Array, year: npt.NDArray[Any]) -> tuple[Array, list[str]]:
    """Return the column that is 1 from the own cohort's first year on, named ``treated``.

    Parameters
    ----------
    cohort : array (n,)
        First treated year of the school; NaN where it is never treated.
    year : array (n,)
    """
    begun = np.asarray(year, dtype="float64") >= cohort  # a missing year is never reached
    return begun.astype("float64")[:, None], ["treated"]


def event_indicators(
    treated: Array,
    year: npt.NDArray[Any],
    reference: int,
    window: tuple[int, int] | None = None,
    begins: int | None = None,
) -> tuple[Array, list[str]]:
    """Return treated × each year but the reference, named ``treated[year=…]``.

    Parameters
    ----------
    treated : array (n,)
        1 for schools that have the programme, in every year.
    year : array (n,)
    reference : int
        The year that the others are compared with.
    window : pair of int, optional
        First and last year since the programme began that have a term of their own; those beyond
        are binned with them: ``treated[year<=2016]``.
    begins : int, optional
        The programme's first year, from which the window counts; by default that after the
        reference.
    """
    if reference not in year:
        there = ", ".join(str(value) for value in np.unique(year))
        raise ValueError(
            f"the reference year {reference} is not in the panel, which has {there}; "
            "set `years.reference` in the protocol to one of them"
        )
    first = reference + 1 if begins is None else begins
    ends = None if window is None else (window[0] + first, window[1] + first)
    return _indicators(
        np.where(treated > 0, np.asarray(year, dtype="float64"), np.nan), reference, ends, "year"
    )


def cohort_event_indicators(
    cohort: Array, year: npt.NDArray[Any], window: tuple[int, int] | None = None
) -> tuple[Array, list[str]]:
    """Return a column for each year since the own cohort began but −1: ``treated[since=…]``.

    Parameters
    ----------
    cohort : array (n,)
        First treated year of the school; NaN where it is never treated.
    year : array (n,)
    window : pair of int, optional
        As for `event_indicators`: ``treated[since<=-4]``.
    """
    since = np.asarray(year, dtype="float64") - cohort
    if not (since == LAST_BEFORE).any():
        raise ValueError(
            "no treated school is seen in the last year before its cohort began, from which the "
            "event study measures; add that year, or correct `cohort` in the assignment table"
        )
    return _indicators(since, LAST_BEFORE, window, "since")


def _indicators(
    event: Array, reference: int, window: tuple[int, int] | None, what: str
) -> tuple[Array, list[str]]:
    """Return a column for each event but the reference, those beyond a window together."""
    low, high = window or (-np.inf, np.inf)
    if low > reference or high <= reference:
        raise ValueError(
            f"the window of events ends at {low:g} and {high:g}, and the reference is {reference}, "
            "which must lie within it and not be its end; write `event_window: [-4, 3]`"
        )
    seen = np.unique(event[~np.isnan(event)])
    binned = np.clip(event, low, high)
    columns, names = [], []
    for value in np.unique(np.clip(seen, low, high)):
        if value == reference:
            continue
        beyond = (seen < value).any() and value == low, (seen > value).any() and value == high
        sign = "<=" if beyond[0] else ">=" if beyond[1] else "="
        columns.append((binned == value).astype("float64"))
        names.append(f"treated[{what}{sign}{int(value)}]")
    if not columns:
        raise ValueError(
            f"treated schools are seen in no year but the reference ({reference}), so that there "
            "is no event to compare it with; add years, or correct `where` of the model"
        )
    return np.column_stack(columns), names


def event_of(term: str) -> int | None:
    """Return the year, or years since the start, of an event's term; None for other terms."""
    inside = term.partition("[")[2].removesuffix("]")
    for what in ("year", "since"):
        for sign in ("<=", ">=", "="):
            name, _, value = inside.partition(sign)
            if name == what and value.lstrip("-").isdigit():
                return int(value)
    return None
