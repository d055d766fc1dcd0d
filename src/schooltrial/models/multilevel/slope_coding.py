"""The regressor whose slope varies, in units of its own spread where its own would lose digits.

A group's intercept and slope (b₀, b₁) of x are those of (x − m)/s by b = A b̃, A = [[1, −m/s],
[0, 1/s]], so that their covariance is AΛ̃A'. Searched in x̃ the variances do not depend on the units
of x, and those of correlated effects not on its origin. The model is the same in both; far from
its origin, or in units far from one, x itself would leave few digits of the information.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from schooltrial.arrays import FloatArray

_FAR = 10.0
"""Standard deviations from the origin beyond which a regressor is coded."""

_UNITS = 0.01, 100.0
"""Standard deviations within which a regressor stays in its own units."""


@dataclass(frozen=True)
class SlopeCoding:
    """How a regressor was coded.

    Attributes
    ----------
    centre, spread : float
        m and s.
    correlated : bool
        Whether intercept and slope may be correlated. Where they may not, m is 0: away from it
        the two would be correlated.
    """

    centre: float
    spread: float
    correlated: bool

    def coded(self, ratio: FloatArray) -> FloatArray:
        """Return the variance ratios in the coded regressor."""
        return np.asarray(np.linalg.solve(self.matrix(len(ratio)), ratio))

    def decoded(self, ratio: FloatArray) -> FloatArray:
        """Return the variance ratios in the regressor as it was given."""
        return np.asarray(self.matrix(len(ratio)) @ ratio)

    def of(self, values: FloatArray) -> FloatArray:
        """Return the coded regressor."""
        return np.asarray((values - self.centre) / self.spread)

    @property
    def coefficients(self) -> FloatArray:
        """A, from the coded coefficients to those of the regressor as it was given."""
        shift = -self.centre / self.spread if self.correlated else 0.0
        return np.array([[1.0, shift], [0.0, 1.0 / self.spread]])

    def matrix(self, count: int) -> FloatArray:
        """Return the matrix from coded ratios to those as given: the slope's elements are last.

        Parameters
        ----------
        count : int
            All ratios; a first one of the schools is left as it is.
        """
        (_, a), (_, b) = self.coefficients
        if self.correlated:
            own = np.array([[1.0, 2 * a, a * a], [0.0, b, a * b], [0.0, 0.0, b * b]])
        else:
            own = np.diag([1.0, b * b])
        out = np.eye(count)
        out[count - len(own) :, count - len(own) :] = own
        return out


AS_GIVEN = SlopeCoding(0.0, 1.0, True)
"""The coding that leaves a regressor as it is."""


def code_slope(
    values: FloatArray, weight: FloatArray, within: float, *, correlated: bool
) -> SlopeCoding:
    """Return the coding of a regressor: by its mean and standard deviation, or as it is.

    Parameters
    ----------
    values, weight : array (J,)
        Means of the schools, and the weights of these.
    within : float
        Sum of squares about them.
    correlated : bool
        See ``SlopeCoding``. Uncorrelated effects belong to their origin, which stays where it is.
    """
    total = float(weight.sum())
    mean = float(weight @ values) / total
    spread = float(np.sqrt((weight @ (values - mean) ** 2 + within) / total))
    near = abs(mean) <= _FAR * spread or not correlated
    if near and _UNITS[0] <= spread <= _UNITS[1]:
        return replace(AS_GIVEN, correlated=correlated)
    return SlopeCoding(mean if correlated else 0.0, spread, correlated)
