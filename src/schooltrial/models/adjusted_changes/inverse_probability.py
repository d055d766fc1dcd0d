r"""Effects adjusted by weighting: comparison schools are weighted by their odds of treatment.

With p the propensity score and ω_j = w_j p_j/(1 − p_j) for the comparison schools,

.. math:: ATT = \sum_T w_i \Delta_i / \sum_T w_i - \sum_C ω_j \Delta_j / \sum_C ω_j

(Hajek weights; Abadie 2005). The contributions hold the error of the score. Points and
contributions are those of ``std_ipw_did_panel`` and, with weights that are not normalised
(Horvitz and Thompson), of ``ipw_did_panel`` of R's DRDID.
"""

from __future__ import annotations

import numpy as np

from schooltrial.models.adjusted_changes.propensity_score import fit_propensity_score
from schooltrial.models.adjusted_changes.two_groups import (
    AdjustedEffects,
    TwoGroups,
    group_leverage,
    means_of,
)


def adjust_by_inverse_probability(groups: TwoGroups, *, normalised: bool = True) -> AdjustedEffects:
    """Return effects adjusted by inverse probability weighting.

    Parameters
    ----------
    groups : TwoGroups
    normalised : bool
        Whether the odds weights of the comparison schools are divided by their own sum (Hajek) or
        by the weights of the treated (Horvitz and Thompson).

    Raises
    ------
    ValueError
        Where there is no propensity score.
    """
    score = fit_propensity_score(groups)
    own = np.where(groups.treated, groups.weights, 0.0)
    odds = groups.weights * score.odds
    x, changes = groups.covariates, groups.changes
    total = odds.sum() if normalised else own.sum()
    loadings = own / own.sum() - odds / total
    points = loadings @ changes
    if normalised:
        treated_mean, other_mean = means_of(changes, own), means_of(changes, odds)
        rest = changes - np.where(groups.treated[:, None], treated_mean, other_mean)
    else:
        rest, other_mean = changes.copy(), np.zeros(changes.shape[1])
    contributions = loadings[:, None] * rest
    if not normalised:
        contributions -= (own / own.sum())[:, None] * points
    # A comparison school's weight moves with the coefficients of the score by ω x.
    sensitivity = x.T @ (odds[:, None] * (changes - other_mean)) / total
    contributions -= score.responses @ sensitivity
    leverage = group_leverage(groups, own) + group_leverage(groups, odds)
    # The score costs the comparison schools a degree of freedom for each covariate, as if it were
    # a regression of theirs.
    others = odds > 0
    leverage += np.where(others, (x.shape[1] - 1) / others.sum(), 0.0)
    return AdjustedEffects(
        points, loadings, contributions, np.minimum(leverage, 1.0), score.trimmed
    )
