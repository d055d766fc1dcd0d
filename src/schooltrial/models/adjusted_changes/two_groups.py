"""Schools of one cohort with their comparison schools: changes, covariates and weights.

Every covariate-adjusted effect of a cell (g, t) is computed from such a pair of groups, and comes
as one point, the loadings that give it, and what each school contributes to its error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.wording import plural

BoolArray = NDArray[np.bool_]

Adjustment = Literal["regression", "doubly_robust", "inverse_probability"]
"""How effects are adjusted for covariates."""

COLLINEAR = 1e-9
"""A column is collinear when less than this share of its length is left by those before it."""


@dataclass(frozen=True, eq=False)
class TwoGroups:
    """Schools of one cohort and those it is compared with, seen in the base year and in others.

    Attributes
    ----------
    treated : bool array (n,)
        Schools of the cohort; the others are those compared with.
    changes : array (n, k)
        Change in the outcome since the base year, for k years that share schools and base.
    covariates : array (n, p)
        Covariates in the base year; the first column is the constant.
    weights : array (n,)
        Positive weights; nothing depends on their scale.
    names : tuple of str
        Of the covariates but the constant, for messages.
    units : array (n,), optional
        Independent units that schools belong to, such as districts; each school by default.
    """

    treated: BoolArray
    changes: FloatArray
    covariates: FloatArray
    weights: FloatArray
    names: tuple[str, ...] = ()
    units: IntArray | None = None

    def __post_init__(self) -> None:
        if not self.treated.any() or self.treated.all():
            raise ValueError(
                "a cell needs a treated school and one to compare with, both seen in its two years"
            )
        n = len(self.treated)
        if self.changes.shape[0] != n or self.covariates.shape[0] != n or len(self.weights) != n:
            raise ValueError(
                f"{n} schools, but {self.changes.shape[0]} changes, {self.covariates.shape[0]} "
                f"rows of covariates and {len(self.weights)} weights; give one of each per school"
            )
        unusable = ~(np.isfinite(self.weights) & (self.weights > 0))
        count = int(unusable.sum())
        if count:
            raise ValueError(
                f"{plural(count, 'school')} {'has' if count == 1 else 'have'} a weight that is not "
                "a positive number "
                f"(such as {self.weights[unusable][0]:g}); leave these schools out, or take "
                "`weights: schools`"
            )
        if not np.isfinite(self.covariates).all():
            raise ValueError(
                "a covariate is missing or infinite in the base year: leave these schools out "
                "(`missing_covariates: drop`) or keep them with an indicator of missing"
            )


@dataclass(frozen=True, eq=False)
class AdjustedEffects:
    """Effects on the treated of one pair of groups, in k years.

    Attributes
    ----------
    points : array (k,)
        The effects.
    loadings : array (n,)
        ``points = loadings' changes``. With a propensity score they hold given that score.
    contributions : array (n, k)
        What each school adds to the error of each point, the estimation of nuisance parameters
        included: their sum is 0, and the sum of their squares the large-sample variance (R's
        influence value divided by n).
    leverage : array (n,)
        Share of the variance of a school's residual that the estimated mean or regression takes
        away: dividing squared contributions by 1 − leverage makes up for it. 1 where a school
        alone determines a coefficient, so that its residual says nothing.
    trimmed : int
        Comparison schools left out as too likely to be treated.
    """

    points: FloatArray
    loadings: FloatArray
    contributions: FloatArray
    leverage: FloatArray
    trimmed: int = 0


def means_of(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return weighted means of columns."""
    means: FloatArray = weights @ values / weights.sum()
    return means


def leverage_of(
    x: FloatArray, weights: FloatArray, inverse: FloatArray, units: IntArray | None
) -> FloatArray:
    r"""Return the leverage of the rows of a weighted regression, by independent unit.

    Where the rows of a unit c err alike, with :math:`\bar x_c` their mean and :math:`A_c = \sum_c
    w x`, the residual of the unit has the variance

    .. math:: 1 - 2\bar x_c'GA_c + \sum_{d} (\bar x_c'GA_d)^2

    of its error, G being :math:`(X'WX)^{-1}`; the leverage is what is missing from 1. Without
    weights, and where each row is a unit, that is :math:`x'Gx`; for a mean of n rows 1/n.

    Parameters
    ----------
    x : array (n, p)
    weights : array (n,)
        Weights of the regression.
    inverse : array (p, p)
        G.
    units : array (n,) or None
        Unit of each row; each row by default.
    """
    if units is None:
        mean, mass = x, weights[:, None] * x
        code = np.arange(len(x))
    else:
        _, code, count = np.unique(units, return_inverse=True, return_counts=True)
        mean, mass = np.zeros((len(count), x.shape[1])), np.zeros((len(count), x.shape[1]))
        np.add.at(mean, code, x / count[code, None])
        np.add.at(mass, code, weights[:, None] * x)
    at = mean @ inverse
    own = (at * mass).sum(axis=1)
    spread = (at @ (mass.T @ mass) * at).sum(axis=1)
    leverage: FloatArray = (2 * own - spread)[code]
    return np.where(leverage > 1 - 1e-9, 1.0, leverage)


def group_leverage(groups: TwoGroups, own: FloatArray) -> FloatArray:
    """Return the leverage of the rows of one group in its weighted mean; 0 for all others.

    Parameters
    ----------
    groups : TwoGroups
    own : array (n,)
        Weights of the group; 0 elsewhere.
    """
    inside = own > 0
    found = np.zeros(len(own))
    units = None if groups.units is None else groups.units[inside]
    found[inside] = leverage_of(
        np.ones((int(inside.sum()), 1)), own[inside], np.array([[1 / own.sum()]]), units
    )
    return found


def dependent_columns(columns: FloatArray, weights: FloatArray) -> list[int]:
    """Return the columns that those before them determine, within rounding.

    Parameters
    ----------
    columns : array (n, p)
        The first is the constant.
    weights : array (n,)
        Positive weights.
    """
    scaled = columns * np.sqrt(weights)[:, None]
    _, triangle = np.linalg.qr(scaled)
    if len(scaled) >= columns.shape[1]:
        left = np.abs(np.diag(triangle))
        if (left > COLLINEAR * np.sqrt((scaled**2).sum(axis=0))).all():
            return []
    basis: list[FloatArray] = []
    found = []
    for at in range(columns.shape[1]):
        rest = scaled[:, at]
        for direction in basis * 2:  # twice, so that rounding leaves no part of them
            rest = rest - (direction @ rest) * direction
        left_over = float(np.sqrt(rest @ rest))
        if left_over <= COLLINEAR * max(float(np.sqrt((scaled[:, at] ** 2).sum())), 1e-300):
            found.append(at)
        else:
            basis.append(rest / left_over)
    return found


def refuse_dependent(
    columns: FloatArray, weights: FloatArray, names: Sequence[str], who: str
) -> None:
    """Raise where covariates are constant or collinear among the schools of some coefficients.

    Parameters
    ----------
    columns : array (n, p)
        The constant and covariates of these schools.
    weights : array (n,)
    names : sequence of str
        Of the covariates.
    who : str
        What the schools are called, for the message.
    """
    found = dependent_columns(columns, weights)
    if not found:
        return
    named = [names[at - 1] if 0 < at <= len(names) else f"number {at}" for at in found]
    listed = ", ".join(repr(name) for name in named)
    raise ValueError(
        f"{listed} {'is' if len(named) == 1 else 'are'} constant, or determined by the other "
        f"covariates, among the {len(columns)} {who}, so that no coefficient can be estimated "
        f"there. Take {listed} out of `covariates`, or join levels of a category"
    )
