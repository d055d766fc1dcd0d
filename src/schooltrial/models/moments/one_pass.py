"""One pass over the pupils: counts, means and centred cross-products by school.

The pass reads a list of one-dimensional columns in slabs of rows, without copying them into one
matrix. Within a slab the pupils of a school that follow each other form a *run*; each run yields
its weight, its mean and cross-products about that mean, and the runs of a school are put together
by the exact pairwise update

    A = A₁ + A₂ + (w₁w₂ / (w₁ + w₂)) (m₁ − m₂)(m₁ − m₂)'

(Chan, Golub & LeVeque 1983, The American Statistician 37(3): 242-247). Where pupils of a school are
scattered over the file, school means come first and deviations from them second, which is the same
in two readings. Sums are taken in an order that depends on the rows alone and never on the number
of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.compiled import COMPILED_CELLS, run_loops, scatter_loops
from schooltrial.models.moments.school_runs import IntArray, SchoolRuns

BLOCK_ROWS = 2048  # 20 columns of a block stay in the second-level cache


SLAB_ROWS = 16 * BLOCK_ROWS  # rows that one thread copies and works through at a time


THREADED_CELLS = 4_000_000  # below this, threads cost what they save


_NO_WEIGHTS = np.empty(0)


@dataclass(frozen=True)
class PartialSums:
    """What the pass yields: school weights, means and cross-products about them.

    Attributes
    ----------
    count : integer array, shape (J,)
        Pupils.
    weight : array, shape (J,)
        Sum of the weights (of ones, without weights).
    mean : array, shape (J, q)
        Weighted means.
    within : array, shape (q, q)
        Cross-products about the school means, pooled over schools.
    within_by_school : array, shape (J, q, q), or None
        The same for each school.
    """

    count: IntArray
    weight: FloatArray
    mean: FloatArray
    within: FloatArray
    within_by_school: FloatArray | None


def centred_cross_products(
    columns: Sequence[NDArray[np.generic]],
    runs: SchoolRuns,
    weights: FloatArray | None = None,
    *,
    by_school: bool = False,
    slab_rows: int = SLAB_ROWS,
    threads: int | None = None,
    compiled: bool | None = None,
) -> PartialSums:
    """Take counts, means and cross-products about school means in one pass.

    Parameters
    ----------
    columns : sequence of q arrays, each of shape (N,)
        Numeric columns of any real type; converted to float64 slab by slab.
    runs : SchoolRuns
        Which rows belong to which school.
    weights : array, shape (N,), optional
        Positive weights.
    by_school : bool
        Whether to keep the cross-products of each school (memory J q²).
    slab_rows, threads : int
        Rows copied at a time, and threads; the first changes no more than the last digits, the
        second nothing.
    compiled : bool, optional
        Whether to use compiled loops; by default where the data are large.
    """
    if compiled is None:
        compiled = runs.n_rows * len(columns) >= COMPILED_CELLS
    if threads is None:
        many = runs.n_rows * len(columns) >= THREADED_CELLS
        threads = min(os.cpu_count() or 1, 4) if compiled and many else 1
    plan = _Plan(slab_rows, threads, compiled)
    if not runs.scattered:
        return _by_runs(columns, runs, weights, None, by_school, plan)
    codes = runs.row_codes()
    if not by_school:
        return _two_readings(columns, codes, len(runs.labels), weights, plan)
    order = np.argsort(codes, kind="stable").astype(np.int64, copy=False)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(codes[order])) + 1)).astype(np.int64)
    together = SchoolRuns(runs.labels, starts, codes[order][starts], runs.n_rows)
    return _by_runs(columns, together, weights, order, by_school, plan)


@dataclass(frozen=True)
class _Plan:
    """How the rows are cut into slabs, and who works through them."""

    slab_rows: int
    threads: int
    compiled: bool

    def edges(self, n_rows: int) -> IntArray:
        return np.append(np.arange(0, n_rows, self.slab_rows), n_rows)

    def work(self, task: Callable[[int, int], None], n_tasks: int) -> None:
        """Run ``task(first, last)`` over ranges of task numbers, in threads."""

        def quietly(first: int, last: int) -> None:
            with np.errstate(invalid="ignore"):  # infinite values are refused by name, later
                task(first, last)

        if self.threads < 2 or n_tasks < 2:
            quietly(0, n_tasks)
            return
        edges = np.linspace(0, n_tasks, min(self.threads, n_tasks) + 1).astype(int).tolist()
        with ThreadPoolExecutor(len(edges) - 1) as pool:
            ranges = pairwise(edges)
            for job in [pool.submit(quietly, first, last) for first, last in ranges]:
                job.result()


def _provisional(columns: Sequence[NDArray[np.generic]]) -> FloatArray:
    """Return a shift for each column, so that no sum is taken of values far from zero."""
    shift = np.array([float(column[0]) for column in columns])
    shift[~np.isfinite(shift)] = 0.0
    return shift


def _symmetric(lower: FloatArray) -> FloatArray:
    """Return the symmetric matrix whose lower triangle is given."""
    return np.tril(lower) + np.tril(lower, -1).T


def _by_runs(
    columns: Sequence[NDArray[np.generic]],
    runs: SchoolRuns,
    weights: FloatArray | None,
    order: IntArray | None,
    by_school: bool,
    plan: _Plan,
) -> PartialSums:
    """Take the moments of each run about its own mean, and merge the runs of a school."""
    n_rows, q = runs.n_rows, len(columns)
    shift = _provisional(columns)
    edges = plan.edges(n_rows)
    cuts = np.arange(0, n_rows, min(BLOCK_ROWS, plan.slab_rows))
    starts = np.union1d(runs.starts, np.union1d(cuts, edges[:-1]))
    codes = runs.codes[np.searchsorted(runs.starts, starts, side="right") - 1]
    count = np.diff(starts, append=n_rows)
    weight = count.astype(np.float64)
    ordered = weights if weights is None or order is None else weights[order]
    if ordered is not None:
        weight = np.add.reduceat(ordered, starts)
    first_run = np.searchsorted(starts, edges)
    mean = np.empty((len(starts), q))
    grams = np.zeros((len(edges) - 1, q, q))
    run_grams = np.empty((len(starts), q, q)) if by_school else None
    loops = run_loops() if plan.compiled else None

    def work(first: int, last: int) -> None:
        buffer = np.empty((q, min(plan.slab_rows, n_rows)))
        for slab in range(first, last):
            low, high = int(edges[slab]), int(edges[slab + 1])
            rows = slice(low, high) if order is None else order[low:high]
            values = buffer[:, : high - low]
            for column, origin, target in zip(columns, shift, values, strict=True):
                np.subtract(column[rows], origin, out=target)
            own = slice(int(first_run[slab]), int(first_run[slab + 1]))
            begins = starts[own] - low
            ends = np.append(begins[1:], high - low)
            own_weights = _NO_WEIGHTS if ordered is None else ordered[low:high]
            if loops is None or ordered is not None:
                _centre_runs(buffer, ends, own_weights, weight[own], mean[own])
            else:
                loops.centre_runs(buffer, ends, weight[own], mean[own])
            if run_grams is not None:
                for run, (a, b) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
                    np.matmul(values[:, a:b], values[:, a:b].T, out=run_grams[own.start + run])
            products = _cross_products if loops is None else loops.cross_products
            block = np.zeros((q, q))
            for a in range(0, high - low, BLOCK_ROWS):
                products(buffer, a, min(a + BLOCK_ROWS, high - low), block)
                grams[slab] += block

    plan.work(work, len(edges) - 1)
    parts = PartialSums(count, weight, mean, _symmetric(grams.sum(axis=0)), run_grams)
    merged = merge_by_school(parts, codes, len(runs.labels))
    merged.mean[...] += shift
    return merged


def _cross_products(rows: FloatArray, begin: int, end: int, out: FloatArray) -> None:
    block = rows[:, begin:end]
    np.matmul(block, block.T, out=out)


def _centre_runs(
    rows: FloatArray,
    ends: IntArray,
    weights: FloatArray,
    run_weight: FloatArray,
    mean: FloatArray,
) -> None:
    """Take each run's mean from its columns in place; the numpy twin of the compiled loop."""
    begins = np.append(0, ends[:-1])
    values = rows[:, : ends[-1]]
    weighted = values * weights if len(weights) else values
    centre = np.add.reduceat(weighted, begins, axis=1) / run_weight
    mean[...] = centre.T
    values -= np.repeat(centre, ends - begins, axis=1)
    if len(weights):
        values *= np.sqrt(weights)


