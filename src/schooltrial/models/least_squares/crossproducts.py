"""Per-cluster cross-products of the columns of a model, in one pass over the rows.

Every estimator of the design-based side needs the rows only through, for each cluster j,

    mass_j = Σ w_i,   first_j = Σ w_i (z_i − c_j),   gram_j = Σ w_i (z_i − c_j)(z_i − c_j)',

about a centre c_j close to the data, so that no digits are lost to large means. Sampling weights
need the same sums under w⁰, w¹ and w² (one leading axis, ``powers``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.least_squares.clusters import Clustering

# Rows per block: 21 columns of it fit in a second-level cache.
BLOCK_ROWS = 4096


# Below this many rows a cluster, a product per cluster costs more than products per row.
FEW_ROWS = 12


# Rows above which two threads pay for themselves.
THREADED_ROWS = 200_000


@dataclass(frozen=True)
class CrossProducts:
    """Sums of one pass, per cell.

    Attributes
    ----------
    centre : (C, q) array
        The point about which ``first`` and ``gram`` are taken.
    mass : (P, C) array
        Sum of the weights (to each power); the number of rows without weights.
    first : (P, C, q) array
        Weighted sums of z − centre.
    gram : (P, C, q, q) array
        Weighted cross-products of z − centre.
    """

    centre: FloatArray
    mass: FloatArray
    first: FloatArray
    gram: FloatArray

    def about(self, centre: FloatArray) -> CrossProducts:
        """Return the same sums about another centre, (C, q) or (q,)."""
        centre = np.broadcast_to(centre, self.centre.shape)
        step = centre - self.centre
        cross = self.first[..., :, None] * step[:, None, :]
        gram = self.gram - cross - np.swapaxes(cross, -1, -2)
        gram += self.mass[..., None, None] * (step[:, :, None] * step[:, None, :])
        first = self.first - self.mass[..., None] * step
        return CrossProducts(centre, self.mass, first, gram)

    def gather(self, starts: IntArray) -> CrossProducts:
        """Add up runs of cells; all cells of a run must share their centre."""
        return CrossProducts(
            self.centre[starts],
            np.add.reduceat(self.mass, starts, axis=1),
            np.add.reduceat(self.first, starts, axis=1),
            np.add.reduceat(self.gram, starts, axis=1),
        )

    def take(self, order: IntArray) -> CrossProducts:
        """Return the cells in another order."""
        return CrossProducts(
            self.centre[order], self.mass[:, order], self.first[:, order], self.gram[:, order]
        )


def _pieces(cells: Clustering) -> tuple[IntArray, IntArray]:
    """Split long cells; return the starts of the pieces and, for each cell, its first piece."""
    per_cell = -(-cells.sizes // BLOCK_ROWS)
    first = np.concatenate([np.zeros(1, dtype=np.intp), np.cumsum(per_cell)[:-1]])
    if len(per_cell) == int(per_cell.sum()):
        return cells.starts, first
    offset = np.arange(int(per_cell.sum())) - np.repeat(first, per_cell)
    return np.repeat(cells.starts, per_cell) + offset * BLOCK_ROWS, first


def _blocks(starts: IntArray, n_rows: int) -> list[tuple[int, int]]:
    """Cut the pieces into runs of at most ``BLOCK_ROWS`` rows."""
    bounds = np.append(starts, n_rows)
    blocks, first = [], 0
    while first < len(starts):
        last = int(np.searchsorted(bounds, bounds[first] + BLOCK_ROWS, side="right")) - 1
        last = max(last, first + 1)
        blocks.append((first, last))
        first = last
    return blocks


class _Pass:
    """One pass over the rows; holds what every block needs."""

    def __init__(
        self,
        columns: Sequence[NDArray[Any]],
        cells: Clustering,
        starts: IntArray,
        shift: FloatArray,
        weights: FloatArray | None,
        centre_cells: bool,
        compiled: bool,
    ) -> None:
        self.columns, self.order, self.shift = columns, cells.order, shift
        loop = gram_loop() if compiled else None
        self.grams = _grams if loop is None else loop
        self.bounds = np.append(starts, cells.n_rows).astype(np.int64)
        self.weights, self.centre_cells = weights, centre_cells
        powers, count, q = (1 if weights is None else 3), len(starts), len(columns)
        self.mass = np.empty((powers, count))
        self.first = np.zeros((powers, count, q))
        self.gram = np.empty((powers, count, q, q))
        self.mean = np.zeros((count, q)) if centre_cells else None

    def run(self, blocks: Sequence[tuple[int, int]]) -> None:
        widest = max(int(self.bounds[last] - self.bounds[first]) for first, last in blocks)
        buffer = np.empty(len(self.columns) * widest)
        for first, last in blocks:
            self._block(first, last, buffer)

    def _block(self, first: int, last: int, buffer: FloatArray) -> None:
        low, high = int(self.bounds[first]), int(self.bounds[last])
        rows: Any = slice(low, high) if self.order is None else self.order[low:high]
        q = len(self.columns)
        block = buffer[: q * (high - low)].reshape(q, high - low)
        for line, column, shift in zip(block, self.columns, self.shift, strict=True):
            np.subtract(column[rows], shift, out=line)
        starts, ends = self.bounds[first:last] - low, self.bounds[first + 1 : last + 1] - low
        sizes = ends - starts
        sums = np.add.reduceat(block, starts, axis=1)
        if self.mean is not None:
            sums /= sizes
            self.mean[first:last] = sums.T
            block -= np.repeat(sums, sizes, axis=1)
        if self.weights is None:
            self.mass[0, first:last] = sizes
            if self.mean is None:
                self.first[0, first:last] = sums.T
            self.grams(block, block, ends, self.gram[0, first:last])
            return
        weight = self.weights[rows]
        power, weighted = np.ones_like(weight), block
        for index in range(3):
            self.mass[index, first:last] = np.add.reduceat(power, starts)
            self.first[index, first:last] = np.add.reduceat(weighted, starts, axis=1).T
            self.grams(weighted, block, ends, self.gram[index, first:last])
            power, weighted = power * weight, weighted * weight


def _grams(left: FloatArray, right: FloatArray, ends: IntArray, out: FloatArray) -> None:
    """Write left_j right_j' for every cell j of a block; the numpy twin of the compiled loop."""
    starts = np.append(0, ends[:-1])
    if left.shape[1] >= FEW_ROWS * len(starts):
        for cell, (low, high) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            np.matmul(left[:, low:high], right[:, low:high].T, out=out[cell])
        return
    for line in range(len(left)):  # one row of every Gram matrix at a time keeps memory small
        out[:, line, :] = np.add.reduceat(left[line] * right, starts, axis=1).T


