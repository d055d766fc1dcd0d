"""Confidence intervals as the effects that a resampling test does not reject.

Under the hypothesis that the effect is τ, the statistic of draw d is a ratio whose pieces are
polynomials in τ, because residuals and school scores are linear in it:

    t_d(τ) = (a_d − τ c_d)/√(u_d − 2τ v_d + τ² w_d),      observed: t(τ) = (b − τ)/s.

So the p-value of any τ costs one pass over the draws, without drawing or fitting again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.reference_distribution import TIE, share_of

_DOUBLINGS, _HALVINGS = 40, 80


_COARSE, _FINE = 1e-6, 1e-14  # of the search's scale


_ROUNDING = 1e-12  # share of the largest slope that counts as none


@dataclass(frozen=True, eq=False, slots=True)
class InvertibleTest:
    """A two-sided test of every value of an effect.

    Attributes
    ----------
    estimate, std_error : float
        b and s of the observed statistic; s = 1 for a coefficient that is not studentised.
    scale : float
        First step of the search for the ends of the interval; any standard error will do.
    a, c : arrays (D,)
        Numerators of the draws.
    u, v, w : arrays (D,)
        Squared denominators of the draws.
    probability : array (D,) or None
        Of enumerated draws.
    exact : bool
        See `reference_distribution.tail_share`.
    """

    estimate: float
    std_error: float
    scale: float
    a: FloatArray
    c: FloatArray
    u: FloatArray
    v: FloatArray
    w: FloatArray
    probability: FloatArray | None
    exact: bool

    def __post_init__(self) -> None:
        # Draws that repeat or mirror the observed one do not depend on τ: what is left of v and w
        # is rounding, which would grow with τ² and undo the tie far out.
        nothing = self.w <= _ROUNDING * np.nanmax(self.w, initial=0.0)
        object.__setattr__(self, "w", np.where(nothing, 0.0, self.w))
        object.__setattr__(self, "v", np.where(nothing, 0.0, self.v))

    def statistics(self, effect: float) -> FloatArray:
        """Return the draws' statistics (D,) under the hypothesis that the effect is ``effect``."""
        variance = self.u - effect * (2 * self.v - effect * self.w)
        with np.errstate(all="ignore"):
            return np.asarray((self.a - effect * self.c) / np.sqrt(variance))

    def p_value(self, effect: float) -> float:
        """Return the p-value of the hypothesis that the effect is ``effect``, ties counted."""
        extreme = self._extreme(effect, slice(None), tie=2 * TIE)
        return float(share_of(extreme, self.probability, exact=self.exact))

    def _extreme(
        self, effect: float, draws: slice | NDArray[np.intp], *, tie: float
    ) -> NDArray[np.bool_]:
        observed = ((self.estimate - effect) / self.std_error) ** 2
        squared = (self.a[draws] - effect * self.c[draws]) ** 2
        variance = self.u[draws] - effect * (2 * self.v[draws] - effect * self.w[draws])
        return np.asarray(~(squared < observed * (1 - tie) * variance))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of effects with p > 1 − level.

        Each end is searched outwards from the estimate, where p is 1, and is the first value at
        which the p-value falls to 1 − level. The p-value is a step function of the effect; should
        it rise again further out, that part is not included. An end is infinite where no effect is
        rejected on that side, as with very few schools.
        """
        if not 0 < level < 1:
            raise ValueError(f"interval: a level of {level} is not between 0 and 1")
        if self.smallest_p > 1 - level:
            return float("-inf"), float("inf")
        return (
            self.estimate - self._distance(-1, 1 - level),
            self.estimate + self._distance(1, 1 - level),
        )

    @property
    def smallest_p(self) -> float:
        """Return the smallest p-value that there can be: of what was observed alone."""
        if self.probability is not None:
            return float(self.probability.min() / self.probability.sum())
        return 1 / (len(self.a) + (not self.exact))

    def _distance(self, side: int, alpha: float) -> float:
        """Return how far from the estimate p falls to alpha."""
        # A p-value that equals alpha up to rounding of its own sum is a rejection.
        limit = alpha * (1 + 1e-9)
        accepted, rejected = 0.0, 2 * self.scale
        for _ in range(_DOUBLINGS):
            if self.p_value(self.estimate + side * rejected) <= limit:
                break
            accepted, rejected = rejected, 2 * rejected
        else:
            return float("inf")
        for _ in range(_HALVINGS):
            if rejected - accepted <= _COARSE * self.scale:
                break
            middle = (accepted + rejected) / 2
            if self.p_value(self.estimate + side * middle) > limit:
                accepted = middle
            else:
                rejected = middle
        return self._polished(side, accepted, rejected, limit)

    def _polished(self, side: int, accepted: float, rejected: float, limit: float) -> float:
        """Return the exact end, from the draws that change sides between two near effects.

        The allowance for ties has done its work, on draws that tie at every effect; for those that
        change sides it would only move the end by its own size.
        """
        near = max(accepted - _COARSE * self.scale, 0.0)
        far = rejected + _COARSE * self.scale
        every = slice(None)
        inside = self._extreme(self.estimate + side * near, every, tie=2 * TIE)
        outside = self._extreme(self.estimate + side * far, every, tie=2 * TIE)
        changing = np.flatnonzero(inside != outside)
        settled = inside & outside

        def p_at(distance: float) -> float:
            settled[changing] = self._extreme(self.estimate + side * distance, changing, tie=0.0)
            return float(share_of(settled, self.probability, exact=self.exact))

        for _ in range(_HALVINGS):
            if far - near <= _FINE * self.scale:
                break
            middle = (near + far) / 2
            if p_at(middle) > limit:
                near = middle
            else:
                far = middle
        return far
