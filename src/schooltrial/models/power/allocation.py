"""How many units are assigned to each group, block by block, and what that is worth.

With T_b treated and C_b control units in block b the least-squares estimate of a common effect,
block effects absorbed, has the variance (variance of a unit)/I with

    I = Σ_b T_b C_b/(T_b + C_b),

which is P(1 − P)J where a share P of J units is treated in every block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of assignment in two groups.

    Attributes
    ----------
    units : float
        J, both groups; a plan may hold a mean, so it need not be whole.
    treated : float
        Units treated.
    blocks : int
        B, 1 where there are none.
    information : float
        I = Σ_b T_b C_b/(T_b + C_b).
    """

    units: float
    treated: float
    blocks: int
    information: float

    @property
    def treated_share(self) -> float:
        """Share of the units that is treated."""
        return self.treated / self.units


def planned_allocation(units: float, treated_share: float = 0.5, blocks: int = 1) -> Allocation:
    """Plan an allocation: the same share of units treated in every block.

    Raises
    ------
    ValueError
        Where the share leaves a group empty, or there are no more units than blocks.
    """
    if not 0 < treated_share < 1:
        raise ValueError(
            f"power: a share of {treated_share} of the units is treated; it must lie between 0 and "
            "1, so that both groups have units"
        )
    if not units > max(blocks, 1):
        raise ValueError(
            f"power: {units:g} units in {blocks} blocks; expected more units than blocks: use "
            "fewer blocks, or plan more units"
        )
    information = units * treated_share * (1 - treated_share)
    return Allocation(float(units), units * treated_share, max(blocks, 1), information)


def counted_allocation(treated: Sequence[float], control: Sequence[float]) -> Allocation:
    """Return the allocation of a list: units treated and not treated in each block.

    A block with one group only gives no information on the effect, and still counts as a block.

    Raises
    ------
    ValueError
        Where no block holds both groups, or counts do not match or are negative.
    """
    t, c = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
    if t.shape != c.shape or t.ndim != 1 or (t < 0).any() or (c < 0).any():
        raise ValueError(
            f"power: {t.size} counts of intervention units and {c.size} of control units; expected "
            "one of each for every block, zero or more"
        )
    filled = t + c > 0
    t, c = t[filled], c[filled]
    information = float((t * c / (t + c)).sum())
    if not information > 0:
        raise ValueError(
            "power: no block holds units of both groups, so that nothing is compared; check the "
            "blocks of the assignment"
        )
    return Allocation(float((t + c).sum()), float(t.sum()), len(t), information)
