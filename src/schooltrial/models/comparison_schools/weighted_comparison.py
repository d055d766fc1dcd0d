r"""Group-time effects against comparison schools that are weighted to resemble each cohort.

.. math:: ATT(g,t) = \bar\Delta_g - \sum_{i \in C} \omega_{gi}\,\Delta_i, \qquad
          \sum_i \omega_{gi} = 1

with :math:`\Delta_i` the change of school i since the base. The weights of cohort g rest on its
characteristics alone: what schools are, and their outcome's level and trend before g. They are the
same in all its years, the years before g included, up to schools that were not seen.

Given the weights, an average is a linear form in the outcomes of schools like any other, and is
judged as one; a school's deviation from the weighted mean of its group is scaled by

.. math:: \frac{\sum\omega^2}{\sum\omega^2 - 2\sum\omega^3 + (\sum\omega^2)^2}

so that the variance is unbiased where schools vary alike; with equal weights that is n/(n − 1).
That the weights themselves would differ in another sample is not in the variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray
from schooltrial.models.comparison_schools.balance import (
    CharacteristicBalance,
    characteristics_balance,
    effective_number,
    largest_share,
)
from schooltrial.models.comparison_schools.entropy_balancing import entropy_weights
from schooltrial.models.comparison_schools.nearest_neighbours import match_nearest
from schooltrial.models.comparison_schools.prior_path import prior_level, prior_trend
from schooltrial.models.group_time.cells import Cell, schools_of
from schooltrial.models.group_time.loadings import Effects, effects_of_weights
from schooltrial.models.group_time.panel import NEVER, SchoolPanel
from schooltrial.wording import listed, plural

Weighting = Literal["entropy", "nearest"]

LEVEL, TREND = "level", "trend"
"""The characteristics that are made of the outcome before a cohort began."""

NEIGHBOURS = 3
"""Comparison schools that each school of a cohort is matched with."""

_COUNTS = 1e-6  # weight from which a school is counted as weighted


@dataclass(frozen=True, eq=False)
class CohortComparison:
    """The comparison schools of one cohort.

    Attributes
    ----------
    cohort : int
    compared : tuple of int
        Cohorts that they are of; 0 for never treated.
    n_cohort, n_comparison : int
        Schools of the cohort, and those that may serve as its comparison.
    weights : array (N,)
        Of the panel's schools; they sum to one.
    heaviest : str
        The school with the largest weight.
    balance : tuple of CharacteristicBalance
    """

    cohort: int
    compared: tuple[int, ...]
    n_cohort: int
    n_comparison: int
    weights: FloatArray
    heaviest: str
    balance: tuple[CharacteristicBalance, ...]

    @property
    def n_weighted(self) -> int:
        """Comparison schools with a weight that counts: a millionth or more."""
        return int((self.weights >= _COUNTS).sum())

    @property
    def effective(self) -> float:
        """Comparison schools of equal weight that would be as precise."""
        return effective_number(self.weights)

    @property
    def largest_share(self) -> float:
        """Share of the school with the largest weight."""
        return largest_share(self.weights)


@dataclass(frozen=True, eq=False)
class Comparisons:
    """The comparison schools of all cohorts.

    Attributes
    ----------
    panel : SchoolPanel
        Without the schools whose characteristics are not known.
    found : tuple of CohortComparison
        By cohort, and by the cohorts that serve as comparison.
    notes : tuple of str
        Schools that are left out, and what a reader must know of the weights.
    """

    panel: SchoolPanel
    found: tuple[CohortComparison, ...]
    notes: tuple[str, ...]

    def weights_of(self, cell: Cell) -> FloatArray:
        """Return the weights of the comparison schools of a cell."""
        return next(
            one.weights for one in self.found
            if (one.cohort, one.compared) == (cell.cohort, cell.compared)
        )  # fmt: skip


def weigh_comparisons(
    panel: SchoolPanel,
    cells: Sequence[Cell],
    on: Sequence[str],
    characteristics: Mapping[str, FloatArray],
    how: Weighting = "entropy",
) -> Comparisons:
    """Return the weights under which comparison schools resemble each cohort.

    Parameters
    ----------
    panel : SchoolPanel
    cells : sequence of Cell
        They say which schools each cohort can be compared with.
    on : sequence of str
        What schools are to have in common: ``level`` and ``trend`` of the outcome before the
        cohort, or names of characteristics.
    characteristics : mapping of str to array (N,)
        Numbers of schools; NaN where not known.
    how : {"entropy", "nearest"}
        Entropy balancing, or the nearest neighbours of each school.

    Raises
    ------
    ValueError
        Naming the cohort, where its comparison schools cannot be made like it.
    """
    pairs = list(dict.fromkeys((cell.cohort, cell.compared) for cell in cells))
    matrices = {cohort: _matrix(panel, cohort, on, characteristics) for cohort, _ in pairs}
    known = np.ones(len(panel.schools), dtype=bool)
    for cohort, compared in pairs:
        concerned = (panel.cohort == cohort) | np.isin(panel.cohort, compared)
        known &= np.isfinite(matrices[cohort]).all(axis=1) | ~concerned
    for group in panel.groups:
        if not (known & (panel.cohort == group)).any():
            who = f"cohort {group}" if group != NEVER else "those never treated"
            raise ValueError(
                f"no school of {who} has a known {listed(list(on))}: take what is not known out of "
                "`comparison_on`, or add it to the table of schools"
            )
    kept = panel.kept(known)
    found = tuple(
        _of_cohort(kept, cohort, compared, matrices[cohort][known], on, how)
        for cohort, compared in pairs
    )
    return Comparisons(kept, found, tuple(_notes(panel.cohort[~known], on, how)))


def _of_cohort(
    panel: SchoolPanel,
    cohort: int,
    compared: tuple[int, ...],
    x: FloatArray,
    on: Sequence[str],
    how: Weighting,
) -> CohortComparison:
    """Return the weights of one cohort's comparison schools, and the balance they reach."""
    own, pool = panel.cohort == cohort, np.isin(panel.cohort, compared)
    names = panel.schools[pool].astype(str).tolist()
    try:
        weights = (
            entropy_weights(x[pool], x[own].mean(axis=0), on)
            if how == "entropy"
            else match_nearest(x[own], x[pool], names, on, neighbours=NEIGHBOURS).weights
        )
    except ValueError as error:
        raise ValueError(f"cohort {cohort}: {error}") from error
    placed = np.zeros(len(panel.schools))
    placed[pool] = weights
    return CohortComparison(
        cohort, compared, int(own.sum()), int(pool.sum()), placed,
        names[int(np.argmax(weights))], characteristics_balance(x[own], x[pool], weights, on),
    )  # fmt: skip


