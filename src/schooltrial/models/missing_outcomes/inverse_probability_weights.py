"""Weights with which observed individuals represent those who were not observed.

The probability of being observed is a logistic function of what was known at baseline,
p_i = 1/(1 + exp(−x_i'γ)), fitted by maximum likelihood; each observed pupil then counts 1/p_i. The
weighted estimate is free of attrition bias if, given x, being observed has nothing to do with the
outcome (Wooldridge 2007, Journal of Econometrics 141, 1281-1301).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from schooltrial.arrays import FloatArray

_MOST_ITERATIONS = 60


_CERTAIN = 1e-6
"""A fitted probability this near 0 or 1 is one: its cell has no variation."""


@dataclass(frozen=True)
class ResponseModel:
    """A logistic model of who was observed.

    Attributes
    ----------
    names : tuple of str
        Columns.
    coefficients : (p,) array
        γ; those of columns that others determine are 0.
    probability : (N,) array
        Fitted probability of being observed.
    deviance : float
        −2 log likelihood.
    iterations : int
        Newton steps taken.
    converged : bool
        Whether the deviance settled.
    certain : int
        Pupils whose fitted probability is 0 or 1 to within 1e-6: in some cell of the regressors
        everybody, or nobody, was observed, and coefficients run off to infinity.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    probability: FloatArray
    deviance: float
    iterations: int
    converged: bool
    certain: int


def fit_response(
    observed: ArrayLike, columns: Sequence[ArrayLike], names: Sequence[str]
) -> ResponseModel:
    """Fit the probability of being observed by Newton's method with step halving.

    Parameters
    ----------
    observed : (N,) array_like
        1 where the outcome was observed, else 0.
    columns : sequence of (N,) array_like
        Regressors, an intercept included.
    names : sequence of str
        Name of each column.

    Returns
    -------
    ResponseModel

    Raises
    ------
    ValueError
        If nobody or everybody was observed, or a regressor is missing somewhere.

    Notes
    -----
    Columns that others determine do no harm: the step is the shortest one that solves the normal
    equations. Convergence is judged by the deviance, which settles even where a cell is observed
    completely and its coefficient has no finite value.
    """
    r = np.asarray(observed, dtype=np.float64)
    X = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
    for name, column in zip(names, X.T, strict=True):
        if not np.isfinite(column).all():
            raise ValueError(f"response model: {name!r} is missing for a pupil; fill it first")
    if not 0 < r.sum() < len(r):
        whom = "nobody" if r.sum() == 0 else "everybody"
        raise ValueError(f"response model: {whom} was observed; there is nothing to model")
    scale = np.sqrt(np.mean(X**2, axis=0))
    scaled = X / np.where(scale > 0, scale, 1.0)
    gamma = np.zeros(X.shape[1])
    deviance, iterations, converged = _deviance(r, scaled @ gamma), 0, False
    while iterations < _MOST_ITERATIONS and not converged:
        iterations += 1
        step = _newton_step(r, scaled, gamma)
        before = deviance
        gamma, deviance = _damped(r, scaled, gamma, step, before)
        converged = before - deviance <= 1e-12 * (deviance + 0.1)
    p = special.expit(scaled @ gamma)
    certain = int(np.sum((p < _CERTAIN) | (p > 1 - _CERTAIN)))
    back = gamma / np.where(scale > 0, scale, 1.0)
    return ResponseModel(tuple(names), back, p, deviance, iterations, converged, certain)


def _deviance(r: FloatArray, index: FloatArray) -> float:
    return float(2 * np.sum(np.logaddexp(0.0, np.where(r == 1, -index, index))))


def _newton_step(r: FloatArray, X: FloatArray, gamma: FloatArray) -> FloatArray:
    p = special.expit(X @ gamma)
    information = X.T @ ((p * (1 - p))[:, None] * X)
    step: FloatArray = np.linalg.lstsq(information, X.T @ (r - p), rcond=1e-12)[0]
    return step


def _damped(
    r: FloatArray, X: FloatArray, gamma: FloatArray, step: FloatArray, before: float
) -> tuple[FloatArray, float]:
    """Return the point after the longest of the halved steps that does not raise the deviance."""
    for _ in range(30):
        there = gamma + step
        deviance = _deviance(r, X @ there)
        if deviance <= before:
            return there, deviance
        step = step / 2
    return gamma, before


@dataclass(frozen=True)
class ResponseWeights:
    """Weights of those who were observed.

    Attributes
    ----------
    weights : (N,) array
        1/p where observed, 0 elsewhere.
    largest : float
        The largest weight over the mean weight of the observed.
    effective_size : float
        (Σw)²/Σw²: the number of equally weighted pupils that would be as precise.
    unrepresented : int
        Pupils whose like were never observed (fitted probability 0): no weight can stand for them.
    """

    weights: FloatArray
    largest: float
    effective_size: float
    unrepresented: int


def response_weights(observed: ArrayLike, model: ResponseModel) -> ResponseWeights:
    """Return the inverse of the fitted probability for each pupil who was observed.

    Parameters
    ----------
    observed : (N,) array_like
        1 where the outcome was observed, else 0.
    model : ResponseModel
        From ``fit_response`` on the same pupils.
    """
    r = np.asarray(observed, dtype=np.float64)
    weights = np.where(r == 1, 1 / np.maximum(model.probability, _CERTAIN), 0.0)
    there = weights[r == 1]
    return ResponseWeights(
        weights,
        float(there.max() / there.mean()),
        float(there.sum() ** 2 / (there @ there)),
        int(np.sum((r == 0) & (model.probability < _CERTAIN))),
    )
