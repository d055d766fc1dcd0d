"""The averages of R's did and their standard errors, from points and contributions of cells.

R takes the shares of cohorts as estimated: its standard errors hold a term for them (``wif`` in
``aggte``). We take them as part of the design; this is for comparing digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Averaged:
    """An average: its point and what each unit contributes to its error."""

    point: float
    contributions: Array

    @property
    def std_error(self) -> float:
        """As R has it: sqrt(mean(ψ²)/n), NaN where it is rounding."""
        found = float(np.sqrt((self.contributions**2).sum()))
        return found if found > 1e-10 else float("nan")


@dataclass(frozen=True)
class DidCells:
    """Effects of cells, as R's aggte takes them.

    Attributes
    ----------
    cohort, weights : array (n,)
        Of every unit (row, where these are cross-sections); cohort 0 is never treated.
    group, year, points : array (c,)
        Of every cell.
    contributions : array (n, c)
        What each unit adds to the error of each cell.
    """

    cohort: NDArray[np.int64]
    weights: Array
    group: NDArray[np.int64]
    year: NDArray[np.int64]
    points: Array
    contributions: Array
    first_year: int
    last_year: int

    @cached_property
    def shares(self) -> dict[int, float]:
        """Weighted share of every cohort."""
        scaled = self.weights / self.weights.mean()
        return {int(g): float(np.mean(scaled * (self.cohort == g))) for g in np.unique(self.group)}

    def _shares_error(self, groups: NDArray[np.int64]) -> Array:
        """Return what units contribute to the error of the weights of these cohorts."""
        q = np.array([self.shares[int(g)] for g in groups])
        scaled = self.weights / self.weights.mean()
        one = scaled[:, None] * (self.cohort[:, None] == groups) - q
        found: Array = one / q.sum() - one.sum(axis=1, keepdims=True) * q / q.sum() ** 2
        return found / len(self.cohort)

    def _average(self, kept: NDArray[np.bool_], *, random_shares: bool = True) -> Averaged:
        q = np.array([self.shares[int(g)] for g in self.group[kept]])
        error = self.contributions[:, kept] @ (q / q.sum())
        if random_shares:
            error = error + self._shares_error(self.group[kept]) @ self.points[kept]
        return Averaged(float(self.points[kept] @ q / q.sum()), error)

    def simple(self) -> Averaged:
        """Average all cells from the beginning on."""
        return self._average(self.year >= self.group)

    def by_group(self) -> tuple[Averaged, dict[int, Averaged]]:
        """Average each cohort's cells, and the cohorts by their shares."""
        after = self.year >= self.group
        found = {g: self._average(after & (self.group == g), random_shares=False)
                 for g in self.shares}  # fmt: skip
        groups = np.array(list(found))
        q = np.array([self.shares[int(g)] for g in groups])
        points = np.array([one.point for one in found.values()])
        errors = np.array([one.contributions for one in found.values()]).T @ (q / q.sum())
        errors = errors + self._shares_error(groups) @ points
        return Averaged(float(points @ q / q.sum()), errors), found

    def dynamic(
        self, lowest: int = -99, highest: int = 99, balance: int | None = None
    ) -> tuple[Averaged, dict[int, Averaged]]:
        """Average by years since the beginning, and those from 0 on with equal weights."""
        since, kept = self.year - self.group, np.ones(len(self.group), dtype=bool)
        times: Sequence[int] = [int(e) for e in np.unique(since)]
        if balance is not None:
            kept = self.last_year - self.group >= balance
            earliest = balance - self.last_year + self.first_year
            times = [e for e in times if earliest <= e <= balance]
        found = {
            e: self._average(kept & (since == e))
            for e in times
            if lowest <= e <= highest and (kept & (since == e)).any()
        }
        return _mean({e: one for e, one in found.items() if e >= 0}), found

    def calendar(self) -> tuple[Averaged, dict[int, Averaged]]:
        """Average by year, and the years with equal weights."""
        after = self.year >= self.group
        found = {int(t): self._average(after & (self.year == t))
                 for t in np.unique(self.year[after])}  # fmt: skip
        return _mean(found), found

    def pretrend(self) -> float:
        """Return R's Wald statistic of the cells before the beginning."""
        kept = (self.group > self.year) & ((self.contributions**2).sum(axis=0) > 1e-20)
        before = self.contributions[:, kept]
        return float(self.points[kept] @ np.linalg.solve(before.T @ before, self.points[kept]))


def _mean(parts: Mapping[int, Averaged]) -> Averaged:
    return Averaged(
        float(np.mean([one.point for one in parts.values()])),
        np.mean([one.contributions for one in parts.values()], axis=0),
    )
