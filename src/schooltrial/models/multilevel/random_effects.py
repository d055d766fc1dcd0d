"""Predicted effects of schools and groups (BLUP), with two kinds of uncertainty.

With H and Λ as in ``reml.grouped``, r = y − Xβ̂ and b the random coefficients of a group,

    b̂ = ΛF'H⁻¹r,   Var(b | y) = σ²(Λ − ΛF'H⁻¹FΛ)            (β known; lme4's ``condVar``),
    Var(b̂ − b) = Var(b | y) + KΦK',  K = ΛF'H⁻¹X             (β estimated: for intervals).

Variance ratios are taken as known (Robinson 1991, Statistical Science 6(1): 15-32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import SchoolMoments
from schooltrial.models.reml.grouped import GroupedModel
from schooltrial.models.reml.profile_likelihood import Profile, VarianceModel
from schooltrial.models.reml.random_intercept import RandomIntercept


@dataclass(frozen=True)
class RandomEffects:
    """Predicted random effects of one level.

    Attributes
    ----------
    level : str
        ``"school"`` or the name of the groups.
    labels : array, shape (G,)
        Schools or groups.
    terms : tuple of str, length s
        Coefficients that vary: ``(Intercept)`` and perhaps a slope.
    effect : array, shape (G, s)
        Predictions, in units of the outcome.
    conditional_variance : array, shape (G, s, s)
        Var(b | y) with β known.
    std_error : array, shape (G, s)
        √Var(b̂ − b), β being estimated.
    error_covariance : array, shape (G, s, s), optional
        Var(b̂ − b), of effects of groups.
    """

    level: str
    labels: NDArray[np.generic]
    terms: tuple[str, ...]
    effect: FloatArray
    conditional_variance: FloatArray
    std_error: FloatArray
    error_covariance: FloatArray | None = None

    def carried(self, back: FloatArray) -> RandomEffects:
        """Return the effects of other coefficients, b = back b̃, with their uncertainty."""
        assert self.error_covariance is not None
        total = back @ self.error_covariance @ back.T
        return replace(
            self,
            effect=self.effect @ back.T,
            conditional_variance=back @ self.conditional_variance @ back.T,
            std_error=np.sqrt(np.diagonal(total, axis1=1, axis2=2)),
            error_covariance=total,
        )


def predict_effects(
    model: VarianceModel,
    profile: Profile,
    moments: SchoolMoments,
    level: str,
    terms: Sequence[Any],
) -> RandomEffects:
    """Return the predicted effects of a level.

    Raises
    ------
    ValueError
        When the model has no such level.
    """
    levels = list(dict.fromkeys(term.level for term in terms))
    if level not in levels:
        raise ValueError(
            f"the model has no effects of level {level!r}; it has those of {', '.join(levels)}"
        )
    names = tuple(t.first for t in terms if t.level == level and t.second is None)
    v = np.append(-profile.beta, 1.0)
    phi = profile.sigma2 * profile.inverse
    if isinstance(model, RandomIntercept):
        pieces = _of_schools(model, profile, v, phi)
        return RandomEffects(level, moments.schools, names, *pieces)
    assert isinstance(model, GroupedModel)
    if model.row_effect and level == levels[0]:
        effect, variance, error = _of_rows(model, profile, v, phi)
        order = np.argsort(model.row_order)
        return RandomEffects(
            level, moments.schools, names, effect[order], variance[order], error[order]
        )
    effect, variance, total = _of_groups(model, profile, v, phi)
    error = np.sqrt(np.diagonal(total, axis1=1, axis2=2))
    return RandomEffects(level, model.group_labels, names, effect, variance, error, total)


Pieces = tuple[FloatArray, FloatArray, FloatArray]


def _of_schools(model: RandomIntercept, profile: Profile, v: FloatArray, phi: FloatArray) -> Pieces:
    ratio = float(profile.ratio[0])
    shrunk = ratio * model.weight / (1.0 + model.weight * ratio)
    effect = shrunk * (model.mean @ v)
    variance = profile.sigma2 * ratio / (1.0 + model.weight * ratio)
    K = shrunk[:, None] * model.mean[:, : len(phi)]
    error = np.sqrt(variance + ((K @ phi) * K).sum(axis=1))
    return effect[:, None], variance[:, None, None], error[:, None]


def _of_rows(model: GroupedModel, profile: Profile, v: FloatArray, phi: FloatArray) -> Pieces:
    own, _ = model.split(profile.ratio)
    solved = model.solved(profile.ratio)
    effect = own * (solved.R @ v)
    aF = solved.a[:, None] * model.design
    diagonal = solved.a - np.einsum("ks,kst,kt->k", aF, solved.U[model.group], aF)
    variance = profile.sigma2 * (own - own**2 * diagonal)
    K = own * solved.R[:, : len(phi)]
    error = np.sqrt(variance + ((K @ phi) * K).sum(axis=1))
    return effect[:, None], variance[:, None, None], error[:, None]


def _of_groups(model: GroupedModel, profile: Profile, v: FloatArray, phi: FloatArray) -> Pieces:
    _, Lambda = model.split(profile.ratio)
    solved = model.solved(profile.ratio)
    spread = Lambda @ solved.W
    effect = spread @ v
    variance = profile.sigma2 * (Lambda - Lambda @ solved.S @ Lambda)
    K = spread[:, :, : len(phi)]
    return effect, variance, variance + K @ phi @ K.transpose(0, 2, 1)
