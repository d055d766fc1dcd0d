"""The mean of what is left when a share of the largest (or smallest) values is cut off."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Literal

import numpy as np

from schooltrial.arrays import FloatArray

Trimming = Literal["fractional", "floor", "ceiling", "round", "type-2", "type-7"]


TIE = 1e-9
"""n·p is rounded by this before it is cut: 0.2·10 may come out as 1.9999999999999996."""


_COUNTS = {"floor": floor, "ceiling": ceil, "round": lambda x: floor(x + 0.5)}


@dataclass(frozen=True)
class TrimmedMean:
    """A trimmed mean, and what its sampling error is made of.

    Attributes
    ----------
    mean, variance : float
        Of those kept; the variance has their number in the denominator.
    cut : float
        The value at the cut.
    influence : (n,) array
        What each value adds to the error of the mean, the trimmed share taken as known:
        w_i[(y_i − c)f_i − κ(μ − c)]/Σwf, f being the part kept of a value and κ of all.
    """

    mean: float
    variance: float
    cut: float
    influence: FloatArray


def trim_top(y: FloatArray, w: FloatArray, share: float, trimming: Trimming) -> TrimmedMean:
    """Return the mean of what is left when the share of the largest values is trimmed.

    Parameters
    ----------
    y, w : (n,) array
        Values, none missing, and their weights.
    share : float
        p, in [0, 1).
    trimming : str
        What is trimmed where n·p is no whole number. ``fractional``: the value at the cut counts
        in part, the exact sample analogue. ``floor``, ``ceiling``, ``round``: so many values.
        ``type-2`` (Stata's leebounds) and ``type-7`` (the default of R and numpy): the values above
        the (1 − p)-quantile of that type; those that tie with it are kept. All but ``fractional``
        take every weight as 1.
    """
    order = np.argsort(y, kind="stable")
    values, mass = y[order], w[order]
    below = np.cumsum(mass)
    whole = below[-1]
    target = _snapped((1 - share) * whole, below)
    if trimming == "fractional":
        cut, kept = _quantile_2(values, below, target), target
    elif trimming == "type-2":
        cut = _quantile_2(values, below, target)
        kept = float(np.sum(values <= cut))
    elif trimming == "type-7":
        cut = _quantile_7(values, share)
        kept = float(np.sum(values <= cut))
    else:
        count = whole - target
        kept = whole - _COUNTS[trimming](round(count) if abs(count - round(count)) < TIE else count)
        cut = _quantile_2(values, below, kept)
    if kept <= 0:
        raise ValueError(f"trimming: {trimming!r} leaves no value of {len(y)}")
    part = np.clip(kept - (below - mass), 0.0, mass)
    mean = float(part @ values / kept)
    variance = float(part @ (values - mean) ** 2 / kept)
    influence = np.empty(len(y))
    influence[order] = (part * (values - cut) - mass * (kept / whole) * (mean - cut)) / kept
    return TrimmedMean(mean, variance, cut, influence)


def trim_bottom(y: FloatArray, w: FloatArray, share: float, trimming: Trimming) -> TrimmedMean:
    """Return the mean of what is left when the share of the smallest values is trimmed."""
    mirrored = trim_top(-y, w, share, trimming)
    return TrimmedMean(-mirrored.mean, mirrored.variance, -mirrored.cut, -mirrored.influence)


def _snapped(target: float, below: FloatArray) -> float:
    """Return the target, or the cumulated weight that it equals but for rounding."""
    nearest = float(below[np.argmin(np.abs(below - target))])
    return nearest if abs(nearest - target) <= TIE * below[-1] else float(target)


def _quantile_2(values: FloatArray, below: FloatArray, target: float) -> float:
    """Return the quantile of type 2: the mean of the two neighbours where the target is met."""
    at = int(np.searchsorted(below, target))
    if at + 1 < len(values) and below[at] == target:
        return float((values[at] + values[at + 1]) / 2)
    return float(values[min(at, len(values) - 1)])


def _quantile_7(values: FloatArray, share: float) -> float:
    """Return the quantile of type 7: linear between the order statistics around (n − 1)(1 − p)."""
    place = (len(values) - 1) * (1 - share)
    place = round(place) if abs(place - round(place)) < TIE else place
    at = floor(place)
    step = values[min(at + 1, len(values) - 1)] - values[at]
    return float(values[at] + (place - at) * step)
