r"""Stacked event study with the weights of Wing, Freedman and Hollingsworth (2024).

Each cohort g is a trial of its own, its schools and its clean comparisons in the years
:math:`g-a,\dots,g+b`: schools that are never treated or, where these are asked for, begin after
:math:`g+b`. Stacked on each other, with school × stack and year × stack effects,

.. math:: y_{ist} = \alpha_{is} + \lambda_{st} + \sum_{e\neq b_g} \delta_e\,
          1\{i \text{ is of the cohort of } s\}\,1\{t-g=e\} + \varepsilon_{ist} .

Unweighted, each stack counts by the precision of its comparison. With weight 1 for the schools of
a cohort and :math:`(n_g/\sum n)/(n_{Cg}/\sum n_C)` for those that it is compared with, stacks count
by the schools of their cohorts: :math:`\delta_e = \sum_g (n_g/\sum n)\,\delta_{ge}`, the effect on
the treated. The stacks' effects :math:`\delta_{ge}` are estimated one by one and averaged with
these shares, which is the same number where every school is seen in every year of its stacks.

Only cohorts with all years of the window enter, so that the same cohorts are behind every event
time. By default the window is the widest that every cohort has that can be compared.

References
----------
Wing, C., Freedman, S. and Hollingsworth, A. (2024). Stacked difference-in-differences. NBER
Working Paper 32054.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schooltrial.models.cohort_regressions.cohort_contrast import contrast_cohort
from schooltrial.models.cohort_regressions.cohort_year_effects import (
    CohortYearEffects,
    gather_effects,
)
from schooltrial.models.cohort_regressions.school_patterns import SchoolPatterns
from schooltrial.models.group_time.cells import base_year


def estimate_stacks(
    patterns: SchoolPatterns,
    years: NDArray[np.int64],
    *,
    not_yet: bool = False,
    anticipation: int = 0,
    window: tuple[int, int] | None = None,
) -> tuple[CohortYearEffects, tuple[int, int]]:
    """Estimate each stack's effects, to be averaged by the schools of their cohorts.

    Parameters
    ----------
    patterns : SchoolPatterns
    years : array (T,)
        In order.
    not_yet : bool
        Whether cohorts that begin after the window are compared with too.
    anticipation : int
        Years before its beginning in which a cohort may already respond.
    window : (int, int), optional
        First and last year since the programme began, such as (−3, 2).

    Returns
    -------
    effects : CohortYearEffects
    window : (int, int)
        The window used.

    Raises
    ------
    ValueError
        Where no cohort has the years of the window and schools to compare with.
    """
    first, last = int(years[0]), int(years[-1])
    cohorts = [int(g) for g in np.unique(patterns.cohort) if g]
    notes = [f"cohort {g} has no year before treatment and is left out"
             for g in cohorts if base_year(years, g, anticipation) is None]  # fmt: skip
    notes += [f"cohort {g} begins after {last}, the last year, and informs no effect"
              for g in cohorts if g > last]  # fmt: skip
    able = [g for g in cohorts if g <= last and base_year(years, g, anticipation) is not None]
    if not able:
        raise ValueError("no cohort informs an effect: " + "; ".join(notes))
    start, end = window or (max(first - g for g in able), min(last - g for g in able))
    parts = []
    for g in able:
        if g + start < first or g + end > last:
            notes.append(
                f"cohort {g} lacks years of the window {start} to {end:+d} and is left out"
            )
            continue
        clean = patterns.cohort == 0
        if not_yet:
            clean |= patterns.cohort - anticipation > g + end
        base = base_year(years, g, anticipation)
        assert base is not None
        inside = (years >= g + start) & (years <= g + end)
        if base < g + start:
            raise ValueError(
                f"the window begins {start} years from the programme's beginning and holds no year "
                f"before it (and its anticipation); begin it at {-anticipation - 1} or earlier"
            )
        part = contrast_cohort(patterns, years, g, base, clean, inside)
        if not (part.year >= g).any():
            notes.append(
                f"cohort {g} has no school that can be compared between {base} and later years, "
                "and is left out"
                if clean.any()
                else f"cohort {g} has no school that is untreated in all years of its window to "
                "be compared with, and is left out"
            )
            continue
        parts.append(part)
    if not parts:
        raise ValueError(
            "no cohort has all years of the window and schools to compare with: " + "; ".join(notes)
        )
    return gather_effects(parts, notes), (start, end)
