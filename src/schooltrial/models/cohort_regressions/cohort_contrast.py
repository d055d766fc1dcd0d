r"""One cohort's event study: its years less a base year, with those of comparison schools.

The regression of outcomes on school effects, year effects and an indicator of every year but the
base year for the cohort is saturated: it is the contrast of two panels, each with school and year
effects of its own,

.. math:: \delta_{gt} = (\mu_{gt}-\mu_{gb}) - (\lambda_t-\lambda_b).

Where every school is seen in every year, these are differences of mean changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schooltrial.models.cohort_regressions.cohort_year_effects import CohortYearEffects
from schooltrial.models.cohort_regressions.nuisance_effects import (
    NuisanceEffects,
    connected_parts,
)
from schooltrial.models.cohort_regressions.school_patterns import Mask, SchoolPatterns
from schooltrial.models.group_time.cells import Cell


def contrast_cohort(
    patterns: SchoolPatterns,
    years: NDArray[np.int64],
    cohort: int,
    base: int,
    compared: Mask,
    window: Mask,
) -> CohortYearEffects:
    """Return the effects of one cohort in the years that can be compared with its base year.

    Parameters
    ----------
    patterns : SchoolPatterns
    years : array (T,)
    cohort, base : int
        First treated year, and the year that others are differences to.
    compared : bool array (U,)
        The patterns of the schools that the cohort is compared with.
    window : bool array (T,)
        The years that the regression is fitted to.
    """
    own = patterns.cohort == cohort
    at = int(np.flatnonzero(years == base)[0])
    usable = window.copy()
    for rows in (own, compared):
        seen = patterns.seen[rows] & window
        _, part = connected_parts(seen)
        usable &= seen.any(axis=0) & (part == part[at])
    wanted = np.flatnonzero(usable & (years != base)) if usable[at] else np.zeros(0, dtype=np.intp)
    contrasts = np.zeros((len(years), len(wanted)))
    contrasts[wanted, np.arange(len(wanted))] = 1.0
    contrasts[at] = -1.0
    loadings = np.zeros((*patterns.seen.shape, len(wanted)))
    for rows, sign in ((own, 1.0), (compared, -1.0)) if len(wanted) else ():
        effects = NuisanceEffects(patterns.seen[rows] & window, patterns.count[rows])
        loadings[rows] = sign * effects.year_differences(contrasts)
    size = patterns.count[own] @ patterns.seen[own]
    others = tuple(int(g) for g in np.unique(patterns.cohort[compared]))
    cells = tuple(Cell(cohort, int(year), base, others) for year in years[wanted])
    return CohortYearEffects(cells, size[wanted], loadings)