def _matrix(
    panel: SchoolPanel, cohort: int, on: Sequence[str], characteristics: Mapping[str, FloatArray]
) -> FloatArray:
    """Return the characteristics of all schools, (N, K), as they were before a cohort began."""
    made = {LEVEL: prior_level, TREND: prior_trend}
    return np.column_stack([
        made[name](panel.outcome, panel.years.tolist(), cohort) if name in made
        else np.asarray(characteristics[name], dtype=np.float64)
        for name in on
    ])  # fmt: skip


def _notes(left: npt.NDArray[np.integer], on: Sequence[str], how: Weighting) -> list[str]:
    """Say what was made alike, who is left out, and how that bears on the estimates."""
    words = {LEVEL: "prior level", TREND: "prior trend"}
    named = [words.get(name, name) for name in on]
    same = listed(named)
    by = (
        "entropy balancing" if how == "entropy"
        else f"the {NEIGHBOURS} nearest neighbours of each school"
    )  # fmt: skip
    told = [
        f"comparison schools are weighted to have each cohort's {same} ({by}); standard errors "
        "take these weights as fixed"
    ]
    for who, count in (("treated", (left != NEVER).sum()), ("comparison", (left == NEVER).sum())):
        if count:
            schools = plural(int(count), f"{who} school")
            told.append(f"{schools} left out, without a known {' or '.join(named)}")
    if LEVEL in on:
        told.append(
            "schools chosen for their prior level move back towards their own mean afterwards, "
            "which passes for an effect (Daw and Hatfield 2018)"
        )
    if LEVEL in on or TREND in on:
        told.append(
            "years before the programme are what was made alike, so that the pre-trend test says "
            "little"
        )
    return told


def weighted_effects(
    panel: SchoolPanel, cells: Sequence[Cell], matrix: FloatArray, comparisons: Comparisons
) -> Effects:
    """Return averages of cells against weighted comparison schools.

    Parameters
    ----------
    panel : SchoolPanel
    cells : sequence of Cell
        K cells.
    matrix : array (K, R)
        The weights of the averages.
    comparisons : Comparisons
        Of this panel.

    Raises
    ------
    ValueError
        Where no school with a weight was seen in both years of a cell.
    """

    def weights_of(cell: Cell) -> FloatArray:
        treated, others = schools_of(panel, cell)
        other = np.where(others, comparisons.weights_of(cell), 0.0)
        if not other.sum() > 0:
            raise ValueError(
                f"no comparison school with a weight for cohort {cell.cohort} was seen both in "
                f"{cell.base} and in {cell.year}: leave that year out, or take away `comparison_on`"
            )
        return np.asarray(treated / treated.sum() - other / other.sum(), dtype=np.float64)

    return effects_of_weights(panel, cells, matrix, weights_of)