def cross_products(
    columns: Sequence[NDArray[Any]],
    cells: Clustering,
    *,
    shift: FloatArray,
    weights: FloatArray | None = None,
    centre_cells: bool = False,
    compiled: bool | None = None,
) -> CrossProducts:
    """Sum columns and their products within every cell.

    Parameters
    ----------
    columns : sequence of q arrays of length N
        Numbers of any kind; converted block by block, never copied whole.
    cells : Clustering
        The groups to sum within.
    shift : (q,) array
        Subtracted from every column before anything is squared.
    weights : (N,) array, optional
        Sums are also taken under w and w² (the leading axis then has length 3).
    centre_cells : bool
        Centre on each cell's own mean, as absorbed effects require.
    compiled : bool, optional
        Whether to use the compiled loop; by default where the data are large.

    Returns
    -------
    CrossProducts
        In the order of the cells. The order of every sum is fixed, whatever the threads.
    """
    starts, first_piece = _pieces(cells)
    if compiled is None:
        compiled = cells.n_rows * len(columns) >= COMPILED_NUMBERS
    job = _Pass(columns, cells, starts, shift, weights, centre_cells, compiled)
    blocks = _blocks(starts, cells.n_rows)
    if cells.n_rows < THREADED_ROWS or len(blocks) < 4:
        job.run(blocks)
    else:
        middle = len(blocks) // 2
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(job.run, (blocks[:middle], blocks[middle:])))
    centre = np.broadcast_to(shift, (len(starts), len(columns)))
    if job.mean is not None:
        centre = job.mean + shift
    pieces = CrossProducts(centre, job.mass, job.first, job.gram)
    if len(starts) == cells.count:
        return pieces
    if centre_cells:  # bring the pieces of a long cell to one centre before adding them
        of_piece = np.repeat(np.arange(cells.count), np.diff(first_piece, append=len(starts)))
        counts = np.diff(starts, append=cells.n_rows)
        means = np.add.reduceat(counts[:, None] * centre, first_piece) / cells.sizes[:, None]
        pieces = pieces.about(means[of_piece])
    return pieces.gather(first_piece)


# Numbers (rows × columns) below which numpy is quick enough for nothing to be compiled.
COMPILED_NUMBERS = 600_000


@cache
def gram_loop() -> Callable[..., None] | None:
    """Return the compiled loop, or ``None`` where numba is absent or switched off."""
    try:
        import numba
    except ImportError:
        return None
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return None
    decorate = numba.njit(
        "void(f8[:,::1], f8[:,::1], i8[::1], f8[:,:,::1])",
        nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"},
    )  # fmt: skip
    compiled: Callable[..., None] = decorate(_grams_of_columns)
    return compiled


def _grams_of_columns(left: Any, right: Any, ends: Any, out: Any) -> None:
    """Write left_j right_j' (symmetric) for every cluster j; columns of the data are rows here."""
    q = left.shape[0]
    begin = 0
    for cell in range(ends.shape[0]):
        end = ends[cell]
        gram = out[cell]
        for i in range(0, q, 3):
            i1, i2 = min(i + 1, q - 1), min(i + 2, q - 1)
            a0, a1, a2 = left[i, begin:end], left[i1, begin:end], left[i2, begin:end]
            for j in range(0, i + 3, 3):
                j0, j1, j2 = min(j, q - 1), min(j + 1, q - 1), min(j + 2, q - 1)
                b0, b1, b2 = right[j0, begin:end], right[j1, begin:end], right[j2, begin:end]
                s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = 0.0
                for t in range(a0.shape[0]):
                    s00 += a0[t] * b0[t]
                    s01 += a0[t] * b1[t]
                    s02 += a0[t] * b2[t]
                    s10 += a1[t] * b0[t]
                    s11 += a1[t] * b1[t]
                    s12 += a1[t] * b2[t]
                    s20 += a2[t] * b0[t]
                    s21 += a2[t] * b1[t]
                    s22 += a2[t] * b2[t]
                # A tile that sticks out beyond the last column writes its edge again.
                gram[i, j0] = gram[j0, i] = s00
                gram[i, j1] = gram[j1, i] = s01
                gram[i, j2] = gram[j2, i] = s02
                gram[i1, j0] = gram[j0, i1] = s10
                gram[i1, j1] = gram[j1, i1] = s11
                gram[i1, j2] = gram[j2, i1] = s12
                gram[i2, j0] = gram[j0, i2] = s20
                gram[i2, j1] = gram[j1, i2] = s21
                gram[i2, j2] = gram[j2, i2] = s22
        begin = end
