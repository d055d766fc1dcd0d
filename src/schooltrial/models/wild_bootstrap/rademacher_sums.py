"""Sums of columns under random signs, straight from the packed bits of the signs.

Schools are taken in segments of up to eight that lie in one block. The sums of a segment's columns
under all its signs make a table of at most 256 rows; a draw then adds one row per segment instead
of eight products. The loop is compiled on first use, kept in numba's cache, and asked for only
where there is enough to add up; a matrix product with the unpacked signs gives the same to
rounding.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

COMPILED_TERMS = 60_000_000
"""Draws × schools × columns from which the compiled loop is used (numpy: some 10 ms)."""


_SEGMENT = 8


@cache
def table_loop() -> Callable[..., None] | None:
    """Return the compiled loop, or None if numba is absent or switched off."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None
    try:
        import numba
    except ImportError:
        return None
    decorate = numba.njit(
        "void(u1[:,::1], i8[::1], i8[::1], i8[::1], f8[:,::1], i8, f8[:,::1], f8[:,:,::1])",
        nogil=True, cache=True, error_model="numpy",
    )  # fmt: skip
    compiled: Callable[..., None] = decorate(_add_by_tables)
    return compiled


def _add_by_tables(
    packed: Any,
    start: Any,
    length: Any,
    block: Any,
    columns: Any,
    dense: int,
    out: Any,
    by_block: Any,
) -> None:
    """Add Σ ±column: the first ``dense`` columns over all schools, the others block by block.

    ``packed`` holds a draw's signs in each row, the first school in the highest bit, and ends with
    a byte to spare; ``start`` and ``length`` delimit the segments, ``block`` is the block of each.
    """
    width = columns.shape[1]
    table = np.empty((256, width))
    for g in range(start.shape[0]):
        first, many = start[g], length[g]
        for c in range(width):
            total = 0.0
            for j in range(many):
                total -= columns[first + j, c]
            table[0, c] = total
        rows = 1
        for j in range(many - 1, -1, -1):  # the last school is the lowest bit
            for row in range(rows):
                for c in range(width):
                    table[rows + row, c] = table[row, c] + 2 * columns[first + j, c]
            rows *= 2
        byte, shift, b = first >> 3, 16 - (first & 7) - many, block[g]
        for d in range(packed.shape[0]):
            word = (np.int64(packed[d, byte]) << 8) | np.int64(packed[d, byte + 1])
            line = table[(word >> shift) & (rows - 1)]
            row = out[d]
            for c in range(dense):
                row[c] += line[c]
            for c in range(dense, width):
                by_block[d, c - dense, b] += line[c]


def segments(block: NDArray[np.intp]) -> tuple[NDArray[np.int64], ...]:
    """Return start, length and block of runs of at most eight schools of one block."""
    bounds = np.flatnonzero(np.diff(block, prepend=-1, append=-1))
    starts = np.concatenate(
        [np.arange(a, b, _SEGMENT) for a, b in pairwise(bounds.tolist())]
    ).astype(np.int64)
    ends = np.append(starts[1:], len(block))
    return starts, ends - starts, block[starts].astype(np.int64)
