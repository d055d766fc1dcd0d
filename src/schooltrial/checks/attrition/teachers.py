"""Teachers as those who can be lost: they are counted, compared and bounded as pupils are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.protocol.content.sections import Outcome


def of_teachers(
    check: Callable[..., pd.DataFrame],
    assignment: pd.DataFrame,
    teachers: pd.DataFrame,
    *,
    outcomes: Mapping[str, Outcome],
    unit: str,
    covariates: Sequence[str] | None = None,
    with_outcomes: bool = True,
    **settings: Any,
) -> pd.DataFrame:
    """Return what a check of pupils says of teachers and their outcomes.

    Parameters
    ----------
    check : callable
        `attrition`, `who_left` or `missing_outcomes`.
    assignment : DataFrame
        The assignment table.
    teachers : DataFrame
        The sample of teachers, one row per teacher and year.
    outcomes : mapping
        The protocol's outcomes; those of teachers are checked.
    unit : {"school", "teacher", "pupil"}
        What was assigned. Where it was teachers, they are the only level.
    covariates : sequence of str, optional
        For the checks that take them: variables of teachers.
    with_outcomes : bool
        Whether outcomes of the baseline year are covariates too: only where that year lies before
        the programme.
    **settings
        The other arguments of the check.
    """
    mine: dict[str, Any] = {
        name: {**outcome, "measured_on": "pupil"}
        for name, outcome in outcomes.items()
        if outcome["measured_on"] == "teacher" and len(teachers)
    }
    if not mine:
        return pd.DataFrame()
    by_lot = unit == "teacher"
    units = assignment.assign(pupil=assignment["teacher"]) if by_lot else assignment
    if covariates is not None:
        settings["covariates"] = list(
            dict.fromkeys([*covariates, *(mine if with_outcomes else [])])
        )
    found = check(
        units, teachers.assign(pupil=teachers["teacher"]), outcomes=mine,
        unit="pupil" if by_lot else unit, **settings,
    )  # fmt: skip
    if "level" in found:
        found["level"] = found["level"].str.replace("pupils", "teachers")
    return found
