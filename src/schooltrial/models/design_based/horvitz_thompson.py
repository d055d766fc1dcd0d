"""Horvitz-Thompson estimate of the average effect, from known assignment probabilities.

τ̂ = (1/N) [Σ_T Y_k/π_k − Σ_C Y_k/(1 − π_k)], over units k (rows, or clusters with Y_k their total).
Its variance needs the probability that two units are treated together; what no assignment can show
(a unit in both groups) is bounded by Young's inequality, which makes the estimate conservative.

Source: Aronow & Middleton (2013), Journal of Causal Inference 1(1), 135-154; Aronow & Samii (2017),
Annals of Applied Statistics 11(4), 1912-1947.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.design_based.difference_in_means import (
    read_arms,
    refuse_one_arm,
    refuse_split,
)
from schooltrial.models.inference.estimate import Estimate, t_estimate
from schooltrial.models.inference.result import Result
from schooltrial.models.least_squares.clusters import cluster_rows
from schooltrial.models.least_squares.coefficients import as_column


@dataclass(frozen=True, eq=False, repr=False)
class HorvitzThompson(Result):
    """A Horvitz-Thompson estimate with its conservative standard error.

    Attributes
    ----------
    estimate, standard_error : float
        Average effect over pupils; referred to the normal distribution.
    design : str
        The assignment that the probabilities describe.
    n_individuals, n_units : int
        Rows, and units assigned.
    term : str
        Name of the treatment.
    """

    estimate: float
    standard_error: float
    design: str
    n_individuals: int
    n_units: int
    term: str

    @property
    def names(self) -> tuple[str, ...]:
        """The treatment."""
        return (self.term,)

    @property
    def coefficients(self) -> FloatArray:
        """The estimate, shape (1,)."""
        return np.array([self.estimate])

    @property
    def n_rows(self) -> int:
        """Rows."""
        return self.n_individuals

    @property
    def n_clusters(self) -> int:
        """Units assigned."""
        return self.n_units

    @property
    def method(self) -> str:
        """What was computed, in words."""
        return f"Horvitz-Thompson, {self.design}"

    def _kind_of_fit(self) -> str:
        return "a Horvitz-Thompson estimate, which has one coefficient"

    def covariance(self, *, vcov: str | None = None) -> FloatArray:
        """Return the variance of the estimate, shape (1, 1)."""
        self._refuse_choice(vcov, None)
        return np.array([[self.standard_error**2]])

    def _combined(
        self,
        terms: Sequence[str],
        matrix: FloatArray,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        self._refuse_choice(vcov, df)
        return tuple(
            t_estimate(
                term, weight * self.estimate, abs(weight) * self.standard_error, inf,
                n_individuals=self.n_individuals, n_schools=self.n_units, level=level,
                method=self.method, note="average effect over pupils",
            )
            for term, weight in zip(terms, matrix[:, 0].tolist(), strict=True)
        )  # fmt: skip


def _simple_variance(totals: FloatArray, z: FloatArray, probability: FloatArray) -> float:
    """Return the variance of N τ̂ when units are assigned independently."""
    return float(np.sum((totals / np.where(z == 1, probability, 1 - probability)) ** 2))


def _arm_variance(totals: FloatArray, share: float, n: int) -> float:
    """Return the part of one group: m = len(totals) of n units, drawn without replacement."""
    m = len(totals)
    squares = float(np.sum(totals**2))
    own = (1 - share) * squares / share**2 + squares / share
    if m == 1:  # two units are never in this arm together: Young's inequality once more
        return own + (n - 1) * squares / share
    together = m * (m - 1) / (n * (n - 1))
    others = float(np.sum(totals)) ** 2 - squares
    return own + (together - share**2) / together * others / share**2


def _complete_variance(totals: FloatArray, z: FloatArray) -> float:
    """Return the variance of N τ̂ when a fixed number of the units is treated."""
    n, m = len(z), int(z.sum())
    share = m / n
    treated, control = totals[z == 1], totals[z == 0]
    apart = m * (n - m) / (n * (n - 1))
    cross = (apart - share * (1 - share)) / apart
    cross *= float(treated.sum()) * float(control.sum()) / (share * (1 - share))
    return _arm_variance(treated, share, n) + _arm_variance(control, 1 - share, n) - 2 * cross


def fit_horvitz_thompson(
    y: ArrayLike,
    z: ArrayLike,
    *,
    probability: ArrayLike | None = None,
    blocks: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    term: str = "z",
) -> HorvitzThompson:
    """Estimate the average effect by weighting each unit with its probability of assignment.

    Parameters
    ----------
    y, z : (N,) array_like
        Outcome and treatment (0 or 1).
    probability : float or (N,) array_like, optional
        Probability of treatment, for units assigned independently of each other. Without it a
        fixed number of units was treated (in each block), and probabilities are the shares.
    blocks, clusters : (N,) array_like, optional
        Blocks, and the unit that was assigned where it is not the row.
    term : str
        Name of the treatment in the estimates table.

    Returns
    -------
    HorvitzThompson

    Raises
    ------
    ValueError
        For a probability that is not between 0 and 1 or differs within a cluster, and as
        ``design_based.difference_in_means``.
    """
    arms = read_arms(y, z, clusters, None)
    N = len(arms.y)
    count = int(arms.unit.max()) + 1
    totals = np.zeros(count)
    np.add.at(totals, arms.unit, arms.y)
    assigned = np.zeros(count)
    assigned[arms.unit] = arms.z
    kind = "clustered" if arms.clustered else "individual"
    if probability is not None:
        p = _unit_probabilities(probability, arms.unit, count)
        estimate = float(np.sum(np.where(assigned == 1, totals / p, -totals / (1 - p)))) / N
        error = sqrt(_simple_variance(totals, assigned, p)) / N
        return HorvitzThompson(estimate, error, f"simple, {kind}", N, count, term)
    block = np.zeros(count, dtype=np.intp)
    labels: NDArray[np.generic] = np.array(["sample"])
    if blocks is not None:
        grouping = cluster_rows(blocks, n_rows=N, what="block")
        refuse_split(arms.unit, grouping.codes, grouping.labels)
        block[arms.unit] = grouping.codes
        labels = grouping.labels
    total, variance = 0.0, 0.0
    for b, label in enumerate(labels):
        own, z_own = totals[block == b], assigned[block == b]
        refuse_one_arm(int((z_own == 0).sum()), int(z_own.sum()), f"block {label}")
        share = z_own.mean()
        total += float(np.sum(np.where(z_own == 1, own / share, -own / (1 - share))))
        variance += _complete_variance(own, z_own)
    design = f"{'complete' if blocks is None else 'blocked'}, {kind}"
    return HorvitzThompson(total / N, sqrt(max(variance, 0.0)) / N, design, N, count, term)


def _unit_probabilities(probability: ArrayLike, unit: NDArray[np.intp], count: int) -> FloatArray:
    rows = np.broadcast_to(as_column(np.atleast_1d(probability), "probability", None), len(unit))
    p = np.empty(count)
    p[unit] = rows
    if not (p[unit] == rows).all():
        row = int(np.argmax(p[unit] != rows))
        raise ValueError(
            f"the probability of row {row} differs from another row of its cluster; a cluster is "
            "assigned whole and has one probability"
        )
    if not ((p > 0) & (p < 1)).all():
        bad = int(np.argmin((p > 0) & (p < 1)))
        raise ValueError(
            f"the probability of unit {bad} is {p[bad]:g}; it must lie between 0 and 1: leave out "
            "units whose assignment was certain"
        )
    return p
