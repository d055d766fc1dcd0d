"""One door to the multilevel models: two levels, or three."""

from __future__ import annotations

import numpy as np

from schooltrial.models.moments.school_moments import SchoolMoments
from schooltrial.models.multilevel.result import MultilevelFit, VarianceTerm
from schooltrial.models.reml.centred_regressors import CentredMoments, centre, check_identified
from schooltrial.models.reml.grouped import GroupedModel
from schooltrial.models.reml.newton import search_ratios
from schooltrial.models.reml.profile_likelihood import VarianceModel, profile
from schooltrial.models.reml.relative_covariance import CholeskyRatio


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
