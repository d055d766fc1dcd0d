"""Coefficients of an event study with their covariance, as analyses of sensitivity take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np
import numpy.typing as npt

from schooltrial.models.inference.student_t import t_quantile

Array = npt.NDArray[np.float64]

_ROUNDING = 1e-12  # of the largest variance


@dataclass(frozen=True, eq=False)
class EventCoefficients:
    r"""Effects by year since the programme began, each relative to the last year before.

    Attributes
    ----------
    estimates : ndarray of float, shape (n_before + n_after,)
        Years before the reference year, the earliest first, then the years of the programme. The
        reference year itself, whose coefficient is 0, is left out.
    covariance : ndarray of float, shape (n_before + n_after, n_before + n_after)
    n_before, n_after : int
    weights : ndarray of float, shape (n_after,)
        What is asked about: :math:`\theta = l'\tau`, the weighted sum of the years of the
        programme.
    working : ndarray of float, shape of the covariance
        A covariance that is better known, from which estimators are chosen and by which none is
        judged: that of all schools pooled, where those of the programme are few. By default the
        covariance itself.
    """

    estimates: Array
    covariance: Array
    n_before: int
    n_after: int
    weights: Array
    working: Array

    @classmethod
    def of(
        cls,
        estimates: npt.ArrayLike,
        covariance: npt.ArrayLike,
        n_before: int,
        weights: Sequence[float] | Array | None = None,
        working: npt.ArrayLike | None = None,
    ) -> EventCoefficients:
        """Return the coefficients; by default the first year of the programme is asked about.

        Raises
        ------
        ValueError
            Where there is no year before or after, shapes disagree, a number is missing, or the
            covariance is not one (not symmetric, singular, or with a negative variance).
        """
        points = np.asarray(estimates, dtype="float64")
        sigma = np.asarray(covariance, dtype="float64")
        n_after = len(points) - n_before
        if n_before < 1:
            raise ValueError(
                "no coefficient of a year before the reference year: how far trends differed "
                "before the programme cannot be seen. Add earlier years to `years.before`"
            )
        if n_after < 1:
            raise ValueError(
                f"{len(points)} coefficients, of which {n_before} are of years before: none is of "
                "a year of the programme"
            )
        if sigma.shape != (len(points), len(points)):
            raise ValueError(
                f"the covariance is {' × '.join(map(str, sigma.shape))}; {len(points)} "
                f"coefficients need {len(points)} × {len(points)}"
            )
        l_vec = np.eye(n_after)[0] if weights is None else np.asarray(weights, dtype="float64")
        if l_vec.shape != (n_after,):
            raise ValueError(
                f"{l_vec.size} weights for {n_after} years of the programme: give one for each"
            )
        if not (np.isfinite(points).all() and np.isfinite(sigma).all()):
            raise ValueError(
                "a coefficient or a variance is missing: leave out the years in which no school "
                "of a cohort is observed"
            )
        if not l_vec.any():
            raise ValueError("all weights of the years of the programme are 0")
        _refuse_singular(sigma)
        pooled = sigma if working is None else np.asarray(working, dtype="float64")
        _refuse_singular(pooled)
        return cls(points, sigma, n_before, n_after, l_vec, pooled)

    @cached_property
    def estimate(self) -> float:
        """The effect that is asked about, were trends parallel."""
        return float(self.weights @ self.estimates[self.n_before :])

    @cached_property
    def std_error(self) -> float:
        """Its standard error."""
        after = self.covariance[self.n_before :, self.n_before :]
        return float(np.sqrt(self.weights @ after @ self.weights))

    @cached_property
    def changes_before(self) -> Array:
        """Contrasts of all coefficients: the change into each year before, up to the reference."""
        size = len(self.estimates)
        contrasts = np.zeros((self.n_before, size))
        at = np.arange(self.n_before)
        contrasts[at, at] = -1.0
        contrasts[at[:-1], at[:-1] + 1] = 1.0  # the last ends in the reference year, which is 0
        return contrasts

    def in_small_samples(
        self, df: float | Sequence[float] | Array, level: float = 0.95
    ) -> EventCoefficients:
        r"""Return the coefficients with a covariance enlarged for its being estimated.

        Critical values of these analyses are those of a normal distribution with a known
        covariance. Each standard error is multiplied by
        :math:`t_{df}(1-\alpha/2)/z(1-\alpha/2)`, correlations staying as they are: with no
        violation of parallel trends the interval is then that of Student's t, and with one it is
        somewhat wider than it need be.

        Parameters
        ----------
        df : float or array (n_before + n_after,)
            Degrees of freedom behind the variances: of all, or of each coefficient. Give years of
            the programme those of the effect that is asked about.
        level : float
        """
        known = np.broadcast_to(np.asarray(df, dtype="float64"), self.estimates.shape)
        if not (known > 0).all():
            raise ValueError(f"degrees of freedom are {known.min():g}; they must be above 0")
        normal = t_quantile((1 + level) / 2, inf)
        ratio = np.array([t_quantile((1 + level) / 2, float(one)) / normal for one in known])
        scale = np.outer(ratio, ratio)
        return replace(self, covariance=self.covariance * scale, working=self.working * scale)


def _refuse_singular(sigma: Array) -> None:
    variances = np.diag(sigma)
    if not (variances > 0).all():
        raise ValueError(
            f"coefficient {int(np.argmin(variances)) + 1} has a variance of {variances.min():.3g}: "
            "an analysis of sensitivity needs a standard error for every year"
        )
    if np.abs(sigma - sigma.T).max() > 1e-8 * variances.max():
        raise ValueError("the covariance of the coefficients is not symmetric")
    scale = np.sqrt(variances)
    least = float(np.linalg.eigvalsh(sigma / np.outer(scale, scale))[0])
    if least < _ROUNDING:
        raise ValueError(
            f"the covariance of {len(sigma)} coefficients is singular: as many years are estimated "
            "from too few schools. Take fewer years (`years.before`), or a model that pools "
            "cohorts"
        )
