"""Variances that allow for several clusterings, one after another or two at once.

Clusterings one after another (school, district, pair) are separate fits. Two at once are
Cameron, Gelbach & Miller's (2011, JBES 29(2), 238-249) V_a + V_b − V_ab, with ab the intersections.
Nothing keeps that difference positive: a negative variance is reported as NaN, not as a small
standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.arrays import FloatArray
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.inference.estimate import Estimate, t_estimate
from schooltrial.models.inference.result import Result
from schooltrial.models.least_squares.clusters import cluster_rows


def fit_clusterings(
    outcome: ArrayLike,
    columns: Sequence[ArrayLike],
    *,
    names: Sequence[str],
    clusters: Mapping[str, ArrayLike],
    weights: ArrayLike | None = None,
    absorb: ArrayLike | Sequence[ArrayLike] | None = None,
) -> dict[str, LeastSquaresFit]:
    """Fit the same model with standard errors under each of several clusterings.

    Parameters
    ----------
    outcome, columns, names, weights, absorb
        As for ``fit_least_squares_columns``.
    clusters : mapping of str to (N,) array_like
        Cluster labels by the name of the clustering.

    Returns
    -------
    dict
        A fit for each clustering.
    """
    return {
        name: fit_least_squares_columns(
            outcome, columns, names=names, cluster=labels, weights=weights, absorb=absorb
        )
        for name, labels in clusters.items()
    }


@dataclass(frozen=True, eq=False, repr=False)
class TwoWayFit(Result):
    """A fit whose variance allows for two clusterings at once.

    Attributes
    ----------
    first, second, both : LeastSquaresFit
        The fits by each clustering and by their intersections.
    """

    first: LeastSquaresFit
    second: LeastSquaresFit
    both: LeastSquaresFit

    @property
    def names(self) -> tuple[str, ...]:
        """Estimated coefficients."""
        return self.first.names

    @property
    def coefficients(self) -> FloatArray:
        """Estimates, in the order of ``names``."""
        return self.first.coefficients

    @property
    def n_rows(self) -> int:
        """Rows."""
        return self.first.n_rows

    @property
    def n_clusters(self) -> int:
        """The smaller number of clusters."""
        return min(self.first.n_clusters, self.second.n_clusters)

    @property
    def method(self) -> str:
        """What was computed, in words."""
        return self._label("CR1S")

    def _label(self, kind: str) -> str:
        return f"{self.first.estimator}, two-way {kind}, df clusters-1"

    def _kind_of_fit(self) -> str:
        return "a fit with two clusterings"

    def covariance(self, *, vcov: str | None = None, nearest_positive: bool = False) -> FloatArray:
        """Return V_a + V_b − V_ab.

        Parameters
        ----------
        vcov : {"CR0", "CR1", "CR1S"}
            CR1S by default; each term has its own small-sample factor.
        nearest_positive : bool
            Set negative eigenvalues to zero (Cameron, Gelbach & Miller 2011, section 2.3).
        """
        kind = vcov or "CR1S"
        if kind not in ("CR0", "CR1", "CR1S"):
            raise ValueError(f"two-way variances are of type CR0, CR1 or CR1S, not {kind!r}")
        first, second, both = (
            fit.covariance(vcov=kind) for fit in (self.first, self.second, self.both)
        )
        V = first + second - both
        if not nearest_positive:
            return V
        values, vectors = np.linalg.eigh((V + V.T) / 2)
        repaired: FloatArray = (vectors * np.maximum(values, 0.0)) @ vectors.T
        return repaired

    def position(self, term: str) -> int:
        """Return the position of a coefficient, or say why there is none."""
        return self.first.position(term)

    def _combined(
        self,
        terms: Sequence[str],
        matrix: FloatArray,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return a row for each contrast; t with the smaller number of clusters less one."""
        self._refuse_choice(None, df)
        variances = np.diag(matrix @ self.covariance(vcov=vcov) @ matrix.T)
        rows = []
        for term, point, variance in zip(terms, matrix @ self.coefficients, variances, strict=True):
            negative = bool(variance < 0)
            rows.append(
                t_estimate(
                    term, float(point),
                    float("nan") if negative else float(np.sqrt(variance)), self.n_clusters - 1,
                    n_individuals=self.n_rows, n_schools=self.n_clusters, level=level,
                    method=self._label(vcov or "CR1S"),
                    note="two-way variance is negative: cluster one way" if negative else "",
                )
            )  # fmt: skip
        return tuple(rows)


def fit_two_way(
    outcome: ArrayLike,
    columns: Sequence[ArrayLike],
    *,
    names: Sequence[str],
    clusters: tuple[ArrayLike, ArrayLike],
    weights: ArrayLike | None = None,
    absorb: ArrayLike | Sequence[ArrayLike] | None = None,
) -> TwoWayFit:
    """Fit least squares with standard errors clustered in two ways at once.

    Parameters
    ----------
    outcome, columns, names, weights, absorb
        As for ``fit_least_squares_columns``.
    clusters : pair of (N,) array_like
        The two clusterings.

    Returns
    -------
    TwoWayFit
    """
    first, second = (cluster_rows(labels, n_rows=len(np.asarray(outcome))) for labels in clusters)
    both = first.codes * second.count + second.codes
    fits = fit_clusterings(
        outcome,
        columns,
        names=names,
        clusters={"first": clusters[0], "second": clusters[1], "both": both},
        weights=weights,
        absorb=absorb,
    )
    return TwoWayFit(fits["first"], fits["second"], fits["both"])
