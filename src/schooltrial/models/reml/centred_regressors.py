"""The regressors of a trial before they are fitted: rank, constant columns, and centring.

Columns are centred at their grand means where there is an intercept, so that a test scored around
500, or in millions, is fitted to the same digits as one scored around zero; coefficients and their
covariance are carried back exactly: β = Tβ̃ + ȳe₀, with T = I − e₀c'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import CONSTANT_WITHIN, SchoolMoments

COLLINEAR = 1e-11  # share of a column's sum of squares left by the others


FITTED_EXACTLY = 1e-13  # share of the outcome's sum of squares left by the regressors


@dataclass(frozen=True)
class CentredMoments:
    """Moments about grand means, and the way back.

    Attributes
    ----------
    moments : SchoolMoments
        The same trial with its columns centred, the constant one excepted.
    back : array, shape (p, p)
        T: a contrast c of the coefficients is T'c of the centred ones.
    offset : array, shape (p,)
        What is added to Tβ̃.
    outcome_size : float
        Sum of squares of the outcome before centring.
    """

    moments: SchoolMoments
    back: FloatArray
    offset: FloatArray
    outcome_size: float

    @cached_property
    def total(self) -> FloatArray:
        """Cross-products over all pupils, A_w + Σ w_j z̄_j z̄_j', shape (q, q)."""
        mean = self.moments.mean
        return self.moments.within + mean.T @ (self.moments.weight[:, None] * mean)

    @cached_property
    def ols_beta(self) -> FloatArray:
        """Coefficients of least squares without school effects, shape (p,)."""
        p = len(self.moments.fixed)
        solved: FloatArray = lapack.dposv(self.total[:p, :p], self.total[:p, p])[1]
        return solved

    @cached_property
    def ols_rss(self) -> float:
        """Residual sum of squares of least squares without school effects."""
        p = len(self.moments.fixed)
        return float(self.total[p, p] - self.ols_beta @ self.total[:p, p])

    @cached_property
    def within_rank(self) -> int:
        """Dimensions of the regressors that vary within schools."""
        p = len(self.moments.fixed)
        varies = np.flatnonzero(~self.moments.school_level[:p])
        if len(varies) == 0:
            return 0
        scale = 1.0 / np.sqrt(np.diagonal(self.total)[varies])
        products = self.moments.within[varies[:, None], varies] * (scale[:, None] * scale)
        factor, failed = lapack.dpotrf(products, lower=1)
        if failed == 0 and np.diagonal(factor).min() > 1e-4:  # plainly of full rank
            return len(varies)
        return int(np.sum(np.linalg.eigvalsh(products) > 1e-10))

    @cached_property
    def school_rank(self) -> int:
        """Dimensions of the regressors that do not vary within schools."""
        return len(self.moments.fixed) - self.within_rank

    def typical_ratio(self) -> float:
        """Return a first guess of σ²_u/σ²_e, from total and within-school residual variances."""
        moments = self.moments
        varies = np.flatnonzero(~moments.school_level[: len(moments.fixed)])
        if self.within_rank < len(varies):
            return 0.1
        own, cross = moments.within[varies[:, None], varies], moments.within[varies, -1]
        solved = lapack.dposv(own, cross)[1] if len(varies) else cross
        inside = float(moments.within[-1, -1] - cross @ solved)
        inside /= max(moments.n_rows - moments.n_schools - self.within_rank, 1)
        total = self.ols_rss / (moments.n_rows - len(moments.fixed))
        return min(max(total / inside - 1.0, 0.01), 10.0) if inside > 0 else 1.0


def centre(moments: SchoolMoments) -> CentredMoments:
    """Centre the columns at their grand means where there is an intercept.

    Raises
    ------
    ValueError
        When there are no regressors, or columns other than one intercept do not vary at all;
        these are named.
    """
    p = len(moments.fixed)
    if p == 0:
        raise ValueError(
            "the model has no regressors; expected at least the intercept: take the moments with "
            "intercept=True"
        )
    mean = moments.mean
    back, offset = np.eye(p), np.zeros(p)
    size = float(moments.within[p, p] + moments.weight @ mean[:, p] ** 2)
    level = np.flatnonzero(moments.school_level[:p])
    spread = np.abs(mean[:, level] - mean[0, level]).max(axis=0)
    found = level[spread <= 1e-13 * np.abs(mean[0, level])]
    if len(found) == 0:
        return CentredMoments(moments, back, offset, size)
    names = [moments.fixed[k] for k in found]
    if len(found) > 1 or mean[0, found[0]] == 0:
        raise ValueError(
            f"columns without variation: {', '.join(names)}; expected one constant column at most, "
            "the intercept, and not of zeros: drop the rest, or check that the sample has all the "
            "values of these columns"
        )
    at = int(found[0])
    value = float(mean[0, at])
    grand = (moments.weight @ mean) / moments.weight.sum()
    grand[at] = 0.0
    back[at] -= grand[:p] / value
    offset[at] = grand[p] / value
    return CentredMoments(replace(moments, mean=mean - grand), back, offset, size)


