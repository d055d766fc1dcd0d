"""Block-adjusted differences between two groups, re-randomised: of covariates known before.

The coefficient of z in x ~ z + block effects over the rows (pupils) of units (schools) that were
drawn is, by Frisch and Waugh,

    δ(z) = Σ_j z_j s_j / Σ_b (N_bT − N_bT²/N_b),   s_j = Σ_{i∈j} (x_i − x̄_b),

N_bT and N_b being the observed rows of the treated, and of all, units of block b. The lottery moves
z alone, so that many draws and covariates are one product. A covariate cannot have been changed by
the programme: the plain coefficient is then exact for the only hypothesis there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.assignment.design import (
    AcceptanceRule,
    AssignmentDesign,
    Codes,
    arm_codes,
    blocks_as_drawn,
)
from schooltrial.models.assignment.draws import EXACT_UP_TO
from schooltrial.models.inference.reference_distribution import ReferenceDistribution
from schooltrial.models.randomisation_inference.inference import DRAWS, randomisation_distribution


@dataclass(frozen=True, eq=False)
class AdjustedDifferences:
    """The statistic δ of several covariates; call it with draws.

    Attributes
    ----------
    order : int array (J,)
        Units block by block.
    starts : int array (B,)
        First unit of each block in that order.
    sums : array (J, K)
        s_j, in that order.
    counts : array (J, G)
        Observed rows of each unit, for each pattern of missing values.
    pattern : int array (K,)
        The column of ``counts`` of each covariate.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    sums: FloatArray
    counts: FloatArray
    pattern: NDArray[np.intp]

    def __call__(self, codes: Codes) -> FloatArray:
        """Return δ of each draw (draws × K); NaN if a draw leaves nothing to compare."""
        treated = np.asarray(codes[:, self.order] == 1, dtype=float)
        spread = np.empty((len(codes), self.counts.shape[1]))
        for g, count in enumerate(self.counts.T):
            inside = np.add.reduceat(treated * count, self.starts, axis=1)
            size = np.add.reduceat(count, self.starts)
            share = np.divide(inside, size, out=np.zeros_like(inside), where=size > 0)
            spread[:, g] = (inside * (1 - share)).sum(axis=1)
        below = np.where(spread > 1e-9, spread, np.nan)[:, self.pattern]
        return np.asarray(treated @ self.sums / below)


def adjusted_differences(
    sums: ArrayLike, counts: ArrayLike, block: ArrayLike
) -> AdjustedDifferences:
    """Return the statistic δ from sums and counts of units.

    Parameters
    ----------
    sums : array (J, K)
        Sum of each covariate over the rows of each unit that have it.
    counts : array (J, K)
        Number of those rows.
    block : array (J,) of block labels
    """
    total, rows = np.asarray(sums, dtype=float), np.asarray(counts, dtype=float)
    _, codes = np.unique(np.asarray(block), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    total, rows = total[order], rows[order]
    size = np.add.reduceat(rows, starts)
    mean = np.divide(
        np.add.reduceat(total, starts), size, out=np.zeros_like(size), where=size > 0
    )  # fmt: skip
    patterns, pattern = np.unique(rows, axis=1, return_inverse=True)
    return AdjustedDifferences(
        order, starts, total - rows * mean[ordered], patterns, np.ravel(pattern)
    )


def numbers_as_drawn(
    units: ArrayLike,
    assigned: ArrayLike,
    block: ArrayLike,
    arms: tuple[object, ...],
    rule: AcceptanceRule | None = None,
) -> AssignmentDesign:
    """Return the design that fixes the numbers by group of each block, also of one group.

    As `design.design_as_assigned`, but nothing is refused: a block with one group stays as
    it is, and that there may be one group in all is for the caller to see.
    """
    labels = np.asarray(units)
    blocks = blocks_as_drawn(labels, arm_codes(assigned, arms), block, len(arms))
    return AssignmentDesign(labels, arms, tuple(blocks), rule=rule)


def redrawn_differences(
    design: AssignmentDesign,
    assigned: ArrayLike,
    statistic: AdjustedDifferences,
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
    exact_up_to: int = EXACT_UP_TO,
) -> ReferenceDistribution:
    """Return the joint distribution of δ over the draws of a design of two groups."""
    return randomisation_distribution(
        design, assigned, statistic, draws=draws, seed=seed, exact_up_to=exact_up_to
    )
