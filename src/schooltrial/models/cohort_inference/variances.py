r"""Variances of averages over cohorts, and the degrees of freedom of their t.

With :math:`B_{hr} = a_{hr}/\sqrt{n_h}` and :math:`\hat S_h` the covariance over years of the
schools of group h, the variance of row r by *own variances* is

.. math:: V_r = \sum_h B_{hr}'\hat S_h B_{hr} = \sum_i \psi_{ir}^2

which needs two schools in every group that the row rests on. By *two regimes* all treated cohorts
share one variance, on :math:`\nu_T = \sum_g(n_g - 1)` degrees of freedom, and the never treated
have theirs:

.. math:: V_r = \sum_{h>0}\frac{n_h-1}{\nu_T}\sum_{g>0} B_{ghr}'\hat S_h B_{ghr}
          + B_{0r}'\hat S_0 B_{0r}

with :math:`B_{ghr}` the loadings of cohort g moved to the years of cohort h (``own_time``). It
assumes that cohorts vary alike in their own time, not that they vary as the never treated do, and a
cohort of one school borrows from the others. Where no school is never treated, the last cohort
stands in their place: it is compared with, and has no effect of its own. Working degrees of freedom
are Satterthwaite's, with the pooled covariance in the place of the truth:

.. math:: \nu_r = \frac{(\sum_k\sum_{h\in R_k}\frac{n_h-1}{\nu_k}
          \sum_{g\in R_k} B_{gh}'\hat S B_{gh})^2}
          {\sum_k\sum_{h\in R_k}\frac{n_h-1}{\nu_k^2}\sum_{f,g\in R_k}(B_{fh}'\hat S B_{gh})^2}

over regimes :math:`R_k` (Satterthwaite 1946, Biometrics Bulletin 2(6): 110-114; the working model
after Bell and McCaffrey 2002, Survey Methodology 28(2): 169-181). The pooled covariance sets the
degrees of freedom alone. Estimated in their place, they reject true nulls too often where a cohort
has few schools. Where schools lack years, or weigh differently, each school's own loadings stand in
the place of its group's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cohort_inference.own_time import moved_to
from schooltrial.models.cohort_inference.residuals import (
    YearCovariances,
    group_residuals,
    year_covariances,
)
from schooltrial.models.group_time.loadings import Effects
from schooltrial.models.group_time.panel import NEVER, SchoolPanel

Rule = Literal["own", "two_regimes", "none"]

FEW_SCHOOLS = 10
"""A cohort with fewer schools than this borrows the variance of the other treated ones."""

RULES: dict[Rule, str] = {
    "own": "own variances of cohorts, working df",
    "two_regimes": "one variance of treated and one of comparison schools, working df",
    "none": "no variance",
}
"""How each rule is named in ``method``."""

_ROUNDING = 1e-12  # of the largest outcome: a standard error up to this is the rounding of zero


@dataclass(frozen=True)
class Regime:
    """Groups that share a variance.

    Attributes
    ----------
    groups : tuple of int
        Their positions.
    free : int
        Degrees of freedom: schools less groups.
    """

    groups: tuple[int, ...]
    free: int


@dataclass(frozen=True, eq=False)
class CohortVariances:
    """All inputs of inference on averages.

    Attributes
    ----------
    effects : Effects
    group : array (N,)
        Position of each school's group.
    treated : tuple of int
        Positions of the cohorts that have effects, and share a variance by two regimes.
    start : tuple of int
        Position among the years of each group's first treated one; T where there is none.
    covariances : YearCovariances
    sizes : array (H,)
    rounding : float
        A standard error up to this is zero.
    used : array (H, R) of bool
        Whether a row rests on a group.
    """

    effects: Effects
    group: IntArray
    treated: tuple[int, ...]
    start: tuple[int, ...]
    covariances: YearCovariances
    sizes: IntArray
    rounding: float
    used: npt.NDArray[np.bool_]

    def units(self, group: int, rows: Sequence[int] | slice) -> FloatArray:
        """Return the loadings of the units that a group counts by, (m, T, R').

        One unit, B_h, where its schools weigh the same; otherwise its schools.
        """
        if self.effects.by_group:
            unit: FloatArray = self.effects.loadings[group] / np.sqrt(float(self.sizes[group]))
            return unit[None, :, rows]
        own: FloatArray = self.effects.loadings[self.group == group][:, :, rows]
        return own

    def regimes(self, rule: Rule) -> list[Regime]:
        """Return the groups that share a variance."""
        own = [
            Regime((h,), int(self.covariances.df[h]))
            for h in range(len(self.sizes))
            if rule == "own" or h not in self.treated
        ]
        if rule == "own":
            return own
        return [Regime(self.treated, int(self.covariances.df[list(self.treated)].sum())), *own]

    def parts(
        self, regime: Regime, rows: Sequence[int] | slice
    ) -> Iterator[tuple[FloatArray, FloatArray, float]]:
        """Yield what each group of a regime says of the regime's variance.

        Yields
        ------
        units : array (m, T, R')
            Loadings of the units of all groups of the regime, in this group's own time.
        covariance : array (T, T)
            Of this group.
        weight : float
            Its share of the regime's degrees of freedom.
        """
        for h in regime.groups:
            if self.covariances.df[h] == 0:
                continue
            moved = [
                moved_to(self.units(g, rows), self.start[g], self.start[h]) for g in regime.groups
            ]
            weight = float(self.covariances.df[h]) / regime.free
            yield np.concatenate(moved), self.covariances.groups[h], weight

    def rule(self, rows: Sequence[int]) -> Rule:
        """Return the rule for rows together: two regimes where a cohort that they use is small."""
        used = np.asarray(self.used[:, list(rows)].any(axis=1), dtype=bool)
        cohorts = [h for h in self.treated if used[h]]
        never = [h for h in range(len(self.sizes)) if used[h] and h not in self.treated]
        if any(self.sizes[h] < 2 for h in never):
            return "none"
        few = any(self.sizes[h] < FEW_SCHOOLS for h in cohorts)
        if few:
            free = int(self.covariances.df[list(self.treated)].sum())
            return "two_regimes" if free > 0 else "none"
        return "own"


@dataclass(frozen=True, eq=False)
class RowVariances:
    """Standard errors and degrees of freedom of rows; NaN if a rule has none.

    Attributes
    ----------
    std_error, df : array (R,)
    """

    std_error: FloatArray
    df: FloatArray


def cohort_variances(panel: SchoolPanel, effects: Effects) -> CohortVariances:
    """Return the inputs of the variances of effects."""
    groups = len(panel.groups)
    left = group_residuals(panel.outcome, panel.group, groups)
    by = effects.loadings
    if not effects.by_group:
        nonzero = np.abs(effects.loadings).max(1) > 0
        used = np.stack([nonzero[panel.group == h].any(0) for h in range(groups)])
    else:
        used = np.abs(by).max(1) > 1e-14
    start = tuple(
        len(panel.years) if g == NEVER else int(np.searchsorted(panel.years, g))
        for g in panel.groups
    )
    treated = tuple(h for h in range(groups) if start[h] < len(panel.years))
    if len(treated) == groups:  # the last cohort is compared with, and has no effect of its own
        treated = treated[:-1]
    return CohortVariances(
        effects, panel.group, treated, start,
        year_covariances(left, panel.group, groups), panel.sizes,
        _ROUNDING * float(np.nanmax(np.abs(panel.outcome))), used,
    )  # fmt: skip


def row_variances(found: CohortVariances, rule: Rule) -> RowVariances:
    """Return standard errors and working degrees of freedom of all rows by a rule."""
    rows = len(found.effects.points)
    if rule == "none":
        return RowVariances(np.full(rows, np.nan), np.full(rows, np.nan))
    pool = found.covariances.pooled()
    variance, share, spread = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    impossible = np.zeros(rows, dtype=bool)
    for regime in found.regimes(rule):
        used = found.used[list(regime.groups)].any(0)
        if regime.free < 1:
            impossible |= used
            continue
        own = found.effects.contributions
        if len(regime.groups) == 1 and own is not None:
            one = regime.groups[0]
            psi = own[found.group == one]
            impossible |= np.isnan(psi).any(0)
            variance += np.nansum(psi**2, axis=0)
            w = found.units(one, slice(None))
            each = np.einsum("itr,tu,iur->ir", w, pool, w, optimize=True)
            n = np.maximum((np.abs(w).max(1) > 0).sum(0), 2)
            lost = 1.0 if found.effects.lost is None else found.effects.lost[one]
            share += each.sum(0)
            spread += (each**2).sum(0) * n / np.maximum(n - lost, 1.0)
            continue
        for w, covariance, weight in found.parts(regime, slice(None)):
            variance += weight * np.einsum("itr,tu,iur->r", w, covariance, w, optimize=True)
            moment = np.einsum("itr,iur->rtu", w, w, optimize=True) @ pool
            share += weight * np.trace(moment, axis1=1, axis2=2)
            spread += weight / regime.free * np.einsum("rtu,rut->r", moment, moment)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(impossible, np.nan, share**2 / spread)
        error = np.where(impossible, np.nan, np.sqrt(np.maximum(variance, 0.0)))
    error = np.where(error > found.rounding, error, np.nan)
    return RowVariances(error, np.where(np.isnan(error), np.nan, df))


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Rows with the variance that the rule chooses for each.

    Attributes
    ----------
    rules : tuple of str
        Rule of each row.
    std_error, df : array (R,)
        By that rule.
    own, two_regimes : RowVariances
        By each rule: their ratio shows whether cohorts vary alike.
    """

    rules: tuple[Rule, ...]
    std_error: FloatArray
    df: FloatArray
    own: RowVariances
    two_regimes: RowVariances

    @property
    def ratio(self) -> FloatArray:
        """Standard error by own variances over that by two regimes; NaN if either has none."""
        return self.own.std_error / self.two_regimes.std_error


def judge_rows(found: CohortVariances) -> JudgedRows:
    """Return standard errors and df of all rows: two regimes where a cohort they use is small."""
    own, two = row_variances(found, "own"), row_variances(found, "two_regimes")
    rules = tuple(found.rule([r]) for r in range(len(found.effects.points)))
    chosen = np.array(rules)
    error = np.select(
        [chosen == "own", chosen == "two_regimes"], [own.std_error, two.std_error], np.nan
    )
    df = np.select([chosen == "own", chosen == "two_regimes"], [own.df, two.df], np.nan)
    return JudgedRows(rules, error, df, own, two)
