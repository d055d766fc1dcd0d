"""Who of the teachers was lost, counted as pupils are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.checks.attrition import COLUMNS, attrition


def teacher_attrition(
    assignment: pd.DataFrame,
    teachers: pd.DataFrame,
    *,
    outcomes: Mapping[str, Any],
    unit: str,
    **settings: Any,
) -> pd.DataFrame:
    """Count the teachers without an outcome, as `attrition` counts pupils.

    Parameters
    ----------
    assignment : DataFrame
        The assignment table.
    teachers : DataFrame
        The sample of teachers, one row per teacher and year.
    outcomes : mapping
        The protocol's outcomes; those of teachers are counted.
    unit : {"school", "teacher", "pupil"}
        What was assigned. Where it was teachers, they are the only level.
    **settings
        The other arguments of `attrition`.
    """
    mine = {
        name: {**outcome, "level": "pupil"}
        for name, outcome in outcomes.items()
        if outcome["level"] == "teacher"
    }
    if not mine or teachers.empty:
        return pd.DataFrame(columns=COLUMNS)
    people = teachers.rename(columns={"teacher": "pupil"})
    by_lot = unit == "teacher"
    units = assignment.rename(columns={"teacher": "pupil"}) if by_lot else assignment
    told: Any = mine
    found = attrition(units, people, outcomes=told, unit="pupil" if by_lot else unit, **settings)
    return found.assign(level=found["level"].str.replace("pupils", "teachers"))
