"""Three levels: pupils in schools in districts, blocks, pairs or sites, by REML or ML.

    y_ijd = x_ijd'β + v_d + u_jd + e_ijd,   v_d ~ N(0, σ²_v).

With f_d = 1 + λ2 Σ_j a_j and g_d = Σ_j a_j z̄_j, the two-level cross-products lose
(λ2/f_d) g_d g_d' and log|H| gains log f_d. Random blocks are the same model with the blocks as the
upper level.
"""

from __future__ import annotations

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import INTERCEPT, SchoolMoments
from schooltrial.models.multilevel.fitting import fit, identified
from schooltrial.models.multilevel.result import MultilevelFit, VarianceTerm
from schooltrial.models.reml.grouped import GroupedModel
from schooltrial.models.reml.relative_covariance import CholeskyRatio


def fit_three_level(
    moments: SchoolMoments,
    *,
    level: str = "group",
    reml: bool = True,
    nesting: str = "pupils in schools",
    inner: str = "school",
) -> MultilevelFit:
    """Fit random intercepts for schools and for the groups that they lie in.

    Parameters
    ----------
    moments : SchoolMoments
        Taken with ``group=``, the district, block, pair or site of each pupil.
    level : str
        What the groups are called in the result.
    reml : bool
        Restricted likelihood (default) or likelihood.
    nesting : str
        As in ``multilevel.two_level``.
    inner : str
        What the schools of the moments are called in the result.

    Raises
    ------
    ValueError
        As ``multilevel.two_level``, and when the moments have no groups, or one only, or one
        school in every group.
    """
    centred = identified(moments)
    design = np.ones((moments.n_schools, 1))
    model = schools_in_groups(centred.moments, design, np.ones((1, 1, 1)))
    if len(model.group_labels) == moments.n_schools:
        raise ValueError(
            f"every {level} has one {inner}, so that its effect is the {inner}'s; expected groups "
            f"of several {inner}s: give this model one level alone (`random_levels: [{inner}]`)"
        )
    return fit(
        moments,
        centred,
        model,
        CholeskyRatio((1, 1)),
        (VarianceTerm(inner, INTERCEPT), VarianceTerm(level, INTERCEPT)),
        structure=f"{nesting} in {level} groups",
        reml=reml,
    )


def schools_in_groups(
    moments: SchoolMoments, design: FloatArray, patterns: FloatArray
) -> GroupedModel:
    """Return the model whose rows are school means, with an effect of each school.

    Parameters
    ----------
    moments : SchoolMoments
        Centred, with groups.
    design : array, shape (J, s)
        Regressors of the group's random coefficients, one row for each school.
    patterns : array, shape (m, s, s)
        Elements of Λ.
    """
    if moments.groups is None:
        raise ValueError(
            "the moments do not say which group a school lies in; expected a block, district or "
            "site for each: take the moments with group="
        )
    labels, codes = np.unique(moments.groups, return_inverse=True)
    if len(labels) < 2:
        raise ValueError(
            f"all schools lie in one group ({labels[0]}); expected several: leave the upper level "
            "out"
        )
    order = np.argsort(codes, kind="stable")
    return GroupedModel(
        n_rows=moments.n_rows,
        weight=moments.weight[order],
        rows=moments.mean[order],
        design=design[order],
        group=codes[order].astype(np.int64),
        rest=moments.within,
        patterns=patterns,
        row_effect=True,
        group_labels=labels,
        row_order=order,
        sum_log_weight=moments.sum_log_weight,
    )