def check_identified(centred: CentredMoments) -> None:
    """Refuse a trial whose coefficients or variances the data cannot tell.

    Raises
    ------
    ValueError
        On collinear regressors (named), a constant outcome or one that is fitted exactly, fewer
        pupils than coefficients, no school left to compare schools with (one school in each group),
        or one pupil in each school.
    """
    moments = centred.moments
    p, n_rows, n_schools = len(moments.fixed), moments.n_rows, moments.n_schools
    if n_rows <= p:
        raise ValueError(
            f"{p} regressors and {n_rows:,} pupils; expected more pupils than coefficients: drop "
            "regressors"
        )
    if n_schools < 2:
        raise ValueError(
            f"the trial has one school ({moments.schools[0]}); expected at least two: a school "
            "effect cannot be separated from the mean"
        )
    _refuse_collinear(centred.total[:p, :p], moments.fixed, bool(np.any(centred.offset)))
    _refuse_exact_fit(centred)
    if n_schools <= centred.school_rank:
        raise ValueError(
            f"{n_schools:,} schools and {centred.school_rank} regressors that do not vary within "
            "schools (their combinations counted); expected more schools than such regressors: "
            "with one school in each group, or in each block and group, the treatment cannot "
            "be separated from the school. Drop block indicators or school-level covariates, "
            "or do not report this contrast"
        )
    if n_rows - n_schools <= centred.within_rank:
        raise ValueError(
            f"{n_rows:,} pupils in {n_schools:,} schools leave nothing within schools after "
            f"{centred.within_rank} pupil-level regressors; expected schools of more than one "
            "pupil: with one row for each school, use least squares on schools"
        )
    if _within_residual(centred) <= FITTED_EXACTLY * float(centred.total[-1, -1]):
        raise ValueError(
            f"the outcome {centred.moments.outcome!r} does not vary within schools beyond its "
            "regressors; expected pupils of a school to differ: with one value for each school, "
            "use least squares on school means"
        )


def _refuse_collinear(products: FloatArray, names: tuple[str, ...], centred: bool) -> None:
    """Refuse regressors of which one is a combination of those before it, and name them."""
    p = len(products)
    scale = 1.0 / np.sqrt(np.diagonal(products))
    scaled = products * (scale[:, None] * scale)
    factor, failed = lapack.dpotrf(scaled, lower=1)
    left = np.diagonal(factor)[: failed - 1 if failed else p] ** 2
    short = np.flatnonzero(left < COLLINEAR)
    if failed == 0 and len(short) == 0:
        return
    k = int(short[0]) if len(short) else failed - 1
    combination = np.linalg.solve(scaled[:k, :k], scaled[:k, k])
    others = [names[i] for i in np.flatnonzero(np.abs(combination) > 1e-6)]
    raise ValueError(
        f"column {names[k]!r} is{', up to a constant,' if centred else ''} a linear combination of "
        f"{', '.join(others)}; expected regressors of full rank: drop one of these columns (a "
        "treatment that does not vary within blocks cannot be separated from the blocks)"
    )


def _refuse_exact_fit(centred: CentredMoments) -> None:
    outcome, size = centred.moments.outcome, float(centred.total[-1, -1])
    if size <= CONSTANT_WITHIN * centred.outcome_size or centred.ols_rss <= FITTED_EXACTLY * size:
        raise ValueError(
            f"the outcome {outcome!r} is constant, or an exact combination of the regressors "
            f"{', '.join(centred.moments.fixed)}; expected some residual variation: check the "
            "column, the sample, and that the outcome is not among the regressors"
        )


def _within_residual(centred: CentredMoments) -> float:
    """Return the outcome's sum of squares within schools that pupil-level regressors leave."""
    within = centred.moments.within
    varies = np.flatnonzero(~centred.moments.school_level[:-1])
    inside = within[varies, -1]
    slope = np.linalg.lstsq(within[np.ix_(varies, varies)], inside, rcond=None)[0]
    return float(within[-1, -1] - inside @ slope)
