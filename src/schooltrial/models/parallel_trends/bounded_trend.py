r"""Test of an effect when trends may differ by a bounded amount (Andrews, Roth and Pakes 2023).

Differences in trend :math:`\delta` (the years before the programme, then those of it) are bounded
by :math:`|D_j\delta| \le r'\delta + m`, one row for each year of the programme: D takes first
differences (relative magnitudes) or second differences (smoothness). An effect :math:`\theta` is
possible when some differences in trend within the bound, and some effects by year whose weighted
sum is :math:`\theta`, add up to what was expected of the coefficients. Its test is of moment
inequalities whose nuisance parameters enter linearly: a linear programme, whose dual has
:math:`J+2` vertices that can be written down, since D restricted to the J years of the programme
is invertible. With :math:`w = D_{post}^{-T}l` and :math:`a = D'w` they are

.. math:: \frac{\pm(a'\hat\beta-\theta) - |w|_1(r'\hat\beta+m)}{\nu_\pm}, \qquad
   \frac{-2(r'\hat\beta+m)}{\sigma_{j+}+\sigma_{j-}}, \quad j = 1 \ldots J

where :math:`\sigma_{j\pm}` are standard deviations of :math:`(\pm D_j - r)'\hat\beta` and
:math:`\nu_\pm` their sums weighted by the positive and negative parts of w. The statistic is the
largest of them. Given all that is independent of it, it is a truncated normal; the hybrid test
first rejects where it exceeds its critical value under the least favourable expectations
(:math:`\kappa=\alpha/10`), which is found by quadrature rather than by simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import special

from schooltrial.models.parallel_trends.event_coefficients import Array, EventCoefficients

_NO_SLOPE = 1e-10
"""A vertex whose value moves with the largest one, so that it bounds it nowhere."""

_FIRST_STAGE = 0.1
"""Share of the level that the test against least favourable expectations takes."""


@dataclass(frozen=True, eq=False)
class BoundedTrend:
    """Differences in trend in the years of the programme, bounded by those before it.

    Attributes
    ----------
    coefficients : EventCoefficients
    differences : ndarray of float, shape (n_after, n_before + n_after)
        The rows of D.
    bound : ndarray of float, shape (n_before + n_after,)
        The contrast r, of years before the programme only.
    constant : float
        The bound m beside it.
    alpha : float
        Level of the test.
    hybrid : bool
        Whether the test against least favourable expectations comes first (C-LF).
    """

    coefficients: EventCoefficients
    differences: Array
    bound: Array
    constant: float = 0.0
    alpha: float = 0.05
    hybrid: bool = True

    @property
    def centre(self) -> float:
        """The effect in the middle of those that are possible: the estimate less what D implies."""
        return float(self._multipliers @ self.differences @ self.coefficients.estimates)

    @property
    def std_error(self) -> float:
        """Standard error of the centre."""
        contrast = self._multipliers @ self.differences
        return float(np.sqrt(contrast @ self.coefficients.covariance @ contrast))

    @cached_property
    def _denominators(self) -> tuple[float, float, Array]:
        """Return the scale of the upper and lower vertex, and of the pairs."""
        sigma, w = self.coefficients.covariance, self._multipliers
        above = _standard_deviations(self.differences - self.bound, sigma)
        below = _standard_deviations(-self.differences - self.bound, sigma)
        up, down = np.maximum(w, 0), np.maximum(-w, 0)
        return float(up @ above + down @ below), float(up @ below + down @ above), above + below

    @cached_property
    def _multipliers(self) -> Array:
        after = self.differences[:, self.coefficients.n_before :]
        return np.asarray(np.linalg.solve(after.T, self.coefficients.weights))

    @cached_property
    def _vertices(self) -> tuple[Array, Array]:
        """Return the contrasts (vertex × coefficient) and their coefficients of the effect."""
        upper, lower, pairs = self._denominators
        centre = self._multipliers @ self.differences
        width = np.abs(self._multipliers).sum()
        contrasts = np.vstack(
            [
                (centre - width * self.bound) / upper,
                (-centre - width * self.bound) / lower,
                -2.0 * self.bound / pairs[:, None],
            ]
        )
        of_effect = np.concatenate([[-1.0 / upper, 1.0 / lower], np.zeros(len(pairs))])
        return contrasts, of_effect

    def _constants(self) -> Array:
        upper, lower, pairs = self._denominators
        width = np.abs(self._multipliers).sum()
        return -self.constant * np.concatenate([[width / upper, width / lower], 2.0 / pairs])

    def accepts(self, effects: Array) -> npt.NDArray[np.bool_]:
        """Say of each effect whether its test does not reject it."""
        contrasts, of_effect = self._vertices
        values = (contrasts @ self.coefficients.estimates + self._constants())[:, None]
        values = values + of_effect[:, None] * effects
        covariance = contrasts @ self.coefficients.covariance @ contrasts.T
        largest = values.argmax(axis=0)
        statistic = values.max(axis=0)
        variance = np.diag(covariance)[largest]
        random = variance > _NO_SLOPE**2
        moves = covariance[:, largest] / np.where(random, variance, 1.0)
        slope = 1.0 - moves
        with np.errstate(divide="ignore", invalid="ignore"):
            limit = (values - moves * statistic) / slope
        low = np.where(slope > _NO_SLOPE, limit, -np.inf).max(axis=0)
        high = np.where(slope < -_NO_SLOPE, limit, np.inf).min(axis=0)
        size = self.alpha
        accepted = np.ones(len(effects), dtype=bool)
        if self.hybrid:
            first = _FIRST_STAGE * self.alpha
            accepted &= statistic <= self._least_favourable
            high = np.minimum(high, self._least_favourable)
            size = (self.alpha - first) / (1.0 - first)
        scale = np.sqrt(np.where(random, variance, 1.0))
        passed = _truncated_tail(statistic / scale, low / scale, high / scale) >= size
        return np.asarray(accepted & ((statistic <= 0) | (random & passed)), dtype=bool)

    @cached_property
    def _least_favourable(self) -> float:
        """Return what the statistic exceeds so rarely when no bound is slack."""
        from scipy.optimize import brentq  # late: it is slow to import

        sigma = self.coefficients.covariance
        upper, lower, pairs = self._denominators
        centre = self._multipliers @ self.differences
        width = float(np.abs(self._multipliers).sum())
        of_bound = float(np.sqrt(self.bound @ sigma @ self.bound))
        of_centre = float(np.sqrt(centre @ sigma @ centre))
        random = of_bound > _NO_SLOPE * of_centre
        moves = float(centre @ sigma @ self.bound) / of_bound if random else 0.0
        spread = float(np.sqrt(max(of_centre**2 - moves**2, (_NO_SLOPE * of_centre) ** 2)))

        def coverage(critical: float) -> float:
            if not random:
                nodes, masses = np.zeros(1), np.ones(1)
            else:
                least = min(max(-critical * pairs.min() / (2.0 * of_bound), -_FAR), _FAR)
                half = (_FAR - least) / 2.0
                nodes = least + half * (1.0 + _POINTS)
                masses = half * _WEIGHTS * np.exp(-0.5 * nodes**2) / np.sqrt(2.0 * np.pi)
            slack, shift = width * of_bound * nodes, moves * nodes
            high = special.ndtr((critical * upper + slack - shift) / spread)
            low = special.ndtr((-critical * lower - slack - shift) / spread)
            return float(masses @ np.maximum(high - low, 0.0))

        level = 1.0 - _FIRST_STAGE * self.alpha
        most = 1.0
        while coverage(most) < level:
            most *= 2.0
        return float(brentq(lambda critical: coverage(critical) - level, 0.0, most, xtol=1e-10))


def _standard_deviations(contrasts: Array, sigma: Array) -> Array:
    return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", contrasts, sigma, contrasts)))


def _truncated_tail(at: Array, low: Array, high: Array) -> Array:
    """Return the upper tail of a standard normal that is kept between two limits."""
    flip = low > 0  # tails are computed on the side on which they are small
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    x = np.where(flip, -at, at)
    whole = special.ndtr(b) - special.ndtr(a)
    above = np.where(flip, special.ndtr(x) - special.ndtr(a), special.ndtr(b) - special.ndtr(x))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = above / whole
    return np.where(whole > 0, share, np.where(high > low, 0.0, 1.0))


_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_FAR = 8.5
"""Standard deviations beyond which a normal has no mass worth counting."""
