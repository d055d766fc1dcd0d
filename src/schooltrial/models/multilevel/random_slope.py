"""Slopes that vary: of the treatment over blocks or sites, of a pupil covariate over schools.

Treatment given to schools within sites d, with an intercept and a treatment effect of each site:

    y_ijd = x_ijd'β + v_0d + v_1d z_jd + u_jd + e_ijd,   (v_0d, v_1d) ~ N(0, Λσ²_e);

a covariate s_ij that varies within schools (the treatment itself, where pupils are randomised):

    y_ij = x_ij'β + u_0j + u_1j s_ij + e_ij.

For the second, a school's data are cut into its mean, the direction in which s varies within it,
and what is orthogonal to both: two summary rows for each school suffice, of weights w_j and
Σ w(s − s̄)².
"""

from __future__ import annotations

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import (
    CONSTANT_WITHIN,
    INTERCEPT,
    SchoolMoments,
)
from schooltrial.models.multilevel.fitting import fit, identified
from schooltrial.models.multilevel.result import MultilevelFit, VarianceTerm
from schooltrial.models.multilevel.slope_coding import SlopeCoding, code_slope
from schooltrial.models.multilevel.three_level import schools_in_groups
from schooltrial.models.reml.grouped import GroupedModel
from schooltrial.models.reml.relative_covariance import CholeskyRatio

_INTERCEPT = np.array([[1.0, 0.0], [0.0, 0.0]])


_COVARIANCE = np.array([[0.0, 1.0], [1.0, 0.0]])


_SLOPE = np.array([[0.0, 0.0], [0.0, 1.0]])


def random_treatment(
    moments: SchoolMoments,
    treatment: str,
    *,
    level: str = "group",
    correlated: bool = True,
    reml: bool = True,
) -> MultilevelFit:
    """Fit a treatment effect that varies between the blocks of schools.

    Parameters
    ----------
    moments : SchoolMoments
        Taken with ``group=``.
    treatment : str
        A regressor that does not vary within schools.
    level : str
        What the groups are called in the result.
    correlated : bool
        Whether the group's intercept and effect may be correlated.
    reml : bool
        Restricted likelihood (default) or likelihood.

    Raises
    ------
    ValueError
        As ``three_level``, and when the treatment varies within schools, or within no group; and
        where no group has two schools of the same group, so that an effect that varies over groups
        is the same as schools that differ.
    """
    at = moments.position(treatment)
    if not moments.school_level[at]:
        raise ValueError(
            f"{treatment!r} varies within schools; expected a school-level treatment: for pupils "
            "randomised within sites use random_pupil_slope with the sites as schools"
        )
    centred = identified(moments)
    coding = code_slope(moments.mean[:, at], moments.weight, 0.0, correlated=correlated)
    design = np.column_stack((np.ones(moments.n_schools), coding.of(moments.mean[:, at])))
    model = schools_in_groups(centred.moments, design, _patterns(correlated))
    low = np.minimum.reduceat(model.design[:, 1], model.starts)
    high = np.maximum.reduceat(model.design[:, 1], model.starts)
    if not np.any(high > low):
        raise ValueError(
            f"{treatment!r} varies within no {level}; expected several {level}s with intervention "
            f"and control schools: an effect that varies over {level}s cannot be separated from "
            f"the {level}s themselves"
        )
    pairs = np.unique(np.column_stack((model.group, model.design[:, 1])), axis=0)
    if len(pairs) == moments.n_schools:
        raise ValueError(
            f"no {level} has two schools with the same {treatment!r}: with one school of each "
            f"in every {level}, the variation of the effect over {level}s cannot be "
            "separated from differences between schools. Fit one effect for all "
            f"(`fit_three_level`), or join {level}s"
        )
    return fit(
        moments,
        centred,
        model,
        CholeskyRatio((1, 2) if correlated else (1, 1, 1)),
        (VarianceTerm("school", INTERCEPT), *_terms(level, treatment, correlated)),
        structure=f"pupils in schools in {level} groups, {treatment} varies over {level} groups",
        reml=reml,
        coding=coding,
    )


