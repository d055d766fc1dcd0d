"""The log of implementation: its school years, and the units that it follows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.data.linking.school_crosswalk import Crosswalk, owners
from schooltrial.refusal import Fault, refuse

PERIOD = r"(\d{4})-(0[1-9]|1[0-2])"


def school_year(period: pd.Series, starts_in: int) -> pd.Series:
    """Return the school year of periods ``YYYY-MM`` (or ``YYYY``), named by its spring.

    Raises
    ------
    Refusal
        Where a period is neither.
    """
    text = period.astype("str")
    parts = text.str.extract(r"^" + PERIOD + r"$")
    plain = text.str.fullmatch(r"\d{4}")
    odd = text[parts[0].isna() & ~plain]
    refuse(
        [
            Fault(
                "implementation table", f"the period {value!r}", "YYYY-MM, or a year as YYYY",
                "correct the cells, or the column that `period` is read from", column="period",
            )
            for value in sorted(odd.unique())[:5]
        ]
    )  # fmt: skip
    year = parts[0].where(~plain, text).astype("int64")
    later = parts[1].fillna("0").astype("int64") >= starts_in
    return year + (later & ~plain).astype("int64")


def followed(
    log: pd.DataFrame, arms: Mapping[str, str], changes: Crosswalk, starts_in: int
) -> pd.DataFrame:
    """Return the log with rows of a school that changed as rows of the assigned school.

    Parameters
    ----------
    log, arms, starts_in
        As for `fidelity`.
    changes : Crosswalk
        Schools that were renamed, split or merged; a change holds from the school year of that
        name on. Rows of a school that had closed keep its name.
    """
    if not changes.changes or log.empty:
        return log
    dated = log.assign(year=school_year(log["period"], starts_in))
    owner = owners(dated, set(arms), changes)
    return log.assign(school=owner.fillna(log["school"]).astype("str"))
