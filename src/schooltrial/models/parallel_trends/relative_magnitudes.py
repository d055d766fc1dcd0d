r"""Effects when trends differ in the years of a programme as much as they did before it.

Relative magnitudes (Rambachan and Roth 2023, section 2.4.1): from one year of the programme to the
next, trends of the groups may differ by up to :math:`\bar M` times the largest difference from one
year to the next before it,

.. math:: |\delta_{t+1}-\delta_t| \le \bar M \max_{s<0} |\delta_{s+1}-\delta_s|,\quad t \ge 0.

The set is a union over the year s and the sign of its difference; the interval is the union of
those of each, by the conditional test of ``bounded_trend``. As in the package HonestDiD, only
inequalities of the years of the programme enter.
"""

from __future__ import annotations

import numpy as np

from schooltrial.models.parallel_trends.bounded_trend import BoundedTrend
from schooltrial.models.parallel_trends.event_coefficients import Array, EventCoefficients
from schooltrial.models.parallel_trends.robust_interval import (
    RobustInterval,
    accepted,
    accepted_interval,
    breakdown_value,
)

_POINTS = 101


def identified_set(coefficients: EventCoefficients, mbar: float) -> tuple[float, float]:
    """Return the effects that are possible were the coefficients known without error.

    The estimate, less and plus Mbar times the largest change before, times the sum of
    ``|w|``, in which a change enters every later year of the programme.
    """
    changes = np.abs(coefficients.changes_before @ coefficients.estimates)
    reach = mbar * float(changes.max()) * _carried(coefficients)
    return coefficients.estimate - reach, coefficients.estimate + reach


def relative_magnitudes_interval(
    coefficients: EventCoefficients, mbar: float, *, level: float = 0.95, hybrid: bool = True
) -> RobustInterval:
    """Compute the interval of an effect if trends differ by up to `mbar` times those before.

    Parameters
    ----------
    coefficients : EventCoefficients
        With two coefficients of years before or more, or one: the change into the reference year.
    mbar : float
        0: parallel trends, and the interval is the usual one.
    level : float
    hybrid : bool
        The hybrid of the conditional and the least favourable test (C-LF, the default of
        HonestDiD); without, the conditional test alone.
    """
    if not mbar >= 0:
        raise ValueError(f"Mbar is {mbar:g}; it must be 0 or more")
    bounds = _bounds(coefficients, mbar, 1.0 - level, hybrid)
    low, high = accepted_interval(bounds, _reach(coefficients, mbar))
    test = "conditional, least favourable hybrid" if hybrid else "conditional"
    return RobustInterval(mbar, low, high, f"relative magnitudes, {test}")


def relative_magnitudes_breakdown(
    coefficients: EventCoefficients, *, level: float = 0.95, most: float = 10.0
) -> float:
    """Find the smallest `mbar` at which the interval includes an effect of zero.

    0 where zero is included even with parallel trends; ``inf`` where it is excluded up to
    ``most``.
    """

    def includes_zero(mbar: float) -> bool:
        bounds = _bounds(coefficients, mbar, 1.0 - level, hybrid=True)
        beyond = -np.sign(coefficients.estimate) * _reach(coefficients, mbar)
        return bool(accepted(bounds, np.linspace(0.0, beyond, _POINTS)).any())

    return breakdown_value(includes_zero, most)


def _bounds(
    coefficients: EventCoefficients, mbar: float, alpha: float, hybrid: bool
) -> list[BoundedTrend]:
    """Return the bound by each change before the programme, upward and downward."""
    contrasts = [sign * change for change in coefficients.changes_before for sign in (1.0, -1.0)]
    return [
        BoundedTrend(
            coefficients, _changes_after(coefficients), mbar * contrast, alpha=alpha, hybrid=hybrid
        )
        for contrast in (contrasts if mbar else contrasts[:1])
    ]


def _reach(coefficients: EventCoefficients, mbar: float) -> float:
    """Return a distance from the estimate that the interval hardly exceeds."""
    changes = coefficients.changes_before
    errors = np.sqrt(np.einsum("ij,jk,ik->i", changes, coefficients.covariance, changes))
    largest = float((np.abs(changes @ coefficients.estimates) + 3.0 * errors).max())
    return 6.0 * coefficients.std_error + mbar * largest * _carried(coefficients)


def _changes_after(coefficients: EventCoefficients) -> Array:
    """Return the contrasts of the changes into each year of the programme."""
    before, after = coefficients.n_before, coefficients.n_after
    contrasts = np.zeros((after, before + after))
    at = np.arange(after)
    contrasts[at, before + at] = 1.0
    contrasts[at[1:], before + at[1:] - 1] = -1.0  # the first starts at the reference, which is 0
    return contrasts


def _carried(coefficients: EventCoefficients) -> float:
    later = np.cumsum(coefficients.weights[::-1])
    return float(np.abs(later).sum())
