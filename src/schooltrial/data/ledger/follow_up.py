"""Who of the baseline year is still there when outcomes are measured, and who came since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.ledger.log_texts import follow_up_step, not_enrolled_in
from schooltrial.data.rows.filters import among
from schooltrial.data.rows.grade_progress import grades_passed

FLAGS = {
    "n_elsewhere": "_elsewhere",
    "n_joined_late": "_joined_late",
    "n_repeated_grade": "_repeated_grade",
    "n_out_of_step": "_out_of_step",
    "n_recoded_school": "_recoded",
}
"""Counts of the mobility table → the column of the sample that marks them."""


WITHOUT_BASELINE = "no baseline year"
"""In what is said of a person's place where the protocol has no year of baseline."""

NO_BASELINE = f"not known: {WITHOUT_BASELINE}"


SAME_GROUP = ("the same school", "another school in the same group")
"""Places at baseline of those who were in their group already."""


MOBILITY = ["year", "arm", "where_at_baseline", "n_pupils", *FLAGS]


def record_follow_up(
    pupils: pd.DataFrame,
    baseline: int,
    years: Sequence[int],
    ledger: Ledger,
    *,
    key: str = "pupil",
    level: str = "pupil",
    highest_grade: float | None = None,
    elsewhere: Mapping[int, Mapping[str, Collection[Any]]] | None = None,
) -> None:
    """Tell the ledger which people of the baseline year are not in the sample of analysed years.

    Where teachers were assigned, pupils may have come into a class outside the lottery: they are
    still there. Of the others, those who by then were beyond the highest grade of the study could
    not be; the rest left. A study whose pupils differ from year to year (a repeated cross-section)
    has nobody to follow.

    Parameters
    ----------
    pupils : DataFrame
        The analysed sample, one row per pupil and year; at least the baseline and analysed years.
    baseline : int
        Baseline year.
    years : sequence of int
        Years of the primary analysis.
    ledger : Ledger
        What is told.
    key : str
        Column by which people are found again.
    level : str
        Who they are: pupils, or teachers where it was schools that were assigned.
    highest_grade : float, optional
        Highest grade of the study; by default that of ``pupils``.
    elsewhere : mapping, optional
        Year → place in the study's schools, but outside the sample → keys of those who were there.
    """
    then = pupils[pupils["year"] == baseline]
    graded = "grade" in then and pd.api.types.is_numeric_dtype(then["grade"])
    if graded and highest_grade is None:
        highest_grade = pupils["grade"].max()
    for year in years:
        later = pupils.loc[pupils["year"] == year, key]
        if year <= baseline or not among(then[key], later).any():
            continue
        step = follow_up_step(baseline, year)
        staying = then
        for place, keys in (elsewhere or {}).get(year, {}).items():
            there = staying[key].isin(keys) & ~among(staying[key], later)
            reason = f"in {place} in {year}"
            staying = ledger.leave(staying, there, step=step, reason=reason, level=level)
        if graded:
            passed = grades_passed(pupils, baseline, year, key)
            beyond = (staying["grade"] + passed > highest_grade).fillna(False)
            gone = beyond.astype(bool) & ~among(staying[key], later)
            reason = f"above the study's grades by {year}"
            staying = ledger.leave(staying, gone, step=step, reason=reason, level=level)
        absent = ~among(staying[key], later)
        reason = not_enrolled_in(year)
        ledger.leave(staying, absent, step=step, reason=reason, level=level)


def mobility(pupils: pd.DataFrame, baseline: int, years: Sequence[int]) -> pd.DataFrame:
    """Count pupils by where they were in the baseline year, as `mobility_of_year` does."""
    then = pupils[pupils["year"] == baseline].set_index("pupil")
    counted = [mobility_of_year(pupils[pupils["year"] == year], then, "pupil") for year in years]
    return pd.concat(counted, ignore_index=True)


def another_group(unit: str) -> str:
    """Return how the place begins of those who were in another group at baseline."""
    return f"a {unit} of"


