"""Multilevel models of pupils in schools, by REML or ML, from school moments.

    y_ij = x_ij'β + u_j + e_ij,   u_j ~ N(0, σ²_u),   e_ij ~ N(0, σ²_e / w_ij).

Fixed blocks are indicators among the regressors. The same model with a level above the schools is
in ``three_level``, and with a slope that varies in ``random_slope``; all return a
``MultilevelFit``. Kenward-Roger is the default for standard errors, p-values and intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from schooltrial.models.moments.school_moments import (
    INTERCEPT,
    SchoolMoments,
    compute_school_moments,
    from_frame,
)
from schooltrial.models.multilevel.fitting import fit, identified
from schooltrial.models.multilevel.result import MultilevelFit, VarianceTerm
from schooltrial.models.reml.profile_likelihood import profile
from schooltrial.models.reml.random_intercept import RandomIntercept
from schooltrial.models.reml.relative_covariance import CholeskyRatio


def fit_two_level_moments(
    moments: SchoolMoments,
    *,
    reml: bool = True,
    nesting: str = "pupils in schools",
    level: str = "school",
) -> MultilevelFit:
    """Fit pupils in schools with a random intercept for each school.

    Parameters
    ----------
    moments : SchoolMoments
        Of the regressors and the outcome, as ``school_moments.from_frame`` takes them.
    reml : bool
        Restricted likelihood (default) or likelihood.
    nesting : str
        Whose rows lie in what, as the result names it.
    level : str
        What the schools of the moments are called in the result.

    Returns
    -------
    MultilevelFit

    Raises
    ------
    ValueError
        When coefficients or variances cannot be estimated from the data: collinear
        regressors (named), no fewer school-level regressors than schools, one pupil in every
        school, a constant outcome; see ``centred_regressors.check_identified``.
    """
    centred = identified(moments)
    return fit(
        moments,
        centred,
        _random_intercept(centred.moments),
        CholeskyRatio((1,)),
        (VarianceTerm(level, INTERCEPT),),
        structure=nesting,
        reml=reml,
    )


def fit_two_level(
    y: Any,
    x: Any,
    school: Any,
    *,
    names: Sequence[str],
    weights: Any = None,
    reml: bool = True,
) -> MultilevelFit:
    """Fit the two-level model to arrays.

    Parameters
    ----------
    y : array, shape (N,)
        Outcome.
    x : array, shape (N, p), or sequence of p columns of shape (N,)
        Regressors, a column of ones included where an intercept is wanted.
    school : array, shape (N,)
        School of each pupil.
    names : sequence of str, length p
        Names of the regressors.
    weights : array, shape (N,), optional
        Var(e_ij) = σ²_e / w_ij.
    reml : bool
        Restricted likelihood (default) or likelihood.
    """
    columns = list(x.T) if getattr(x, "ndim", 0) == 2 else list(x)
    moments = compute_school_moments(
        [*columns, y], school, names=(*names, "outcome"), weights=weights
    )
    return fit_two_level_moments(moments, reml=reml)


def fit_two_level_frame(
    frame: Any,
    *,
    outcome: str,
    fixed: Sequence[str],
    school: str,
    weights: str | None = None,
    reml: bool = True,
) -> MultilevelFit:
    """Fit the two-level model, with an intercept, to the columns of a frame."""
    moments = from_frame(frame, outcome=outcome, fixed=fixed, school=school, weights=weights)
    return fit_two_level_moments(moments, reml=reml)


def deviance(moments: SchoolMoments, ratio: float, *, reml: bool = True) -> float:
    """Return −2 log REML (or −2 log L) of the two-level model at a given λ = σ²_u/σ²_e.

    Profiled over β and σ²_e, all constants included.
    """
    model = _random_intercept(identified(moments).moments)
    return profile(model, np.array([float(ratio)]), reml=reml).deviance


def _random_intercept(moments: SchoolMoments) -> RandomIntercept:
    return RandomIntercept(
        moments.n_rows, moments.weight, moments.mean, moments.within, moments.sum_log_weight
    )
