r"""Effects adjusted by a regression of changes on covariates among the schools compared with.

With β the weighted least-squares coefficients of the change on covariates x (with a constant) among
the comparison schools C, and T the schools of the cohort,

.. math:: ATT = \sum_T w_i (\Delta_i - x_i'\beta) / \sum_T w_i.

It is linear in the outcomes: school i of T has the loading w_i/Σ_T w, school j of C the loading
−w_j x_j'(X_C'WX_C)⁻¹ x̄_T; each school's contribution to the error is its loading times its
residual. It asks nothing of the treated schools but their covariates, so it works with few of them.
Points and contributions are those of ``reg_did_panel`` of R's DRDID (Sant'Anna and Zhao 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.adjusted_changes.two_groups import (
    AdjustedEffects,
    BoolArray,
    TwoGroups,
    group_leverage,
    leverage_of,
    means_of,
    refuse_dependent,
)


@dataclass(frozen=True, eq=False)
class CovariateRegression:
    """A regression on covariates in some of the rows, and its residuals in all of them.

    Attributes
    ----------
    inverse : array (p, p)
        (X'W X)⁻¹ over the rows of the regression.
    weights : array (n,)
        Weights of the regression; 0 for all other rows.
    residuals : array (n, k)
        y − Xβ of all rows.
    """

    inverse: FloatArray
    weights: FloatArray
    residuals: FloatArray

    def loadings(self, covariates: FloatArray, at: FloatArray) -> FloatArray:
        """Return the weight of every row's outcome in the prediction at covariates ``at``."""
        found: FloatArray = self.weights * (covariates @ (self.inverse @ at))
        return found


def regress_on_covariates(
    outcomes: FloatArray,
    covariates: FloatArray,
    weights: FloatArray,
    inside: BoolArray,
    *,
    names: tuple[str, ...] = (),
    who: str = "schools compared with",
) -> CovariateRegression:
    """Regress outcomes on covariates in some of the rows.

    Parameters
    ----------
    outcomes : array (n, k)
    covariates : array (n, p)
        The first column is the constant.
    weights : array (n,)
        Weights; positive inside, but for rows that are to have no influence.
    inside : bool array (n,)
        The rows of the regression.
    names : tuple of str
        Of the covariates.
    who : str
        What these rows are called in messages.

    Raises
    ------
    ValueError
        Where there are not more of these rows than coefficients, or a covariate is constant or
        collinear among them.
    """
    used = np.where(inside, weights, 0.0)
    rows = used > 0
    x, w = covariates[rows], used[rows]
    if len(x) <= x.shape[1]:
        raise ValueError(
            f"{len(x)} {who} are too few for {x.shape[1] - 1} covariates; name fewer `covariates`, "
            "or take `comparison_group: not_yet_treated`"
        )
    refuse_dependent(x, w, names, who)
    _, triangle = np.linalg.qr(np.sqrt(w)[:, None] * x)
    root = np.linalg.inv(triangle)
    inverse = root @ root.T
    coefficients = inverse @ (x.T @ (w[:, None] * outcomes[rows]))
    # One step of refinement: the digits that normal equations lose.
    rest = outcomes[rows] - x @ coefficients
    coefficients += inverse @ (x.T @ (w[:, None] * rest))
    return CovariateRegression(inverse, used, outcomes - covariates @ coefficients)


def regress_changes(groups: TwoGroups, weights: FloatArray | None = None) -> CovariateRegression:
    """Regress changes on covariates among the schools compared with.

    Parameters
    ----------
    groups : TwoGroups
    weights : array (n,), optional
        Weights of the regression, where they are not those of the schools.
    """
    return regress_on_covariates(
        groups.changes, groups.covariates, groups.weights if weights is None else weights,
        ~groups.treated, names=groups.names,
    )  # fmt: skip


def adjust_by_regression(groups: TwoGroups) -> AdjustedEffects:
    """Return effects adjusted by a regression among the schools compared with.

    Parameters
    ----------
    groups : TwoGroups

    Raises
    ------
    ValueError
        Where the regression cannot be fitted: see ``regress_on_covariates``.
    """
    fitted = regress_changes(groups)
    own = np.where(groups.treated, groups.weights, 0.0)
    points = means_of(fitted.residuals, own)
    loadings = own / own.sum() - fitted.loadings(
        groups.covariates, means_of(groups.covariates, own)
    )
    deviations = fitted.residuals - np.where(groups.treated[:, None], points, 0.0)
    leverage = group_leverage(groups, own) + regression_leverage(groups, fitted)
    return AdjustedEffects(points, loadings, loadings[:, None] * deviations, leverage)


def regression_leverage(groups: TwoGroups, fitted: CovariateRegression) -> FloatArray:
    """Return the leverage of the schools compared with in their regression; 0 for the treated."""
    inside = fitted.weights > 0
    units = None if groups.units is None else groups.units[inside]
    found = np.zeros(len(inside))
    found[inside] = leverage_of(
        groups.covariates[inside], fitted.weights[inside], fitted.inverse, units
    )
    return found
