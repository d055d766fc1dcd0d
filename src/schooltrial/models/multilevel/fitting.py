"""One door to the multilevel models: two levels, or three."""

from __future__ import annotations

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import SchoolMoments
from schooltrial.models.multilevel.kenward_roger import expected_information
from schooltrial.models.multilevel.result import MultilevelFit, VarianceTerm
from schooltrial.models.multilevel.slope_coding import SlopeCoding
from schooltrial.models.reml.centred_regressors import CentredMoments, centre, check_identified
from schooltrial.models.reml.grouped import GroupedModel
from schooltrial.models.reml.newton import search_ratios
from schooltrial.models.reml.profile_likelihood import VarianceModel, profile
from schooltrial.models.reml.relative_covariance import CholeskyRatio


def identified(moments: SchoolMoments) -> CentredMoments:
    """Return centred moments, after checking that coefficients and variances are identified."""
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
    coding: SlopeCoding | None = None,
) -> MultilevelFit:
    """Search the variance ratios of a model and return the fit.

    Raises
    ------
    ValueError
        Where the data cannot tell the variances of groups and schools apart.
    """
    typical = centred.typical_ratio()
    if isinstance(model, GroupedModel):
        start = model.start(typical, centred.ols_beta, shape)
        _refuse_confounded_variances(model, shape.ratio(start), terms)
    else:
        start = np.array([np.sqrt(typical)])
    search = search_ratios(lambda ratio: profile(model, ratio, reml=reml), shape, start)
    return MultilevelFit(moments, model, centred, shape, terms, search, structure, coding)


_CONFOUNDED = 1e-9  # smallest eigenvalue of the information, each variance brought to one
_NO_TRACE = 1e-13  # of the largest: information on a variance below this is the rounding of zero


def _refuse_confounded_variances(
    model: GroupedModel, ratio: FloatArray, terms: tuple[VarianceTerm, ...]
) -> None:
    """Raise where some combination of the variances leaves no trace in the data.

    Their expected information is the Gram matrix of the derivatives of the covariance, the
    regressors taken out: it is singular where these are not independent, at every ratio alike.
    """
    information = expected_information(profile(model, ratio, reml=True), model.n_rows)
    size = np.diag(information)
    there = size > _NO_TRACE * size.max()
    named = ["residual", *(f"{t.level} {t.first}" for t in terms)]
    if there.all():
        values, vectors = np.linalg.eigh(information / np.sqrt(np.outer(size, size)))
        if values[0] > _CONFOUNDED:
            return
        involved = np.abs(vectors[:, 0]) > 0.05
    else:
        involved = ~there
    told = ", ".join(
        dict.fromkeys(
            name.replace(" (Intercept)", "")
            for name, yes in zip(named, involved, strict=True)
            if yes
        )
    )
    raise ValueError(
        f"the data cannot tell these variances apart: {told}. Groups must be more than the "
        "regressors that do not vary within them, and hold several schools (for an effect that "
        "varies over groups: several schools of each group in some group). Leave the upper level "
        "or the varying effect out, or join groups"
    )
