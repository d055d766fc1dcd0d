r"""Power of a programme that schools enter in different years, by the estimator that is used.

The overall effect of Callaway and Sant'Anna (`staggered_adoption`) is linear in the means of
schools. With n_g schools of cohort g, b(g) its last year before, and C(g, t) the schools that are
compared with it in year t,

    Δ̂ = Σ_{g, t ≥ g} w_g [(ȳ_{g,t} − ȳ_{g,b(g)}) − (ȳ_{C,t} − ȳ_{C,b(g)})],
    w_g = n_g/Σ_{g, t ≥ g} n_g,

so that a school of cohort h has weights a_h over years, and with Σ the covariance over years of a
school's mean (`panel.year_covariance`), schools being independent,

    Var Δ̂ = Σ_h n_h a_h'Σ a_h.

One year is the base of all comparisons: years before it lend no precision, as they do with two-way
effects. The reference is that of the estimate: t with the working degrees of freedom that it would
have if the pooled covariance were Σ (`cohort_inference.variances`), by own variances of cohorts or,
where a cohort has few schools, by one of all treated schools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.cohort_inference.residuals import YearCovariances
from schooltrial.models.cohort_inference.variances import RULES, cohort_variances, judge_rows
from schooltrial.models.group_time.averages import plan_averages
from schooltrial.models.group_time.cells import ComparisonGroup, plan_cells, treated_schools
from schooltrial.models.group_time.loadings import Effects, effects_of_cells
from schooltrial.models.group_time.panel import NEVER, SchoolPanel
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.models.power.panel import year_covariance


def staggered_precision(
    cohorts: Mapping[int, int],
    never: int,
    years: Sequence[int],
    *,
    year_variance: float,
    correlation: float = 0.0,
    comparison_group: ComparisonGroup = "never_treated",
) -> Precision:
    """Compute the precision of the overall effect of a staggered roll-out.

    Parameters
    ----------
    cohorts : mapping of int to int
        First treated year → schools.
    never : int
        Schools that are never treated.
    years : sequence of int
        When the outcome is measured.
    year_variance, correlation
        Of shocks of a school and year, AR(1), in squared units of the effect.
    comparison_group : {"never_treated", "not_yet_treated"}
        Whom cohorts are compared with.

    Raises
    ------
    ValueError
        Where no cohort has a year before and schools to be compared with, nothing varies, or every
        cohort is one school, so that the estimate has no standard error.
    """
    kept = sorted(set(years))
    sigma = year_covariance(kept, year_variance=year_variance, correlation=correlation)
    panel, effects = _planned(cohorts, never, kept, comparison_group)
    each = effects.loadings[:, :, 0]
    variance = float((np.einsum("ht,tu,hu->h", each, sigma, each) / panel.sizes).sum())
    if not variance > 0:
        raise ValueError(
            "power of a panel: schools do not vary from year to year, so that there is nothing to "
            "be uncertain about; expected year_variance above zero"
        )
    same = YearCovariances(np.repeat(sigma[None], len(panel.groups), axis=0), panel.sizes - 1)
    found = replace(cohort_variances(panel, effects), covariances=same, rounding=0.0)
    judged = judge_rows(found)
    df, rule = float(judged.df[0]), judged.rules[0]
    if not df > 0:
        raise ValueError(
            "power of a panel: every cohort is one school, or one school is never treated, so that "
            "the estimate has no standard error; plan two schools or more for some cohort"
        )
    return Precision(sqrt(variance), df, RULES[rule])


def school_weights(
    cohorts: Mapping[int, int],
    never: int,
    years: Sequence[int],
    comparison_group: ComparisonGroup = "never_treated",
) -> dict[int, FloatArray]:
    """Return cohort → what each of its schools weighs in the effect, year by year; 0 is never."""
    panel, effects = _planned(cohorts, never, years, comparison_group)
    each = effects.loadings[:, :, 0] / panel.sizes[:, None]
    return dict(zip(panel.groups, each, strict=True))


def _planned(
    cohorts: Mapping[int, int], never: int, years: Sequence[int], comparison_group: ComparisonGroup
) -> tuple[SchoolPanel, Effects]:
    """Return a balanced panel of so many schools, and its overall effect as a linear form."""
    first, last = min(years), max(years)
    informing = {g: n for g, n in cohorts.items() if first < g <= last and n > 0}
    beyond = sum(n for g, n in cohorts.items() if g > last)
    outside = never + (beyond if comparison_group == "not_yet_treated" else 0)
    counts = {NEVER: outside, **informing} if outside else informing
    cohort = np.repeat(np.array([*counts], dtype=np.int64), [*counts.values()])
    panel = SchoolPanel(
        np.zeros((len(cohort), len(years))), np.array(years, dtype=np.int64), cohort,
        np.arange(len(cohort)),
    )  # fmt: skip
    cells = plan_cells(panel, comparison_group) if len(cohort) else ()
    if not any(cell.since >= 0 for cell in cells):
        raise ValueError(
            "power of a panel: no cohort has a year before and schools to be compared with; give "
            "years before, or another `comparison_group`"
        )
    overall = plan_averages(cells, treated_schools(panel, cells))[0]
    effects = effects_of_cells(panel, cells, overall.weights[:, None])
    used = np.abs(effects.loadings).max((1, 2)) > 0
    kept = panel.kept(used[panel.group])
    return kept, replace(effects, loadings=effects.loadings[used])
