r"""The probability of belonging to the cohort, given covariates: a logit among two groups.

Fitted by maximum likelihood (the weighted logit of ``glm``), or by inverse probability tilting
(Graham, Pinto and Egel 2012), which solves

.. math:: \sum_i w_i (D_i - (1 - D_i) e^{x_i'\gamma}) x_i = 0,

so that the comparison schools, weighted by their odds, have the covariate means of the treated.
Comparison schools whose probability is 0.995 or more are left out, as R's DRDID does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.adjusted_changes.two_groups import BoolArray, TwoGroups, refuse_dependent

LIKELY = 0.995
"""A comparison school is left out from this probability of being treated on."""

CERTAIN = 1 - 1e-6
"""No probability is taken to be larger."""

_STEPS = 60

_DECIDED = 1e-10
"""Information about a direction, as a share of what an even logit has, that separation leaves."""


@dataclass(frozen=True, eq=False)
class PropensityScore:
    """Fitted probabilities of belonging to the cohort.

    Attributes
    ----------
    probabilities : array (n,)
        Of every school.
    odds : array (n,)
        p/(1 − p) of the comparison schools; 0 for those left out and for treated ones.
    responses : array (n, p)
        What each school contributes to the error of the coefficients: its score times the inverse
        information.
    trimmed : int
        Comparison schools left out.
    """

    probabilities: FloatArray
    odds: FloatArray
    responses: FloatArray
    trimmed: int


def fit_propensity_score(groups: TwoGroups) -> PropensityScore:
    """Fit the logit by maximum likelihood.

    Raises
    ------
    ValueError
        Where covariates are collinear, or predict exactly who is treated.
    """
    x, w = groups.covariates, groups.weights / groups.weights.mean()
    d = groups.treated.astype("float64")
    refuse_dependent(x, w, groups.names, "schools of the cell")
    centre, scale, z = _standardised(x)
    gamma = np.zeros(x.shape[1])
    gamma[0] = np.log(w @ d / (w @ (1 - d)))
    likelihood = _log_likelihood(z @ gamma, d, w)
    for _ in range(_STEPS):
        p = _logistic(z @ gamma)
        score = z.T @ (w * (d - p))
        information = (z.T * (w * p * (1 - p))) @ z
        _refuse_separated(information, groups, z @ gamma)
        step = np.linalg.solve(information, score)
        tried = _log_likelihood(z @ (gamma + step), d, w)
        while tried < likelihood - 1e-12 * abs(likelihood):
            step = step / 2
            tried = _log_likelihood(z @ (gamma + step), d, w)
        gamma, likelihood = gamma + step, tried
        if np.abs(step).max() < 1e-10 * max(1.0, float(np.abs(gamma).max())):
            break
    else:
        _raise_separated(groups, z @ gamma)
    p = _logistic(z @ gamma)
    information = (z.T * (w * p * (1 - p))) @ z
    responses = (w * (d - p))[:, None] * z @ np.linalg.inv(information)
    return _scored(groups, p, _unscaled(responses, centre, scale))


def tilt_propensity_score(groups: TwoGroups) -> PropensityScore:
    """Fit the logit by inverse probability tilting.

    Its odds give the comparison schools the covariate means of the treated; the errors of its
    coefficients do not matter to first order, and ``responses`` are zero.

    Raises
    ------
    ValueError
        As ``fit_propensity_score``, and where no odds balance the covariates.
    """
    start = fit_propensity_score(groups)
    x, w = groups.covariates, groups.weights / groups.weights.mean()
    _, _, z = _standardised(x)
    d = groups.treated.astype("float64")
    p = start.probabilities
    gamma: FloatArray = np.linalg.lstsq(z, np.log(p / (1 - p)), rcond=None)[0].astype(np.float64)
    aim = z.T @ (w * d)
    controls = w * (1 - d)

    def loss(at: FloatArray) -> float:
        with np.errstate(over="ignore"):
            return float(controls @ np.exp(z @ at) - aim @ at)

    for _ in range(_STEPS):
        odds = controls * np.exp(z @ gamma)
        score = aim - z.T @ odds
        step = np.linalg.solve((z.T * odds) @ z, score)
        now = loss(gamma)
        while not loss(gamma + step) <= now + 1e-12 * abs(now):
            step = step / 2
        gamma = gamma + step
        if np.abs(step).max() < 1e-11 * max(1.0, float(np.abs(gamma).max())):
            break
    else:
        _raise_separated(groups, z @ gamma)
    return _scored(groups, _logistic(z @ gamma), np.zeros_like(z))


def _scored(groups: TwoGroups, p: FloatArray, responses: FloatArray) -> PropensityScore:
    p = np.minimum(p, CERTAIN)
    controls: BoolArray = ~groups.treated
    kept = controls & (p < LIKELY)
    if not kept.any():
        raise ValueError(
            "no school that is compared with resembles those treated (the probability of being "
            f"treated is {LIKELY} or more for all); take `adjustment: regression`, or name fewer "
            "`covariates`"
        )
    odds = np.where(kept, p / (1 - p), 0.0)
    return PropensityScore(p, odds, responses, int((controls & ~kept).sum()))


def _standardised(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return centres, scales and the columns in standard units, but for the constant."""
    centre, scale = x.mean(axis=0), x.std(axis=0)
    centre[0], scale[0] = 0.0, 1.0
    scale[scale == 0] = 1.0
    return centre, scale, (x - centre) / scale


def _unscaled(responses: FloatArray, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """Return responses of the coefficients of the columns as they were given."""
    found = responses / scale
    found[:, 0] -= found[:, 1:] @ centre[1:]
    return found


def _logistic(index: FloatArray) -> FloatArray:
    small = np.exp(-np.abs(index))
    found: FloatArray = np.where(index >= 0, 1 / (1 + small), small / (1 + small))
    return found


def _log_likelihood(index: FloatArray, d: FloatArray, w: FloatArray) -> float:
    return float(w @ (d * index - np.logaddexp(0.0, index)))


def _refuse_separated(information: FloatArray, groups: TwoGroups, index: FloatArray) -> None:
    if np.linalg.eigvalsh(information)[0] < _DECIDED * len(index):
        _raise_separated(groups, index)


def _raise_separated(groups: TwoGroups, index: FloatArray) -> None:
    """Raise if some combination of covariates separates treated from others without error."""
    x, d = groups.covariates, groups.treated
    named = [
        name
        for at, name in enumerate(groups.names, start=1)
        if x[d, at].min() >= x[~d, at].max() or x[d, at].max() <= x[~d, at].min()
    ]
    why = (
        f"{', '.join(repr(name) for name in named)} alone separates them" if named
        else "a combination of them does"
    )  # fmt: skip
    raise ValueError(
        f"the covariates predict for some schools without error whether they are treated ({why}; "
        f"{int(d.sum())} treated, {int((~d).sum())} others), so that there is no propensity score. "
        "Take `adjustment: regression`, or name fewer `covariates`"
    )
