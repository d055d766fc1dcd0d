r"""Effects from rows that are seen once: other pupils (or schools) before and after.

Where no unit is followed, the change of a group is a difference of two samples. An effect is the
adjusted difference D_1 after less that before, D_0. With β_{Ts}, β_{Cs} the coefficients of the
outcome on covariates x (with a constant) among rows of the cohort and those compared with in year
s, x̄_T the covariate mean of all rows of the cohort, and bars with ω weighted by the odds of the
propensity score,

.. math::

   D_s^{reg} = \bar y_{Ts} - \bar x_T'β_{Cs}, \qquad
   D_s^{ipw} = \bar y_{Ts} - \bar y_{Cs}^{ω}, \qquad
   D_s^{dr} = \bar x_T'(β_{Ts} - β_{Cs}) - \overline{(y - x'β_{Cs})}_{Cs}^{ω}.

These are the regression, standardised weighting and locally efficient doubly robust estimators that
R's DRDID has for repeated cross-sections; the last is what ``did`` takes with ``panel = FALSE``.
Rows are taken to be independent. Pupils of one school are not: add contributions up by school
before squaring them. A panel model needs neither step, as it takes school × year means and compares
each school with itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.adjusted_changes.outcome_regression import (
    CovariateRegression,
    regress_on_covariates,
)
from schooltrial.models.adjusted_changes.propensity_score import (
    PropensityScore,
    fit_propensity_score,
)
from schooltrial.models.adjusted_changes.two_groups import Adjustment, BoolArray, TwoGroups


@dataclass(frozen=True, eq=False)
class CrossSections:
    """Rows of two years: those of a cohort, and those they are compared with.

    Attributes
    ----------
    treated, after : bool array (n,)
        Rows of the cohort; rows of the later year.
    outcome : array (n,)
        Outcome.
    covariates : array (n, p)
        Covariates; the first column is the constant.
    weights : array (n,)
        Positive weights.
    names : tuple of str
        Of the covariates but the constant.

    Raises
    ------
    ValueError
        Where a group has no rows in a year.
    """

    treated: BoolArray
    after: BoolArray
    outcome: FloatArray
    covariates: FloatArray
    weights: FloatArray
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for group, who in ((self.treated, "treated"), (~self.treated, "to compare with")):
            for year, when in ((~self.after, "earlier"), (self.after, "later")):
                if not (group & year).any():
                    raise ValueError(
                        f"no row {who} in the {when} year; a cell needs rows of both groups in "
                        "both years"
                    )


@dataclass(frozen=True, eq=False)
class CrossSectionEffect:
    """An effect, and what each row contributes to its error.

    Attributes
    ----------
    point : float
        The effect.
    contributions : array (n,)
        The sum of their squares is the large-sample variance.
    trimmed : int
        Comparison rows left out as too likely to be treated.
    """

    point: float
    contributions: FloatArray
    trimmed: int = 0


def compare_cross_sections(rows: CrossSections, adjustment: Adjustment) -> CrossSectionEffect:
    """Return the effect on the treated from repeated cross-sections.

    Parameters
    ----------
    rows : CrossSections
    adjustment : {"regression", "doubly_robust", "inverse_probability"}

    Raises
    ------
    ValueError
        Where a regression or the propensity score cannot be fitted.
    """
    score = None
    if adjustment != "regression":
        score = fit_propensity_score(
            TwoGroups(rows.treated, rows.outcome[:, None], rows.covariates, rows.weights,
                      rows.names)
        )  # fmt: skip
    after, error_after = _difference(rows, adjustment, score, after=True)
    before, error_before = _difference(rows, adjustment, score, after=False)
    return CrossSectionEffect(
        after - before, error_after - error_before, score.trimmed if score else 0
    )


def _difference(
    rows: CrossSections, adjustment: Adjustment, score: PropensityScore | None, *, after: bool
) -> tuple[float, FloatArray]:
    """Return the adjusted difference between the groups in one year, and its contributions."""
    x, y = rows.covariates, rows.outcome
    of_year = rows.after == after
    own = np.where(rows.treated, rows.weights, 0.0)
    centre = own @ x / own.sum()
    seen, error = _mean(np.where(of_year, own, 0.0), y)
    if adjustment == "regression":
        controls = _regression(rows, ~rows.treated & of_year, "rows compared with, of one year")
        predicted, spread = _mean(own, y - controls.residuals[:, 0])
        return seen - predicted, error - spread - _response(controls, x, centre)
    assert score is not None
    odds = np.where(of_year, rows.weights * score.odds, 0.0)
    if adjustment == "inverse_probability":
        weighted, spread = _mean(odds, y)
        return seen - weighted, error - spread - score.responses @ (x.T @ spread)
    controls = _regression(rows, ~rows.treated & of_year, "rows compared with, of one year")
    treated = _regression(rows, rows.treated & of_year, "treated rows of one year")
    gap, error = _mean(own, (controls.residuals - treated.residuals)[:, 0])
    error = error + _response(treated, x, centre) - _response(controls, x, centre)
    weighted, spread = _mean(odds, controls.residuals[:, 0])
    spread = spread + score.responses @ (x.T @ spread)
    spread = spread - _response(controls, x, odds @ x / odds.sum())
    return gap - weighted, error - spread


def _mean(weights: FloatArray, values: FloatArray) -> tuple[float, FloatArray]:
    """Return a weighted mean and what each row contributes to its error."""
    shares = weights / weights.sum()
    mean = float(shares @ values)
    return mean, shares * (values - mean)


def _regression(rows: CrossSections, inside: BoolArray, who: str) -> CovariateRegression:
    return regress_on_covariates(
        rows.outcome[:, None], rows.covariates, rows.weights, inside, names=rows.names, who=who
    )


def _response(fitted: CovariateRegression, x: FloatArray, at: FloatArray) -> FloatArray:
    """Return what each row contributes to the error of a prediction."""
    found: FloatArray = fitted.loadings(x, at) * fitted.residuals[:, 0]
    return found
