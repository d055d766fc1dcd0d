r"""Whether the effect of a staggered programme differs between schools: by level, or by a number.

**By level** (region, kind of school): the cohorts of a level are compared with comparison schools
of the same level, so that no level's own course of years passes for an effect. Levels share no
school, and their overall effects are independent. That they are equal is tested by the approximate
Hotelling F of their differences from the first.

**By a number** m: in each cell the slope of schools' changes on m, among the treated less among the
schools compared with, every cohort having a mean of its own,

.. math:: \hat\beta_{gt} = \frac{\sum_{i\in g}(m_i - \bar m_g)\Delta_i}{S_g}
          - \frac{\sum_h\sum_{i\in h}(m_i - \bar m_h)\Delta_i}{\sum_h S_h},
          \qquad S_h = \sum_{i\in h}(m_i-\bar m_h)^2

averaged over the cells after treatment with weights :math:`S_g`, as one slope for all cohorts would
be. It is the change of the effect per unit of m. What m does to schools without the programme is
taken off by the second term.

All of these are linear forms in the outcomes of schools, judged as averages over cohorts are, the
groups being the cohorts within each level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cohort_inference.hotelling import joint_test
from schooltrial.models.cohort_inference.residuals import (
    YearCovariances,
    group_residuals,
    year_covariances,
)
from schooltrial.models.cohort_inference.variances import RULES, CohortVariances, judge_rows
from schooltrial.models.group_time.averages import plan_averages
from schooltrial.models.group_time.cells import Cell, plan_cells, schools_of, treated_schools
from schooltrial.models.group_time.loadings import Effects, effects_by_school
from schooltrial.models.group_time.panel import NEVER, SchoolPanel
from schooltrial.models.inference.estimate import Estimate, f_estimate, t_estimate
from schooltrial.models.panel.staggered_adoption import StaggeredFit
from schooltrial.wording import exact, listed, plural

ROUNDING = 1e-12  # of the largest outcome

NO_ERROR = (
    "no standard error: too few schools of its cohorts or comparison schools to tell how they vary"
)


@dataclass(frozen=True)
class SplitEffects:
    """Effects that differ between schools.

    Attributes
    ----------
    effects, differences : tuple of Estimate
        By level; from the first level, or per unit of a number.
    equal : Estimate or None
        The test that all levels have the same effect.
    notes : tuple of str
        Levels without an effect, and why; schools that are left out.
    """

    effects: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]
    equal: Estimate | None
    notes: tuple[str, ...]


def split_by_level(
    fitted: StaggeredFit, levels: npt.NDArray[Any], variable: str, *, level: float = 0.95
) -> SplitEffects:
    """Return the overall effect in each level of a variable, and the test that they are equal.

    Parameters
    ----------
    fitted : StaggeredFit
        Without covariates, weights or clusters.
    levels : array (N,) of str or None
        Of the fit's schools; None where not known.
    variable : str
        Its name, in terms and notes.
    level : float
        Of confidence.

    Raises
    ------
    ValueError
        Where fewer than two levels have an effect.
    """
    panel = fitted.panel
    known = np.array([value is not None for value in levels], dtype=bool)
    names = sorted({str(value) for value in levels[known]})
    code = np.array([names.index(str(v)) if v is not None else -1 for v in levels], dtype=np.int64)
    notes = _left_out(int((~known).sum()), variable)
    told, columns, points = [], [], []
    n, years = panel.outcome.shape
    for at, name in enumerate(names):
        inside = code == at
        made, why = _overall(fitted, panel.kept(inside))
        if made is None:
            notes.append(f"{variable}={name} has no effect of its own: {why}")
            continue
        loadings, psi = np.zeros((n, years)), np.zeros(n)
        loadings[inside] = made.loadings[:, :, 0]
        assert made.contributions is not None
        psi[inside] = made.contributions[:, 0]
        told.append(name)
        columns.append((loadings, psi))
        points.append(float(made.points[0]))
    if len(told) < 2:
        found = f"{variable}={told[0]}" if told else "none"
        raise ValueError(
            f"the effect cannot be split by {variable!r}: {found} has treated and comparison "
            f"schools ({'; '.join(notes)}). Take a variable of which several levels hold both, "
            "or remove it"
        )
    effects = Effects(
        np.array(points), np.stack([one for one, _ in columns], axis=2),
        np.stack([psi for _, psi in columns], axis=1),
    )  # fmt: skip
    judge = _Judge(fitted, panel, code, level)
    terms = [f"treated[{variable}={name}]" for name in told]
    contrast = np.vstack([-np.ones(len(told) - 1), np.eye(len(told) - 1)])
    differences = effects.combined(contrast)
    equal = judge.together(f"effects are equal across {variable}", differences)
    return SplitEffects(
        judge.rows(effects, terms), judge.rows(differences, terms[1:]), equal, tuple(notes)
    )


def slope_of_effect(
    fitted: StaggeredFit, values: FloatArray, variable: str, *, level: float = 0.95
) -> SplitEffects:
    """Return by how much the overall effect differs per unit of a number.

    Parameters
    ----------
    fitted : StaggeredFit
        Without covariates, weights or clusters.
    values : array (N,)
        Of the fit's schools; NaN where not known.
    variable : str
        Its name, in terms and notes.
    level : float
        Of confidence.

    Raises
    ------
    ValueError
        Where the number does not vary within a cohort and among its comparison schools.
    """
    known = np.isfinite(values)
    panel, m = fitted.panel.kept(known), values[known]
    cells = [cell for cell in _planned(fitted, panel) if cell.since >= 0]
    n, years = panel.outcome.shape
    loadings, psi = np.zeros((n, years)), np.zeros(n)
    alone, point, total = np.zeros(n, dtype=bool), 0.0, 0.0
    y = np.nan_to_num(panel.outcome)
    for cell in cells:
        own, others = schools_of(panel, cell)
        weight, spread = _slope_weights(m, panel.group, own, others)
        if spread == 0:
            continue
        at, base = np.searchsorted(panel.years, [cell.year, cell.base])
        change = y[:, at] - y[:, base]
        point += spread * float(weight @ change)
        total += spread
        loadings[:, at] += spread * weight
        loadings[:, base] -= spread * weight
        deviation, lone = _slope_deviations(change, m, panel.group, own, others)
        psi += spread * weight * deviation
        alone |= lone & (weight != 0)
    if total == 0:
        raise ValueError(
            f"the effect cannot depend on {variable!r}: it does not vary within a cohort and among "
            "the schools it is compared with. Take another variable, or remove `moderator`"
        )
    contributions = np.where(alone, np.nan, psi / total)[:, None]
    effects = Effects(
        np.array([point / total]), (loadings / total)[:, :, None], contributions,
        np.full((len(panel.groups), 1), 2.0),
    )  # fmt: skip
    judge = _Judge(fitted, panel, np.zeros(n, dtype=np.int64), level, "slopes within cohorts", m)
    rows = judge.rows(effects, [f"treated[per {variable}]"])
    return SplitEffects((), rows, None, tuple(_left_out(int((~known).sum()), variable)))


def _left_out(count: int, variable: str) -> list[str]:
    return [f"{plural(count, 'school')} without a known {variable} left out"] if count else []


def _planned(fitted: StaggeredFit, panel: SchoolPanel) -> tuple[Cell, ...]:
    return plan_cells(panel, fitted.comparison_group, fitted.base_period, fitted.anticipation)


def _overall(fitted: StaggeredFit, panel: SchoolPanel) -> tuple[Effects | None, str]:
    """Return the overall effect of some schools; or None, and why there is none."""
    treated = [g for g in panel.groups if g != NEVER]
    if not treated:
        return None, "it has no treated school"
    if fitted.comparison_group == "never_treated" and NEVER not in panel.groups:
        return None, "it has no school that is never treated"
    cells = _planned(fitted, panel)
    after = [cell for cell in cells if cell.since >= 0]
    if not after:
        cohorts = listed([exact(g) for g in treated])
        return None, f"its cohorts ({cohorts}) have no school to compare with in the same years"
    overall = plan_averages(
        cells, treated_schools(panel, cells), base_period=fitted.base_period,
        anticipation=fitted.anticipation,
    )[0]  # fmt: skip
    return effects_by_school(panel, cells, overall.weights[:, None]), ""


def _slope_weights(
    m: FloatArray, group: IntArray, own: npt.NDArray[np.bool_], others: npt.NDArray[np.bool_]
) -> tuple[FloatArray, float]:
    """Return each school's weight in a cell's difference of slopes, and the cohort's S; 0: none."""
    weights = np.zeros(len(m))
    spread = []
    for sign, inside in ((1.0, own), (-1.0, others)):
        centred = np.where(inside, m - _means(m, group, inside)[group], 0.0)
        spread.append(float(centred @ centred))
        if spread[-1] <= ROUNDING * max(float(np.abs(m).max()), 1.0) ** 2:
            return weights, 0.0
        weights += sign * centred / spread[-1]
    return weights, spread[0]


