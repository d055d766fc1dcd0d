"""Dates as people write them, in the format that a protocol declares.

A format is made of `YYYY` or `YY`, `MM`, `M` or the name of the month (`MMM`), and `DD` or `D`;
signs between them are taken to the letter. `D` and `M` take one digit or two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.data.cells.text_columns import Mask
from schooltrial.protocol.content.date_format import tokens

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


TIME = (
    r"(?P<time>(?:\s*,\s*|\s+|T)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?:\s*[AP]\.?M\.?)?(?:\s*(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
"""A time of the day, which may follow a date."""


PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<year>[0-9]{2})",
    "MMMM": r"(?P<month>[^\W\d_]{3,9})\.?",
    "MMM": r"(?P<month>[^\W\d_]{3,9})\.?",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
}


USUAL = (
    "YYYY-MM-DD", "D/M/YYYY", "M/D/YYYY", "D.M.YYYY", "D-M-YYYY", "M-D-YYYY", "YYYY/M/D",
    "YYYYMMDD", "D/M/YY", "M/D/YY", "D MMM YYYY", "MMM D, YYYY", "MMMM D YYYY", "D-MMM-YY",
    "D-MMM-YYYY", "DDMMYYYY",
)  # fmt: skip
"""Formats that are tried to advise on, never to read by."""


SERIALS = (10_000, 60_000)
"""Numbers of days since 1900 that stand for days from 1927 to 2064 in a spreadsheet."""


@dataclass(frozen=True)
class Dates:
    """What texts say as dates.

    Attributes
    ----------
    days : Series of datetime64
        Missing where a text is no date in the format.
    timed : array of bool
        Texts with a time of the day after the date, which is left out.
    no_day : array of bool
        Texts in the format, of a day that does not exist.
    short_year : array of bool
        Texts whose year has two digits.
    two_ways : array of bool
        Texts that are another day in each of two formats; their day is missing.
    """

    days: pd.Series
    timed: Mask
    no_day: Mask
    short_year: Mask
    two_ways: Mask

    def or_else(self, other: Dates) -> Dates:
        """Return the days of these, or those of another format where these have none."""
        lacking, days = self.days.isna().to_numpy(), other.days
        two_ways = ~lacking & days.notna().to_numpy() & (days != self.days).to_numpy()
        taken = lacking & days.notna().to_numpy()
        return Dates(
            self.days.fillna(days).mask(two_ways),
            np.where(taken, other.timed, self.timed),
            (self.no_day & ~taken) | (lacking & other.no_day),
            np.where(taken, other.short_year, self.short_year),
            self.two_ways | two_ways,
        )


def parse_dates(text: pd.Series, shape: str | Sequence[str], last_year: int) -> Dates:
    """Read texts as dates.

    Parameters
    ----------
    text : Series of str
        Without blanks around; missing where there is nothing to read.
    shape : str or sequence of str
        The format, or several: a text must not be another day in each of two.
    last_year : int
        A year of two digits is the last one up to this year that ends in them.
    """
    shapes = [shape] if isinstance(shape, str) else list(shape)
    found = _parsed(text, shapes[0], last_year)
    for other in shapes[1:]:
        found = found.or_else(_parsed(text, other, last_year))
    return found


def _parsed(text: pd.Series, shape: str, last_year: int) -> Dates:
    found = text.str.extract(_pattern(shape), flags=re.IGNORECASE)
    year = pd.to_numeric(found["year"], errors="coerce")
    if "YY" in tokens(shape):
        year = last_year - (last_year - year) % 100
    month = pd.to_numeric(found["month"], errors="coerce")
    if any(name in tokens(shape) for name in ("MMM", "MMMM")):
        month = found["month"].map(_month, na_action="ignore").astype("float64")
    day = pd.to_numeric(found["day"], errors="coerce")
    there = (year.notna() & month.notna() & day.notna()).to_numpy(dtype=bool)
    days = pd.Series(_days(year, month, day), index=text.index)
    unknown = days.isna().to_numpy(dtype=bool)
    timed = found["time"].notna().to_numpy(dtype=bool) & ~unknown
    short = ~unknown & ("YY" in tokens(shape))
    return Dates(days, timed, there & unknown, short, np.zeros(len(text), dtype=bool))


def _pattern(shape: str) -> str:
    """Return the regular expression of a whole cell."""
    parts = [PARTS.get(token, re.escape(token)) for token in tokens(shape)]
    return rf"\A{''.join(parts)}{TIME}\Z"


def _days(year: pd.Series, month: pd.Series, day: pd.Series) -> NDArray[np.datetime64]:
    """Return days by their numbers; missing if there is no such day."""
    y, m, d = (part.fillna(0).to_numpy("int64") for part in (year, month, day))
    months = ((y - 1970) * 12 + m - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (d - 1)
    fits = (y > 0) & (m >= 1) & (m <= 12) & (d >= 1) & (days.astype("datetime64[M]") == months)
    return np.where(fits, days, np.datetime64("NaT")).astype("datetime64[us]")


def _month(name: str) -> float:
    """Return the number of a month by its name or three letters of it; missing for other words."""
    word = name.lower()
    for number, month in enumerate(MONTHS, start=1):
        if word in (month, month[:3]) or (word == "sept" and month == "september"):
            return float(number)
    return np.nan


def advice(text: pd.Series, bad: Mask, shapes: Sequence[str], last_year: int) -> str:
    """Return what to do about texts that are no dates in a format.

    Where another usual format reads every text, it is named; a number that a spreadsheet holds for
    a day is named.
    """
    known = text[text.notna()]
    for other in (usual for usual in USUAL if usual not in shapes):
        if parse_dates(known, other, last_year).days.notna().all():
            return f"set `format: {_quoted(other)}`, which reads every cell of the column"
        both = parse_dates(known, [*shapes, other], last_year)
        if both.days.notna().all():
            listed = ", ".join(map(_quoted, [*shapes, other]))
            return f"correct the cell, or also list its format: `format: [{listed}]`"
    numbers = pd.to_numeric(text[bad], errors="coerce")
    serial = numbers[numbers.between(*SERIALS)]
    if len(serial):
        day = pd.Timestamp("1899-12-30") + pd.Timedelta(days=int(serial.iloc[0]))
        return (
            f"if it is the number of a spreadsheet for {day:%Y-%m-%d}, format the column as a date "
            "there and save the file again; otherwise correct `format` in the protocol"
        )
    return "correct the cell, or `format` in the protocol"


def _quoted(shape: str) -> str:
    return f'"{shape}"' if "," in shape else shape
