"""Cohorts of a roll-out compared given covariates, with weights, and by cluster above schools.

Covariates are those of the base year of each cell. A weight is fixed for a school: its value in the
last year before its cohort began, or for a school that is never treated before the first cohort
began (where it has none then, in the nearest year that has one). A weight that changed with the
years would make a change of the weights pass for a change of the outcome. Cohorts and cells count
by the weights of their treated schools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.adjusted_changes.two_groups import Adjustment, BoolArray
from schooltrial.models.group_time.adjusted_cells import (
    CellEffects,
    SchoolCovariates,
    adjust_cells,
)
from schooltrial.models.group_time.adjusted_effects import AdjustedPanel, adjusted_effects_of
from schooltrial.models.group_time.averages import Average, plan_averages
from schooltrial.models.group_time.cells import (
    BasePeriod,
    Cell,
    ComparisonGroup,
    base_year,
    plan_cells,
)
from schooltrial.models.group_time.panel import NEVER, SchoolPanel, arrange
from schooltrial.wording import listed, plural, plural_of

WORDS: dict[Adjustment, str] = {
    "regression": "a regression among schools compared with",
    "doubly_robust": "a regression and a propensity score (doubly robust)",
    "inverse_probability": "inverse probability weights",
}
"""How each adjustment is named in ``method``."""


@dataclass(frozen=True, eq=False)
class RowsOfSchools:
    """Variables of schools by school and year, other than the outcome.

    Attributes
    ----------
    school, year : array (n,)
        Labels of the rows.
    covariates : mapping of str to array (n,)
        Numbers by name.
    adjustment : {"regression", "doubly_robust", "inverse_probability"}
        How effects are adjusted for them.
    weights : array (n,), optional
        Positive weights; schools count alike by default.
    weighted_by : str
        What they are.
    clusters : array (n,), optional
        Label of the cluster that the school is in; schools are independent by default.
    clustered_on : str
        What clusters are.
    """

    school: npt.NDArray[Any]
    year: npt.NDArray[Any]
    covariates: Mapping[str, FloatArray]
    adjustment: Adjustment = "regression"
    weights: FloatArray | None = None
    weighted_by: str = "weights"
    clusters: npt.NDArray[Any] | None = None
    clustered_on: str = "cluster"

    @property
    def plain(self) -> bool:
        """Whether schools are compared as they are, each counting alike."""
        return not self.covariates and self.weights is None and self.clusters is None

    def described(self) -> str:
        """Return what is done with them, in words."""
        parts = []
        if self.covariates:
            names = listed(list(self.covariates))
            parts.append(f"adjusted for {names} by {WORDS[self.adjustment]}")
        if self.weights is not None:
            parts.append(f"weighted by {self.weighted_by}")
        if self.clusters is not None:
            parts.append(f"clustered on {self.clustered_on}")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class AdjustedCohorts:
    """Rows of adjusted cohorts, as inference takes them.

    Attributes
    ----------
    panel : SchoolPanel
        The schools that a row rests on.
    cells : tuple of Cell
    averages : tuple of Average
    adjusted : AdjustedPanel
        Their effects, by school or by cluster.
    notes : tuple of str
        What a reader must know.
    """

    panel: SchoolPanel
    cells: tuple[Cell, ...]
    averages: tuple[Average, ...]
    adjusted: AdjustedPanel
    notes: tuple[str, ...]


def adjust_cohorts(
    panel: SchoolPanel,
    rows: RowsOfSchools,
    comparison_group: ComparisonGroup = "never_treated",
    base_period: BasePeriod = "varying",
    anticipation: int = 0,
) -> AdjustedCohorts:
    """Return the averages of cells that are adjusted, weighted or clustered.

    Parameters
    ----------
    panel : SchoolPanel
    rows : RowsOfSchools
    comparison_group, base_period, anticipation
        How cells are made: see ``cells.plan_cells``.

    Raises
    ------
    ValueError
        Where a school lacks a weight or lies in two clusters, no cell has the covariates, or cells
        cannot be adjusted for them.
    """
    cells = plan_cells(panel, comparison_group, base_period, anticipation)
    covariates = _covariates(panel, rows)
    clusters = None if rows.clusters is None else _clusters(panel, rows)
    weights = None if rows.weights is None else _weights(panel, rows, anticipation)
    found = adjust_cells(
        panel, cells, covariates=covariates, weights=weights, units=clusters,
        adjustment=rows.adjustment,
    )  # fmt: skip
    informed = np.isfinite(found.points)
    notes = [] if covariates is None else _lacking(panel, cells, covariates)
    notes += _of_cells(cells, informed, found)
    cells = tuple(cell for cell, kept in zip(cells, informed, strict=True) if kept)
    if not any(cell.since >= 0 for cell in cells):
        raise ValueError(
            "no cohort has schools with all covariates in its base year, and others to compare: "
            f"{'; '.join(notes) or 'there is no such cell'}. Take the covariate that is missing "
            "out of `covariates`, or set `missing_covariates: indicator`"
        )
    found = _kept(found, informed)
    size = _treated(panel, cells, found, np.ones(len(panel.cohort)) if weights is None else weights)
    averages = plan_averages(cells, size, base_period=base_period, anticipation=anticipation)
    matrix = np.column_stack([row.weights for row in averages])
    resting = (found.loadings != 0).any(axis=1)
    panel = panel.kept(resting)
    adjusted = adjusted_effects_of(
        panel, cells, _of_schools(found, resting), matrix,
        covariates=None if covariates is None
        else SchoolCovariates(covariates.values[resting], covariates.names),
        clusters=None if clusters is None else clusters[resting], anticipation=anticipation,
    )  # fmt: skip
    if clusters is not None:
        notes += _of_clusters(panel, clusters[resting], rows.clustered_on, adjusted.crossed)
    return AdjustedCohorts(panel, cells, averages, adjusted, tuple(notes))


def _covariates(panel: SchoolPanel, rows: RowsOfSchools) -> SchoolCovariates | None:
    if not rows.covariates:
        return None
    columns = [
        arrange(values, panel, school=rows.school, year=rows.year)
        for values in rows.covariates.values()
    ]
    return SchoolCovariates(np.stack(columns, axis=2), tuple(rows.covariates))


def _clusters(panel: SchoolPanel, rows: RowsOfSchools) -> IntArray:
    """Return the number of each school's cluster.

    Raises
    ------
    ValueError
        Where a school is in two, or there is one cluster.
    """
    assert rows.clusters is not None
    labels, number = np.unique(np.asarray(rows.clusters).astype(str), return_inverse=True)
    placed = arrange(number.astype(float), panel, school=rows.school, year=rows.year)
    low, high = np.nanmin(placed, axis=1), np.nanmax(placed, axis=1)
    if (low != high).any():
        at = int(np.argmax(low != high))
        raise ValueError(
            f"school {panel.schools[at]} lies in {rows.clustered_on} {labels[int(low[at])]} in one "
            f"year and {labels[int(high[at])]} in another: clusters hold schools in all years. "
            f"Correct the column {rows.clustered_on!r}, or remove `cluster`"
        )
    found: IntArray = low.astype(np.int64)
    if len(np.unique(found)) < 2:
        raise ValueError(
            f"all schools lie in one {rows.clustered_on}: nothing can be estimated from one "
            "cluster. Remove `cluster`, so that schools are the clusters"
        )
    return found


def _weights(panel: SchoolPanel, rows: RowsOfSchools, anticipation: int) -> FloatArray:
    """Return each school's weight in its base year, or in the nearest year that has one.

    Raises
    ------
    ValueError
        Where a school has no positive weight.
    """
    assert rows.weights is not None
    placed = arrange(rows.weights, panel, school=rows.school, year=rows.year)
    bases = {g: base_year(panel.years, g, anticipation) for g in panel.groups if g != NEVER}
    first = min((year for year in bases.values() if year is not None), default=panel.years[0])
    base = np.array([bases.get(g) or first for g in panel.cohort.tolist()])
    distance = np.abs(panel.years - base[:, None]) + 0.5 * (panel.years > base[:, None])
    nearest = np.argmin(np.where(np.isfinite(placed), distance, np.inf), axis=1)
    found: FloatArray = placed[np.arange(len(placed)), nearest]
    wrong = np.flatnonzero(~(found > 0))
    if len(wrong):
        value = "missing" if np.isnan(found[wrong[0]]) else f"{found[wrong[0]]:g}"
        raise ValueError(
            f"`weights: {rows.weighted_by}` must be above 0, and is {value} for school "
            f"{panel.schools[wrong[0]]} in {panel.years[nearest[wrong[0]]]} "
            f"({plural(len(wrong), 'school')} of {len(found)}). Leave these schools out by "
            "`where`, or take `weights: schools`, by which each counts alike"
        )
    return found


def _lacking(panel: SchoolPanel, cells: Sequence[Cell], covariates: SchoolCovariates) -> list[str]:
    """Return the note on schools that lack a covariate in a base year of their comparisons."""
    complete = covariates.complete
    out = np.zeros(len(panel.cohort), dtype=bool)
    for cell in cells:
        base = np.searchsorted(panel.years, cell.base)
        inside = (panel.cohort == cell.cohort) | np.isin(panel.cohort, cell.compared)
        out |= inside & panel.seen[:, base] & ~complete[:, base]
    count = int(out.sum())
    if not count:
        return []
    lacks = plural(count, "school")
    return [f"{lacks} of {len(out)} left out where a covariate is missing in the base year"]


def _of_cells(cells: Sequence[Cell], informed: BoolArray, found: CellEffects) -> list[str]:
    """Return notes on cells that no school with covariates informs, and on schools trimmed."""
    notes = []
    gone = [cell for cell, kept in zip(cells, informed, strict=True) if not kept]
    if gone:
        named = ", ".join(f"{cell.cohort} in {cell.year}" for cell in gone)
        notes.append(f"no effect of cohort {named}: no school with all covariates on a side")
    for name in dict.fromkeys(name for _, name in found.idle):
        of = [g for g, idle in found.idle if idle == name]
        notes.append(
            f"{name} adjusts nothing for {'cohort' if len(of) == 1 else 'cohorts'} "
            f"{listed([str(g) for g in of])} in some years: it is the same in all schools compared"
        )
    trimmed = sorted({
        (cell.cohort, int(count))
        for cell, count in zip(cells, found.trimmed, strict=True) if count
    })  # fmt: skip
    for cohort in dict.fromkeys(g for g, _ in trimmed):
        most = max(count for g, count in trimmed if g == cohort)
        notes.append(
            f"compared with cohort {cohort}, up to {plural(most, 'school')} left out as almost "
            "certain to be treated (propensity 0.995 or more)"
        )
    return notes


def _of_clusters(panel: SchoolPanel, clusters: IntArray, name: str, crossed: bool) -> list[str]:
    """Return the notes on clusters: how many there are, and which hold several cohorts."""
    each = [len(np.unique(panel.cohort[clusters == c])) for c in np.unique(clusters)]
    notes = [f"{plural(len(each), name)} are the independent units"]
    if crossed:
        several = sum(count > 1 for count in each)
        notes.append(
            f"{several} of them {'holds' if several == 1 else 'hold'} schools of several cohorts, "
            f"so that all {plural_of(name)} are judged as one group"
        )
    alone = [
        str(g) if g else "never treated"
        for g in panel.groups
        if len(np.unique(clusters[panel.cohort == g])) == 1
    ]
    if alone:
        notes.append(
            f"all schools of {'cohort ' if alone[0][0].isdigit() else ''}{', '.join(alone)} lie in "
            f"one {name}: other events there cannot be separated from the programme"
        )
    return notes


def _treated(
    panel: SchoolPanel, cells: Sequence[Cell], found: CellEffects, weights: FloatArray
) -> FloatArray:
    """Return the sum of weights of each cell's treated schools, (K,)."""
    return np.array([
        float(weights[(panel.cohort == cell.cohort) & (own != 0)].sum())
        for cell, own in zip(cells, found.loadings.T, strict=True)
    ])  # fmt: skip


def _kept(found: CellEffects, informed: BoolArray) -> CellEffects:
    return CellEffects(
        found.points[informed], found.loadings[:, informed], found.contributions[:, informed],
        found.leverage[:, informed], found.trimmed[informed], found.idle,
    )  # fmt: skip


def _of_schools(found: CellEffects, schools: BoolArray) -> CellEffects:
    return CellEffects(
        found.points, found.loadings[schools], found.contributions[schools],
        found.leverage[schools], found.trimmed, found.idle,
    )  # fmt: skip
