"""One number for the balance of all covariates at once, and its distribution under the lottery.

For units i in blocks b, arms k = 0…K and deviations d_i = x_i − x̄_b of their covariates, the sums
T_k = Σ_i 1{z_i = k} d_i have mean zero over the draws of the design and, for numbers by group m_bk,
the covariance

    Cov(T_k, T_l) = Σ_b E[n_b m_bk δ_kl − m_bk m_bl]/(n_b (n_b − 1)) · Σ_{i∈b} d_i d_i'.

The statistic is M = T'V⁺T. In one block with two groups it is the Mahalanobis distance of Morgan &
Rubin (2012, Annals of Statistics 40, 1263-1282); with blocks it is d² of Hansen & Bowers (2008,
Statistical Science 23, 219-236), whose blocks weigh as in a regression with block effects. Where
covariates are collinear, or some do not vary inside blocks, the pseudo-inverse stands in, and the
rank is that of V.

V is the covariance of the lottery itself, so E[M] is the rank; and it is factored once, V⁺ = WW',
so that a draw costs one row of a product: M = |Σ_k Σ_i 1{z_i = k} W_k'd_i|².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from schooltrial.arrays import FloatArray
from schooltrial.models.assignment.design import AcceptanceRule, AssignmentDesign, Codes
from schooltrial.models.assignment.draws import EXACT_UP_TO
from schooltrial.models.randomisation_inference.inference import DRAWS, randomisation_distribution

SINGULAR = 1e-10  # eigenvalues of the covariance below this share of the largest count as zero


@dataclass(frozen=True, eq=False)
class MahalanobisBalance:
    """The statistic M of a design and its covariates; call it with draws.

    Attributes
    ----------
    scores : array (K, units, r)
        (x_i − x̄_b)'W, for each group but the first.
    expected : array (r,)
        Mean of W'T; zero unless the design is a recorded list.
    rank : int
        r, the rank of V.
    n_covariates : int
        Columns that were given.
    """

    scores: FloatArray
    expected: FloatArray
    rank: int
    n_covariates: int

    def __call__(self, codes: Codes) -> FloatArray:
        """Return M of each draw (draws × units of group numbers)."""
        whitened = -self.expected
        for k, scores in enumerate(self.scores, start=1):
            whitened = whitened + np.asarray(codes == k, dtype=float) @ scores
        return np.asarray(np.einsum("dr,dr->d", whitened, whitened))


@dataclass(frozen=True, slots=True)
class OmnibusBalance:
    """Whether all covariates together are as balanced as the lottery makes them.

    Attributes
    ----------
    statistic : float
        M of the assignment; its expectation is ``rank``.
    rank, n_covariates, n_units : int
    p_value : float
        Share of draws with at least so large an M: exact, or (1 + b)/(1 + B).
    draws : int
    exact : bool
        Whether all assignments were listed.
    chi_squared_p_value : float
        Upper tail of χ² on ``rank`` degrees of freedom, the limit for many units.
    """

    statistic: float
    rank: int
    n_covariates: int
    n_units: int
    p_value: float
    draws: int
    exact: bool
    chi_squared_p_value: float


def mahalanobis_balance(design: AssignmentDesign, covariates: ArrayLike) -> MahalanobisBalance:
    """Return the statistic M of a design and covariates of its units.

    Parameters
    ----------
    design : AssignmentDesign
        An acceptance rule is left out of V, which stays the same positive matrix for all draws.
    covariates : array (units,) or (units, p)
        Complete; in the order of ``design.units``.

    Raises
    ------
    ValueError
        For a missing value, or another number of rows than units.
    """
    x = np.asarray(covariates, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    if len(x) != design.units.size:
        raise ValueError(
            f"balance: covariates of {len(x)} units for a design of {design.units.size}; give one "
            "row for each unit, in the design's order"
        )
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(
            f"balance: covariate {column} of unit {design.units[row]} is missing; fill it before, "
            "by a rule that does not look at the groups"
        )
    x = _scaled(_centred(design, x))
    arms = len(design.arms) - 1
    covariance, mean = _recorded(design, x) if design.recorded is not None else (
        _of_blocks(design, x), np.zeros(arms * x.shape[1])
    )  # fmt: skip
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    kept = values > SINGULAR * max(values.max(initial=0.0), 0.0)
    root = vectors[:, kept] / np.sqrt(values[kept])
    by_arm = root.reshape(arms, x.shape[1], -1)
    return MahalanobisBalance(
        np.ascontiguousarray(x @ by_arm), mean @ root, int(kept.sum()), x.shape[1]
    )


def omnibus_balance(
    design: AssignmentDesign,
    assigned: ArrayLike,
    covariates: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
    exact_up_to: int = EXACT_UP_TO,
) -> OmnibusBalance:
    """Test by re-randomisation that covariates have nothing to do with the group.

    Parameters
    ----------
    design : AssignmentDesign
    assigned : array of arm labels, in the order of ``design.units``
    covariates : array (units,) or (units, p)
    draws, seed, exact_up_to
        As for `randomisation_inference.randomisation_inference`.

    Notes
    -----
    Exact in finite samples whatever the number of units, blocks and covariates: under the lottery
    covariates are fixed, and the assignment is the one thing that is random.
    """
    statistic = mahalanobis_balance(design, covariates)
    found = randomisation_distribution(
        design, assigned, statistic, draws=draws, seed=seed, exact_up_to=exact_up_to
    )
    value = float(found.observed[0])
    return OmnibusBalance(
        statistic=value,
        rank=statistic.rank,
        n_covariates=statistic.n_covariates,
        n_units=design.units.size,
        p_value=float(found.p_value("upper")[0]),
        draws=len(found.draws),
        exact=found.exact,
        chi_squared_p_value=float(special.chdtrc(statistic.rank, value))
        if statistic.rank
        else np.nan,
    )


def balanced_at_most(statistic: MahalanobisBalance, threshold: float) -> AcceptanceRule:
    """Return the rule that accepts a draw with M at most ``threshold`` (1e-9 allowed for rounding).

    Unlike `rerandomisation.mahalanobis_at_most` it knows blocks and several groups.
    """

    def rule(codes: Codes) -> NDArray[np.bool_]:
        return np.asarray(statistic(codes) <= threshold * (1 + 1e-9))

    return rule


def _centred(design: AssignmentDesign, x: FloatArray) -> FloatArray:
    """Return the covariates as deviations from their blocks' means."""
    centred = x - x.mean(axis=0)
    for block in design.blocks:
        own = x[block.members]
        deviation = own - own.mean(axis=0)
        # A column that is constant in the block is just zero, not what rounding leaves of it.
        centred[block.members] = np.where(np.ptp(own, axis=0) == 0, 0.0, deviation)
    return np.asarray(centred)