def _slope_deviations(
    change: FloatArray,
    m: FloatArray,
    group: IntArray,
    own: npt.NDArray[np.bool_],
    others: npt.NDArray[np.bool_],
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return the residuals of changes from a line in each group, scaled by √(n/(n − 2)).

    The other array names schools in groups of two or fewer, which a line fits without a rest.
    """
    left, lone = np.zeros(len(m)), np.zeros(len(m), dtype=bool)
    for h in np.unique(group[own | others]):
        inside = (group == h) & (own | others)
        x, y = m[inside] - m[inside].mean(), change[inside] - change[inside].mean()
        count = int(inside.sum())
        if count < 3:
            lone[inside] |= x != 0
            continue
        if x @ x > 0:
            left[inside] = (y - x * (x @ y) / (x @ x)) * np.sqrt(count / (count - 2))
    return left, lone


def _beside_lines(
    residuals: FloatArray, m: FloatArray, group: IntArray, n_groups: int
) -> YearCovariances:
    """Return covariances of the residuals from a line on m in each group and year.

    A slope that is judged must not be part of the variance that it is judged by: with cohorts of
    five and four schools it was hardly ever found.
    """
    left, n = residuals.copy(), np.bincount(group, minlength=n_groups)
    lost = np.ones(n_groups, dtype=np.int64)
    for h in range(n_groups):
        inside = group == h
        y = residuals[inside]
        seen = np.isfinite(y)
        at = np.where(seen, m[inside][:, None], 0.0)
        x = np.where(seen, at - at.sum(0) / np.maximum(seen.sum(0), 1), 0.0)
        spread = (x**2).sum(0)
        if not (spread > ROUNDING * max(float(np.abs(m).max()), 1.0) ** 2).any():
            continue
        lost[h] = 2
        slope = (x * np.where(seen, y, 0.0)).sum(0) / np.where(spread > 0, spread, 1.0)
        left[inside] = y - x * slope
    free = np.maximum(n - lost, 0)
    found = year_covariances(left, group, n_groups)
    more = np.where(free > 0, (n - 1) / np.maximum(free, 1), 0.0)
    return YearCovariances(found.groups * more[:, None, None], free.astype(np.int64))


def _means(m: FloatArray, group: IntArray, inside: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the mean of each group over some of its schools, (H,)."""
    count = np.bincount(group, inside.astype(float))
    return np.bincount(group, np.where(inside, m, 0.0)) / np.maximum(count, 1.0)


class _Judge:
    """How rows are judged whose groups are the cohorts within each level."""

    def __init__(
        self,
        fitted: StaggeredFit,
        panel: SchoolPanel,
        level_of: IntArray,
        level: float,
        how: str = "within levels",
        number: FloatArray | None = None,
    ) -> None:
        self.estimator = f"{fitted.method.split(';')[0]}, {how}"
        self.panel, self.level, self.number = panel, level, number
        pairs = np.column_stack([level_of, panel.cohort])
        self.groups, group = np.unique(pairs, axis=0, return_inverse=True)
        self.group = group.reshape(-1).astype(np.int64)

    def variances(self, effects: Effects) -> CohortVariances:
        """Return the inputs of the variances of effects."""
        panel, count = self.panel, len(self.groups)
        first, last = panel.years[0], len(panel.years)
        start = tuple(
            last if g == NEVER else int(np.searchsorted(panel.years, g)) for _, g in self.groups
        )
        treated = tuple(
            h for h, (of, g) in enumerate(self.groups)
            if of >= 0 and start[h] < last and g > first and not self._compares(int(of), int(g))
        )  # fmt: skip
        nonzero = np.abs(effects.loadings).max(1) > 0
        left = group_residuals(panel.outcome, self.group, count)
        covariances = (
            year_covariances(left, self.group, count)
            if self.number is None
            else _beside_lines(left, self.number, self.group, count)
        )
        return CohortVariances(
            effects, self.group, treated, start, covariances,
            np.bincount(self.group, minlength=count).astype(np.int64),
            ROUNDING * float(np.nanmax(np.abs(panel.outcome))),
            np.stack([nonzero[self.group == h].any(0) for h in range(count)]),
        )  # fmt: skip

    def _compares(self, of: int, cohort: int) -> bool:
        """Return whether a cohort is the last of a level without never treated schools."""
        inside = [int(g) for other, g in self.groups if other == of]
        return NEVER not in inside and cohort == max(inside)

    def rows(self, effects: Effects, terms: Sequence[str]) -> tuple[Estimate, ...]:
        """Return estimates of effects."""
        judged = judge_rows(self.variances(effects))
        seen, pupils = self.panel.seen, self.panel.n_pupils
        made = []
        for at, term in enumerate(terms):
            rests = (np.abs(effects.loadings[:, :, at]) > 0) & seen
            inside = rests.any(1)
            error, df = float(judged.std_error[at]), float(judged.df[at])
            one = t_estimate(
                term, float(effects.points[at]), error, df,
                n_individuals=0 if pupils is None else int(np.nansum(pupils[rests])),
                n_schools=int(inside.sum()), level=self.level,
                method=f"{self.estimator}; {RULES[judged.rules[at]]}",
                note="" if error > 0 else NO_ERROR,
            )  # fmt: skip
            own = inside & (self.panel.cohort != NEVER)
            made.append(replace(one, n_treated_schools=int(own.sum())))
        return tuple(made)

    def together(self, name: str, effects: Effects) -> Estimate:
        """Return the test that effects are all zero."""
        found = self.variances(effects)
        rows = list(range(len(effects.points)))
        rule = found.rule(rows)
        test = joint_test(found, rows, rule)
        rests = np.abs(effects.loadings).max((1, 2)) > 0
        few = "no F: too few treated schools for a joint test"
        return f_estimate(
            name, test.statistic, test.hypotheses, test.df, n_individuals=0,
            n_schools=int(rests.sum()),
            method=f"{self.estimator}; approximate Hotelling test, {RULES[rule]}",
            note=few if np.isnan(test.statistic) else "",
        )  # fmt: skip
