"""The compiled loops for products of columns: numpy's numbers, from within their arrays.

Three columns are taken at a time, so that the last tile of one column, or of two, sticks out. What
lies beyond the arrays here is NaN to read, and must be as it was after writing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from schooltrial.models.least_squares.crossproducts import gram_loop
from schooltrial.models.moments.compiled import run_loops, scatter_loops

FloatArray = NDArray[np.float64]
Loop = Callable[..., None]
COLUMNS = pytest.mark.parametrize("q", range(1, 10))
ENDS = np.array([5, 6, 6, 23], dtype=np.int64)
"""Ends of clusters of five, one, no and seventeen pupils."""
MARK = -77.0


@pytest.fixture(params=["compiled", "interpreted"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _as(mode: str, loop: Any) -> Loop:
    """Return a loop as it runs, or as numpy runs it, which refuses what lies outside an array."""
    chosen: Loop = loop if mode == "compiled" else loop.py_func
    return chosen


def _grams(mode: str) -> Loop:
    loop = gram_loop()
    assert loop is not None
    return _as(mode, loop)


def _within(rows: FloatArray, beyond: float = np.nan) -> FloatArray:
    """Return the same rows at the beginning of a longer array."""
    q, n = rows.shape
    longer = np.full((q + 4, n), beyond)
    longer[:q] = rows
    return longer[:q]


@COLUMNS
def test_products_within_clusters_are_those_of_numpy(mode: str, q: int) -> None:
    rng = np.random.default_rng(q)
    left, right = _within(rng.normal(size=(q, 23))), _within(rng.normal(size=(q, 23)))
    right[:] = left * rng.uniform(1, 2, 23)  # weights keep the products symmetric
    room = np.full((len(ENDS) + 1, q, q), MARK)
    _grams(mode)(left, right, ENDS, room[:-1])
    for found, low, high in zip(room, [0, *ENDS[:-1]], ENDS, strict=False):
        np.testing.assert_allclose(
            found, left[:, low:high] @ right[:, low:high].T, rtol=1e-12, atol=1e-12
        )
    assert (room[-1] == MARK).all()


@COLUMNS
def test_products_of_a_block_are_those_of_numpy(mode: str, q: int) -> None:
    runs, scattered = run_loops(), scatter_loops()
    assert runs is not None
    assert scattered is not None
    rows = _within(np.random.default_rng(q).normal(size=(q, 23)))
    expected = np.tril(rows[:, 4:19] @ rows[:, 4:19].T)
    for loops in (runs, scattered):
        room = np.full((q + 4, q), MARK)
        _as(mode, loops.cross_products)(rows, 4, 19, room[:q])
        np.testing.assert_allclose(np.tril(room[:q]), expected, rtol=1e-12, atol=1e-12)
        assert (room[q:] == MARK).all()


@COLUMNS
def test_columns_are_centred_on_the_mean_of_their_run(mode: str, q: int) -> None:
    loops = run_loops()
    assert loops is not None
    ends = np.array([5, 6, 23], dtype=np.int64)
    rows = np.full((q, 26), MARK)  # three numbers beyond the last run stay as they are
    rows[:, :23] = np.random.default_rng(q).normal(size=(q, 23))
    before, mean = rows.copy(), np.full((4, q), MARK)
    _as(mode, loops.centre_runs)(rows, ends, np.array([5.0, 1.0, 17.0]), mean[:3])
    for run, (low, high) in enumerate([(0, 5), (5, 6), (6, 23)]):
        expected = before[:, low:high].mean(axis=1)
        np.testing.assert_allclose(mean[run], expected, rtol=1e-12)
        np.testing.assert_allclose(
            rows[:, low:high], before[:, low:high] - expected[:, None], rtol=1e-12, atol=1e-12
        )
    assert (rows[:, 23:] == MARK).all()
    assert (mean[3] == MARK).all()


@COLUMNS
@pytest.mark.parametrize("weighted", [False, True])
def test_scattered_columns_are_summed_and_centred_by_school(
    mode: str, q: int, weighted: bool
) -> None:
    loops = scatter_loops()
    assert loops is not None
    rng = np.random.default_rng(q)
    codes = rng.permutation(np.arange(23) % 4).astype(np.int64)
    rows = np.full((q, 26), MARK)
    rows[:, :23] = rng.normal(size=(q, 23))
    before = rows[:, :23].copy()
    total = np.zeros((q, 4))
    for k in range(q):
        _as(mode, loops.add_by_code)(before[k], codes, total[k])
    np.testing.assert_allclose(
        total, [np.bincount(codes, weights=column) for column in before], rtol=1e-12, atol=1e-12
    )
    weights = rng.uniform(0.5, 2, 23) if weighted else np.empty(0)
    _as(mode, loops.centre_by_code)(rows, codes, total, weights)
    expected = before - total[:, codes]
    expected *= np.sqrt(weights) if weighted else 1.0
    np.testing.assert_allclose(rows[:, :23], expected, rtol=1e-12, atol=1e-12)
    assert (rows[:, 23:] == MARK).all()
