"""Faults of files of classroom observations, planted in known numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.base.faults import pick, record
from schooltrial.simulate.teacher_led_learning.parameters import Parameters

Rows = NDArray[np.int64]


IMPOSSIBLE = ("44", "0", "-9")
"""No rubric has these: a key pressed twice, an empty form, a code for missing that no one told."""


YEARS_AHEAD = 10


UNKNOWN_FROM = 90_000
"""Teachers that are on no staff list are numbered from here; all others lie below."""


STYLES = ("{1}", " {0}", "{0} ", " {1}")


def spoil_observations(
    parameters: Parameters, sheets: pd.DataFrame, file: str, seed: int
) -> tuple[pd.DataFrame, list[dict[str, Any]], Rows]:
    """Return a file of sheets with faults, their record, and the sheets that lost their score.

    Parameters
    ----------
    parameters : Parameters
        How many of each fault.
    sheets : pandas.DataFrame
        Text cells ``sheet`` (numbers from 1 up), ``teacher_id``, ``spring``, ``occasion``,
        ``rater``, ``observed_on``, ``score`` (two decimals or ``ABS``), indexed by the row of the
        complete sheets, which the last result names again.
    file : str
        Name of the file, for its streams and messages.
    seed : int
        Seed of the study.

    Raises
    ------
    ValueError
        If more are to be spoilt than the file has.
    """
    source = sheets.index.to_numpy()
    sheets = sheets.reset_index(drop=True)
    free = sheets["score"].str.fullmatch(r"[0-9.]+").to_numpy(dtype=bool, copy=True)
    pairs = _disorder(parameters, sheets, free, file, seed)
    ahead = _take(free, parameters.future_dates, "future_dates", file, seed)
    sheets.loc[ahead, "observed_on"] = [_ahead(day) for day in sheets.loc[ahead, "observed_on"]]
    wild = _take(free, parameters.impossible_sheet_scores, "impossible_sheet_scores", file, seed)
    sheets.loc[wild, "score"] = [IMPOSSIBLE[k % len(IMPOSSIBLE)] for k in range(len(wild))]
    twice = _take(free, parameters.conflicting_sheets, "conflicting_sheets", file, seed)
    again = sheets.loc[twice].copy()
    sheets.loc[twice, "score"] = [_mistaken(parameters, s) for s in sheets.loc[twice, "score"]]
    strange = _take(free, parameters.unknown_teachers, "unknown_teachers", file, seed)
    strangers = sheets.loc[strange].copy()
    numbers = stream(seed, "unknown teachers", file).choice(9_999, len(strange), replace=False)
    strangers["teacher_id"] = [str(UNKNOWN_FROM + k) for k in numbers]
    more = pd.concat([again, strangers])
    more["sheet"] = [str(len(sheets) + 1 + k) for k in range(len(more))]
    sheets = pd.concat([sheets, more], ignore_index=True)
    odd = pick(len(sheets), parameters.restyled_raters, "restyled_raters", file, seed)
    sheets.loc[odd, "rater"] = [
        STYLES[k % len(STYLES)].format(code, code.lower())
        for k, code in enumerate(sheets.loc[odd, "rater"])
    ]
    repeats = pick(len(sheets), parameters.duplicate_sheets, "duplicate_sheets", file, seed)
    found = [
        record("disordered_dates", file, pairs, "teachers whose first two dates are exchanged"),
        record("future_dates", file, len(ahead), f"dates {YEARS_AHEAD} years ahead"),
        record("impossible_sheet_scores", file, len(wild), "scores outside the rubric"),
        record("conflicting_sheets", file, len(again),
               "sheets handed in again with another score, under a higher number"),
        record("unknown_teachers", file, len(strangers), "sheets of a teacher on no staff list"),
        record("restyled_raters", file, len(odd), "rater codes in lower case or padded"),
        record("duplicate_sheets", file, len(repeats), "exact repeats of a row"),
    ]  # fmt: skip
    return pd.concat([sheets, sheets.loc[repeats]], ignore_index=True), found, source[wild]


def _take(free: NDArray[np.bool_], count: int, fault: str, file: str, seed: int) -> Rows:
    """Return rows that no other fault has taken, and take them."""
    places = np.flatnonzero(free)
    rows = places[pick(len(places), count, fault, file, seed)]
    free[rows] = False
    return np.asarray(rows)


def _disorder(
    parameters: Parameters, sheets: pd.DataFrame, free: NDArray[np.bool_], file: str, seed: int
) -> int:
    """Exchange the dates of the first two occasions of some teachers and years, in place."""
    names = [name for name, _ in parameters.occasions][:2]
    key = sheets["teacher_id"] + " " + sheets["spring"]
    days = sheets.groupby([key, "occasion"])["observed_on"].first().unstack("occasion")
    days = days.reindex(columns=names).dropna()
    able = days.index if len(names) == 2 else days.index[:0]
    chosen = able[pick(len(able), parameters.disordered_dates, "disordered_dates", file, seed)]
    for teacher in chosen:
        for name, other in (names, names[::-1]):
            rows = ((key == teacher) & (sheets["occasion"] == name)).to_numpy()
            sheets.loc[rows, "observed_on"] = days.loc[teacher, other]
            free[rows] = False
    return len(chosen)


def _ahead(day: str) -> str:
    return f"{int(day[:4]) + YEARS_AHEAD}{day[4:]}"


def _mistaken(parameters: Parameters, score: str) -> str:
    """Return another score half a point away, within the rubric."""
    low, high = parameters.practice_range
    value = float(score)
    step = min(0.5, (high - low) / 2)
    return f"{value + step if value + step <= high else value - step:.2f}"
