"""By how many grades pupils move on between two years of a study."""

from __future__ import annotations

import pandas as pd


def grades_passed(frame: pd.DataFrame, first: int, last: int, key: str = "pupil") -> int:
    """Return by how many grades pupils moved on between two years.

    That is the number of years, unless most of those who were there in both moved on by fewer: the
    years of a protocol may be an autumn and a summer of one school year, in which nobody does.

    Parameters
    ----------
    frame : DataFrame
        Rows of pupils: ``year, grade`` as a number, and the column that names them.
    first, last : int
    key : str
        That column.
    """
    grade = {
        year: frame[frame["year"] == year].drop_duplicates(key).set_index(key)["grade"]
        for year in (first, last)
    }
    before = grade[first].astype("float64")
    after = grade[last].reindex(before.index).astype("float64")
    change = (after - before).dropna()
    if change.empty:
        return last - first
    counted = change.value_counts()
    commonest = float(counted.index[0])
    moved = int(commonest)
    if counted.iloc[0] > len(change) / 2 and commonest == moved and 0 <= moved < last - first:
        return moved
    return last - first
