r"""What the two-way effect of a staggered programme averages (Goodman-Bacon 2021).

With school and year effects, the coefficient of "the programme has begun in this school" is

.. math:: \hat\delta = \sum_j s_j \hat\delta_j, \qquad \sum_j s_j = 1,

over comparisons of two cohorts in the years in which one of them changes and the other does not. A
cohort k that is treated in the share :math:`\bar D_k` of the years is compared with

- schools that are never treated, in all years:
  :math:`s \propto n_k n_U \bar D_k(1-\bar D_k)`;
- a cohort l that begins later, in the years before l begins:
  :math:`s \propto n_k n_l (\bar D_k-\bar D_l)(1-\bar D_k)`;
- a cohort k that began earlier, in the years since k began, l being the one that changes:
  :math:`s \propto n_k n_l \bar D_l(\bar D_k-\bar D_l)`.

The last kind takes schools that are already treated as if nothing happened to them: where their
effect still grows, its growth is subtracted. Such comparisons are often called forbidden.

Exact where every school is seen in every year and all weigh the same.

References
----------
Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. Journal of
Econometrics 225, 254-277 (theorem 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray

NEVER = "never treated"
NOT_YET = "not yet treated"
ALREADY = "already treated"
ALWAYS = "treated in every year"
FORBIDDEN = (ALREADY, ALWAYS)
"""Whom a cohort is compared with though the programme had reached them before."""


@dataclass(frozen=True)
class TwoCohortComparison:
    """One cohort that changes, compared with one that does not.

    Attributes
    ----------
    kind : str
        What those compared with are: never treated, not yet, already, or in every year.
    treated_cohort, compared_cohort : int
        First treated years; 0 for never.
    estimate : float
        Difference in differences of the two, in units of the outcome.
    weight : float
        Share of it in the two-way effect.
    """

    kind: str
    treated_cohort: int
    compared_cohort: int
    estimate: float
    weight: float


@dataclass(frozen=True)
class Decomposition:
    """The comparisons that a two-way effect averages.

    Attributes
    ----------
    comparisons : tuple of TwoCohortComparison
    n_schools : int
        Schools seen in every year, which it rests on.
    left_out : int
        Schools that lack a year.
    """

    comparisons: tuple[TwoCohortComparison, ...]
    n_schools: int
    left_out: int

    @property
    def estimate(self) -> float:
        """The two-way effect of these schools."""
        return fsum(one.weight * one.estimate for one in self.comparisons)

    @property
    def forbidden(self) -> float:
        """Share of the weight on comparisons with schools that are already treated."""
        return fsum(one.weight for one in self.comparisons if one.kind in FORBIDDEN)


def decompose_two_way_effect(
    outcome: FloatArray, years: NDArray[np.int64], cohort: NDArray[np.int64]
) -> Decomposition:
    """Decompose the two-way effect of "has begun" into comparisons of two cohorts.

    Parameters
    ----------
    outcome : array (N, T)
        Mean of each school and year, NaN where there is none. Schools that lack a year are left
        out, and counted.
    years : array (T,)
        In order; there may be gaps.
    cohort : array (N,)
        First treated year, 0 where a school is never treated. A cohort that begins after the last
        year is one that is never treated here.

    Raises
    ------
    ValueError
        Where no two cohorts can be compared among the schools that are seen in every year.
    """
    whole: NDArray[np.bool_] = np.asarray(np.isfinite(outcome).all(axis=1))
    share = np.where(cohort == 0, 0.0, (years[None, :] >= cohort[:, None]).mean(axis=1))
    label = np.where(share > 0, cohort, 0)
    found = _groups(outcome[whole], label[whole], share[whole])
    compared = tuple(_comparisons(found, years))
    total = fsum(one.weight for one in compared)
    if not total > 0:
        raise ValueError(
            f"{int(whole.sum())} of {len(whole)} schools are seen in all {len(years)} years, and "
            "no two cohorts of these differ in when they began; restrict `where` to years in "
            "which most schools are seen"
        )
    shares = tuple(
        TwoCohortComparison(
            one.kind, one.treated_cohort, one.compared_cohort, one.estimate, one.weight / total
        )
        for one in compared
    )
    return Decomposition(shares, int(whole.sum()), int((~whole).sum()))


@dataclass(frozen=True)
class _Group:
    """Schools of one cohort: how many, the share of years they are treated, their yearly means."""

    cohort: int
    size: int
    share: float
    mean: FloatArray


def _groups(outcome: FloatArray, label: NDArray[np.int64], share: FloatArray) -> list[_Group]:
    return [
        _Group(int(g), int((label == g).sum()), float(share[label == g][0]),
               outcome[label == g].mean(axis=0))
        for g in np.unique(label)
    ]  # fmt: skip


def _comparisons(groups: list[_Group], years: NDArray[np.int64]) -> Iterator[TwoCohortComparison]:
    """Yield every comparison with weight, before the weights are scaled to one."""
    for one in groups:
        for other in groups:
            if one.share > other.share:
                yield from _pair(one, other, years)


def _pair(early: _Group, late: _Group, years: NDArray[np.int64]) -> Iterator[TwoCohortComparison]:
    """Yield the comparisons of two cohorts, the first of which is treated for longer."""
    size = early.size * late.size
    change = early.mean - late.mean
    begun = years >= early.cohort
    before_late = years < late.cohort if late.cohort else np.ones(len(years), dtype=bool)
    weight = size * (early.share - late.share) * (1 - early.share)
    if weight > 0:
        kind = NOT_YET if late.cohort else NEVER
        effect = change[begun & before_late].mean() - change[~begun].mean()
        yield TwoCohortComparison(kind, early.cohort, late.cohort, float(effect), weight)
    weight = size * late.share * (early.share - late.share)
    if weight > 0:
        kind = ALREADY if early.share < 1 else ALWAYS
        effect = change[begun & before_late].mean() - change[~before_late].mean()
        yield TwoCohortComparison(kind, late.cohort, early.cohort, float(effect), weight)
