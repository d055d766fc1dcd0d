"""Adjustment of p-values for the number of hypotheses in a family.

Family-wise: Holm (any dependence), and the step-down methods of Westfall & Young and of Romano &
Wolf, which use the joint distribution of the family's statistics under re-drawn assignments or
bootstrap samples and so pay less for outcomes that go together. False discovery rate:
Benjamini-Hochberg, and the sharpened two-stage q-values of Benjamini, Krieger & Yekutieli.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.reference_distribution import (
    TIE,
    ReferenceDistribution,
    share_of,
    tie_margin,
)


def bonferroni(p_values: ArrayLike) -> FloatArray:
    """Return min(1, m·p)."""
    p = _checked(p_values)
    return np.minimum(1.0, len(p) * p)


def holm(p_values: ArrayLike) -> FloatArray:
    """Return Holm's step-down p-values: max over i ≤ k of (m − i + 1)·p_(i), at most 1.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    steps = (len(p) - np.arange(len(p))) * p[order]
    return _back(np.minimum(1.0, np.maximum.accumulate(steps)), order)


def hochberg(p_values: ArrayLike) -> FloatArray:
    """Return Hochberg's step-up p-values: min over i ≥ k of (m − i + 1)·p_(i).

    Valid for independent or positively dependent statistics. Hochberg (1988), Biometrika 75.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    steps = (len(p) - np.arange(len(p))) * p[order]
    return _back(np.minimum(1.0, _minimum_from_above(steps)), order)


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """Return Benjamini-Hochberg q-values: min over i ≥ k of m·p_(i)/i.

    Source: Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    steps = len(p) * p[order] / np.arange(1, len(p) + 1)
    return _back(np.minimum(1.0, _minimum_from_above(steps)), order)