def _scaled(x: FloatArray) -> FloatArray:
    """Return columns of length one, so that the rank does not depend on units."""
    length = np.sqrt(np.einsum("ip,ip->p", x, x))
    return np.asarray(x / np.where(length > 0, length, 1.0))


def _of_blocks(design: AssignmentDesign, x: FloatArray) -> FloatArray:
    arms, p = len(design.arms) - 1, x.shape[1]
    total = np.zeros((arms * p, arms * p))
    for block in design.blocks:
        n = block.members.size
        if n < 2:
            continue
        own = x[block.members]
        share = np.zeros((arms, arms))
        for counts, chance in block.options:
            m = np.array(counts[1:], dtype=float)
            share += chance * (n * np.diag(m) - np.outer(m, m)) / (n * (n - 1))
        total += np.kron(share, own.T @ own)
    return np.asarray(total)


def _recorded(design: AssignmentDesign, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the covariance and mean of T over a recorded list of assignments."""
    assert design.recorded is not None
    sums = np.concatenate(
        [np.asarray(design.recorded == k, dtype=float) @ x for k in range(1, len(design.arms))],
        axis=1,
    )
    gaps = sums - sums.mean(axis=0)
    return np.asarray(gaps.T @ gaps / len(gaps)), np.asarray(sums.mean(axis=0))
