"""Least squares with cluster-robust variance that is honest with few schools.

β̂ = (X'WX)⁻¹X'Wy, and V = M [Σ_j X_j'W_jA_j e_je_j'A_j'W_jX_j] M for clusters j, with A_j = I
(CR0; CR1, CR1S and CR1p multiply it), (I − H_jj)^(−1/2) in the sense of Bell & McCaffrey (CR2) or
(I − H_jj)⁻¹ (CR3, near the jackknife). Tests refer to t with Satterthwaite df per contrast, and to
the approximate Hotelling F for several contrasts at once (Pustejovsky & Tipton 2018, JBES 36(4),
672-683). Everything is computed from per-cluster cross-products: the cost after one pass over the
rows is O(J p³), whatever the number of pupils, and no n_j × n_j matrix is formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.models.cluster_robust.linear_model import absorbed_constant, assemble, read_model
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.least_squares.coefficients import select_columns


def fit_least_squares_columns(
    outcome: ArrayLike,
    columns: Sequence[ArrayLike],
    *,
    names: Sequence[str],
    cluster: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    absorb: ArrayLike | Sequence[ArrayLike] | None = None,
    collinear: str = "drop",
) -> LeastSquaresFit:
    """Fit OLS or WLS of an outcome on separate columns, without building one matrix of them.

    Parameters
    ----------
    outcome : (N,) array_like
        The outcome.
    columns : sequence of (N,) array_like
        Regressors, an intercept included where one is wanted.
    names : sequence of str
        Name of each column.
    cluster : (N,) array_like, optional
        Label of each row's cluster, of any type; without it the variance is the
        heteroskedasticity-robust one, and results have HC types in place of CR types.
    weights : (N,) array_like, optional
        Sampling weights; their scale does not matter. CR2 uses the identity as working covariance.
    absorb : (N,) array_like or sequence of them, optional
        Factors whose effects are swept out (schools, blocks; school and year).
    collinear : {"drop", "error"}
        What to do with a column that earlier columns (or absorbed effects) determine.

    Returns
    -------
    LeastSquaresFit

    Raises
    ------
    ValueError
        For a missing value (named by column and row), a weight that is not positive, a single
        cluster, no more rows than coefficients, or collinear columns when an error was asked for.
    """
    if collinear not in ("drop", "error"):
        raise ValueError(f"collinear must be 'drop' or 'error', not {collinear!r}")
    model = read_model(outcome, columns, names, cluster=cluster, weights=weights, absorb=absorb)
    kept, left_out = select_columns(model.rows, range(len(model.names) - 1))
    shown = [k for k in left_out if k >= model.hidden and not absorbed_constant(model, k)]
    dropped = tuple(model.names[k] for k in shown)
    if dropped and collinear == "error":
        raise ValueError(
            f"columns determined by the others{' and the absorbed effects' * model.absorbed}: "
            f"{', '.join(dropped)}; remove them, or pass collinear='drop'"
        )
    return assemble(
        model,
        kept,
        dropped=dropped,
        estimator="OLS" if weights is None else "WLS",
    )


def fit_least_squares(
    y: ArrayLike,
    x: ArrayLike,
    *,
    names: Sequence[str],
    cluster: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    absorb: ArrayLike | Sequence[ArrayLike] | None = None,
    collinear: str = "drop",
) -> LeastSquaresFit:
    """Fit OLS or WLS with a cluster-robust variance to an N × p matrix of regressors.

    Parameters
    ----------
    y : (N,) array_like
        Outcome.
    x : (N, p) array_like
        Regressors, an intercept included where one is wanted.
    names : sequence of p str
        Names of the columns of ``x``.
    cluster, weights, absorb, collinear
        As for ``fit_least_squares_columns``.

    Returns
    -------
    LeastSquaresFit
    """
    matrix = np.asarray(x)
    if matrix.ndim != 2:
        raise ValueError(f"x must be a matrix with a row per pupil, not of shape {matrix.shape}")
    columns = [matrix[:, k] for k in range(matrix.shape[1])]
    return fit_least_squares_columns(
        y, columns, names=names, cluster=cluster, weights=weights, absorb=absorb,
        collinear=collinear,
    )  # fmt: skip


def fit_least_squares_frame(
    frame: Any,
    outcome: str,
    terms: Sequence[str],
    *,
    cluster: str | None = None,
    weights: str | None = None,
    absorb: str | Sequence[str] | None = None,
    intercept: bool = True,
    collinear: str = "drop",
) -> LeastSquaresFit:
    """Fit OLS or WLS to named columns of a data frame, or of any mapping to arrays.

    Parameters
    ----------
    frame : mapping of str to (N,) array_like
        A pandas data frame, a dict of arrays, …
    outcome : str
        Outcome column.
    terms : sequence of str
        Regressor columns, numbers.
    cluster, weights : str
        Columns of cluster labels and of weights.
    absorb : str or sequence of str, optional
        Columns whose effects are absorbed.
    intercept : bool
        Whether to add an intercept, ``(Intercept)``; it vanishes where effects are absorbed.
    collinear : {"drop", "error"}
        As for ``fit_least_squares_columns``.

    Returns
    -------
    LeastSquaresFit
    """
    factors = [absorb] if isinstance(absorb, str) else list(absorb or [])
    for name in [outcome, *terms, *factors, *filter(None, (cluster, weights))]:
        if name not in frame:
            raise ValueError(f"the data have no column {name!r}; they have {', '.join(frame)}")
    y = np.asarray(frame[outcome])
    columns, names = [np.asarray(frame[name]) for name in terms], list(terms)
    if intercept and not factors:
        columns, names = [np.ones(len(y)), *columns], ["(Intercept)", *names]
    labels: Any = None if cluster is None else frame[cluster]
    factor_labels: list[ArrayLike] = [
        labels if name == cluster else frame[name] for name in factors
    ]
    return fit_least_squares_columns(
        y,
        columns,
        names=names,
        cluster=labels,
        weights=None if weights is None else frame[weights],
        absorb=factor_labels or None,
        collinear=collinear,
    )
