"""Rules by which a re-randomised trial accepted its draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.models.assignment.design import AcceptanceRule, Codes


def mahalanobis_distance(codes: Codes, covariates: ArrayLike) -> NDArray[np.float64]:
    """Return the Mahalanobis distance between the arms' covariate means, for each draw.

    M = (n_T·n_C/n)·(x̄_T − x̄_C)'S⁻¹(x̄_T − x̄_C), S the covariance of the units' covariates; the
    pseudo-inverse stands in where covariates are collinear.

    Parameters
    ----------
    codes : int8 array (draws × units)
        Group numbers; 1 is treated, all others are compared with it.
    covariates : array (units × p)

    Notes
    -----
    Morgan & Rubin (2012), Annals of Statistics 40, 1263-1282.
    """
    x = np.asarray(covariates, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    x = x - x.mean(axis=0)
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(x, rowvar=False)))
    treated = np.asarray(codes == 1, dtype=float)
    n_treated = treated.sum(axis=1)
    n_control = len(x) - n_treated
    # The covariates sum to zero: the difference of means is one sum times n/(n_T n_C).
    gap = treated @ x * (len(x) / (n_treated * n_control))[:, None]
    form = np.einsum("dp,pq,dq->d", gap, inverse, gap)
    return np.asarray(n_treated * n_control / len(x) * form)


def mahalanobis_at_most(covariates: ArrayLike, threshold: float) -> AcceptanceRule:
    """Accept a draw if its Mahalanobis distance is at most a threshold.

    The comparison allows a relative 1e-9 for rounding, so that mirrored draws are judged alike.
    """

    def rule(codes: Codes) -> NDArray[np.bool_]:
        return np.asarray(mahalanobis_distance(codes, covariates) <= threshold * (1 + 1e-9))

    return rule


def means_differ_by_at_most(covariates: ArrayLike, tolerance: ArrayLike) -> AcceptanceRule:
    """Accept a draw if no covariate's means differ by more than a limit.

    Parameters
    ----------
    covariates : array (units × p)
    tolerance : float or array (p,)
        Largest admissible |x̄_T − x̄_C|, in the covariate's units.
    """
    x = np.asarray(covariates, dtype=float)
    x = x[:, None] if x.ndim == 1 else x

    def rule(codes: Codes) -> NDArray[np.bool_]:
        treated = np.asarray(codes == 1, dtype=float)
        n_treated = treated.sum(axis=1, keepdims=True)
        in_treated = treated @ x
        gap = in_treated / n_treated - (x.sum(axis=0) - in_treated) / (len(x) - n_treated)
        return np.asarray((np.abs(gap) <= np.asarray(tolerance) + 1e-9).all(axis=1))

    return rule
