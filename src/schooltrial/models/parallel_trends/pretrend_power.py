r"""What a test of trends before a programme could have seen (Roth 2022).

A pre-trend test that does not reject shows little where a drift that would spoil the effect passes
it as a rule. Drift is linear: trends differ by :math:`\gamma` a year, before the programme and in
it. For q contrasts :math:`x = C\hat\beta` of years before, with mean :math:`\mu=\gamma\,m` and
covariance V, the test refers

.. math:: \frac{\eta-q+1}{\eta q}\,x'V^{-1}x \quad\text{to}\quad F(q, \eta-q+1),

a Hotelling (AHT) test with :math:`\eta` degrees of freedom; with q = 1 it is a t test. Its power is
that of the noncentral F with noncentrality :math:`\lambda=\mu'V^{-1}\mu`. Where it passes,

.. math:: E[x \mid \text{pass}] = \mu\,P(\chi^2_{q+2}(\lambda)\le c)/P(\chi^2_q(\lambda)\le c),

with c the critical value of the quadratic form, and the effect is off by what the drift adds, plus
its regression on :math:`E[x\mid\text{pass}]-\mu`: usually more than the drift alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite

import numpy as np
from scipy import special

from schooltrial.models.parallel_trends.event_coefficients import Array, EventCoefficients

_DOUBLINGS = 12
"""From one standard error on: beyond, a noncentral F is not computed reliably."""


@dataclass(frozen=True, eq=False)
class PretrendTest:
    """A joint test that effects in the years before a programme are all zero.

    Attributes
    ----------
    coefficients : EventCoefficients
    contrasts : ndarray of float, shape (q, n_before + n_after)
    df : float
        The degrees of freedom η of the covariance; ``inf`` where it is taken as known.
    level : float
        1 minus the size of the test.
    """

    coefficients: EventCoefficients
    contrasts: Array
    df: float
    level: float = 0.95

    @classmethod
    def of_slope(
        cls, coefficients: EventCoefficients, df: float, level: float = 0.95
    ) -> PretrendTest:
        """Return the t test of the average drift a year, from the first year to the reference."""
        contrast = np.zeros((1, len(coefficients.estimates)))
        contrast[0, 0] = -1.0 / coefficients.n_before
        return cls(coefficients, contrast, df, level)

    @classmethod
    def of_all_years(
        cls, coefficients: EventCoefficients, df: float, level: float = 0.95
    ) -> PretrendTest:
        """Return the joint test of all years before the reference; ``df`` is η."""
        if not df - coefficients.n_before + 1 > 0:
            raise ValueError(
                f"{df:.3g} degrees of freedom do not bear a joint test of {coefficients.n_before} "
                "years; take the test of their slope"
            )
        return cls(coefficients, coefficients.changes_before, df, level)

    @property
    def _size(self) -> int:
        return len(self.contrasts)

    @cached_property
    def _covariance(self) -> Array:
        return np.asarray(self.contrasts @ self.coefficients.covariance @ self.contrasts.T)

    @cached_property
    def _drift(self) -> Array:
        """Contrasts of a drift of one a year."""
        return np.asarray(self.contrasts @ _drift(self.coefficients))

    @cached_property
    def _of_one(self) -> float:
        """Noncentrality of a drift of one a year."""
        return float(self._drift @ np.linalg.solve(self._covariance, self._drift))

    @cached_property
    def _critical(self) -> float:
        """What the quadratic form must exceed for a rejection."""
        q = self._size
        if self.df == inf:
            return float(special.chdtri(q, 1.0 - self.level))
        denominator = self.df - q + 1
        return float(special.fdtri(q, denominator, self.level)) * self.df * q / denominator

    def power(self, slope: float) -> float:
        """Return the probability that a drift of ``slope`` a year is seen."""
        q, away = self._size, slope**2 * self._of_one
        if away == 0.0:
            return 1.0 - self.level
        if self.df == inf:
            return float(1.0 - special.chndtr(self._critical, q, away))
        denominator = self.df - q + 1
        ratio = self._critical * denominator / (self.df * q)
        return float(1.0 - special.ncfdtr(q, denominator, away, ratio))

    def slope_with_power(self, power: float) -> float:
        """Return the drift a year that is seen with probability ``power``."""
        from scipy.optimize import brentq  # late: it is slow to import

        if not 1.0 - self.level < power < 1.0:
            raise ValueError(
                f"a power of {power:g}: it must be above the size {1 - self.level:g} and below 1"
            )
        most = 1.0 / np.sqrt(self._of_one)
        for _ in range(_DOUBLINGS):
            reached = self.power(most)
            if not reached < power:
                break
            most *= 2.0
        if not reached >= power:
            raise ValueError(
                f"with {self.df:.2g} degrees of freedom the test reaches a power of {power:g} for "
                "no drift of a size that can be computed"
            )
        return float(brentq(lambda slope: self.power(slope) - power, 0.0, most))

    def bias(self, slope: float) -> float:
        """Return what a drift of ``slope`` a year adds to the effect."""
        after = _drift(self.coefficients)[self.coefficients.n_before :]
        return slope * float(self.coefficients.weights @ after)

    def bias_when_passed(self, slope: float) -> float:
        """Return what it adds on average where the test has not rejected."""
        away = slope**2 * self._of_one
        passed = special.chndtr(self._critical, self._size, away)
        kept = special.chndtr(self._critical, self._size + 2, away) / passed if away else 1.0
        if not isfinite(kept):
            raise ValueError(f"a drift of {slope:g} a year practically never passes the test")
        shift = (kept - 1.0) * slope * self._drift
        before = self.coefficients.n_before
        with_effect = (
            self.contrasts @ self.coefficients.covariance[:, before:] @ self.coefficients.weights
        )
        return self.bias(slope) + float(with_effect @ np.linalg.solve(self._covariance, shift))


def _drift(coefficients: EventCoefficients) -> Array:
    """Return the coefficients under a drift of one a year: years since the reference."""
    before, after = coefficients.n_before, coefficients.n_after
    return np.concatenate([np.arange(-before, 0), np.arange(1, after + 1)]).astype("float64")