def merge_by_school(parts: PartialSums, codes: IntArray, n_schools: int) -> PartialSums:
    """Put together parts (runs, or partial passes) of the same school, exactly.

    Parameters
    ----------
    parts : PartialSums
        One row for each part; ``within`` is already pooled over parts.
    codes : integer array
        School of each part, 0 to ``n_schools`` − 1, each at least once.
    n_schools : int
        Number of schools J.
    """
    if len(codes) == n_schools and bool(np.all(codes[1:] > codes[:-1])):
        return parts
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    first = np.concatenate(([0], np.flatnonzero(np.diff(sorted_codes)) + 1))
    part_weight = parts.weight[order]
    part_mean = parts.mean[order]
    weight = np.add.reduceat(part_weight, first)
    origin = part_mean[first]  # the first part's mean keeps the weighted sums small
    relative = part_mean - origin[sorted_codes]
    offset = np.add.reduceat(part_weight[:, None] * relative, first) / weight[:, None]
    deviation = (relative - offset[sorted_codes]) * np.sqrt(part_weight)[:, None]
    by_school = None
    if parts.within_by_school is not None:
        outer = deviation[:, :, None] * deviation[:, None, :]
        by_school = np.add.reduceat(parts.within_by_school[order] + outer, first)
    return PartialSums(
        count=np.add.reduceat(parts.count[order], first),
        weight=weight,
        mean=origin + offset,
        within=parts.within + deviation.T @ deviation,
        within_by_school=by_school,
    )