def benjamini_yekutieli(p_values: ArrayLike) -> FloatArray:
    """Return Benjamini-Yekutieli q-values, valid under any dependence: BH times Σ 1/i.

    Source: Benjamini & Yekutieli (2001), Annals of Statistics 29, 1165-1188.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, len(p) + 1)
    steps = len(p) * (1 / rank).sum() * p[order] / rank
    return _back(np.minimum(1.0, _minimum_from_above(steps)), order)


def sharpened_q(p_values: ArrayLike) -> FloatArray:
    """Return the two-stage (sharpened) q-values of Benjamini, Krieger & Yekutieli.

    At a rate q the first stage is Benjamini-Hochberg at q' = q/(1 + q), with r rejections; the
    second at q'·m/(m − r). The q-value of a hypothesis is the smallest q at which the second stage
    rejects it (1 where none does). q-values may lie below p-values when many hypotheses are false.

    Notes
    -----
    Benjamini, Krieger & Yekutieli (2006), Biometrika 93, 491-507, definition 6; as used by
    Anderson (2008), JASA 103, 1481-1495, who searches a grid of 0.001 from above. Here r is
    constant between the first stage's own q-values, and the smallest q of each stretch is a closed
    form: rounding up to the grid gives Anderson's numbers.
    """
    p = _checked(p_values)
    m = len(p)
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, m + 1)
    # In terms of q': the first stage has r rejections from entry[r] up to entry[r + 1].
    entry = np.concatenate([[0.0], _minimum_from_above(m * p[order] / rank), [np.inf]])
    best = np.full(m, np.inf)
    for r in range(m + 1):
        # With r = m the second stage rejects everything.
        needed = _minimum_from_above(p[order] * (m - r) / rank) if r < m else np.zeros(m)
        reached = np.maximum(needed, entry[r])
        inside = reached < entry[r + 1]
        best[inside] = np.minimum(best[inside], reached[inside])
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(best < 0.5, best / (1 - best), 1.0)
    return _back(np.maximum.accumulate(q), order)


Adjustment = Literal[
    "bonferroni", "holm", "hochberg", "benjamini_hochberg", "benjamini_yekutieli", "sharpened_q"
]


def adjust_p_values(p_values: ArrayLike, method: Adjustment = "holm") -> FloatArray:
    """Adjust the p-values of several hypotheses for their number.

    Parameters
    ----------
    p_values : (m,) array_like
        Of hypotheses that were named a family before the data were seen; a series of a fit will do.
    method : str
        Family-wise: ``bonferroni``, ``holm`` (any dependence), ``hochberg``. False discovery
        rate: ``benjamini_hochberg``, ``benjamini_yekutieli`` (any dependence), ``sharpened_q``.
        Where the joint distribution is at hand, see ``step_down_max_t``.
    """
    methods = {
        "bonferroni": bonferroni,
        "holm": holm,
        "hochberg": hochberg,
        "benjamini_hochberg": benjamini_hochberg,
        "benjamini_yekutieli": benjamini_yekutieli,
        "sharpened_q": sharpened_q,
    }
    if method not in methods:
        raise ValueError(f"there is no adjustment {method!r}; choose from {', '.join(methods)}")
    return methods[method](p_values)


@dataclass(frozen=True, eq=False, slots=True)
class StepDown:
    """Adjusted p-values of a family, from a joint distribution.

    Attributes
    ----------
    raw : array (K,)
        Unadjusted, from the same draws.
    single_step, step_down : arrays (K,)
        Family-wise adjusted; the step-down ones are never larger.
    """

    raw: FloatArray
    single_step: FloatArray
    step_down: FloatArray


def step_down_max_t(distribution: ReferenceDistribution) -> StepDown:
    """Adjust p-values by the largest |t| of the family, step by step.

    On re-drawn assignments this is Westfall & Young's max-T procedure, on bootstrap samples (with
    the null imposed, so centred) Romano & Wolf's. With |t|_(1) ≥ |t|_(2) ≥ … the p-value of the
    k-th is the share of draws whose largest |t*| among the k-th and those below it reaches |t|_(k),
    made monotone from the top. An undefined draw counts as infinite.

    Parameters
    ----------
    distribution : ReferenceDistribution
        Statistics of the family, observed and drawn jointly.

    Notes
    -----
    Westfall & Young (1993), Resampling-Based Multiple Testing, algorithm 4.1; Romano & Wolf (2016),
    Statistics & Probability Letters 113, 38-40, whose p is (1 + b)/(1 + B), as here.
    """
    _joint(distribution)
    observed = np.abs(distribution.observed)
    draws = np.abs(distribution.draws)
    draws = np.where(np.isnan(draws), np.inf, draws)
    margin = tie_margin(observed, draws)
    order = np.argsort(-observed, kind="stable")
    largest = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    threshold = (observed - margin)[order]
    return _stepped(distribution, order, largest >= threshold, largest[:, :1] >= threshold)


def step_down_min_p(distribution: ReferenceDistribution) -> StepDown:
    """Adjust p-values by the smallest p of the family, for statistics on different scales.

    Each statistic is first turned into its p-value within its own column of draws. Westfall & Young
    (1993), algorithm 2.8, for p-values that are themselves from the draws.
    """
    _joint(distribution)
    if distribution.probability is not None:
        raise ValueError(
            "minimum-p adjustment: the assignments are not equally likely; use step_down_max_t, or "
            "draw assignments at random instead of enumerating them"
        )
    observed, draws = np.abs(distribution.observed), np.abs(distribution.draws)
    draws = np.where(np.isnan(draws), np.inf, draws)
    if not distribution.exact:  # the observed assignment is one of those that could be drawn
        draws = np.vstack([observed, draws])
    margin = tie_margin(np.zeros(len(observed)), draws)
    p_draws = np.empty_like(draws)
    for k, column in enumerate(draws.T):
        ascending = np.sort(column)
        reached = np.where(np.isinf(column), column, column * (1 - TIE) - margin[k])
        below = np.searchsorted(ascending, reached, side="left")
        p_draws[:, k] = (len(column) - below) / len(column)
    p_observed = distribution.p_value()
    order = np.argsort(p_observed, kind="stable")
    smallest = np.minimum.accumulate(p_draws[:, order[::-1]], axis=1)[:, ::-1]
    threshold = p_observed[order] + 0.5 / len(draws)  # p-values are multiples of 1/draws
    complete = ReferenceDistribution(p_observed, p_draws, None, True)
    return _stepped(
        complete, order, smallest <= threshold, smallest[:, :1] <= threshold, p_observed
    )


def _stepped(
    distribution: ReferenceDistribution,
    order: NDArray[np.intp],
    step_down: NDArray[np.bool_],
    single_step: NDArray[np.bool_],
    raw: FloatArray | None = None,
) -> StepDown:
    chance, exact = distribution.probability, distribution.exact
    steps = np.maximum.accumulate(share_of(step_down, chance, exact=exact))
    return StepDown(
        raw=distribution.p_value() if raw is None else raw,
        single_step=_back(share_of(single_step, chance, exact=exact), order),
        step_down=_back(steps, order),
    )


def _joint(distribution: ReferenceDistribution) -> None:
    observed, draws = distribution.observed, distribution.draws
    if draws.ndim != 2 or draws.shape[1] != len(observed) or len(draws) == 0:
        raise ValueError(
            f"step-down adjustment: {len(observed)} statistics but draws of shape {draws.shape}; "
            "give one column of draws for each hypothesis, all from the same draws"
        )
    if not np.isfinite(observed).all():
        at = int(np.flatnonzero(~np.isfinite(observed))[0])
        raise ValueError(
            f"step-down adjustment: statistic {at} of the family is {observed[at]}; leave out "
            "hypotheses that were not estimated, and say so"
        )


def _checked(p_values: ArrayLike) -> FloatArray:
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or p.size == 0:
        raise ValueError(f"multiplicity: p-values of shape {p.shape}; a list of one or more needed")
    bad = ~((p >= 0) & (p <= 1))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"multiplicity: p-value {at} is {p[at]}; all must lie in [0, 1]. Leave out hypotheses "
            "that were not tested, and say so"
        )
    return p


def _minimum_from_above(steps: FloatArray) -> FloatArray:
    return np.asarray(np.minimum.accumulate(steps[::-1])[::-1])


def _back(ordered: FloatArray, order: NDArray[np.intp]) -> FloatArray:
    """Return values in the order in which the hypotheses were given."""
    values = np.empty_like(ordered)
    values[order] = ordered
    return values
