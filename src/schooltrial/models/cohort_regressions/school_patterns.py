"""Schools that no regression separates: of one cohort, and seen in the same years.

Their loadings are the same, so that a panel of 10,000 schools and four cohorts
is a regression on five rows with frequencies where every school is seen in every year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray, IntArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SchoolPatterns:
    """The patterns of a panel.

    Attributes
    ----------
    cohort : array (U,)
        First treated year of each pattern's schools, 0 for never.
    seen : bool array (U, T)
        The years in which they are seen.
    count : array (U,)
        Schools of each pattern.
    total : array (U, T)
        Sum of their outcomes, 0 where they are not seen.
    of_school : array (N,)
        The pattern of each school.
    """

    cohort: NDArray[np.int64]
    seen: Mask
    count: FloatArray
    total: FloatArray
    of_school: IntArray


def gather_patterns(outcome: FloatArray, cohort: NDArray[np.int64]) -> SchoolPatterns:
    """Gather schools by cohort and by the years in which they are seen.

    Parameters
    ----------
    outcome : array (N, T)
        NaN where a school is not seen.
    cohort : array (N,)
        First treated year, 0 for never.
    """
    seen = np.isfinite(outcome)
    keys = np.column_stack([cohort, np.packbits(seen, axis=1)])
    _, first, of_school = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    of_school = of_school.reshape(-1)
    count = np.bincount(of_school).astype(np.float64)
    total = np.zeros((len(first), outcome.shape[1]))
    np.add.at(total, of_school, np.where(seen, outcome, 0.0))
    return SchoolPatterns(cohort[first], seen[first], count, total, of_school)
