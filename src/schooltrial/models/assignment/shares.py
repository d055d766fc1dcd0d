"""Lotteries that are planned as shares: so much of each block to each group, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil, floor, fsum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.models.assignment.design import AssignmentDesign, AssignmentError, Block

_DENOMINATOR = 1_000_000  # a share is the nearest fraction up to this: 1/3, not .33333333


def numbers_by_arm(n: int, shares: Sequence[float]) -> tuple[tuple[tuple[int, ...], float], ...]:
    """Return the numbers by group that ``n`` units may be drawn into, with their probabilities.

    Each group has ⌊n·share⌋ units or one more. The r units left over go to r different groups,
    taken by systematic sampling in the order of the groups, so that each arm's expected number is
    n·share and each unit's chance is the share.

    Parameters
    ----------
    n : int
        Units of the block.
    shares : sequence of float
        One for each group, summing to 1.

    Returns
    -------
    tuple of ((units by group), probability)
    """
    planned = [Fraction(share).limit_denominator(_DENOMINATOR) for share in shares[:-1]]
    expected = [n * share for share in (*planned, 1 - sum(planned))]
    base = [floor(value) for value in expected]
    ends = list(accumulate(value - low for value, low in zip(expected, base, strict=True)))
    starts = [Fraction(0), *ends[:-1]]
    found: dict[tuple[int, ...], Fraction] = {}
    for low, high in pairwise(sorted({Fraction(0), Fraction(1), *(end % 1 for end in ends)})):
        at = (low + high) / 2
        # The arm has one unit more where a point at + j, j whole, lies on its stretch of the line.
        extra = (ceil(end - at) - ceil(start - at) for start, end in zip(starts, ends, strict=True))
        counts = tuple(number + more for number, more in zip(base, extra, strict=True))
        found[counts] = found.get(counts, Fraction(0)) + high - low
    return tuple((counts, float(chance)) for counts, chance in found.items())


def share_design(
    units: ArrayLike, shares: Mapping[Any, float], block: ArrayLike | None = None
) -> AssignmentDesign:
    """Return the draw of a share of each block for each group, where n·share may not be whole.

    Parameters
    ----------
    units : array of labels
    shares : mapping
        Group label → share, in (0, 1), summing to 1; the first group is the comparison.
    block : array of block labels, optional

    Raises
    ------
    AssignmentError
        For a share outside (0, 1), or shares that do not add up to 1.

    Notes
    -----
    With two groups it is `design.probability_design`.
    """
    for arm, share in shares.items():
        if not 0 < share < 1:
            raise AssignmentError(
                f"design: group {arm!r} is planned a share of {share:g}, not in (0, 1)"
            )
    if abs(fsum(shares.values()) - 1) > 1e-9:
        raise AssignmentError(
            f"design: the shares of the groups add up to {fsum(shares.values()):g}, not 1"
        )
    labels = np.asarray(units)
    blocks = np.zeros(labels.size, dtype=int) if block is None else np.asarray(block)
    made = [
        Block("all" if block is None else name, members, numbers_by_arm(members.size, planned))
        for name in np.unique(blocks).tolist()
        for members, planned in [(np.flatnonzero(blocks == name), list(shares.values()))]
    ]
    return AssignmentDesign(labels, tuple(shares), tuple(made))
