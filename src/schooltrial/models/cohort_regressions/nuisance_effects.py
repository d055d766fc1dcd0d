r"""School effects, year effects and covariates by year, swept out of the cells that are seen.

In a panel with gaps, :math:`y_{it}=\alpha_i+\lambda_t+x_i'\beta_t+\dots`: the school effects leave
by centring within schools, then the years (and the covariates times the years) by least squares.
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
    """The effects that a regression estimates beside those of interest.

    Attributes
    ----------
    seen : bool array (U, T)
        The cells that the regression is fitted to.
    count : array (U,)
        Schools of each pattern.
    covariates : array (U, p), optional
        Each has an effect of its own in every year.
    """

    seen: Mask
    count: FloatArray
    covariates: FloatArray | None = None
    columns: FloatArray = field(init=False)
    """Indicators of years, and covariates times these, (U, T, P)."""
    _centred: FloatArray = field(init=False)
    _gram: FloatArray = field(init=False)
    _inverse: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        years = self.seen.shape[1]
        x = np.ones((len(self.seen), 1))
        if self.covariates is not None:
            centred = self.covariates - self.covariates.mean(axis=0)
            spread = centred.std(axis=0)
            x = np.column_stack([x, centred / np.where(spread > 0, spread, 1.0)])
        columns = x[:, None, :, None] * np.eye(years)[None, :, None, :]
        self.columns = np.asarray(columns.reshape(len(x), years, -1), dtype=np.float64)
        self._centred = self._within_schools(self.columns)
        self._gram = self._cross(self._centred)
        inverse = np.linalg.pinv(self._gram, rcond=_RANK, hermitian=True)
        self._inverse = np.asarray(inverse, dtype=np.float64)

    def year_differences(self, contrasts: FloatArray) -> FloatArray:
        """Return the loadings of contrasts of the year effects, (U, T, K) for contrasts (T, K).

        Years that are contrasted must be in one of the `connected_parts`.
        """
        return np.asarray(self._centred @ (self._inverse @ contrasts))

    def residual(self, columns: FloatArray) -> FloatArray:
        """Return what is left of columns (U, T, K), 0 where a school is not seen."""
        centred = self._within_schools(columns)
        return np.asarray(centred - self._centred @ (self._inverse @ self._cross(centred)))

    def predicting(self, wanted: FloatArray) -> FloatArray:
        """Return the loadings on the cells seen of sums of predicted outcomes.

        Parameters
        ----------
        wanted : array (U, T, K)
            Weight of each school's predicted outcome of each year in each sum.

        Raises
        ------
        ValueError
            Where the effects of covariates in a year are not identified.
        """
        whole = wanted.sum(axis=1)
        needed = np.einsum("u,utk,uta->ak", self.count, wanted, self.columns, optimize=True)
        needed -= np.einsum("u,uk,ua->ak", self.count, whole, self._means(self.columns))
        solved = self._inverse @ needed
        if not np.allclose(self._gram @ solved, needed, rtol=0, atol=1e-7 * np.abs(needed).max()):
            raise ValueError(
                "the untreated schools do not tell the effects of `covariates` apart in every "
                "year; take fewer covariates, or none that is constant among untreated schools"
            )
        own = whole / np.maximum(self.seen.sum(axis=1), 1)[:, None]
        loadings = np.where(self.seen[:, :, None], own[:, None, :], 0.0)
        return np.asarray(loadings + self._centred @ solved)

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
