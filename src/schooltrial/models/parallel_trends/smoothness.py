r"""Effects when a difference in trend is nearly a straight line.

Smoothness (Rambachan and Roth 2023, section 2.4.3): the difference in trend may change its slope
by up to M from one year to the next, the years before the programme and the reference included,

.. math:: |\delta_{t+1}-2\delta_t+\delta_{t-1}| \le M;

with M = 0 the difference of the years before is extrapolated as a line. The interval has a fixed
length: an estimator :math:`v'\hat\beta` that is unbiased under every line, whose half-length

.. math:: \chi = \sigma_v\, cv_\alpha(M b_v/\sigma_v),\qquad b_v = \max_{|\delta''|\le 1}|v'\delta|

(:math:`cv_\alpha(t)`: the :math:`1-\alpha` quantile of :math:`|N(t,1)|`) is the least. With x the
multipliers of second differences, v is linear and :math:`b_v=\sum|x|`, so that variance against
bias is a lasso: its path is followed exactly, from least bias to least variance, and searched for
the least :math:`\chi`, which is convex along it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from schooltrial.models.parallel_trends.bounded_trend import BoundedTrend
from schooltrial.models.parallel_trends.event_coefficients import Array, EventCoefficients
from schooltrial.models.parallel_trends.robust_interval import (
    RobustInterval,
    accepted_interval,
    breakdown_value,
)

_KNOTS = 50
"""Knots of a path for each multiplier, at most: it has far fewer."""


@dataclass(frozen=True, eq=False)
class _Estimators:
    """Estimators that are unbiased under lines: ``start + free @ x``; bias ``fixed + Σ|x|``."""

    start: Array
    free: Array
    fixed: float


def smoothness_interval(
    coefficients: EventCoefficients,
    m: float,
    *,
    level: float = 0.95,
    method: Literal["fixed_length", "hybrid", "conditional"] = "fixed_length",
) -> RobustInterval:
    """Compute the interval of an effect if a difference in trend bends by up to `m` a year.

    Parameters
    ----------
    coefficients : EventCoefficients
    m : float
        In units of the outcome: the largest change of slope from one year to the next.
    level : float
    method : {"fixed_length", "hybrid", "conditional"}
        The interval of fixed length (FLCI, the default of HonestDiD); or the conditional test,
        alone or as a hybrid with the least favourable one (C-LF), which use the years of the
        programme and the last slope before it.
    """
    if not m >= 0:
        raise ValueError(f"M is {m:g}; it must be 0 or more")
    if method == "fixed_length":
        path = _lasso_path(_estimators(coefficients), coefficients.working)
        low, high = _fixed_length(path, coefficients, m, level)
        return RobustInterval(m, low, high, "smoothness, interval of fixed length")
    hybrid, first = method == "hybrid", coefficients.n_before - 1
    bound = BoundedTrend(
        coefficients, _bends(coefficients)[first:], np.zeros(len(coefficients.estimates)), m,
        alpha=1.0 - level, hybrid=hybrid,
    )  # fmt: skip
    bends = m * float(np.abs(_bend_multipliers(coefficients)).sum())
    low, high = accepted_interval([bound], 6.0 * bound.std_error + bends)
    test = "conditional, least favourable hybrid" if hybrid else "conditional"
    return RobustInterval(m, low, high, f"smoothness, {test}")


def smoothness_breakdown(
    coefficients: EventCoefficients, most: float, *, level: float = 0.95
) -> float:
    """Find the smallest `m` at which the interval includes an effect of zero.

    0 where zero is included even with M = 0; ``inf`` where it is excluded up to ``most``.
    """
    path = _lasso_path(_estimators(coefficients), coefficients.working)

    def includes_zero(m: float) -> bool:
        low, high = _fixed_length(path, coefficients, m, level)
        return low <= 0.0 <= high

    return breakdown_value(includes_zero, most)


def folded_normal_quantile(centre: float, probability: float) -> float:
    r"""Return the quantile of :math:`|N(t, 1)|`, ``centre`` being t."""
    t = abs(centre)
    low, high = t, t + float(special.ndtri((1.0 + probability) / 2.0))
    if probability < 0.5:
        low = 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        under = special.ndtr(middle - t) - special.ndtr(-middle - t) < probability
        low, high = (middle, high) if under else (low, middle)
    return high


def _bends(coefficients: EventCoefficients) -> Array:
    """Return the contrasts of second differences: before, at the reference year, and after."""
    before, after = coefficients.n_before, coefficients.n_after
    years = before + after + 1  # with the reference, whose coefficient is 0
    contrasts = np.zeros((years - 2, years))
    at = np.arange(years - 2)
    contrasts[at, at], contrasts[at, at + 1], contrasts[at, at + 2] = 1.0, -2.0, 1.0
    return np.delete(contrasts, before, axis=1)


def _bend_multipliers(coefficients: EventCoefficients) -> Array:
    """Return what each bend from the reference year on adds to the difference of the effect."""
    weights, after = coefficients.weights, coefficients.n_after
    return np.array([weights[s:] @ np.arange(1, after - s + 1) for s in range(after)])


def _estimators(coefficients: EventCoefficients) -> _Estimators:
    """Return the estimators: the multipliers of bends before the programme are free."""
    multipliers = _bend_multipliers(coefficients)
    bends, free = _bends(coefficients), coefficients.n_before - 1
    return _Estimators(multipliers @ bends[free:], bends[:free].T, float(np.abs(multipliers).sum()))


def _lasso_path(estimators: _Estimators, sigma: Array) -> Array:
    """Return the knots (knot × multiplier) at which a multiplier begins or ceases to be 0.

    They minimise half the variance plus λ times the sum of ``|x|``, from the λ at which all are 0
    down to λ = 0; between two knots x is linear.
    """
    hessian = estimators.free.T @ sigma @ estimators.free
    gradient = estimators.free.T @ sigma @ estimators.start
    size = len(gradient)
    knots = [np.zeros(size)]
    signs = np.zeros(size)
    penalty = float(np.abs(gradient).max()) if size else 0.0
    if penalty:
        first = int(np.abs(gradient).argmax())
        signs[first] = -np.sign(gradient[first])
    while penalty > 0.0 and len(knots) <= _KNOTS * size:
        active, idle = np.flatnonzero(signs), np.flatnonzero(signs == 0)
        solved = np.linalg.solve(
            hessian[np.ix_(active, active)], np.column_stack([-gradient[active], signs[active]])
        )  # x = solved[:, 0] - λ solved[:, 1]
        slopes = hessian[np.ix_(idle, active)] @ solved
        slopes[:, 0] += gradient[idle]  # of the variance: slopes[:, 0] - λ slopes[:, 1]
        events = [(c / d, j, 0.0) for j, (c, d) in zip(active, solved, strict=True) if d]
        events += [
            (c / (d + side), j, -side)
            for j, (c, d) in zip(idle, slopes, strict=True)
            for side in (1.0, -1.0)
            if d + side
        ]
        below = [event for event in events if 0.0 < event[0] < penalty * (1.0 - 1e-9)]
        penalty, changed, sign = max(below, default=(0.0, -1, 0.0))
        knot = np.zeros(size)
        knot[active] = solved[:, 0] - penalty * solved[:, 1]
        knots.append(knot)
        if changed >= 0:
            signs[changed] = sign
    return np.array(knots)


def _fixed_length(
    path: Array, coefficients: EventCoefficients, m: float, level: float
) -> tuple[float, float]:
    """Return the ends of the shortest interval along a path."""
    from scipy.optimize import minimize_scalar  # late: it is slow to import

    estimators, last = _estimators(coefficients), len(path) - 1

    def estimator(at: float) -> tuple[Array, float]:
        """Return an estimator on the path, and its worst bias."""
        knot = min(int(at), max(last - 1, 0))
        share = at - knot
        x = path[knot] if not last else (1.0 - share) * path[knot] + share * path[knot + 1]
        bias = m * (estimators.fixed + float(np.abs(x).sum()))
        return estimators.start + estimators.free @ x, bias

    def half_length(at: float, sigma: Array) -> float:
        v, bias = estimator(at)
        error = float(np.sqrt(v @ sigma @ v))
        return error * folded_normal_quantile(bias / error, level)

    def expected(at: float) -> float:
        return half_length(at, coefficients.working)

    tried = [0.0, float(last)]
    if last:
        tried.append(float(minimize_scalar(
            expected, bounds=(0.0, last), method="bounded", options={"xatol": 1e-9}
        ).x))  # fmt: skip
    best = min(tried, key=expected)
    centre = float(estimator(best)[0] @ coefficients.estimates)
    half = half_length(best, coefficients.covariance)
    return centre - half, centre + half
