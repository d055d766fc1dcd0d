r"""Confidence set of a ratio of two estimates (Fieller 1954).

A ratio :math:`\rho = \theta_1/\theta_2` is in the set when the test of
:math:`\theta_1 - \rho\,\theta_2 = 0` does not reject it. That difference is a linear combination of
the two estimates, with a standard error and degrees of freedom of its own, so that the set agrees
with the tests beside it: it holds 0 just where that of :math:`\theta_1` does not reject, 1 where
that of :math:`\theta_1 - \theta_2` does not, and it has no end where :math:`\theta_2` cannot be
told from zero.

With V = LL' the covariance of the two, every combination of standard error one is
:math:`c = L^{-T}u` with u on the unit circle; its t statistic is :math:`u'L^{-1}\theta`. The set is
the arc about the u of the estimate, where that is zero, in which it stays below the quantile of its
degrees of freedom. These are known at equal steps round the circle and interpolated between by
their Fourier series.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, nan, pi

import numpy as np
from scipy import special

from schooltrial.arrays import FloatArray

Judge = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Takes combinations of the two estimates (m, 2); returns standard errors and df, (m,) each."""

DIRECTIONS = 32
"""Combinations whose degrees of freedom are asked for."""

STEPS, HALVINGS = 512, 44
"""Steps of a quarter circle in which the end of the set is sought, and how often one is halved."""


NO_RATIO = "the ratio cannot be estimated"
"""What is said of a ratio of which every value is in the set."""


@dataclass(frozen=True)
class RatioSet:
    """The confidence set of a ratio.

    Attributes
    ----------
    ratio : float
        The estimate; NaN where the denominator is zero.
    low, high : float
        Ends of the set, or infinite; NaN where no standard error is known.
    told : str
        The set in words where it is no interval with two ends; empty where it is.
    """

    ratio: float
    low: float
    high: float
    told: str = ""

    @property
    def bounded(self) -> bool:
        """Whether the set has two ends."""
        return isfinite(self.low) and isfinite(self.high)


def fieller_set(
    numerator: float, denominator: float, judge: Judge, *, level: float = 0.95
) -> RatioSet:
    """Return the ratios that the test of ``numerator − ratio · denominator = 0`` does not reject.

    Parameters
    ----------
    numerator, denominator : float
        The two estimates, in one unit.
    judge : callable
        Standard errors and degrees of freedom of combinations of the two.
    level : float
        Of confidence.
    """
    ratio = numerator / denominator if denominator != 0 else nan
    errors, _ = judge(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0], [1.0, 1.0]]))
    a, b, apart, both = (errors**2).tolist()
    across = (a + b - apart) / 2
    if not a * b > across**2:  # cohorts in each other's time may not be one covariance
        across = (both - a - b) / 2
    if not a * b > across**2:  # also where one is not known
        return RatioSet(ratio, nan, nan)
    root = np.linalg.cholesky(np.array([[a, across], [across, b]]))
    back = np.linalg.inv(root)
    statistic = back @ np.array([numerator, denominator])
    angles = np.arange(DIRECTIONS) * pi / DIRECTIONS
    _, df = judge(_circle(angles) @ back)
    if not np.isfinite(df).all():
        return RatioSet(ratio, nan, nan)
    quantiles = _series(np.asarray(special.stdtrit(df, (1 + level) / 2)))
    middle = float(np.arctan2(statistic[0], -statistic[1]))  # at a right angle to the statistic
    size = float(np.hypot(*statistic))
    ends = [_end(size, middle, sign, quantiles) for sign in (-1.0, 1.0)]
    if None in ends:
        return RatioSet(ratio, -inf, inf, NO_RATIO)
    edges = _circle(np.array(ends)) @ back
    low, high = sorted((-edges[:, 1] / edges[:, 0]).tolist())
    if size * abs(float(_unit(root[1]) @ _unit(statistic))) > quantiles(_angle(root[1])):
        return RatioSet(ratio, low, high)
    told = f"set is (−∞, {low:.3g}] ∪ [{high:.3g}, ∞)".replace("-", "−")
    return RatioSet(ratio, -inf, inf, told)


def _circle(angles: FloatArray) -> FloatArray:
    return np.column_stack([np.cos(angles), np.sin(angles)])


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.hypot(*vector))


def _angle(vector: FloatArray) -> float:
    return float(np.arctan2(vector[1], vector[0]))


def _series(values: FloatArray) -> Callable[[float], float]:
    """Return the Fourier series through values at equal steps of half a circle."""
    terms = np.fft.rfft(values) / len(values)
    order = np.arange(len(terms))
    weights = np.where((order == 0) | (2 * order == len(values)), 1.0, 2.0)

    def at(angle: float) -> float:
        return float((weights * (terms * np.exp(2j * order * angle)).real).sum())

    return at


def _end(
    size: float, middle: float, sign: float, quantiles: Callable[[float], float]
) -> float | None:
    """Return the angle at which the test first rejects, going one way; None if it never does."""

    def excess(step: float) -> float:
        return size * float(np.sin(step)) - quantiles(middle + sign * step)

    before = 0.0
    for step in np.linspace(0.0, pi / 2, STEPS + 1)[1:].tolist():
        if excess(step) > 0:
            break
        before = step
    else:
        return None
    after = float(step)
    for _ in range(HALVINGS):
        half = (before + after) / 2
        before, after = (before, half) if excess(half) > 0 else (half, after)
    return middle + sign * after
