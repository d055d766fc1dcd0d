"""From columns to a fitted linear model: the steps that OLS, WLS and 2SLS share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.cluster_robust.heteroskedastic import row_scores
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.cluster_robust.sampling_weights import weighted_scores
from schooltrial.models.cluster_robust.scores import Scores, identity_scores
from schooltrial.models.least_squares.absorbed_effects import Absorption, plan_absorption
from schooltrial.models.least_squares.clusters import Clustering, cluster_rows
from schooltrial.models.least_squares.coefficients import (
    GatheredRows,
    as_column,
    as_weights,
    gather_rows,
    inverse_factor,
    restore_intercept,
)
from schooltrial.models.least_squares.parameter_counts import ParameterCounts


@dataclass(frozen=True)
class LinearModel:
    """Columns that were read and summed, ready to be solved.

    Attributes
    ----------
    rows : GatheredRows
        The sums by cluster.
    columns : tuple of arrays
        The columns, absorbed indicators first and the outcome last.
    names : tuple of str
        Their names.
    hidden : int
        How many of them are absorbed indicators.
    weights : (N,) array or None
        Weights of mean one.
    clustered, absorbed : bool
        Whether clusters were given, and effects absorbed.
    """

    rows: GatheredRows
    columns: tuple[NDArray[Any], ...]
    names: tuple[str, ...]
    hidden: int
    weights: FloatArray | None
    clustered: bool
    absorbed: bool

    def positions(self, names: Sequence[str]) -> list[int]:
        """Return the positions of columns of these names."""
        return [self.names.index(name) for name in names]


def _factor_list(absorb: ArrayLike | Sequence[ArrayLike] | None) -> list[ArrayLike]:
    """Return absorbed factors as a list, whether one was given or several."""
    if absorb is None:
        return []
    if isinstance(absorb, list | tuple) and absorb and np.ndim(absorb[0]) == 1:
        return list(absorb)
    return [absorb]  # type: ignore[list-item]


def _plan(
    n_rows: int, cluster: ArrayLike | None, factors: list[ArrayLike], weighted: bool
) -> Absorption:
    if cluster is not None:
        clusters = cluster_rows(cluster, n_rows=n_rows)
        if clusters.count < 2:
            raise ValueError(
                "all rows are in one cluster; a cluster-robust variance needs two or more: cluster "
                "on a finer unit, or give no cluster for a heteroskedasticity-robust variance"
            )
        return plan_absorption(clusters, factors, cluster_labels=cluster, weighted=weighted)
    if not factors:
        whole = Clustering(np.zeros(1, dtype=np.intp), None, np.zeros(1), n_rows)
        return plan_absorption(whole, [])
    # Without clusters the largest absorbed factor takes their place in gathering the rows.
    groupings = [cluster_rows(factor, n_rows=n_rows, what="absorbed effect") for factor in factors]
    main = max(range(len(factors)), key=lambda i: groupings[i].count)
    return plan_absorption(groupings[main], factors, cluster_labels=factors[main])


def read_model(
    outcome: ArrayLike,
    columns: Sequence[ArrayLike],
    names: Sequence[str],
    *,
    cluster: ArrayLike | None,
    weights: ArrayLike | None,
    absorb: ArrayLike | Sequence[ArrayLike] | None,
) -> LinearModel:
    """Check the columns, read them once, and sum them by cluster.

    Raises
    ------
    ValueError
        For columns of different lengths or names used twice, a missing value (named by column
        and row), a weight that is not positive, or a single cluster.
    """
    y = as_column(outcome, "outcome", None)
    if len(y) == 0:
        raise ValueError("the outcome has no rows; check the sample that was selected")
    if len(names) != len(columns):
        raise ValueError(f"{len(columns)} columns were given but {len(names)} names")
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise ValueError(f"two columns are called {twice!r}; every name must be used once")
    given = [as_column(column, name, len(y)) for column, name in zip(columns, names, strict=True)]
    plan = _plan(len(y), cluster, _factor_list(absorb), weights is not None)
    scaled = as_weights(weights, len(y))
    every = (*plan.indicators, *given, y)
    labels = [f"absorbed effect {i + 1}" for i in range(len(plan.indicators))]
    labels += [*names, "outcome"]
    rows = gather_rows(every, labels, plan, weights=scaled)
    hidden = len(plan.indicators)
    return LinearModel(
        rows, every, tuple(labels), hidden, scaled, cluster is not None, absorb is not None
    )


def refuse_too_many(model: LinearModel, counts: ParameterCounts) -> None:
    """Raise where the rows cannot support the coefficients, or none is left."""
    if model.rows.n_rows <= counts.all:
        raise ValueError(
            f"{model.rows.n_rows} rows cannot support {counts.all} coefficients (absorbed effects "
            "included); use fewer columns or coarser effects"
        )
    if counts.slopes == 0:
        raise ValueError(
            f"no column is left to estimate: {', '.join(model.names[model.hidden : -1])} are all "
            "constant or determined by the absorbed effects"
        )


def absorbed_constant(model: LinearModel, k: int) -> bool:
    """Whether column k is an intercept that absorbed effects have made needless."""
    column = model.columns[k]
    return model.absorbed and bool((column == column[0]).all())


def solve(
    model: LinearModel,
    regressors: FloatArray,
    projection: FloatArray,
    outcome: FloatArray,
    *,
    names: Sequence[str],
    hidden: int,
    estimator: str,
    dropped: tuple[str, ...] = (),
) -> LeastSquaresFit:
    """Solve the normal equations of regressors that are given as combinations of columns.

    Coefficients are those of the columns as shifted (``GatheredRows.shift``): slopes are right,
    an intercept is not until ``assemble`` has restored it.

    Parameters
    ----------
    model : LinearModel
        The sums.
    regressors : (q, p) array
        Map from columns to the regressors.
    projection : (q, p) array
        Map from columns to what the residuals are to be orthogonal to: the regressors themselves
        for OLS, their first-stage fits for 2SLS.
    outcome : (q,) array
        Map from columns to the outcome.
    names : sequence of str
        Names of the regressors after the first ``hidden``.
    hidden : int
        Regressors that stand for absorbed effects, and are not reported.
    estimator : str
        Name for the table.
    dropped : tuple of str
        Regressors that were left out.
    """
    rows = model.rows
    counts = ParameterCounts(regressors.shape[1], hidden, rows.plan)
    refuse_too_many(model, counts)
    total = rows.total
    moment = projection.T @ total
    L = inverse_factor(moment @ projection)
    beta = L @ (L.T @ (moment @ outcome))
    residual = outcome - regressors @ beta
    return LeastSquaresFit(
        names=tuple(names),
        dropped=dropped,
        coefficients=beta[hidden:],
        root=L[hidden:],
        scores=_scores(model, projection @ L, residual),
        counts=counts,
        n_rows=rows.n_rows,
        n_clusters=len(rows.sums.mass[0]) if model.clustered else rows.n_rows,
        residual_ss=max(float(residual @ total @ residual), 0.0),
        total_ss=_total_ss(rows, outcome),
        estimator=estimator,
        clustered=model.clustered,
    )


def assemble(
    model: LinearModel,
    kept: Sequence[int],
    *,
    outcome: int = -1,
    projection: FloatArray | None = None,
    dropped: tuple[str, ...] = (),
    estimator: str,
) -> LeastSquaresFit:
    """Fit columns of the model, and restore the intercept of the columns as they were given.

    Parameters
    ----------
    model : LinearModel
        The sums.
    kept : sequence of int
        Positions of the regressors, independent; absorbed indicators first.
    outcome : int
        Position of the outcome.
    projection : (q, p) array, optional
        See ``solve``; the regressors themselves by default.
    dropped : tuple of str
        Regressors left out.
    estimator : str
        Name for the table.
    """
    identity = np.eye(len(model.names))
    hidden = sum(1 for k in kept if k < model.hidden)
    regressors = identity[:, list(kept)]
    fit = solve(
        model,
        regressors,
        regressors if projection is None else projection,
        identity[outcome],
        names=[model.names[k] for k in list(kept)[hidden:]],
        hidden=hidden,
        estimator=estimator,
        dropped=dropped,
    )
    shown = list(kept)[hidden:]
    if model.rows.intercept is None or model.rows.intercept not in shown:
        return fit
    T, constant = restore_intercept(model.rows, shown, outcome)
    coefficients = T @ fit.coefficients
    coefficients[shown.index(model.rows.intercept)] += constant
    return replace(fit, coefficients=coefficients, root=T @ fit.root)


def _scores(model: LinearModel, design: FloatArray, residual: FloatArray) -> Scores:
    if not model.clustered:
        return row_scores(model.rows, model.columns, design, residual, model.weights)
    if model.rows.weighted:
        return weighted_scores(model.rows, design, residual)
    return identity_scores(model.rows, design, residual)


def _total_ss(rows: GatheredRows, outcome: FloatArray) -> float:
    """Return the outcome's sum of squares, about its mean where the model holds a constant."""
    centred = rows.intercept is not None or rows.plan.groups or rows.plan.indicators
    position = np.flatnonzero(outcome)
    if centred and len(position) == 1:
        return float(rows.spread[position[0]])
    return float(outcome @ rows.total @ outcome)


def centred_columns(model: LinearModel) -> list[FloatArray]:
    """Return the columns with the mean of each absorbed group taken out of its rows."""
    columns = [np.asarray(column, dtype=np.float64) for column in model.columns]
    plan = model.rows.plan
    if plan.cell_group is None:
        return columns
    group_of_cell = np.empty(plan.cells.count, dtype=np.intp)
    group_of_cell[plan.cell_order] = plan.cell_group
    group = group_of_cell[plan.cells.codes]
    weights = np.ones(len(group)) if model.weights is None else model.weights
    mass = np.bincount(group, weights=weights, minlength=plan.groups)
    return [
        column - (np.bincount(group, weights * column, minlength=plan.groups) / mass)[group]
        for column in columns
    ]
