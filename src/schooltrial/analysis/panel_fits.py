"""Fits to a panel of schools by year, for an analyst with a data frame of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from schooltrial.analysis.formula import read_data
from schooltrial.models.panel import staggered_adoption
from schooltrial.models.panel.difference_in_differences import (
    PanelFit,
    event_indicators,
    programme_indicator,
    two_way_effects,
)
from schooltrial.models.panel.staggered_adoption import StaggeredFit


def fit_difference_in_differences(
    panel: Any,
    *,
    outcome: str = "mean",
    unit: str = "school",
    time: str = "year",
    treated: str = "treated",
    reference: int | None = None,
    active: Sequence[int] | None = None,
    weights: str | None = None,
) -> PanelFit:
    """Fit an event study, or one effect over the years of the programme.

    Parameters
    ----------
    panel : frame or mapping of str to array
        A row for each school and year.
    outcome, unit, time : str
        Columns: mean outcome, school and year.
    treated : str
        Column of zeros and ones: schools that have the programme in its years, in every year.
    reference : int, optional
        Year that all others are compared with: an event study.
    active : sequence of int, optional
        Years of the programme: one effect. Give this or ``reference``.
    weights : str, optional
        Column of the pupils behind each mean.

    Returns
    -------
    PanelFit
    """
    if (reference is None) == (active is None):
        raise ValueError(
            "give `reference`, the year that an event study compares with, or `active`, the years "
            "of the programme: one of the two"
        )
    cells = _cells(panel, [outcome, unit, time, treated, *([weights] if weights else [])])
    arm = cells[treated].to_numpy("float64")
    year = cells[time].to_numpy("int64")
    columns, names = (
        event_indicators(arm, year, reference) if reference is not None
        else programme_indicator(arm, year, active or ())
    )  # fmt: skip
    return two_way_effects(
        cells[outcome].to_numpy("float64"),
        columns,
        names=names,
        school=cells[unit].to_numpy(),
        year=year,
        n_pupils=cells[weights].to_numpy("float64") if weights else None,
    )


def fit_staggered_adoption(
    panel: Any,
    *,
    outcome: str = "mean",
    unit: str = "school",
    time: str = "year",
    cohort: str = "cohort",
    comparison_group: Literal["never_treated", "not_yet_treated"] = "never_treated",
    pupils: str | None = None,
) -> StaggeredFit:
    """Fit group-time effects of a programme that schools enter in different years.

    Parameters
    ----------
    panel : frame or mapping of str to array
        A row for each school and year.
    outcome, unit, time : str
        Columns: mean outcome, school and year.
    cohort : str
        Column of the first treated year; missing for schools that are never treated.
    comparison_group : {"never_treated", "not_yet_treated"}
        Whom cohorts are compared with.
    pupils : str, optional
        Column of the pupils behind each mean, which are counted and are no weights.

    Returns
    -------
    StaggeredFit
    """
    needed = [outcome, unit, time, *([pupils] if pupils else [])]
    frame = read_data(panel, [*needed, cohort])
    cells = _cells(frame, needed)
    return staggered_adoption.fit_staggered_adoption(
        cells[outcome].to_numpy("float64"),
        school=cells[unit].to_numpy(),
        year=cells[time].to_numpy("int64"),
        cohort=cells[cohort].to_numpy("float64"),
        n_pupils=cells[pupils].to_numpy("float64") if pupils else None,
        comparison_group=comparison_group,
    )


def _cells(panel: Any, needed: Sequence[str]) -> pd.DataFrame:
    """Return the cells, having seen that their columns are there, numbers and complete."""
    frame = read_data(panel, needed)
    for name in needed:
        lacking = int(frame[name].isna().sum())
        if lacking:
            raise ValueError(
                f"{lacking} of {len(frame)} cells lack {name!r}; leave those rows out first"
            )
    outcome = frame[needed[0]]
    if not np.issubdtype(np.asarray(outcome).dtype, np.number):
        raise ValueError(f"the outcome {needed[0]!r} holds text; it must be numbers")
    return frame
