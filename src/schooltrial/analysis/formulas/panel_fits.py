"""Fits to a panel of schools by year, for an analyst with a data frame of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from schooltrial.analysis.formulas.model_formula import read_data
from schooltrial.analysis.formulas.year_columns import (
    in_school_years,
    read_cohorts,
    read_year,
    read_years,
)
from schooltrial.analysis.panel.school_covariates import Missing, coded_covariates
from schooltrial.models.adjusted_changes.repeated_cross_sections import (
    CrossSections,
    compare_cross_sections,
)
from schooltrial.models.adjusted_changes.two_groups import Adjustment
from schooltrial.models.group_time.clustered_contributions import clustered_error
from schooltrial.models.inference.estimate import Estimate, t_estimate
from schooltrial.models.panel import staggered_adoption
from schooltrial.models.panel.adjusted_cohorts import WORDS
from schooltrial.models.panel.difference_in_differences import PanelFit, two_way_effects
from schooltrial.models.panel.staggered_adoption import StaggeredFit
from schooltrial.models.panel.treatment_terms import (
    cohort_event_indicators,
    cohort_indicator,
    event_indicators,
    programme_indicator,
)


def fit_difference_in_differences(
    panel: Any,
    *,
    outcome: str = "mean",
    unit: str = "school",
    time: str = "year",
    treated: str = "treated",
    reference: int | str | None = None,
    active: Sequence[int | str] | None = None,
    cohort: str | None = None,
    events: bool = False,
    window: tuple[int, int] | None = None,
    weights: str | None = None,
    cluster: str | tuple[str, str] | None = None,
    covariates: Sequence[str] = (),
    fixed_effects: Sequence[str] = (),
    unit_trends: bool = False,
) -> PanelFit:
    """Fit a difference-in-differences or an event study to a panel of schools by year.

    Parameters
    ----------
    panel : frame or mapping of str to array
        A row for each school and year.
    outcome, unit, time : str
        Columns: mean outcome, school and year. A school year such as ``2010/11`` counts as the one
        in which it ends; columns and arguments then write all years so.
    treated : str
        Column of zeros and ones: schools that have the programme in its years, in every year.
    reference : int or str, optional
        Year that all others are compared with: an event study.
    active : sequence of int or str, optional
        Years of the programme: one effect. Give this, ``reference`` or ``cohort``.
    cohort : str, optional
        Column of the first treated year; missing, 0 or infinite for schools that are never
        treated: treatment acts from it on.
    events : bool
        With ``cohort``: an effect for each year since it began, measured from the last one before.
    window : pair of int, optional
        First and last year since the start that have an effect of their own in an event study;
        those beyond are binned with them.
    weights : str, optional
        Column of the pupils behind each mean, or other positive weights.
    cluster : str or pair of str, optional
        Column of groups of schools that errors are clustered on, or two at once.
    covariates, fixed_effects : sequence of str
        Columns of numbers, and of labels of effects beside those of school and year.
    unit_trends : bool
        Whether each school has a linear trend of its own.

    Returns
    -------
    PanelFit
    """
    if sum(one is not None for one in (reference, active, cohort)) != 1:
        raise ValueError(
            "give `reference`, the year that an event study compares with, `active`, the years of "
            "the programme, or `cohort`, the column of first treated years: one of the three"
        )
    if (events and cohort is None) or (window is not None and not (events or reference)):
        raise ValueError(
            "`events` goes with `cohort`, and `window` with an event study: add `cohort=…, "
            "events=True` or `reference=…`"
        )
    clusters = (cluster,) if isinstance(cluster, str) else tuple(cluster or ())
    needed = [outcome, unit, time, *(() if cohort else (treated,)), *clusters, *covariates]
    needed += [*fixed_effects, *([weights] if weights else [])]
    cells = _cells(read_data(panel, [*needed, *([cohort] if cohort else [])]), needed)
    school_years = in_school_years(cells[time])
    year = read_years(cells[time], time, school_years=school_years).astype(np.int64)
    if cohort is not None:
        first = read_cohorts(cells[cohort], cohort, year, school_years=school_years)
        columns, names = (
            cohort_event_indicators(first, year, window) if events
            else cohort_indicator(first, year)
        )  # fmt: skip
    else:
        _refuse_switching(cells, unit, time, treated)
        arm = cells[treated].to_numpy("float64")
        there = cells[time]
        columns, names = (
            event_indicators(arm, year, _in_panel(reference, "reference", there, year), window)
            if reference is not None else programme_indicator(
                arm, year, [_in_panel(one, "active", there, year) for one in active or ()]
            )
        )  # fmt: skip
    groups = [cells[name].to_numpy() for name in clusters]
    return two_way_effects(
        cells[outcome].to_numpy("float64"),
        columns,
        names=names,
        school=cells[unit].to_numpy(),
        year=year,
        n_pupils=cells[weights].to_numpy("float64") if weights else None,
        cluster=None if not groups else groups[0] if len(groups) == 1 else (groups[0], groups[1]),
        covariates={name: cells[name].to_numpy("float64") for name in covariates},
        fixed_effects=[cells[name].to_numpy() for name in fixed_effects],
        unit_trends=unit_trends,
    )


def _in_panel(value: int | str, name: str, column: pd.Series, year: Any) -> int:
    """Return a year of an argument, having seen that the panel has it."""
    found = read_year(value, name, in_school_years(column))
    if found not in year:
        raise ValueError(
            f"`{name}` names {value}, which {column.name!r} does not have; it has "
            f"{', '.join(map(str, sorted(column.unique())))}"
        )
    return found


def _refuse_switching(cells: pd.DataFrame, unit: str, time: str, treated: str) -> None:
    """Raise where a school is treated in some years only: the column must say who, not when."""
    pairs = cells[[unit, treated]].drop_duplicates()
    several = pairs.loc[pairs[unit].duplicated(), unit]
    if len(several):
        one = cells[cells[unit] == several.iloc[0]].sort_values(time)
        path = ", ".join(f"{t} in {y}" for y, t in one[[time, treated]].to_numpy())
        raise ValueError(
            f"{treated!r} changes within school {several.iloc[0]} ({path}): it must show which "
            "schools have the programme, in every year alike. Give `active`, the years of it, or "
            "where schools begin in different years `cohort`, the column of the first treated "
            "year; a programme that ends and begins again cannot be estimated"
        )


def fit_staggered_adoption(
    panel: Any,
    *,
    outcome: str = "mean",
    unit: str = "school",
    time: str = "year",
    cohort: str = "cohort",
    comparison_group: Literal["never_treated", "not_yet_treated"] = "never_treated",
    base_period: Literal["varying", "universal"] = "varying",
    anticipation: int = 0,
    method: Literal[
        "callaway_santanna", "sun_abraham", "imputation", "stacked"
    ] = "callaway_santanna",
    event_window: tuple[int, int] | None = None,
    pupils: str | None = None,
    covariates: Sequence[str] = (),
    missing_covariates: Missing = "indicator",
    adjustment: Adjustment = "regression",
    weights: str | None = None,
    cluster: str | None = None,
) -> StaggeredFit:
    """Estimate effects of a programme that schools join in different years.

    Parameters
    ----------
    panel : frame or mapping of str to array
        A row for each school and year.
    outcome, unit, time : str
        Columns: mean outcome, school and year. School years such as ``2010/11`` are counted as the
        one in which they end, where all columns of years are written so.
    cohort : str
        Column of the first treated year; missing, 0 or infinite for schools that are never
        treated.
    comparison_group : {"never_treated", "not_yet_treated"}
        Whom cohorts are compared with, by Callaway and Sant'Anna or in stacks.
    base_period : {"varying", "universal"}
        What years before the programme are compared with, by Callaway and Sant'Anna.
    anticipation : int
        Years before the first treated one in which schools may already change.
    method : {"callaway_santanna", "sun_abraham", "imputation", "stacked"}
        The estimator.
    event_window : (int, int), optional
        First and last year of a stack since its cohort began; the widest that all have by default.
    pupils : str, optional
        Column of the pupils behind each mean, which are counted and are no weights.
    covariates : sequence of str
        Columns that effects are adjusted for, as they are in the base year of each comparison; a
        category enters as indicators.
    missing_covariates : {"indicator", "drop", "refuse"}
        What becomes of schools that lack one.
    adjustment : {"regression", "doubly_robust", "inverse_probability"}
        How effects are adjusted. The latter two fit a propensity score, which needs 5 treated
        schools in a cohort for each covariate.
    weights : str, optional
        Column of positive weights, such as pupils; those of the last year before the school's
        cohort count. Schools count alike by default.
    cluster : str, optional
        Column of clusters above the school, such as districts.

    Returns
    -------
    StaggeredFit
    """
    needed = [outcome, unit, time, *filter(None, [pupils, weights, cluster])]
    frame = read_data(panel, [*needed, cohort, *covariates])
    cells = _cells(frame, needed)
    school_years = in_school_years(cells[time])
    year = read_years(cells[time], time, school_years=school_years).astype(np.int64)
    return staggered_adoption.fit_staggered_adoption(
        cells[outcome].to_numpy("float64"),
        school=cells[unit].to_numpy(),
        year=year,
        cohort=read_cohorts(cells[cohort], cohort, year, school_years=school_years),
        n_pupils=cells[pupils].to_numpy("float64") if pupils else None,
        comparison_group=comparison_group,
        base_period=base_period,
        anticipation=anticipation,
        covariates=coded_covariates(cells, covariates, missing_covariates),
        adjustment=adjustment,
        weights=cells[weights].to_numpy("float64") if weights else None,
        weighted_by=weights or "",
        cluster=cells[cluster].to_numpy() if cluster else None,
        clustered_on=cluster or "",
        method=method,
        event_window=event_window,
    )


def fit_cross_sections(
    rows: Any,
    *,
    outcome: str,
    treated: str,
    after: str,
    covariates: Sequence[str] = (),
    adjustment: Adjustment = "doubly_robust",
    weights: str | None = None,
    cluster: str = "school",
    level: float = 0.95,
) -> Estimate:
    """Estimate a difference-in-differences from pupils who are each seen in one year.

    Parameters
    ----------
    rows : frame or mapping of str to array
        A row for each pupil: those of the treated group and of the group compared with, in a year
        before and a year after.
    outcome : str
        Column of the outcome.
    treated, after : str
        Columns of zeros and ones: rows of the treated group, and of the later year.
    covariates : sequence of str
        Columns that the effect is adjusted for; a category enters as indicators.
    adjustment : {"doubly_robust", "regression", "inverse_probability"}
        How it is adjusted.
    weights : str, optional
        Column of positive weights.
    cluster : str
        Column of the schools, or what else is independent: contributions of rows are added up.
    level : float
        Level of the interval.

    Returns
    -------
    Estimate
        The term is ``treated``.

    Raises
    ------
    ValueError
        Where a group has no rows in a year, or cannot be adjusted for the covariates.
    """
    needed = [outcome, treated, after, cluster, *([weights] if weights else []), *covariates]
    frame = _cells(rows, needed)
    columns = coded_covariates(frame, covariates, "refuse")
    own = frame[treated].to_numpy("float64") > 0
    found = compare_cross_sections(
        CrossSections(
            own, frame[after].to_numpy("float64") > 0, frame[outcome].to_numpy("float64"),
            np.column_stack([np.ones(len(frame)), *columns.values()]),
            frame[weights].to_numpy("float64") if weights else np.ones(len(frame)),
            tuple(columns),
        ),
        adjustment,
    )  # fmt: skip
    schools = frame[cluster].to_numpy()
    error, df = clustered_error(found.contributions, schools, own)
    notes = []
    if found.trimmed:
        notes.append(f"{found.trimmed:,} rows left out as almost certain to be treated")
    if np.isnan(error):
        notes.append(f"no standard error: a group lies in one {cluster}, or nothing varies")
    return t_estimate(
        "treated", found.point, error, df, n_individuals=len(frame), n_schools=len(set(schools)),
        method=f"difference-in-differences of cross-sections, {WORDS[adjustment]}; "
        f"clustered on {cluster}, Welch's df", level=level, note="; ".join(notes),
    )  # fmt: skip


def _cells(panel: Any, needed: Sequence[str]) -> pd.DataFrame:
    """Return the cells, having seen that their columns are there, numbers and complete."""
    frame = read_data(panel, needed)
    for name in needed:
        lacking = int(frame[name].isna().sum())
        if lacking:
            raise ValueError(
                f"{lacking} of {len(frame)} cells lack {name!r}; leave those rows out first: "
                f"panel.dropna(subset=[{name!r}])"
            )
    outcome = frame[needed[0]]
    if not np.issubdtype(np.asarray(outcome).dtype, np.number):
        raise ValueError(f"the outcome {needed[0]!r} holds text; it must be numbers")
    return frame
