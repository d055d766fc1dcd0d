"""Who of the baseline year is still there when outcomes are measured, and who came since."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from schooltrial.data.ledger import Ledger

MOBILITY = ["year", "arm", "where_at_baseline", "n_pupils"]


def record_follow_up(
    pupils: pd.DataFrame, baseline: int, years: Sequence[int], ledger: Ledger
) -> None:
    """Tell the ledger which pupils of the baseline year are in no roster of the analysed years.

    Those who by then were beyond the highest grade of the study could not be; the others left. A
    study whose pupils differ from year to year (a repeated cross-section) has nobody to follow.

    Parameters
    ----------
    pupils : DataFrame
        The analysed sample, one row per pupil and year.
    baseline : int
        Baseline year.
    years : sequence of int
        Years of the primary analysis.
    ledger : Ledger
        What is told.
    """
    then = pupils[pupils["year"] == baseline]
    for year in years:
        later = pupils.loc[pupils["year"] == year, "pupil"]
        if year <= baseline or not then["pupil"].isin(later).any():
            continue
        step = f"followed up: {baseline} to {year}"
        staying = then
        if "grade" in then:
            beyond = (then["grade"] + (year - baseline) > pupils["grade"].max()).fillna(False)
            gone = beyond.astype(bool) & ~then["pupil"].isin(later)
            reason = f"beyond the study's grades by {year}"
            staying = ledger.leave(then, gone, step=step, reason=reason)
        absent = ~staying["pupil"].isin(later)
        ledger.leave(staying, absent, step=step, reason=f"in no roster of the study in {year}")


def mobility(pupils: pd.DataFrame, baseline: int, years: Sequence[int]) -> pd.DataFrame:
    """Count the pupils of the primary analysis by where they were in the baseline year.

    Returns
    -------
    DataFrame
        Columns ``year, arm, where_at_baseline, n_pupils``; where: the same school, another school
        of the same arm, a school of the other arm, or no school of the study. A pupil is analysed
        in the school, and so in the arm, of the year in which the outcome is measured.
    """
    then = pupils[pupils["year"] == baseline].set_index("pupil")
    rows = []
    for year in years:
        now = pupils[pupils["year"] == year]
        school, arm = now["pupil"].map(then["school"]), now["pupil"].map(then["arm"])
        where = pd.Series("a school of the other arm", index=now.index)
        where[arm == now["arm"]] = "another school of the same arm"
        where[school == now["school"]] = "the same school"
        where[school.isna()] = "no school of the study"
        counts = now.groupby(["arm", where.rename("where_at_baseline")]).size()
        rows += [[year, *map(str, key), int(count)] for key, count in counts.items()]
    return pd.DataFrame(rows, columns=MOBILITY)
