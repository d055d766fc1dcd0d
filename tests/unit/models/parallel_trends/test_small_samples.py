"""With 8 + 4 treated schools beside 219, intervals that rest on an estimated covariance err at 5%.

Years are AR(1) with .5 in every school; the covariance of treated schools is estimated from ten
degrees of freedom, that of the others from 218. Twice the Monte Carlo error of 300 draws is .025.
"""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.parallel_trends.event_coefficients import EventCoefficients
from schooltrial.models.parallel_trends.relative_magnitudes import relative_magnitudes_interval
from schooltrial.models.parallel_trends.smoothness import smoothness_interval

COHORTS = ((5, 8), (6, 4))
NEVER, YEARS, BEFORE, AFTER = 219, 10, 4, 3
TIMES = [*range(-BEFORE - 1, -1), *range(AFTER)]
FREE = sum(n for _, n in COHORTS) - len(COHORTS)
MEAN = np.full(AFTER, 1 / AFTER)


def _loadings() -> np.ndarray:
    """Return the weights of each school of a group, over √n: (group, year, event time)."""
    found = np.zeros((1 + len(COHORTS), YEARS, len(TIMES)))
    total = sum(n for _, n in COHORTS)
    for at, (begins, n) in enumerate(COHORTS, start=1):
        for r, time in enumerate(TIMES):
            for group, sign in ((at, 1.0), (0, -1.0)):
                found[group, begins + time, r] += sign * n / total
                found[group, begins - 1, r] -= sign * n / total
    sizes = np.array([NEVER, *(n for _, n in COHORTS)])
    return np.asarray(found / np.sqrt(sizes)[:, None, None])


LOADINGS = _loadings()
OF_YEARS = 0.5 ** np.abs(np.subtract.outer(np.arange(YEARS), np.arange(YEARS)))


def _covariance(treated: np.ndarray, never: np.ndarray) -> np.ndarray:
    by_treated = np.einsum("htr,ts,hsq->rq", LOADINGS[1:], treated, LOADINGS[1:])
    return np.asarray(by_treated + LOADINGS[0].T @ never @ LOADINGS[0])


def _df(pooled: np.ndarray, contrast: np.ndarray) -> float:
    b = LOADINGS @ contrast
    g = b @ pooled @ b.T
    return float(np.trace(g) ** 2 / ((g[1:, 1:] ** 2).sum() / FREE + g[0, 0] ** 2 / (NEVER - 1)))


def _drawn(delta: np.ndarray, seed: int) -> EventCoefficients:
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(OF_YEARS)

    def estimated(free: int) -> np.ndarray:
        rows = rng.normal(size=(free, YEARS)) @ root.T
        return np.asarray(rows.T @ rows / free)

    points = delta + rng.multivariate_normal(
        np.zeros(len(TIMES)), _covariance(OF_YEARS, OF_YEARS), method="cholesky"
    )
    treated, never = estimated(FREE), estimated(NEVER - 1)
    pooled = (FREE * treated + (NEVER - 1) * never) / (FREE + NEVER - 1)
    known = EventCoefficients.of(
        points, _covariance(treated, never), BEFORE, MEAN, _covariance(pooled, pooled)
    )
    of_effect = _df(pooled, np.concatenate([np.zeros(BEFORE), MEAN]))
    each = [_df(pooled, one) for one in np.eye(len(TIMES))[:BEFORE]]
    return known.in_small_samples([*each, *[of_effect] * AFTER])


DRAWS = 300
LARGE_CHANGE = np.array([-4.0, 0.0, 0.0, 0.0, 4.0, 8.0, 12.0])
BENT = 0.2 * np.array([0.0, 0.0, 0.0, 0.0, 1.0, 3.0, 6.0])


@pytest.mark.parametrize(
    ("bound", "setting", "delta"),
    [
        ("relative", 0.0, np.zeros(len(TIMES))),
        pytest.param("relative", 1.0, LARGE_CHANGE, marks=pytest.mark.slow),
        pytest.param("smooth", 0.0, np.zeros(len(TIMES)), marks=pytest.mark.slow),
        ("smooth", 0.2, BENT),
    ],
    ids=["parallel", "worst of Mbar 1", "a line", "worst of M"],
)
def test_the_effect_is_outside_in_about_one_draw_of_twenty(
    bound: str, setting: float, delta: np.ndarray
) -> None:
    draws = DRAWS if bound == "smooth" or setting == 0 else DRAWS // 3
    outside = 0
    for seed in range(draws):
        coefficients = _drawn(delta, seed)
        found = (
            relative_magnitudes_interval(coefficients, setting) if bound == "relative"
            else smoothness_interval(coefficients, setting)
        )  # fmt: skip
        outside += not found.low <= 0.0 <= found.high
    assert 0.01 <= outside / draws <= 0.07
