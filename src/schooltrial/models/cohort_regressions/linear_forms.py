"""The rows of an estimator of cohorts as linear forms, which inference needs and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.cohort_inference.residuals import group_residuals
from schooltrial.models.cohort_regressions.cohort_year_effects import (
    CohortYearEffects,
    gather_effects,
)
from schooltrial.models.cohort_regressions.imputation import (
    difference_before,
    drift_before,
    impute_untreated,
)
from schooltrial.models.cohort_regressions.school_patterns import SchoolPatterns, gather_patterns
from schooltrial.models.cohort_regressions.stacked import estimate_stacks
from schooltrial.models.cohort_regressions.sun_abraham import estimate_interaction_weighted
from schooltrial.models.group_time.averages import SLOPE, Average, plan_averages
from schooltrial.models.group_time.cells import BasePeriod, Cell, ComparisonGroup
from schooltrial.models.group_time.loadings import Effects
from schooltrial.models.group_time.panel import NEVER, SchoolPanel

Regression = Literal["sun_abraham", "imputation", "stacked"]

_ROUNDING = 1e-14  # loadings are shares of groups: smaller ones are rounding

GAPS = "some schools lack years: each counts in the years in which it was seen"


@dataclass(frozen=True, eq=False)
class LinearForms:
    """What an estimator makes of a panel.

    Attributes
    ----------
    cells : tuple of Cell
        Cohorts by year.
    averages : tuple of Average
        Rows, as weights of cells.
    effects : Effects
        Points and loadings of the rows.
    by_group : array (H, T, R)
        Loadings of the groups' means if no school lacked a year.
    described : str
        The estimator and what it compares with, in words.
    notes : tuple of str
    """

    cells: tuple[Cell, ...]
    averages: tuple[Average, ...]
    effects: Effects
    by_group: FloatArray
    described: str
    notes: tuple[str, ...]


def estimate_by_regression(
    panel: SchoolPanel,
    method: Regression,
    *,
    comparison_group: ComparisonGroup = "never_treated",
    anticipation: int = 0,
    event_window: tuple[int, int] | None = None,
) -> LinearForms:
    """Estimate all averages of cohorts by a regression.

    Parameters
    ----------
    panel : SchoolPanel
    method : {"sun_abraham", "imputation", "stacked"}
    comparison_group : {"never_treated", "not_yet_treated"}
        Of stacks; the other estimators have comparisons of their own.
    anticipation : int
        Years before the first treated one in which schools may already change.
    event_window : (int, int), optional
        First and last year of a stack since its cohort began.

    Raises
    ------
    ValueError
        Where no school is treated, or the estimator has no effect to estimate.
    """
    if not (panel.cohort != NEVER).any():
        raise ValueError(
            "no school has a first treated year; give `cohort` in the assignment table"
        )
    if method == "stacked" and comparison_group == "never_treated" and NEVER not in panel.groups:
        raise ValueError(
            "every school is treated at some time, so none is never treated; set "
            "`comparison_group: not_yet_treated`"
        )
    patterns = gather_patterns(panel.outcome, panel.cohort)
    asked = _Asked(method, comparison_group == "not_yet_treated", anticipation, event_window)
    found, described = _estimated(patterns, panel.years, asked)
    averages = _averages(panel, found, asked)
    if (
        method == "imputation"
        and drift_before(patterns, panel.years, anticipation=anticipation) is None
    ):
        averages = tuple(row for row in averages if row.term != SLOPE)
    loadings = _of_rows(patterns, found.loadings, averages, panel.years, asked)
    if panel.balanced:
        by_group = loadings * patterns.count[:, None, None]
        points = np.einsum("utr,ut->r", loadings, patterns.total)
        effects = Effects(points, by_group)
    else:
        by_group = _without_gaps(panel, found.cells, averages, asked)
        effects = _by_school(panel, loadings[patterns.of_school])
    notes = found.notes if panel.balanced else (*found.notes, GAPS)
    return LinearForms(found.cells, averages, effects, by_group, described, notes)


@dataclass(frozen=True)
class _Asked:
    method: Regression
    not_yet: bool
    anticipation: int
    window: tuple[int, int] | None


def _estimated(
    patterns: SchoolPatterns, years: NDArray[np.int64], asked: _Asked
) -> tuple[CohortYearEffects, str]:
    """Return the effects of cohorts by year, and the estimator in words."""
    early = asked.anticipation
    if asked.method == "sun_abraham":
        found = estimate_interaction_weighted(patterns, years, anticipation=early)
        (reference,) = {cell.compared for cell in found.cells}
        compared = f"cohort {reference[0]}" if reference[0] else "never treated"
        return found, f"Sun-Abraham, against {compared}"
    if asked.method == "stacked":
        found, (start, end) = estimate_stacks(
            patterns, years, not_yet=asked.not_yet, anticipation=early, window=asked.window
        )
        compared = "not yet treated" if asked.not_yet else "never treated"
        return found, (
            f"stacked event study (Wing-Freedman-Hollingsworth weights), years {start} to {end:+d}"
            f", against {compared}"
        )
    found = impute_untreated(patterns, years, anticipation=early)
    before = difference_before(patterns, years, anticipation=early)
    if before is not None:
        found = gather_effects([before, found], found.notes)
    return found, "imputation (Borusyak-Jaravel-Spiess), from all untreated cells"


def _averages(panel: SchoolPanel, found: CohortYearEffects, asked: _Asked) -> tuple[Average, ...]:
    """Return the averages: stacks count by all schools of their cohorts, others by those seen."""
    size = found.size
    if asked.method == "stacked":
        of = dict(zip(panel.groups, panel.sizes.tolist(), strict=True))
        size = np.array([float(of[cell.cohort]) for cell in found.cells])
    base: BasePeriod = "varying" if asked.method == "imputation" else "universal"
    planned = plan_averages(
        found.cells, size.tolist(), base_period=base, anticipation=asked.anticipation
    )
    if asked.method == "stacked":
        return planned
    return tuple(
        row if row.term == SLOPE else replace(row, weights=_seen_alike(row.weights, found.size))
        for row in planned
    )


def _seen_alike(weights: FloatArray, size: FloatArray) -> FloatArray:
    """Return the weights of the same cells in which each school that is seen counts alike."""
    kept = np.where(weights != 0, size, 0.0)
    return np.asarray(kept / kept.sum())


def _of_rows(
    patterns: SchoolPatterns,
    cells: FloatArray,
    averages: Sequence[Average],
    years: NDArray[np.int64],
    asked: _Asked,
) -> FloatArray:
    """Return the loadings of rows, (U, T, R), from those of cells.

    The drift before an imputation is a regression of its own: its weights only name the leads.
    """
    loadings = cells @ np.column_stack([row.weights for row in averages])
    for at, row in enumerate(averages):
        if row.term == SLOPE and asked.method == "imputation":
            drift = drift_before(patterns, years, anticipation=asked.anticipation)
            loadings[:, :, at] = 0.0 if drift is None else drift
    return np.where(np.abs(loadings) > _ROUNDING, loadings, 0.0)


def _without_gaps(
    panel: SchoolPanel, cells: Sequence[Cell], averages: Sequence[Average], asked: _Asked
) -> FloatArray:
    """Return the loadings of groups' means for each row, (H, T, R), if no school lacked a year."""
    groups = np.array(panel.groups, dtype=np.int64)
    shape = (len(groups), len(panel.years))
    count = panel.sizes.astype(np.float64)
    whole = SchoolPatterns(
        groups, np.ones(shape, dtype=bool), count, np.zeros(shape), np.arange(len(groups))
    )
    found, _ = _estimated(whole, panel.years, asked)
    at = {(cell.cohort, cell.year): k for k, cell in enumerate(found.cells)}
    loadings = np.zeros((*shape, len(cells)))
    for k, cell in enumerate(cells):
        if (cell.cohort, cell.year) in at:
            loadings[:, :, k] = found.loadings[:, :, at[cell.cohort, cell.year]]
    rows = _of_rows(whole, loadings, averages, panel.years, asked)
    return np.asarray(rows * count[:, None, None])


def _by_school(panel: SchoolPanel, loadings: FloatArray) -> Effects:
    r"""Return rows with each school's deviation.

    :math:`\psi_{ir}=\sqrt{n_{hr}/(n_{hr}-1)}\,\sum_t w_{itr} e_{it}`, e what is left of school and
    group × year effects, and :math:`n_{hr}` the schools of the group that the row rests on.
    """
    left = np.nan_to_num(group_residuals(panel.outcome, panel.group, len(panel.groups)))
    psi = np.einsum("it,itr->ir", left, loadings)
    used = np.abs(loadings).max(axis=1) > 0
    n = np.zeros((len(panel.groups), loadings.shape[2]))
    np.add.at(n, panel.group, used.astype(np.float64))
    scale = np.sqrt(n / np.maximum(n - 1.0, 1.0))[panel.group]
    alone = used & (n[panel.group] == 1)
    outcome = np.nan_to_num(panel.outcome)
    points = np.einsum("it,itr->r", outcome, loadings)
    return Effects(points, loadings, np.where(alone, np.nan, scale * psi))
