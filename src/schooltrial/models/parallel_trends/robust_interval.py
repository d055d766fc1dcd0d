"""Interval of an effect under a bound on differences in trend, and the bound at which it breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from schooltrial.models.parallel_trends.bounded_trend import BoundedTrend
from schooltrial.models.parallel_trends.event_coefficients import Array

_POINTS = 801
_WIDENINGS = 20
_REFINEMENTS = 24
_STEPS = 20
_HALVINGS = 14


@dataclass(frozen=True)
class RobustInterval:
    """An interval of an effect that holds for every difference in trend within a bound.

    Attributes
    ----------
    setting : float
        The bound: Mbar or M.
    low, high : float
    method : str
        How it was computed, in words.
    """

    setting: float
    low: float
    high: float
    method: str

    @property
    def excludes_zero(self) -> bool:
        """Whether an effect of zero is outside."""
        return self.low > 0 or self.high < 0


def accepted_interval(bounds: Sequence[BoundedTrend], reach: float) -> tuple[float, float]:
    """Return the least and the largest effect that the test under one of ``bounds`` accepts.

    Parameters
    ----------
    bounds : sequence of BoundedTrend
        An effect is accepted where it is under one of them at least.
    reach : float
        How far from the centre of the bounds, which is accepted, effects are tried first; twice
        as far where an end is accepted.
    """
    centre = bounds[0].centre
    for _ in range(_WIDENINGS):
        grid = np.linspace(centre - reach, centre + reach, _POINTS)
        inside = np.flatnonzero(accepted(bounds, grid))
        if inside[0] > 0 and inside[-1] < _POINTS - 1:
            break
        reach *= 2.0
    else:
        return -inf, inf
    # Both ends are refined at once: inner points are accepted, outer ones are not.
    inner = grid[[inside[0], inside[-1]]]
    outer = grid[[inside[0] - 1, inside[-1] + 1]]
    for _ in range(_REFINEMENTS):
        middle = 0.5 * (inner + outer)
        kept = accepted(bounds, middle)
        inner, outer = np.where(kept, middle, inner), np.where(kept, outer, middle)
    return float(inner[0]), float(inner[1])


def accepted(bounds: Sequence[BoundedTrend], effects: Array) -> npt.NDArray[np.bool_]:
    """Say of each effect whether the test under one of ``bounds`` accepts it."""
    return np.asarray(np.any([bound.accepts(effects) for bound in bounds], axis=0))


def breakdown_value(includes_zero: Callable[[float], bool], most: float) -> float:
    """Return the smallest bound whose interval includes zero.

    Parameters
    ----------
    includes_zero : callable
        Of a bound: whether its interval does.
    most : float
        The largest bound that is tried.

    Returns
    -------
    float
        0 where zero is included even without a violation; ``inf`` where it is excluded up to
        ``most``.
    """
    if includes_zero(0.0):
        return 0.0
    # Intervals need not be nested, so the first of a grid that includes zero is looked for.
    grid = most * np.linspace(0.0, 1.0, _STEPS + 1)
    breaking = next((at for at in range(1, _STEPS + 1) if includes_zero(float(grid[at]))), 0)
    if not breaking:
        return inf
    low, high = float(grid[breaking - 1]), float(grid[breaking])
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if includes_zero(middle) else (middle, high)
    return high
