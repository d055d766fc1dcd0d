r"""School and year effects, swept out of the cells that are seen.

In a panel with gaps, :math:`y_{it}=\alpha_i+\lambda_t+\dots`: the school effects leave by centring
within schools, then the years by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cohort_regressions.school_patterns import Mask

_RANK = 1e-10  # of the largest eigenvalue: below it a combination of years is not identified


@dataclass
class NuisanceEffects:
    """The effects that a regression estimates in addition to those of interest.

    Attributes
    ----------
    seen : bool array (U, T)
        The cells that the regression is fitted to.
    count : array (U,)
        Schools of each pattern.
    """

    seen: Mask
    count: FloatArray
    _centred: FloatArray = field(init=False)
    """Indicators of years less their means within schools, (U, T, T)."""
    _inverse: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        schools, years = self.seen.shape
        self._centred = self._within_schools(
            np.broadcast_to(np.eye(years), (schools, years, years))
        )
        gram = self._cross(self._centred)
        inverse = np.linalg.pinv(gram, rcond=_RANK, hermitian=True)
        self._inverse = np.asarray(inverse, dtype=np.float64)

    def year_differences(self, contrasts: FloatArray) -> FloatArray:
        """Return the loadings of contrasts of the year effects, (U, T, K) for contrasts (T, K).

        Years that are contrasted must be in one of the `connected_parts`.
        """
        return np.asarray(self._centred @ (self._inverse @ contrasts))

    def residual(self, columns: FloatArray) -> FloatArray:
        """Return what is left of columns (U, T, K), 0 if a school is not seen."""
        centred = self._within_schools(columns)
        return np.asarray(centred - self._centred @ (self._inverse @ self._cross(centred)))

    def predicting(self, wanted: FloatArray) -> FloatArray:
        """Return the loadings on the cells seen of sums of predicted outcomes.

        Parameters
        ----------
        wanted : array (U, T, K)
            Weight of each school's predicted outcome of each year in each sum; the school and the
            year must be in one of the `connected_parts`.
        """
        whole = wanted.sum(axis=1)
        own = whole / np.maximum(self.seen.sum(axis=1), 1)[:, None]
        spread = np.where(self.seen[:, :, None], own[:, None, :], 0.0)
        needed = np.einsum("u,utk->tk", self.count, wanted - spread)
        return np.asarray(spread + self._centred @ (self._inverse @ needed))

    def _means(self, columns: FloatArray) -> FloatArray:
        """Return the mean of each pattern's columns over the years in which it is seen, (U, K)."""
        sums = np.einsum("ut,utk->uk", self.seen, columns)
        return np.asarray(sums / np.maximum(self.seen.sum(axis=1), 1)[:, None])

    def _within_schools(self, columns: FloatArray) -> FloatArray:
        centred = columns - self._means(columns)[:, None, :]
        return np.where(self.seen[:, :, None], centred, 0.0)

    def _cross(self, columns: FloatArray) -> FloatArray:
        return np.asarray(
            np.einsum("u,uta,utk->ak", self.count, self._centred, columns, optimize=True)
        )


def connected_parts(seen: Mask) -> tuple[IntArray, IntArray]:
    """Return which part of a panel each school (or pattern) and each year belongs to.

    A school's outcome can be predicted for a year, and two years compared, only within one part:
    linked by schools and the years in which these were seen.
    """
    schools, years = seen.shape
    row, column = np.nonzero(seen)
    graph = csr_array(
        (np.ones(len(row)), (row, column + schools)), shape=(schools + years, schools + years)
    )
    _, part = connected_components(graph, directed=False)
    return part[:schools], part[schools:]
