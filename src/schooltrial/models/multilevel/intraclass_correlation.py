"""Intraclass correlations, with intervals from the profiled restricted likelihood.

ρ_k = λ_k/(1 + Σλ): the share of the (conditional) variance that lies at level k. The interval holds
the ρ at which the profiled deviance, minimised over the other ratio where there is one, exceeds its
minimum by no more than the χ²(1) quantile. Unlike a normal approximation it respects the bounds 0
and 1, and stays meaningful when the variance is estimated at zero (the lower end is then 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from schooltrial.models.reml.profile_likelihood import Profile, VarianceModel, profile


@dataclass(frozen=True)
class IntraclassCorrelation:
    """The share of variance at one level.

    Attributes
    ----------
    level : str
        ``"school"`` or the name of the groups.
    estimate, conf_low, conf_high : float
        Between 0 and 1.
    """

    level: str
    estimate: float
    conf_low: float
    conf_high: float


def intraclass_correlations(
    model: VarianceModel, fitted: Profile, terms: Sequence[Any], level: float = 0.95
) -> tuple[IntraclassCorrelation, ...]:
    """Return the intraclass correlation of each level above the pupils.

    Raises
    ------
    ValueError
        When a slope varies: the share of variance then depends on the covariate.
    """
    if any(term.first != "(Intercept)" or term.second is not None for term in terms):
        raise ValueError(
            "the model has a random slope, so that the intraclass correlation depends on the "
            "covariate; expected random intercepts only: take it from a model without the slope"
        )
    return tuple(_at(model, fitted, k, term.level, level) for k, term in enumerate(terms))


def _at(
    model: VarianceModel, fitted: Profile, k: int, name: str, level: float
) -> IntraclassCorrelation:
    from scipy.optimize import brentq

    estimate = float(fitted.ratio[k] / (1.0 + fitted.ratio.sum()))
    allowed = fitted.deviance + float(special.chdtri(1.0, 1.0 - level))
    profiled = _profiled(model, fitted, k)

    def excess(rho: float) -> float:
        return profiled(rho) - allowed

    low = 0.0
    if estimate > 0 and excess(0.0) > 0:
        low = float(brentq(excess, 0.0, estimate, xtol=1e-10, rtol=1e-10))
    high, limit = 1.0, estimate
    while limit < 1.0 - 1e-9:
        limit = 0.5 * (1.0 + limit)
        if excess(limit) > 0:
            high = float(brentq(excess, estimate, limit, xtol=1e-10, rtol=1e-10))
            break
    return IntraclassCorrelation(name, estimate, low, high)


def _profiled(model: VarianceModel, fitted: Profile, k: int) -> Callable[[float], float]:
    """Return the deviance as a function of ρ_k, minimised over the other ratio."""
    if len(fitted.ratio) == 1:
        return lambda rho: profile(model, np.array([rho / (1.0 - rho)]), reml=fitted.reml).deviance
    if len(fitted.ratio) > 2:
        raise ValueError("intervals are available for models of two and three levels")
    other = 1 - k

    def smallest(rho: float) -> float:
        from scipy.optimize import minimize_scalar

        def at(root: float) -> float:
            ratio = np.empty(2)
            ratio[other] = root**2
            ratio[k] = rho * (1.0 + root**2) / (1.0 - rho)
            return profile(model, ratio, reml=fitted.reml).deviance

        widest = 4.0 * (1.0 + float(np.sqrt(fitted.ratio[other])))
        found = minimize_scalar(at, bounds=(0.0, widest), method="bounded", options={"xatol": 1e-7})
        return min(float(found.fun), at(0.0))

    return smallest
