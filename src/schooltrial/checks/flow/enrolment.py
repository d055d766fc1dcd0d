"""Who is enrolled, by year and group, without any outcome: the counts of a monitoring page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.data.rows.filters import among

COLUMNS = ["level", "year", "arm", "n_schools", "n_enrolled", "n_joined", "n_left"]


def count_enrolment(
    rosters: Mapping[str, pd.DataFrame], arms: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """Count schools and people by year and group, and who came and went since the year before.

    Parameters
    ----------
    rosters : mapping of str to DataFrame
        ``pupil`` or ``teacher`` → the table of them, with ``year``; ``school`` where there are any.
    arms : mapping of str to Series
        The same names → arm of each row.

    Returns
    -------
    DataFrame
        ``n_joined``: on the roster and not on that of the year before; ``n_left``: the other way
        round. Both are empty in the first year.
    """
    rows: list[list[object]] = []
    for unit, roster in rosters.items():
        held = roster.assign(school=roster.get("school"), arm=arms[unit].fillna("not assigned"))
        held = held[[unit, "year", "school", "arm"]]
        years = sorted(held["year"].unique())
        for at, year in enumerate(years):
            now = held[held["year"] == year]
            before = held[held["year"] == years[at - 1]] if at else held.iloc[:0]
            new = ~among(now[unit], before[unit])
            gone = ~among(before[unit], now[unit])
            for arm in sorted(held["arm"].unique()):
                inside = now["arm"] == arm
                rows.append([
                    unit, int(year), arm, int(now.loc[inside, "school"].nunique()),
                    int(inside.sum()), int(new[inside].sum()) if at else None,
                    int(gone[before["arm"] == arm].sum()) if at else None,
                ])  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n_joined": "Int64", "n_left": "Int64"})
