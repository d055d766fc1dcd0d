"""Columns of years in an analyst's data frame, as whole numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.arrays import FloatArray

SCHOOL_YEAR = re.compile(r"\s*(\d{4})\s*[-/–]\s*\d{2,4}\s*")
"""A school year as text: 2016-17."""


FARTHEST = 100
"""Years after the last one of a panel from which on a cohort is a code, as 9999 is."""


def read_cohorts(column: pd.Series, name: str, year: npt.NDArray[Any]) -> FloatArray:
    """Return first treated years; NaN for those never treated: missing, 0 or infinite.

    Parameters
    ----------
    column : Series
        Numbers, or texts that are numbers.
    name : str
        Of the column, for messages.
    year : array
        Years of the panel.

    Raises
    ------
    ValueError
        Where a value is no whole year, or a code such as 9999 or -1.
    """
    cohort = read_years(column, name, missing=True)
    cohort = np.where(cohort == 0, np.nan, cohort)
    codes = cohort[(cohort < 0) | (cohort > year.max(initial=0) + FARTHEST)]
    if len(codes):
        code = int(codes[0])
        raise ValueError(
            f"{len(codes):,} of {len(column):,} rows have {code} in {name!r}, which is no year in "
            f"which a school can begin; if it stands for never, write 0: panel.replace({{{name!r}: "
            f"{{{code}: 0}}}})"
        )
    return cohort


def read_years(column: pd.Series, name: str, *, missing: bool = False) -> FloatArray:
    """Return a column of years as numbers.

    Parameters
    ----------
    column : Series
        Numbers, or texts that are numbers.
    name : str
        Of the column, for messages.
    missing : bool
        Whether a year may be missing, empty or infinite: a school that is never treated.

    Raises
    ------
    ValueError
        Where a value is no whole year.
    """
    texts = column.astype("str").str.strip()
    absent = column.isna().to_numpy("bool") | texts.isin(["", "nan", "None", "<NA>"]).to_numpy()
    numbers = pd.to_numeric(texts.where(~absent), errors="coerce").to_numpy("float64")
    odd = np.isnan(numbers) & ~absent
    numbers = np.where(np.isinf(numbers), np.nan, numbers) if missing else numbers
    odd |= ~np.isnan(numbers) & (numbers != np.floor(numbers))
    odd |= np.isinf(numbers)
    if not missing:
        odd |= absent
    if odd.any():
        text = str(texts[odd].iloc[0])
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
