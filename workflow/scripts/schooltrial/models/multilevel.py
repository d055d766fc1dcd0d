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

from schooltrial.models.cholesky_ratio import CholeskyRatio
from schooltrial.models.explained_variance import ExplainedVariance, explained_variance
from schooltrial.models.fixed_effects import CentredMoments, centre, check_identified
from schooltrial.models.grouped_model import GroupedModel
from schooltrial.models.moments import INTERCEPT, SchoolMoments, from_frame, school_moments
from schooltrial.models.multilevel_fit import MultilevelFit, VarianceTerm
from schooltrial.models.random_intercept import RandomIntercept
from schooltrial.models.restricted_likelihood import VarianceModel, profile
from schooltrial.models.variance_search import search_ratios


def two_level(
    moments: SchoolMoments, *, reml: bool = True, nesting: str = "pupils in schools"
) -> MultilevelFit:
    """Fit pupils in schools with a random intercept for each school.

    Parameters
    ----------
    moments : SchoolMoments
        Of the regressors and the outcome, as ``moments.from_frame`` takes them.
    reml : bool
        Restricted likelihood (default) or likelihood.
    nesting : str
        Whose rows lie in what, as the result names it.

    Returns
    -------
    MultilevelFit

    Raises
    ------
    ValueError
        When coefficients or variances cannot be told from the data: collinear regressors (named),
        no fewer school-level regressors than schools, one pupil in every school, a constant
        outcome; see ``fixed_effects.check_identified``.
    """
    centred = identified(moments)
    return fit(
        moments,
        centred,
        _random_intercept(centred.moments),
        CholeskyRatio((1,)),
        (VarianceTerm("school", INTERCEPT),),
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
    moments = school_moments([*columns, y], school, names=(*names, "outcome"), weights=weights)
    return two_level(moments, reml=reml)


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
    return two_level(moments, reml=reml)


def deviance(moments: SchoolMoments, ratio: float, *, reml: bool = True) -> float:
    """Return −2 log REML (or −2 log L) of the two-level model at a given λ = σ²_u/σ²_e.

    Profiled over β and σ²_e, all constants included.
    """
    model = _random_intercept(identified(moments).moments)
    return profile(model, np.array([float(ratio)]), reml=reml).deviance


def r_squared(fitted: MultilevelFit) -> tuple[ExplainedVariance, ...]:
    """Return R² by level against the empty model, which is fitted here.

    Raises
    ------
    ValueError
        When the model has a random slope, or no intercept to keep.
    """
    if INTERCEPT not in fitted.names:
        raise ValueError(
            f"the model has no {INTERCEPT} and so no empty model; expected one: add the intercept"
        )
    empty = empty_model(fitted)
    levels = [*dict.fromkeys(term.level for term in fitted.terms), "residual"]
    return explained_variance(
        {name: empty.variance(name) for name in levels},
        {name: fitted.variance(name) for name in levels},
    )


def empty_model(fitted: MultilevelFit) -> MultilevelFit:
    """Fit an intercept alone with the same random intercepts, to the same pupils."""
    if any(term.first != INTERCEPT for term in fitted.terms):
        raise ValueError(
            "the empty model is that of random intercepts; expected a fit without random slope"
        )
    moments = fitted.moments.select((INTERCEPT,))
    if len(fitted.terms) == 1:
        return two_level(moments, reml=fitted.reml)
    from schooltrial.models.three_level import three_level

    return three_level(moments, level=fitted.terms[1].level, reml=fitted.reml)


def identified(moments: SchoolMoments) -> CentredMoments:
    """Return centred moments, having seen that coefficients and variances can be told."""
    centred = centre(moments)
    check_identified(centred)
    return centred


def fit(
    moments: SchoolMoments,
    centred: CentredMoments,
    model: VarianceModel,
    shape: CholeskyRatio,
    terms: tuple[VarianceTerm, ...],
    *,
    structure: str,
    reml: bool,
) -> MultilevelFit:
    """Search the variance ratios of a model and return the fit."""
    typical = centred.typical_ratio()
    if isinstance(model, GroupedModel):
        start = model.start(typical, centred.ols_beta, shape)
    else:
        start = np.array([np.sqrt(typical)])
    search = search_ratios(lambda ratio: profile(model, ratio, reml=reml), shape, start)
    return MultilevelFit(moments, model, centred, shape, terms, search, structure)


def _random_intercept(moments: SchoolMoments) -> RandomIntercept:
    return RandomIntercept(
        moments.n_rows, moments.weight, moments.mean, moments.within, moments.sum_log_weight
    )
