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
effects. The reference is normal, as it is for the estimate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from typing import Literal

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.models.power.panel import year_covariance

ControlGroup = Literal["never_treated", "not_yet_treated"]


def staggered_precision(
    cohorts: Mapping[int, int],
    never: int,
    years: Sequence[int],
    *,
    year_variance: float,
    correlation: float = 0.0,
    comparison_group: ControlGroup = "never_treated",
) -> Precision:
    """Return the precision of the overall effect of a balanced panel.

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
        Where no cohort has a year before and schools to be compared with, or nothing varies.
    """
    kept = sorted(set(years))
    sigma = year_covariance(kept, year_variance=year_variance, correlation=correlation)
    weights = school_weights(cohorts, never, kept, comparison_group)
    sizes = {**cohorts, 0: never}
    variance = sum(sizes[group] * float(a @ sigma @ a) for group, a in weights.items())
    if not variance > 0:
        raise ValueError(
            "power of a panel: schools do not vary from year to year, so that there is nothing to "
            "be uncertain about; expected year_variance above zero"
        )
    return Precision(sqrt(variance), inf, "normal quantiles, as of the estimate")


def school_weights(
    cohorts: Mapping[int, int],
    never: int,
    years: Sequence[int],
    comparison_group: ControlGroup = "never_treated",
) -> dict[int, FloatArray]:
    """Return cohort → what each of its schools weighs in the effect, year by year; 0 is never."""
    sizes = {**cohorts, 0: never}
    weights = {group: np.zeros(len(years)) for group in sizes}
    total = 0
    for cohort, schools in cohorts.items():
        before = [at for at, year in enumerate(years) if year < cohort]
        if not before or not schools:
            continue
        for at, year in enumerate(years):
            against = _compared(cohorts, year, comparison_group)
            beside = sum(sizes[group] for group in against)
            if year < cohort or not beside:
                continue
            change = np.zeros(len(years))
            change[at], change[before[-1]] = schools, -schools
            weights[cohort] += change / schools
            for group in against:
                weights[group] -= change / beside
            total += schools
    if not total:
        raise ValueError(
            "power of a panel: no cohort has a year before and schools to be compared with; give "
            "years before, or another `comparison_group`"
        )
    return {group: a / total for group, a in weights.items()}


def _compared(cohorts: Mapping[int, int], year: int, comparison_group: ControlGroup) -> list[int]:
    """Return the cohorts that are untreated in a year."""
    later = [one for one in cohorts if one > year] if comparison_group == "not_yet_treated" else []
    return [0, *later]