def random_pupil_slope(
    moments: SchoolMoments, slope: str, *, correlated: bool = True, reml: bool = True
) -> MultilevelFit:
    """Fit a slope of a pupil covariate that varies between schools.

    Parameters
    ----------
    moments : SchoolMoments
        Taken with ``by_school=True``.
    slope : str
        A regressor that varies within schools. Uncorrelated effects depend on its origin: centre
        it where zero is no value of interest.
    correlated : bool
        Whether a school's intercept and slope may be correlated; tests then do not depend on the
        origin of the regressor.
    reml : bool
        Restricted likelihood (default) or likelihood.

    Raises
    ------
    ValueError
        As ``multilevel.two_level``, and when the regressor does not vary within schools, or the
        moments were taken without cross-products by school.
    """
    at = moments.position(slope)
    if moments.school_level[at]:
        raise ValueError(
            f"{slope!r} does not vary within schools; expected a pupil-level regressor: for a "
            "treatment of schools use random_treatment"
        )
    if moments.within_by_school is None:
        raise ValueError(
            "a slope that varies over schools needs the cross-products of each school: take the "
            "moments with by_school=True"
        )
    centred = identified(moments)
    inside = float(moments.within[at, at])
    coding = code_slope(moments.mean[:, at], moments.weight, inside, correlated=correlated)
    return fit(
        moments,
        centred,
        _two_rows_each(moments, centred.moments, coding, at, _patterns(correlated)),
        CholeskyRatio((2,) if correlated else (1, 1)),
        _terms("school", slope, correlated),
        structure=f"pupils in schools, {slope} varies over schools",
        reml=reml,
        coding=coding,
    )


def _patterns(correlated: bool) -> FloatArray:
    return np.array([_INTERCEPT, _COVARIANCE, _SLOPE] if correlated else [_INTERCEPT, _SLOPE])


def _terms(level: str, slope: str, correlated: bool) -> tuple[VarianceTerm, ...]:
    both = (VarianceTerm(level, INTERCEPT, slope),) if correlated else ()
    return (VarianceTerm(level, INTERCEPT), *both, VarianceTerm(level, slope))


def _two_rows_each(
    given: SchoolMoments,
    moments: SchoolMoments,
    coding: SlopeCoding,
    at: int,
    patterns: FloatArray,
) -> GroupedModel:
    """Return the model whose rows are each school's mean and its within-school slope direction.

    ``given`` are the moments with the regressor's own means, ``moments`` the centred ones.
    """
    assert moments.within_by_school is not None
    n_schools, q = moments.mean.shape
    products = moments.within_by_school[:, at, :] / coding.spread
    spread = products[:, at] / coding.spread
    # What rounding leaves in a school whose pupils are alike is no direction.
    size = given.weight * (given.mean[:, at] / coding.spread) ** 2
    varies = spread > CONSTANT_WITHIN * size
    spread = np.where(varies, spread, 0.0)
    direction = np.zeros((n_schools, q))
    direction[varies] = products[varies] / spread[varies, None]
    rest = moments.within - direction.T @ products
    rest[at, :] = rest[:, at] = 0.0
    rows = np.stack((moments.mean, direction), axis=1).reshape(-1, q)
    design = np.zeros((n_schools, 2, 2))
    design[:, 0, 0] = design[:, 1, 1] = 1.0
    design[:, 0, 1] = coding.of(given.mean[:, at])
    return GroupedModel(
        n_rows=moments.n_rows,
        weight=np.column_stack((moments.weight, spread)).ravel(),
        rows=rows,
        design=design.reshape(-1, 2),
        group=np.repeat(np.arange(n_schools), 2),
        rest=0.5 * (rest + rest.T),
        patterns=patterns,
        row_effect=False,
        group_labels=moments.schools,
        row_order=np.arange(2 * n_schools),
        sum_log_weight=moments.sum_log_weight,
    )
