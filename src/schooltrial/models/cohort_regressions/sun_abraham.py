r"""Interaction-weighted estimator of Sun and Abraham (2021).

.. math:: y_{it} = \alpha_i + \lambda_t + \sum_{g}\sum_{t\neq b_g} \delta_{gt}\,
          1\{G_i=g\}\,1\{\text{year}=t\} + \varepsilon_{it}

with :math:`b_g` the last year before cohort g began (before its anticipation, where there is one).
Schools that are never treated have no coefficients; where there are none, the last cohort to begin
takes their place, and the years from its beginning on are left out. Event times and the overall
effect average :math:`\delta_{gt}` by the schools of the cohort.

In a balanced panel with schools that are never treated, the points are those of Callaway and
Sant'Anna with a universal base.

References
----------
Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in event studies with
heterogeneous treatment effects. Journal of Econometrics 225, 175-199.
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


def estimate_interaction_weighted(
    patterns: SchoolPatterns, years: NDArray[np.int64], *, anticipation: int = 0
) -> CohortYearEffects:
    """Estimate the coefficients of cohort × year.

    Parameters
    ----------
    patterns : SchoolPatterns
    years : array (T,)
        In order.
    anticipation : int
        Years before its beginning in which a cohort may already respond.

    Raises
    ------
    ValueError
        Where no cohort has an effect that can be estimated.
    """
    labels = [int(g) for g in np.unique(patterns.cohort)]
    reference = 0 if 0 in labels else max(labels)
    window = np.ones(len(years), dtype=bool)
    notes = []
    if reference:
        window = years < reference - anticipation
        notes.append(
            f"no school is never treated: cohorts are compared with cohort {reference}, the last "
            f"to begin, in the years before {reference - anticipation}"
        )
    parts = []
    for cohort in labels:
        if cohort in (0, reference):
            continue
        base = base_year(years[window], cohort, anticipation)
        if base is None:
            notes.append(f"cohort {cohort} has no year before treatment and is left out")
            continue
        if cohort > years[window][-1]:
            notes.append(
                f"cohort {cohort} begins after {years[window][-1]}, the last year compared, and "
                "is left out"
            )
            continue
        part = contrast_cohort(patterns, years, cohort, base, patterns.cohort == reference, window)
        if not (part.year >= cohort - anticipation).any():
            notes.append(
                f"cohort {cohort} has no school that can be compared between {base} and later "
                "years, and is left out"
            )
            continue
        parts.append(part)
    if not parts:
        raise ValueError("no cohort informs an effect: " + "; ".join(notes))
    return gather_effects(parts, notes)
