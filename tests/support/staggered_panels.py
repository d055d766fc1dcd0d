"""Staggered panels with and without gaps, and dense least squares to compare estimators with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """A panel whose effects are known: g's in year t is ``effect(g, t)`` on average."""

    outcome: Array
    years: NDArray[np.int64]
    cohort: NDArray[np.int64]
    effect: Array


def draw_panel(
    sizes: dict[int, int],
    years: Sequence[int] = range(2010, 2018),
    *,
    gaps: float = 0.0,
    seed: int = 1,
    noise: float = 1.0,
) -> Drawn:
    """Draw schools whose effects differ by cohort and grow, with AR(1) errors and gaps."""
    rng = np.random.default_rng(seed)
    when = np.array(years)
    cohort = np.repeat(list(sizes), list(sizes.values()))
    begun = (cohort[:, None] > 0) & (when >= cohort[:, None])
    since = when - np.where(cohort > 0, cohort, 9999)[:, None]
    scale = 1.0 + (cohort[:, None] % 5)  # cohorts' effects differ
    effect = np.where(begun, scale * (1 + 0.5 * since), 0.0)
    shocks = rng.normal(0, noise, (len(cohort), len(when)))
    for at in range(1, len(when)):
        shocks[:, at] = 0.5 * shocks[:, at - 1] + shocks[:, at] * np.sqrt(0.75)
    outcome = rng.normal(0, 3, (len(cohort), 1)) + rng.normal(0, 2, len(when)) + effect + shocks
    outcome[rng.random(outcome.shape) < gaps] = np.nan
    return Drawn(outcome, when, cohort, effect)


def dense_effects(outcome: Array, columns: Sequence[Array], weights: Array | None = None) -> Array:
    """Regress outcomes (N, T) on school and year indicators and columns (N, T), by lstsq.

    Returns
    -------
    array
        The coefficients of the columns.
    """
    seen = np.isfinite(outcome)
    school, year = np.nonzero(seen)
    design = np.column_stack([
        *(column[seen] for column in columns),
        np.eye(len(outcome))[school], np.eye(outcome.shape[1])[year],
    ])  # fmt: skip
    root = np.ones(seen.sum()) if weights is None else np.sqrt(weights[seen])
    found = np.linalg.lstsq(design * root[:, None], outcome[seen] * root)[0]
    return np.asarray(found[: len(columns)])


def dense_imputation(drawn: Drawn, outcome: Array, begun: NDArray[np.bool_]) -> Array:
    """Return outcomes less what school and year effects of the untreated cells predict.

    NaN for schools without an untreated cell.
    """
    fitted: NDArray[np.bool_] = np.asarray(np.isfinite(outcome) & ~begun)
    school, year = np.nonzero(fitted)
    schools, years = np.eye(len(outcome)), np.eye(outcome.shape[1])
    design = np.column_stack([schools[school], years[year]])
    effects = np.linalg.lstsq(design, outcome[fitted])[0]
    predicted = effects[: len(outcome), None] + effects[None, len(outcome) :]
    known = np.asarray(fitted.any(axis=1))
    return np.where(known[:, None], outcome - predicted, np.nan)
