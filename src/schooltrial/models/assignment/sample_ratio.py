"""Whether numbers by group are those that the planned shares would give: the sample-ratio test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy import special

LISTED = 200_000  # compositions of n that are enumerated


_TIE = 1e-7  # relative: probabilities that differ by less are equal


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Result of a sample-ratio test.

    Attributes
    ----------
    p_value : float
    method : str
        Exact binomial, exact multinomial, or chi-squared.
    """

    p_value: float
    method: str


def sample_ratio_test(counts: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    """Test numbers by group against planned shares, each unit being drawn on its own.

    Parameters
    ----------
    counts : sequence of int
        Units of each group.
    shares : sequence of float
        Planned shares, summing to 1.

    Returns
    -------
    SampleRatio
        Two groups: the exact binomial test. More: the exact multinomial one, which adds up the
        probabilities of all numbers by group that are no likelier than those found; chi-squared
        where there are more than 200,000 of them.

    Raises
    ------
    ValueError
        Where there are no units, or shares that are no shares.

    Notes
    -----
    A lottery that fixes the numbers by group leaves less to chance than this test supposes; it is
    then conservative, and the numbers are to be compared with the planned ones instead.
    """
    n, planned = int(sum(counts)), np.asarray(shares, dtype=float)
    if n == 0 or len(counts) != planned.size:
        raise ValueError(f"sample ratio: {n} units in {len(counts)} groups, {planned.size} shares")
    if (planned <= 0).any() or abs(planned.sum() - 1) > 1e-9:
        raise ValueError(f"sample ratio: shares {list(shares)}; give positive ones that sum to 1")
    if len(counts) == 2:
        return SampleRatio(_binomial(int(counts[1]), n, float(planned[1])), "exact binomial")
    if comb(n + len(counts) - 1, len(counts) - 1) > LISTED:
        distance = float((np.square(counts - n * planned) / (n * planned)).sum())
        return SampleRatio(float(special.chdtrc(len(counts) - 1, distance)), "chi-squared")
    chance = np.exp(_log_chance(_compositions(n, len(counts)), planned))
    own = np.exp(_log_chance(np.array([counts]), planned))
    p = chance[chance <= own * (1 + _TIE)].sum()
    return SampleRatio(min(1.0, float(p)), "exact multinomial")


def _binomial(count: int, n: int, share: float) -> float:
    """Return the chance of all counts that are no likelier than one: both tails of the binomial."""
    treated = np.arange(n + 1)
    chance = _log_chance(np.column_stack([n - treated, treated]), np.array([1 - share, share]))
    likelier = np.flatnonzero(chance > chance[count] + np.log1p(_TIE))
    if likelier.size == 0:
        return 1.0
    first, last = int(likelier[0]), int(likelier[-1])
    below = special.betaincc(first, n - first + 1, share) if first else 0.0
    above = special.betainc(last + 1, n - last, share) if last < n else 0.0
    return float(below + above)


def _log_chance(counts: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the multinomial chance of each row of numbers by group."""
    ways = special.gammaln(counts[0].sum() + 1) - special.gammaln(counts + 1).sum(axis=1)
    return np.asarray(ways + special.xlogy(counts, shares).sum(axis=1))


def _compositions(n: int, parts: int) -> NDArray[np.int64]:
    """Return all ways to write n as an ordered sum of so many numbers."""
    if parts == 1:
        return np.array([[n]], dtype=np.int64)
    found = [_compositions(n - first, parts - 1) for first in range(n + 1)]
    sizes = [len(part) for part in found]
    return np.column_stack([np.repeat(np.arange(n + 1), sizes), np.concatenate(found)])