def _two_readings(
    columns: Sequence[NDArray[np.generic]],
    codes: IntArray,
    n_schools: int,
    weights: FloatArray | None,
    plan: _Plan,
) -> PartialSums:
    """Take the moments of scattered rows: school means first, then deviations from them."""
    n_rows, q = len(codes), len(columns)
    shift = _provisional(columns)
    edges = plan.edges(n_rows)
    loops = scatter_loops() if plan.compiled else None
    add = _add_by_code if loops is None else loops.add_by_code
    count = np.bincount(codes, minlength=n_schools)
    ones = np.ones(n_rows) if weights is None else weights
    weight: FloatArray = np.bincount(codes, weights=ones, minlength=n_schools).astype(np.float64)
    mean = np.zeros((q, n_schools))
    grams = np.zeros((len(edges) - 1, q, q))

    def take_means(first: int, last: int) -> None:
        buffer = np.empty(min(plan.slab_rows, n_rows))
        for k in range(first, last):
            for low, high in pairwise(edges.tolist()):
                values = np.subtract(columns[k][low:high], shift[k], out=buffer[: high - low])
                if weights is not None:
                    values *= weights[low:high]
                add(values, codes[low:high], mean[k])
            mean[k] /= weight

    def take_products(first: int, last: int) -> None:
        buffer = np.empty((q, min(plan.slab_rows, n_rows)))
        for slab in range(first, last):
            low, high = int(edges[slab]), int(edges[slab + 1])
            values = buffer[:, : high - low]
            for column, origin, target in zip(columns, shift, values, strict=True):
                np.subtract(column[low:high], origin, out=target)
            own_weights = _NO_WEIGHTS if weights is None else weights[low:high]
            centre = _centre_by_code if loops is None else loops.centre_by_code
            centre(buffer, codes[low:high], mean, own_weights)
            products = _cross_products if loops is None else loops.cross_products
            block = np.zeros((q, q))
            for a in range(0, high - low, BLOCK_ROWS):
                products(buffer, a, min(a + BLOCK_ROWS, high - low), block)
                grams[slab] += block

    plan.work(take_means, q)
    plan.work(take_products, len(edges) - 1)
    return PartialSums(count, weight, mean.T + shift, _symmetric(grams.sum(axis=0)), None)


def _add_by_code(values: FloatArray, codes: IntArray, total: FloatArray) -> None:
    total += np.bincount(codes, weights=values, minlength=len(total))


def _centre_by_code(
    rows: FloatArray, codes: IntArray, mean: FloatArray, weights: FloatArray
) -> None:
    values = rows[:, : len(codes)]
    values -= mean[:, codes]
    if len(weights):
        values *= np.sqrt(weights)
