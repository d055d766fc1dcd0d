"""Functions of I − K_j that reduce the bias of a cluster-robust variance.

K_j = L'X_j'X_jL (L any root of (X'X)⁻¹) has the nonzero eigenvalues of the hat matrix H_jj of a
cluster, so (I − H_jj)^(−1/2) acts on the columns of X_jL as (I − K_j)^(−1/2) acts on coordinates:
matrices of p × p take the place of n_j × n_j (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018,
JBES 36(4), section 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray

# Up to this norm a power series is quicker than an eigen-decomposition.
SERIES_NORM = 0.6


# 1 − eigenvalue below this is an eigenvalue of one: the direction is fitted exactly within the
# cluster, and the Moore-Penrose inverse gives it no weight.
UNIT_EIGENVALUE = 1e-10


# Numbers of a block of matrices on which the series works at a time.
CACHED_NUMBERS = 16_000


def _series_coefficients(norm: float) -> list[float]:
    """Return the terms of (1 − x)^(−1/2) that matter for 0 ≤ x ≤ ``norm``."""
    coefficients, term, power = [1.0], 1.0, 1.0
    while term * power > 1e-16 * (1.0 - norm) and len(coefficients) < 200:
        k = len(coefficients)
        term *= (2 * k - 1) / (2 * k)
        power *= norm
        coefficients.append(term)
    return coefficients


def _series(K: FloatArray, square: FloatArray, norm: float) -> FloatArray:
    """Evaluate (I − K)^(−1/2) by Paterson and Stockmeyer's grouping of a power series."""
    terms = _series_coefficients(norm)
    step = max(2, ceil(sqrt(len(terms))))
    groups = -(-len(terms) // step)
    coefficients = np.zeros((groups, step))
    coefficients.flat[: len(terms)] = terms
    powers = np.empty((step, *K.shape))  # K, K², …, K^step
    powers[0], powers[1] = K, square
    for k in range(2, step):
        np.matmul(powers[k - 1], K, out=powers[k])
    # All the polynomials of degree step − 1 at once; their constants go to the diagonals.
    parts = coefficients[:, 1:] @ powers[:-1].reshape(step - 1, -1)
    parts = parts.reshape(groups, *K.shape)
    np.einsum("gjii->gji", parts)[...] += coefficients[:, :1, None]
    total: FloatArray = parts[-1]
    for part in parts[-2::-1]:
        total = total @ powers[-1]
        total += part
    return total


def _spectral(K: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(K)
    gap = 1.0 - values
    root = np.zeros_like(gap)
    np.divide(1.0, np.sqrt(gap, where=gap > 0, out=np.ones_like(gap)), out=root,
              where=gap > UNIT_EIGENVALUE)  # fmt: skip
    rebuilt: FloatArray = (vectors * root[:, None, :]) @ np.swapaxes(vectors, -1, -2)
    return rebuilt


def inverse_root(K: FloatArray) -> FloatArray:
    """Return (I − K_j)^(−1/2) for every cluster, Moore-Penrose where an eigenvalue is one.

    Parameters
    ----------
    K : (J, m, m) array
        Symmetric, eigenvalues in [0, 1]. Clusters of one call share the length of the series, so
        a few at a time (``cached_chunks``) are quickest.

    Returns
    -------
    (J, m, m) array
    """
    square = K @ K
    # ‖K‖ ≤ ‖K²‖^(1/2), and the square's Frobenius norm is the tighter bound.
    norms = np.einsum("jab,jab->j", square, square) ** 0.25
    largest = float(norms.max(initial=0.0))
    if largest < SERIES_NORM / 4:
        return _series(K, square, largest)
    result = np.empty_like(K)
    low = 0.0
    for high in (SERIES_NORM / 4, SERIES_NORM):  # small clusters need few terms
        chosen = (norms >= low) & (norms < high)
        if chosen.any():
            result[chosen] = _series(K[chosen], square[chosen], high)
        low = high
    chosen = norms >= SERIES_NORM
    if chosen.any():
        result[chosen] = _spectral(K[chosen])
    return result


def cached_chunks(J: int, m: int) -> Iterator[slice]:
    """Cut J matrices of m × m into runs that stay in the processor's cache."""
    step = max(1, CACHED_NUMBERS // m**2)
    for first in range(0, J, step):
        yield slice(first, first + step)


def inverse(K: FloatArray, labels: NDArray[Any]) -> FloatArray:
    """Return (I − K_j)⁻¹ for every cluster (CR3, near the jackknife).

    Parameters
    ----------
    K : (J, m, m) array
        Cross-products in whitened coordinates.
    labels : (J,) array
        Labels of the clusters, for messages.

    Returns
    -------
    (J, m, m) array

    Raises
    ------
    ValueError
        If a cluster fits some direction exactly, so that leaving it out leaves a coefficient
        without data.
    """
    identity = np.eye(K.shape[-1])
    smallest = np.linalg.eigvalsh(identity - (K + np.swapaxes(K, -1, -2)) / 2)[:, 0]
    if (smallest < UNIT_EIGENVALUE).any():
        raise ValueError(
            f"CR3 is undefined: without cluster {labels[np.argmin(smallest)]!s} a coefficient has "
            "no data left; absorb the effects of clusters instead of giving each a column, leave "
            "out the term that only this cluster informs, or use CR2"
        )
    inverted = np.asarray(np.linalg.inv(identity - K), dtype=np.float64)
    return inverted