def mobility_of_year(
    now: pd.DataFrame,
    then: pd.DataFrame,
    key: str,
    unit: str = "school",
    *,
    elsewhere: Mapping[str, Collection[Any]] | None = None,
) -> pd.DataFrame:
    """Count the pupils of one year by where they were in the baseline year.

    Parameters
    ----------
    now : DataFrame
        The sample of the year: ``year, school, arm``, the key, and the marks of ``FLAGS``.
    then : DataFrame
        ``school`` and ``arm`` in the baseline year, the index being the key.
    key : str
        Column by which pupils are found again.
    unit : str
        What was assigned.
    elsewhere : mapping, optional
        Place in the study's schools, but outside the sample → keys of those who were there in the
        baseline year.

    Returns
    -------
    DataFrame
        Columns ``MOBILITY``. Where: the same school, another school in the same group, a unit of
        another group, one of the places ``elsewhere``, or no school in the study. A pupil is
        counted in the school and arm in which he is analysed; ``n_elsewhere`` are those who that
        year were on the roster of another school. Late joiners, repeaters and grades out of step
        are those left in the sample.
    """
    at = then.index.get_indexer(pd.Index(now[key]))
    arms = pd.unique(pd.concat([_names(now["arm"]), _names(then["arm"])]))
    arm, arm_then = (
        part["arm"].astype("category").cat.set_categories(arms).cat.codes.to_numpy()
        for part in (now, then)
    )
    school, school_then = now["school"].to_numpy(), _taken(then["school"].to_numpy(), at)
    where = [
        "no school in the study",
        *SAME_GROUP,
        f"{another_group(unit)} {'the other' if len(arms) < 3 else 'another'} group",
    ]
    same = (at >= 0) & (arm == _taken(arm_then, at))
    place = np.select([at < 0, same & (school == school_then), same], [0, 1, 2], 3)
    for name, keys in (elsewhere or {}).items():
        place[(at < 0) & now[key].isin(keys).to_numpy()] = len(where)
        where.append(name)
    marks = {name: now[flag].to_numpy("int64") for name, flag in FLAGS.items() if flag in now}
    counted = pd.DataFrame(
        {
            "year": now["year"].to_numpy("int64"),
            "arm": pd.Categorical.from_codes(arm, arms),
            "where_at_baseline": pd.Categorical.from_codes(place, where),
            "n_pupils": 1,
            **dict.fromkeys(FLAGS, 0),
            **marks,
        }
    )
    sums = counted.groupby(MOBILITY[:3], observed=True)[MOBILITY[3:]].sum().reset_index()
    return sums.astype({"arm": "str", "where_at_baseline": "str"})


def without_baseline(mobility: pd.DataFrame, since: int, *, dated: bool) -> pd.DataFrame:
    """Return mobility of a study whose pupils are on no roster from before the programme.

    Parameters
    ----------
    mobility : DataFrame
        From `mobility_of_year`, for one year.
    since : int
        The year with which they were compared, the first of the programme. In that year itself
        nothing is known of where pupils were before; later, it is that year and no baseline.
    dated : bool
        Whether rosters say when pupils first enrolled; else it is not known who joined late.
    """
    later = mobility["where_at_baseline"] + f", in {since} ({WITHOUT_BASELINE})"
    unknown = mobility["year"] == since
    told = mobility.assign(where_at_baseline=later.mask(unknown, NO_BASELINE))
    sums = told.groupby(MOBILITY[:3], as_index=False, sort=False)[MOBILITY[3:]].sum()
    if not dated:
        sums["n_joined_late"] = pd.array([pd.NA] * len(sums), dtype="Int64")
    return sums


def _names(arm: pd.Series) -> pd.Series:
    found = arm.cat.remove_unused_categories().cat.categories if arm.dtype == "category" else arm
    return pd.Series(found, dtype="str").drop_duplicates()


def _taken(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return values at positions; the value at −1 is not used."""
    if len(values) == 0:
        return np.full(len(at), None, dtype=object)
    found: np.ndarray = values[np.maximum(at, 0)]
    return found
