"""Difference in means under the design that was used: complete, blocked, paired, clustered.

The estimand is the average effect over pupils (over the sum of weights where there are weights):
blocks count by their size, τ = Σ_b (N_b/N) τ_b. Variances and degrees of freedom are those of
estimatr's ``difference_in_means``:

- complete: Neyman's s₁²/n₁ + s₀²/n₀ (Welch's df); by clusters, CR2 with Satterthwaite df;
- blocked: Σ_b (N_b/N)² V_b with df N − 2B (clusters − 2B when clustered);
- paired, or any block with a single treated or control unit (matched triples): the spread between
  blocks, V = B/((B − 1)N²) Σ_b (N_b τ_b − Nτ/B)², df B − 1 (Imai, King & Nall 2009, Statistical
  Science 24(1), 29-53). It needs no variance within blocks, and is conservative where blocks
  differ in size or effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.inference.estimate import Estimate, t_estimate
from schooltrial.models.inference.result import Result
from schooltrial.models.least_squares.clusters import cluster_rows, group_of_each
from schooltrial.models.least_squares.coefficients import as_column, as_weights


@dataclass(frozen=True, eq=False, repr=False)
class DifferenceInMeans(Result):
    """A difference in means and the design it was judged by.

    Attributes
    ----------
    estimate, standard_error, df : float
        The difference (treated less control), its standard error and its degrees of freedom.
    design : str
        ``"complete"``, ``"blocked"``, ``"matched"``, with ``"clustered"`` where it applies.
    estimand : str
        What is estimated, in words.
    n_individuals, n_units, n_blocks : int
        Rows; units that were assigned (clusters, or rows); blocks (0 without).
    block_labels : (B,) array
        Labels of the blocks.
    block_effects, block_shares : (B,) arrays
        Each block's difference, and its weight in the estimate.
    term : str
        Name of the treatment.
    """

    estimate: float
    standard_error: float
    df: float
    design: str
    estimand: str
    n_individuals: int
    n_units: int
    n_blocks: int
    block_labels: NDArray[np.generic]
    block_effects: FloatArray
    block_shares: FloatArray
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
        return f"difference in means, {self.design}"

    def _kind_of_fit(self) -> str:
        return "a difference in means, which has one coefficient"

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
                term, weight * self.estimate, abs(weight) * self.standard_error, self.df,
                n_individuals=self.n_individuals, n_schools=self.n_units, level=level,
                method=self.method, note=self.estimand,
            )
            for term, weight in zip(terms, matrix[:, 0].tolist(), strict=True)
        )  # fmt: skip


@dataclass(frozen=True)
class Arms:
    """Outcome, group, unit and weight of rows that were assigned together."""

    y: FloatArray
    z: FloatArray
    unit: IntArray
    w: FloatArray | None
    clustered: bool

    def part(self, rows: NDArray[np.bool_]) -> Arms:
        """Return some of the rows."""
        w = None if self.w is None else self.w[rows]
        return Arms(self.y[rows], self.z[rows], self.unit[rows], w, self.clustered)

    def units_by_arm(self) -> tuple[int, int]:
        """Return how many units are control and treated."""
        control, treated = (len(np.unique(self.unit[self.z == arm])) for arm in (0, 1))
        return control, treated

    def difference(self) -> float:
        """Return the (weighted) mean of the treated less that of the control rows."""
        weights = np.ones(len(self.y)) if self.w is None else self.w
        treated = self.z == 1
        means = [np.average(self.y[arm], weights=weights[arm]) for arm in (treated, ~treated)]
        return float(means[0] - means[1])

    def variance(self) -> tuple[float, float]:
        """Return the variance of the difference within these rows, and its df."""
        if not self.clustered and self.w is None:
            return self._welch()
        fit = fit_least_squares_columns(
            self.y,
            [np.ones(len(self.y)), self.z],
            names=["control mean", "difference"],
            cluster=self.unit if self.clustered else None,
            weights=self.w,
        )
        row = fit.estimates(["difference"])[0]
        return row.std_error**2, row.df

    def _welch(self) -> tuple[float, float]:
        parts, terms = [], []
        for arm in (1, 0):
            values = self.y[self.z == arm]
            part = float(np.var(values, ddof=1)) / len(values)
            parts.append(part)
            terms.append(part**2 / (len(values) - 1))
        return fsum(parts), fsum(parts) ** 2 / fsum(terms) if fsum(terms) > 0 else float("nan")


def read_arms(
    y: ArrayLike, z: ArrayLike, clusters: ArrayLike | None, weights: ArrayLike | None
) -> Arms:
    """Check outcome, treatment, clusters and weights, and put them together."""
    outcome = as_column(y, "outcome", None).astype(np.float64)
    arm = as_column(z, "treatment", len(outcome)).astype(np.float64)
    for name, values in (("outcome", outcome), ("treatment", arm)):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise ValueError(f"the {name} of row {row} is {values[row]}; drop or fill it in first")
    if not np.isin(arm, (0.0, 1.0)).all():
        row = int(np.argmin(np.isin(arm, (0.0, 1.0))))
        raise ValueError(
            f"the treatment of row {row} is {arm[row]:g}; it must be 0 or 1: compare two groups at "
            "a time"
        )
    unit = np.arange(len(outcome))
    if clusters is not None:
        grouping = cluster_rows(clusters, n_rows=len(outcome))
        unit = grouping.codes
        arm_of_unit = group_of_each(grouping, arm.astype(np.intp))
        if arm_of_unit is None:
            spread = np.bincount(unit, arm) / np.bincount(unit)
            mixed = int(np.argmax((spread > 0) & (spread < 1)))
            raise ValueError(
                f"cluster {grouping.labels[mixed]} has treated and control rows; a clustered "
                "design has one group per cluster: give as cluster the unit that was assigned"
            )
    w = as_weights(weights, len(outcome))
    return Arms(outcome, arm, unit, w, clusters is not None)


def refuse_one_arm(control: int, treated: int, what: str) -> None:
    """Raise where one of the groups is missing."""
    if control == 0 or treated == 0:
        missing = "control" if control == 0 else "treated"
        raise ValueError(
            f"{what} has no {missing} unit, so no difference can be taken in it; leave it out (and "
            "say so), or join it with a like block"
        )


def fit_difference_in_means(
    y: ArrayLike,
    z: ArrayLike,
    *,
    blocks: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    term: str = "z",
) -> DifferenceInMeans:
    """Estimate the average effect as the difference in means that the design calls for.

    Parameters
    ----------
    y : (N,) array_like
        Outcome.
    z : (N,) array_like
        Treatment, 0 or 1.
    blocks : (N,) array_like, optional
        Block, pair or triple within which units were assigned.
    clusters : (N,) array_like, optional
        Unit that was assigned, where it is not the row.
    weights : (N,) array_like, optional
        Weights of the rows; blocks then count by the sum of their weights.
    term : str
        Name of the treatment in the estimates table.

    Returns
    -------
    DifferenceInMeans

    Raises
    ------
    ValueError
        For missing values, arms other than 0 and 1, a cluster in both groups or in several blocks,
        a block without one of the groups, or too few units for a variance.
    """
    arms = read_arms(y, z, clusters, weights)
    prefix = "weighted " if arms.w is not None else ""
    if blocks is None:
        return _complete(arms, prefix, term)
    grouping = cluster_rows(blocks, n_rows=len(arms.y), what="block")
    if grouping.count == 1:
        return _complete(arms, prefix, term)
    code = grouping.codes
    if arms.clustered:
        refuse_split(arms.unit, code, grouping.labels)
    parts = [arms.part(code == b) for b in range(grouping.count)]
    counts = [part.units_by_arm() for part in parts]
    for label, (control, treated) in zip(grouping.labels, counts, strict=True):
        refuse_one_arm(control, treated, f"block {label}")
    return _blocked(arms, parts, counts, grouping.labels, prefix, term)


def refuse_split(unit: IntArray, code: IntArray, labels: NDArray[np.generic]) -> None:
    """Raise where a cluster lies in more than one block."""
    grouping = cluster_rows(unit)
    if group_of_each(grouping, code) is None:
        pairs = np.unique(np.column_stack([unit, code]), axis=0)
        twice = pairs[1:][pairs[1:, 0] == pairs[:-1, 0]][0]
        raise ValueError(
            f"a cluster has rows in block {labels[twice[1]]} and in another; clusters are "
            "assigned whole, so each must lie in one block"
        )


def _complete(arms: Arms, prefix: str, term: str) -> DifferenceInMeans:
    control, treated = arms.units_by_arm()
    refuse_one_arm(control, treated, "the sample")
    if min(control, treated) < 2:
        raise ValueError(
            f"{treated} treated and {control} control units: a variance needs two of each; use "
            "randomisation inference"
        )
    variance, df = arms.variance()
    design = "complete, clustered" if arms.clustered else "complete"
    return DifferenceInMeans(
        arms.difference(), sqrt(variance), df, design, f"{prefix}average effect over pupils",
        len(arms.y), control + treated, 0, np.empty(0), np.empty(0), np.empty(0), term,
    )  # fmt: skip


def _blocked(
    arms: Arms,
    parts: list[Arms],
    counts: list[tuple[int, int]],
    labels: NDArray[np.generic],
    prefix: str,
    term: str,
) -> DifferenceInMeans:
    B, units = len(parts), int(np.sum(counts))
    effects = np.array([part.difference() for part in parts])
    sizes = np.array([len(part.y) if part.w is None else part.w.sum() for part in parts])
    shares = sizes / sizes.sum()
    estimate = float(shares @ effects)
    matched = min(min(pair) for pair in counts) < 2
    if matched:
        variance = B / (B - 1) * float(np.sum((shares * effects - estimate / B) ** 2))
        df = float(B - 1)
    else:
        variance = float(np.sum(shares**2 * [part.variance()[0] for part in parts]))
        df = float(units - 2 * B)
    design = "matched" if matched else "blocked"
    return DifferenceInMeans(
        estimate, sqrt(variance), df, f"{design}, clustered" if arms.clustered else design,
        f"{prefix}average effect over pupils (blocks count by their pupils)",
        len(arms.y), units, B, labels, effects, shares, term,
    )  # fmt: skip
