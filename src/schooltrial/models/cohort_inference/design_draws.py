r"""Fisher's test of a randomised roll-out: the design's own draws, all of them if few.

Which cohort each school is in was drawn within blocks. Under the sharp null, that the programme
changes no school's outcome in any year, the outcomes would have been the same whatever was drawn:
every other draw of the design gives a statistic that could have been seen as well, and

.. math:: p = \frac{\#\{|t^*| \ge |t|\}}{B}\ \text{over all draws},\qquad
          p = \frac{1 + \#\{|t^*| \ge |t|\}}{1 + B}\ \text{over B of them}

is exact in samples of any size (Fisher 1935; Imbens and Rubin 2015, chapter 5). The statistic is
the effect over its standard error by own variances, so that it also holds approximately where
effects differ between schools and average to zero (Wu and Ding 2021). Outcomes are as they were
measured; where a school lacks years, what schools and years explain stands in their place, in the
statistic that was observed as in those drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.assignment.design import AssignmentDesign
from schooltrial.models.assignment.draws import draw_assignments, enumerate_assignments
from schooltrial.models.cohort_inference.permutation import drawn_statistics
from schooltrial.models.cohort_inference.residuals import group_residuals
from schooltrial.models.randomisation_inference.covariate_differences import numbers_as_drawn

EXACT_UP_TO = 50_000
"""Designs with no more assignments than this are enumerated."""

_TIES = 1e-9  # relative: the same labels in another order of sums
_AT_A_TIME = 50_000  # labels in one product: they stay in double precision


@dataclass(frozen=True, eq=False)
class DesignCheck:
    """p-values by the design's own draws.

    Attributes
    ----------
    p_value : array (R,)
        Two-sided; NaN where a row has no statistic.
    draws : int
        Assignments compared with.
    exact : bool
        Whether they are all that the design allows.
    """

    p_value: FloatArray
    draws: int
    exact: bool


def design_check(
    outcome: FloatArray,
    group: IntArray,
    loadings: FloatArray,
    strata: IntArray | None,
    *,
    draws: int,
    random: np.random.Generator,
    exact_up_to: int = EXACT_UP_TO,
) -> DesignCheck:
    """Judge rows by re-drawing cohorts within blocks.

    Parameters
    ----------
    outcome : array (N, T)
        NaN where a school was not seen.
    group : array (N,)
        Position of each school's cohort.
    loadings : array (H, T, R)
        a_hr.
    strata : array (N,), optional
        Blocks of the lottery.
    draws : int
        Where there are too many to list.
    random : numpy.random.Generator
    exact_up_to : int
        Most assignments that are listed.
    """
    sizes = np.bincount(group, minlength=len(loadings))
    y = np.nan_to_num(group_residuals(outcome, np.zeros(len(group), dtype=np.int64), 1))
    blocks = np.zeros(len(group), dtype=np.int64) if strata is None else strata
    arms = tuple(range(len(sizes)))
    design = numbers_as_drawn(np.arange(len(group)), group, blocks, arms)
    exact = design.possible <= exact_up_to
    used = np.abs(loadings).max(axis=1) > 0
    alone = (used & (sizes == 1)[:, None]).any(axis=0)
    seen = _statistics(y, group.astype(np.int8)[None, :], loadings, sizes, alone)[0]
    total, beyond = 0, np.zeros(len(seen), dtype=np.int64)
    for labels in _labels(design, exact, draws, random):
        drawn = _statistics(y, labels, loadings, sizes, alone)
        beyond += (drawn >= seen * (1 - _TIES)).sum(axis=0)
        total += len(labels)
    p = beyond / total if exact else (1 + beyond) / (1 + total)
    return DesignCheck(np.where(np.isfinite(seen), p, np.nan), total, exact)


def _labels(
    design: AssignmentDesign, exact: bool, draws: int, random: np.random.Generator
) -> Iterator[npt.NDArray[np.int8]]:
    """Yield assignments, some at a time."""
    rows = max(_AT_A_TIME // design.units.size, 1)
    if exact:
        yield from (labels for labels, _ in enumerate_assignments(design, rows=rows))
        return
    for start in range(0, draws, rows):
        yield draw_assignments(design, min(rows, draws - start), random)


def _statistics(
    y: FloatArray,
    labels: npt.NDArray[np.int8],
    loadings: FloatArray,
    sizes: IntArray,
    alone: npt.NDArray[np.bool_],
) -> FloatArray:
    """Return |t| of every assignment and row; |θ| where a cohort of the row is one school."""
    theta, variance = drawn_statistics(y, labels, loadings, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(np.where(alone, theta, theta / np.sqrt(variance)))
    return np.where(np.isnan(t), np.inf, t)
