"""Columns of years in an analyst's data frame, as whole numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.arrays import FloatArray

SCHOOL_YEAR = re.compile(r"\s*(\d{4})\s*[-/–]\s*(\d{2}|\d{4})\s*")
"""A school year as text: 2016-17, 2010/11."""


ABSENT = ("", "nan", "None", "<NA>", "NaT")
"""Texts of a column that say that there is no year."""

FARTHEST = 100
"""Years after the last one of a panel from which on a cohort is a code, as 9999 is."""


def in_school_years(column: pd.Series) -> bool:
    """Return whether a column holds school years such as 2010/11, in every row that has a year."""
    texts = column.dropna().astype("str").str.strip()
    texts = texts[~texts.isin(ABSENT)]
    return bool(len(texts)) and all(ends_in(text) is not None for text in texts.unique())


def ends_in(text: str) -> int | None:
    """Return the year in which a school year ends, 2011 of 2010/11; None of another text."""
    found = SCHOOL_YEAR.fullmatch(text)
    if not found:
        return None
    end = int(found[1]) + 1
    return end if str(end).endswith(found[2]) else None


def read_year(value: Any, name: str, school_years: bool) -> int:
    """Return one year of an argument, written as the column of years is.

    Parameters
    ----------
    value : int or str
        A number, or a school year such as ``"2010/11"``.
    name : str
        Of the argument, for messages.
    school_years : bool
        Whether the column of years holds school years.

    Raises
    ------
    ValueError
        Where it is no year, or is written otherwise than those of the column.
    """
    end = ends_in(str(value))
    number = _whole(value)
    if school_years and end is not None:
        return end
    if not school_years and number is not None:
        return number
    wanted = "a school year such as '2010/11'" if school_years else "a number such as 2011"
    raise ValueError(f"`{name}` is {value!r}; write it as the column of years does, as {wanted}")


def _whole(value: Any) -> int | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number == np.floor(number) else None


def read_cohorts(
    column: pd.Series, name: str, year: npt.NDArray[Any], *, school_years: bool = False
) -> FloatArray:
    """Return first treated years; NaN for those never treated: missing, 0 or infinite.

    Parameters
    ----------
    column : Series
        Numbers, or texts that are numbers.
    name : str
        Of the column, for messages.
    year : array
        Years of the panel.
    school_years : bool
        Whether the column of years holds school years such as 2010/11.

    Raises
    ------
    ValueError
        Where a value is no whole year, or a code such as 9999 or -1.
    """
    cohort = read_years(column, name, missing=True, school_years=school_years)
    cohort = np.where(cohort == 0, np.nan, cohort)
    codes = cohort[(cohort < 0) | (cohort > year.max(initial=0) + FARTHEST)]
    if len(codes):
        code = int(codes[0])
        raise ValueError(
            f"{len(codes):,} of {len(column):,} rows have {code} in {name!r}, which is no year in "
            f"which a school can begin. If it means never, write 0: panel.replace({{{name!r}: "
            f"{{{code}: 0}}}})"
        )
    return cohort


def read_years(
    column: pd.Series, name: str, *, missing: bool = False, school_years: bool = False
) -> FloatArray:
    """Return a column of years as numbers.

    Parameters
    ----------
    column : Series
        Numbers, or texts that are numbers.
    name : str
        Of the column, for messages.
    missing : bool
        Whether a year may be missing, empty or infinite: a school that is never treated.
    school_years : bool
        Whether years are school years such as 2010/11, which are counted as the one they end in.

    Raises
    ------
    ValueError
        Where a value is no whole year.
    """
    texts = column.astype("str").str.strip()
    absent = column.isna().to_numpy("bool") | texts.isin(ABSENT).to_numpy()
    if school_years:
        texts = texts.map(lambda text: _as_end(str(text), missing))
    numbers = pd.to_numeric(texts.where(~absent), errors="coerce").to_numpy("float64")
    odd = np.isnan(numbers) & ~absent
    numbers = np.where(np.isinf(numbers), np.nan, numbers) if missing else numbers
    odd |= ~np.isnan(numbers) & (numbers != np.floor(numbers))
    odd |= np.isinf(numbers)
    if not missing:
        odd |= absent
    if odd.any():
        text = str(texts[odd].iloc[0])
        if school_years:
            raise ValueError(
                f"{int(odd.sum()):,} of {len(column):,} rows have no school year in {name!r}, such "
                f"as {str(column[odd].iloc[0])!r}; write them all alike, as '2010/11', in all "
                "columns of years"
            )
        found = SCHOOL_YEAR.fullmatch(text)
        remedy = (
            f"give the number of the year, such as {int(found[1]) + 1} for the one that ends then, "
            "the same way in all columns of years"
            if found
            else "give the number of the year, such as 2017"
            + (", and leave it empty for schools that are never treated" if missing else "")
        )
        raise ValueError(
            f"{int(odd.sum()):,} of {len(column):,} rows have no year in {name!r}, such as "
            f"{text!r}; {remedy}"
        )
    return numbers


def _as_end(text: str, missing: bool) -> str:
    """Return the number of a school year as text; zero of a school that is never treated stays."""
    end = ends_in(text)
    if end is not None:
        return str(end)
    never = missing and text in ("0", "0.0", "inf")
    return text if never else "no school year"
