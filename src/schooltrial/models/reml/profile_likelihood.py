"""The profiled (restricted) likelihood of a linear mixed model, from weighted cross-products.

With V = σ²H(λ) and λ the ratios of variances (and covariances) to the residual variance σ²,

    M(λ) = [X y]' H⁻¹ [X y],   C = X'H⁻¹X,   β = C⁻¹X'H⁻¹y,   RSS = y'H⁻¹y − β'Cβ,

and −2 log REML, profiled over σ² = RSS/(N − p), is

    d(λ) = log|H| + log|C| + (N − p)(1 + log(2π RSS/(N − p))),

ML being the same without log|C| and with N for N − p (Bates, Mächler, Bolker & Walker 2015, Journal
of Statistical Software 67(1), eq. 34 and 41; constants as there). H is linear in λ, so that first
and second derivatives of M and log|H| are cross-products of the same kind, and

    RSS_i  = v'M_i v,                        v = (−β, 1),
    RSS_ij = v'M_ij v − 2 w_i'C⁻¹w_j,        w_i = the rows of X of M_i v.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg import lapack

from schooltrial.arrays import FloatArray


class WeightedProducts(NamedTuple):
    """M and log|H| at one λ, with first and second derivatives in the r parameters.

    Attributes
    ----------
    M, M1, M2 : arrays of shapes (q, q), (r, q, q), (r, r, q, q)
        Cross-products weighted by H⁻¹, the outcome last.
    logdet, logdet1, logdet2 : float, arrays of shapes (r,), (r, r)
        log|H|.
    """

    M: FloatArray
    M1: FloatArray
    M2: FloatArray
    logdet: float
    logdet1: FloatArray
    logdet2: FloatArray


class VarianceModel(Protocol):
    """What a model must offer: its parameters and its weighted products."""

    @property
    def n_rows(self) -> int:
        """N, the pupils."""

    @property
    def n_parameters(self) -> int:
        """r, the number of variance and covariance ratios."""

    def products(self, ratio: FloatArray) -> WeightedProducts:
        """Return M and log|H| with derivatives at λ."""


@dataclass(frozen=True)
class Profile:
    """The profiled likelihood at one λ.

    Attributes
    ----------
    ratio : array, shape (r,)
        λ.
    deviance : float
        d(λ), constants included.
    gradient, hessian : arrays of shapes (r,), (r, r)
        Derivatives of d in λ.
    beta : array, shape (p,)
        Generalised least squares.
    inverse : array, shape (p, p)
        C⁻¹.
    sigma2 : float
        Residual variance.
    rss1, rss2 : arrays of shapes (r,), (r, r)
        Derivatives of RSS.
    products : WeightedProducts
        What all this was made of.
    degrees : int
        N − p for REML, N for ML.
    reml : bool
        Which of the two.
    """

    ratio: FloatArray
    deviance: float
    gradient: FloatArray
    hessian: FloatArray
    beta: FloatArray
    inverse: FloatArray
    sigma2: float
    rss1: FloatArray
    rss2: FloatArray
    products: WeightedProducts
    degrees: int
    reml: bool


def profile(model: VarianceModel, ratio: FloatArray, *, reml: bool = True) -> Profile:
    """Return the profiled likelihood at λ, with its gradient and Hessian.

    Parameters
    ----------
    model : VarianceModel
        The model's data and covariance structure.
    ratio : array, shape (r,)
        λ.
    reml : bool
        Restricted likelihood, or likelihood.
    """
    products = model.products(ratio)
    M, M1, M2 = products.M, products.M1, products.M2
    p, r = len(M) - 1, len(M1)
    degrees = model.n_rows - p if reml else model.n_rows
    factor, failed = lapack.dpotrf(M[:p, :p], lower=1)
    if failed:
        raise np.linalg.LinAlgError(
            f"the cross-products of the regressors are not positive definite (pivot {failed})"
        )
    half, _ = lapack.dtrtri(factor, lower=1)
    inverse = half.T @ half
    v = np.ones(p + 1)
    v[:p] = -lapack.dpotrs(factor, M[:p, p], lower=1)[0]
    rss = float(v @ M @ v)
    Mv = M1 @ v
    rss1 = Mv @ v
    w = Mv[:, :p]
    rss2 = M2 @ v @ v - 2.0 * ((w @ inverse) @ w.T)
    relative = rss1 / rss
    gradient = products.logdet1 + degrees * relative
    hessian = products.logdet2 + degrees * (rss2 / rss - relative[:, None] * relative)
    deviance = products.logdet + degrees * (1.0 + log(2.0 * pi * rss / degrees))
    if reml:
        solved = inverse @ M1[:, :p, :p]
        flat = solved.reshape(r, -1)
        turned = solved.transpose(0, 2, 1).reshape(r, -1)
        gradient += flat[:, :: p + 1].sum(axis=1)
        hessian += M2[:, :, :p, :p].reshape(r, r, -1) @ inverse.ravel() - flat @ turned.T
        deviance += 2.0 * float(np.log(factor.ravel()[:: p + 1]).sum())
    return Profile(
        ratio=ratio,
        deviance=deviance,
        gradient=gradient,
        hessian=hessian,
        beta=-v[:p],
        inverse=inverse,
        sigma2=rss / degrees,
        rss1=rss1,
        rss2=rss2,
        products=products,
        degrees=degrees,
        reml=reml,
    )
