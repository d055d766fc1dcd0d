"""Effects of cohorts by year as linear forms of the outcomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cohort_regressions.school_patterns import SchoolPatterns
from schooltrial.models.group_time.cells import Cell


@dataclass(frozen=True, eq=False)
class CohortYearEffects:
    r"""Effects :math:`\theta_k=\sum_{it} w_{itk} y_{it}` with :math:`\sum_t w_{itk}=0`.

    Attributes
    ----------
    cells : tuple of Cell
        The cohort and year of each effect. Years before the programme are of the pre-trend.
    size : array (K,)
        Schools of the cohort seen in the year.
    loadings : array (U, T, K)
        Loadings of a school of each pattern.
    notes : tuple of str
        Cohorts, schools and years that are left out, and why.
    """

    cells: tuple[Cell, ...]
    size: FloatArray
    loadings: FloatArray
    notes: tuple[str, ...] = ()

    @property
    def cohort(self) -> IntArray:
        """First treated year of each effect's cohort, (K,)."""
        return np.array([cell.cohort for cell in self.cells], dtype=np.int64)

    @property
    def year(self) -> IntArray:
        """Year of each effect, (K,)."""
        return np.array([cell.year for cell in self.cells], dtype=np.int64)

    def points(self, patterns: SchoolPatterns) -> FloatArray:
        """Return the estimates, (K,)."""
        return np.asarray(np.einsum("utk,ut->k", self.loadings, patterns.total))


def gather_effects(parts: Iterable[CohortYearEffects], notes: Iterable[str]) -> CohortYearEffects:
    """Put several sets of effects in one."""
    found = list(parts)
    return CohortYearEffects(
        tuple(cell for part in found for cell in part.cells),
        np.concatenate([part.size for part in found]),
        np.concatenate([part.loadings for part in found], axis=2),
        tuple(notes),
    )
