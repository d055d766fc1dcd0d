"""Compiled inner loops of the pass over the pupils, and when they are used.

Each loop has a numpy counterpart in ``moments.one_pass`` that gives the same result to rounding.
The loops are compiled on first use, kept in numba's cache, and asked for only where the data are
large enough to pay for it. They release the interpreter's lock, so that two threads work at once.
With ``NUMBA_DISABLE_JIT=1``, or without numba, numpy does all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

COMPILED_CELLS = 1_000_000  # below this, numpy takes a few milliseconds and compiles nothing


_FAST = {"reassoc", "contract", "nsz"}  # lets sums be vectorised; NaN and infinity stay as they are


class RunLoops(NamedTuple):
    """Loops for pupils that are ordered by school."""

    centre_runs: Callable[..., None]
    cross_products: Callable[..., None]


class ScatterLoops(NamedTuple):
    """Loops for pupils whose schools are scattered over the file."""

    add_by_code: Callable[..., None]
    centre_by_code: Callable[..., None]
    cross_products: Callable[..., None]


def _compiler() -> Callable[[str], Callable[[Any], Callable[..., None]]] | None:
    try:
        import numba
    except ImportError:
        return None
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None

    def compile_as(signature: str) -> Callable[[Any], Callable[..., None]]:
        decorate: Callable[[Any], Callable[..., None]] = numba.njit(
            signature, nogil=True, cache=True, fastmath=_FAST, error_model="numpy"
        )
        return decorate

    return compile_as


@cache
def run_loops() -> RunLoops | None:
    """Return the loops for runs, compiled, or None if numpy is to do the work."""
    compile_as = _compiler()
    if compile_as is None:
        return None
    return RunLoops(
        compile_as("void(f8[:,::1], i8[::1], f8[::1], f8[:,::1])")(_centre_runs),
        compile_as("void(f8[:,::1], i8, i8, f8[:,::1])")(_cross_products),
    )


@cache
def scatter_loops() -> ScatterLoops | None:
    """Return the loops for scattered rows, compiled, or None if numpy is to do the work."""
    compile_as = _compiler()
    if compile_as is None:
        return None
    return ScatterLoops(
        compile_as("void(f8[::1], i8[::1], f8[::1])")(_add_by_code),
        compile_as("void(f8[:,::1], i8[::1], f8[:,::1], f8[::1])")(_centre_by_code),
        compile_as("void(f8[:,::1], i8, i8, f8[:,::1])")(_cross_products),
    )


def _centre_runs(rows: Any, ends: Any, run_weight: Any, mean: Any) -> None:
    """Take each run's mean from its columns, in place; for pupils without weights.

    ``rows`` is (q, m), one column of the data a row; ``ends`` the end of each run, at most m.
    """
    for k in range(rows.shape[0]):
        begin = 0
        for r in range(ends.shape[0]):
            run = rows[k, begin : ends[r]]
            total = 0.0
            for i in range(run.shape[0]):
                total += run[i]
            centre = total / run_weight[r]
            for i in range(run.shape[0]):
                run[i] -= centre
            mean[r, k] = centre
            begin = ends[r]


def _cross_products(rows: Any, begin: int, end: int, out: Any) -> None:
    """Write cross-products to the lower triangle; three by three, to use each value read thrice.

    A tile that sticks out beyond the last column writes its edge again.
    """
    q = rows.shape[0]
    for i in range(0, q, 3):
        i1, i2 = min(i + 1, q - 1), min(i + 2, q - 1)
        a0, a1, a2 = rows[i, begin:end], rows[i1, begin:end], rows[i2, begin:end]
        for j in range(0, i + 3, 3):
            j1, j2 = min(j + 1, q - 1), min(j + 2, q - 1)
            b0, b1, b2 = rows[j, begin:end], rows[j1, begin:end], rows[j2, begin:end]
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
            out[i, j] = s00
            out[i, j1] = s01
            out[i, j2] = s02
            out[i1, j] = s10
            out[i1, j1] = s11
            out[i1, j2] = s12
            out[i2, j] = s20
            out[i2, j1] = s21
            out[i2, j2] = s22


def _add_by_code(values: Any, codes: Any, out: Any) -> None:
    """Add each value to the total of its school."""
    for i in range(values.shape[0]):
        out[codes[i]] += values[i]


def _centre_by_code(rows: Any, codes: Any, mean: Any, weights: Any) -> None:
    """Take the mean of its school from each value, in place; multiply by √weight if weighted."""
    weighted = weights.shape[0] > 0
    for k in range(rows.shape[0]):
        own = rows[k, : codes.shape[0]]
        centre = mean[k]
        for i in range(own.shape[0]):
            own[i] -= centre[codes[i]]
        if weighted:
            for i in range(own.shape[0]):
                own[i] *= weights[i] ** 0.5
