"""Reference distributions by resampling, and the share that is at least as extreme as observed.

Draws that would tie in exact arithmetic may differ in their last digits, because their sums were
taken in another order. A draw therefore counts as a tie when it falls short of the observed value
by less than 1e-9 of it, plus 1e-12 of the distribution's median size (for observed values at zero).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray

Side = Literal["both", "upper", "lower"]


TIE = 1e-9


_TIE_AT_ZERO = 1e-12


@dataclass(frozen=True, eq=False)
class ReferenceDistribution:
    """Statistics, observed and under the null hypothesis, jointly.

    Attributes
    ----------
    observed : array (K,)
    draws : array (D, K)
        All there are (the observed one included) where ``exact``, else random ones.
    probability : array (D,) or None
        Of enumerated draws that are not equally likely.
    exact : bool
    """

    observed: FloatArray
    draws: FloatArray
    probability: FloatArray | None
    exact: bool

    @property
    def drawn(self) -> int:
        """How many were drawn at random; 0 where all there are were enumerated."""
        return 0 if self.exact else len(self.draws)

    def p_value(self, side: Side = "both") -> FloatArray:
        """Return the p-value of each statistic; see `tail_share`."""
        return tail_share(self.observed, self.draws, self.probability, exact=self.exact, side=side)


def tie_margin(observed: FloatArray, draws: FloatArray) -> FloatArray:
    """Return by how much a draw may fall short of each observed value and still be a tie.

    Parameters
    ----------
    observed : array (K,)
    draws : array (D, K)
    """
    size = np.abs(draws)
    size = np.where(np.isfinite(size), size, np.nan)
    with np.errstate(all="ignore"):
        typical = np.nanmedian(size, axis=0) if np.isfinite(size).any() else np.zeros(len(observed))
    return np.asarray(TIE * np.abs(observed) + _TIE_AT_ZERO * np.nan_to_num(typical))


def tail_share(
    observed: FloatArray,
    draws: FloatArray,
    probability: FloatArray | None,
    *,
    exact: bool,
    side: Side = "both",
) -> FloatArray:
    """Return the p-value of each statistic, ties counted as extreme.

    Parameters
    ----------
    observed : array (K,)
    draws : array (D, K)
        Values under the null hypothesis; NaN (undefined) counts as extreme, which is conservative.
    probability : array (D,), optional
        Probabilities of enumerated draws; by default all alike.
    exact : bool
        Whether the draws are all there are, the observed one included. Then p is the share of
        extreme draws; otherwise it is (1 + b)/(1 + B), b of B draws being extreme.
    side : {"both", "upper", "lower"}
        ``both`` compares absolute values.
    """
    margin = tie_margin(observed, draws)
    if side == "both":
        extreme = ~(np.abs(draws) < np.abs(observed) - margin)
    elif side == "upper":
        extreme = ~(draws < observed - margin)
    else:
        extreme = ~(draws > observed + margin)
    return share_of(extreme, probability, exact=exact)


def share_of(
    extreme: NDArray[np.bool_], probability: FloatArray | None, *, exact: bool
) -> FloatArray:
    """Return the p-value that belongs to flags of extreme draws (D,) or (D, K)."""
    if probability is not None:
        return np.asarray(probability @ extreme / probability.sum())
    count = extreme.sum(axis=0)
    if exact:
        return np.asarray(count / len(extreme))
    return np.asarray((1 + count) / (1 + len(extreme)))
