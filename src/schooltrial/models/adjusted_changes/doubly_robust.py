r"""Effects adjusted by both a regression and a propensity score (Sant'Anna and Zhao 2020).

With residuals r = Δ − x'β of the regression among the schools compared with, and ω their weights
times the odds of treatment,

.. math:: ATT = \sum_T w_i r_i / \sum_T w_i - \sum_C ω_j r_j / \sum_C ω_j,

which is right when either the regression or the score is. The traditional form fits the regression
by least squares and the score by maximum likelihood (``drdid_panel`` of R's DRDID, and the default
of ``did``); the improved form weights the regression by the odds of a tilted score
(``drdid_imp_panel``), so that errors of neither matter to first order.
"""

from __future__ import annotations

import numpy as np

from schooltrial.models.adjusted_changes.outcome_regression import (
    regress_changes,
    regression_leverage,
)
from schooltrial.models.adjusted_changes.propensity_score import (
    fit_propensity_score,
    tilt_propensity_score,
)
from schooltrial.models.adjusted_changes.two_groups import (
    AdjustedEffects,
    TwoGroups,
    group_leverage,
    means_of,
)


def adjust_doubly_robust(groups: TwoGroups, *, improved: bool = False) -> AdjustedEffects:
    """Return doubly robust effects.

    Parameters
    ----------
    groups : TwoGroups
    improved : bool
        Whether the score is tilted and its odds weight the regression.

    Raises
    ------
    ValueError
        Where the regression or the score cannot be fitted.
    """
    score = tilt_propensity_score(groups) if improved else fit_propensity_score(groups)
    own = np.where(groups.treated, groups.weights, 0.0)
    odds = groups.weights * score.odds
    fitted = regress_changes(groups, odds) if improved else regress_changes(groups)
    x, rest = groups.covariates, fitted.residuals
    treated_mean, other_mean = means_of(rest, own), means_of(rest, odds)
    # The regression's error counts as far as the weighted controls differ from the treated in x.
    through = fitted.loadings(x, means_of(x, own) - means_of(x, odds))
    loadings = own / own.sum() - odds / odds.sum()
    deviations = rest - np.where(groups.treated[:, None], treated_mean, other_mean)
    contributions = loadings[:, None] * deviations
    if not improved:
        contributions -= through[:, None] * rest
        sensitivity = x.T @ (odds[:, None] * (rest - other_mean)) / odds.sum()
        contributions -= score.responses @ sensitivity
    points = treated_mean - other_mean
    leverage = group_leverage(groups, own) + regression_leverage(groups, fitted)
    return AdjustedEffects(points, loadings - through, contributions, leverage, score.trimmed)
