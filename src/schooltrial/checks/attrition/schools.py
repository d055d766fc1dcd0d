"""Which assigned schools have no published value, counted as pupils are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.rates import COLUMNS, Counted, lost_rows
from schooltrial.checks.attrition.roster import assigned_units
from schooltrial.models.missing_outcomes.attrition_bias import Assumption
from schooltrial.protocol.sections import Arm, Outcome, Years


def school_attrition(
    assignment: pd.DataFrame,
    panel: pd.DataFrame,
    bounded: pd.DataFrame,
    *,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    years: Years,
    unit: str,
    boundary: Assumption = "cautious",
    no_data: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Count the schools without a value of an outcome that is published by school.

    Parameters
    ----------
    assignment : DataFrame
        The assignment table.
    panel : DataFrame
        School × year × outcome.
    bounded : DataFrame
        Cells published as a bound or a range; such a school is lost, and the note tells of it.
    outcomes, arms, years, boundary, no_data
        As for `attrition`; outcomes of schools are counted.
    unit : str
        What was assigned; only where it was schools can they be lost.

    Returns
    -------
    DataFrame
        Columns of `attrition`; a row per outcome, year from the programme's first on, and arm.
    """
    rows: list[list[Any]] = []
    if unit == "school":
        units = assigned_units(assignment, unit)
        for year in sorted([*years["programme"], *years["follow_up"]]):
            for name, outcome in outcomes.items():
                if outcome["measured_on"] != "school":
                    continue
                known, partly = (_schools(cells, name, year) for cells in (panel, bounded))
                counted = _counted(units, known, partly - known, no_data or {})
                rows += lost_rows(name, year, "schools", counted, arms, boundary)
    return pd.DataFrame(rows, columns=COLUMNS)


def _schools(cells: pd.DataFrame, outcome: str, year: int) -> set[str]:
    there = cells[(cells["outcome"] == outcome) & (cells["year"] == year)]
    return set(there["school"].astype("str"))


def _counted(
    units: pd.DataFrame, known: set[str], partly: set[str], no_data: Mapping[str, int]
) -> Counted:
    unseen = [arm for arm, count in no_data.items() for _ in range(count)]
    arm = pd.Series([*units["arm"], *unseen], dtype="str")
    lost = pd.Series([*~units["unit"].isin(known), *[True] * len(unseen)], dtype=bool)
    of_bounds = int(units["unit"].isin(partly).sum())
    notes = (
        f"published as a bound or a range, counted as lost: {of_bounds}" if of_bounds else "",
        f"in no file: {len(unseen)}" if unseen else "",
    )
    return Counted(arm, lost, "; ".join(filter(None, notes)))
