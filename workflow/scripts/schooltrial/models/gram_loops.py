"""The compiled loop for products of columns within clusters, used where the data are large.

numpy does the same with one matrix product per cluster; for clusters of a few hundred rows the
loop below, which reads each value once for three products, is several times quicker. It is compiled
on first use, kept in numba's cache, and releases the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

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
    compiled: Callable[..., None] = decorate(_grams)
    return compiled


def _grams(left: Any, right: Any, ends: Any, out: Any) -> None:
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
