"""Least squares from per-cluster cross-products: rows gathered, columns checked, coefficients.

The rows are read once (``least_squares.crossproducts``); everything after works on q × q matrices.
With an intercept, columns are shifted close to their mean first, which changes no slope and keeps
the digits that raw sums of squares would lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.least_squares.absorbed_effects import Absorption
from schooltrial.models.least_squares.crossproducts import CrossProducts, cross_products

# A column is collinear when less than this share of its sum of squares is left by those before it.
COLLINEAR = 1e-11


# … or less than this share of its raw sum of squares, which is rounding in a constant column.
ROUNDING = 1e-24


@dataclass(frozen=True)
class GatheredRows:
    """The data of a model, as sums by cluster with effects absorbed.

    Attributes
    ----------
    sums : CrossProducts
        Per cluster (leading axis: powers of the weight); columns in the order given, the last
        one being the outcome.
    plan : Absorption
        What was absorbed and how.
    shift : (q,) array
        Subtracted from the columns; zero where no constant can make up for it.
    intercept : int or None
        Position of the constant column.
    n_rows : int
        Number of rows N.
    spread : (q,) array
        Sum of squares of each column about its (weighted) mean, before effects are absorbed.
    weighted : bool
        Whether weights were given.
    """

    sums: CrossProducts
    plan: Absorption
    shift: FloatArray
    intercept: int | None
    n_rows: int
    spread: FloatArray
    weighted: bool

    @property
    def weight_power(self) -> int:
        """Index of the sums that define the coefficients: w¹ when weighted, else w⁰."""
        return 1 if self.weighted else 0

    @property
    def total(self) -> FloatArray:
        """Cross-products summed over clusters, (q, q)."""
        total: FloatArray = self.sums.gram[self.weight_power].sum(axis=0)
        return total


def as_column(values: ArrayLike, name: str, n_rows: int | None) -> NDArray[Any]:
    """Return one column of numbers, or say what it is instead."""
    column = np.asarray(values)
    if column.dtype.kind not in "biuf":
        try:
            column = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"column {name!r} holds values that are not numbers; give it as indicators or "
                "leave it out"
            ) from error
    if column.dtype.kind == "b":
        column = column.view(np.int8)
    if column.dtype.kind == "u":  # subtraction must be able to go below zero
        column = column.astype(np.float64)
    if column.ndim != 1:
        raise ValueError(f"column {name!r} has shape {column.shape}; one value per row is expected")
    if n_rows is not None and len(column) != n_rows:
        raise ValueError(f"column {name!r} has {len(column)} rows, the outcome has {n_rows}")
    return column


def as_weights(weights: ArrayLike | None, n_rows: int) -> FloatArray | None:
    """Return weights scaled to mean one (nothing depends on their scale), or ``None``."""
    if weights is None:
        return None
    values = as_column(weights, "weights", n_rows).astype(np.float64)
    usable = np.isfinite(values) & (values > 0)
    if not usable.all():
        row = int(np.argmin(usable))
        raise ValueError(
            f"the weight of row {row} is {values[row]:g} ({int((~usable).sum())} such rows); "
            "weights must be positive and finite: drop rows that should not count"
        )
    scaled: FloatArray = values / values.mean()
    return scaled


def _constant_column(columns: Sequence[NDArray[Any]]) -> int | None:
    """Return the first column that has one value, not zero, in every row."""
    for index, column in enumerate(columns):
        head = column[:64]
        if column[0] != 0 and (head == column[0]).all() and (column == column[0]).all():
            return index
    return None


def _refuse_missing(
    sums: CrossProducts, columns: Sequence[NDArray[Any]], names: Sequence[str]
) -> None:
    # A missing or infinite value makes the sums that it enters non-finite.
    if np.isfinite(np.einsum("pcii->pci", sums.gram)).all():
        return
    for name, column in zip(names, columns, strict=True):
        finite = np.isfinite(column)
        if not finite.all():
            row = int(np.argmin(finite))
            raise ValueError(
                f"column {name!r} is {column[row]} in row {row} ({int((~finite).sum())} such "
                "rows); drop them or fill them in before fitting"
            )
    raise ValueError("sums of squares overflow: rescale the columns, their values are too large")


def _group_means(sums: CrossProducts, power: int, group: IntArray, groups: int) -> FloatArray:
    mass = sums.mass[power]
    first = sums.first[power] + mass[:, None] * sums.centre
    total = np.zeros((groups, first.shape[1]))
    np.add.at(total, group, first)
    weight = np.bincount(group, weights=mass, minlength=groups)
    means: FloatArray = total / weight[:, None]
    return means


def _spread(sums: CrossProducts, power: int) -> FloatArray:
    """Return each column's sum of squares about its mean over all cells."""
    mass, first = sums.mass[power], sums.first[power]
    mean = (first + mass[:, None] * sums.centre).sum(axis=0) / mass.sum()
    step = sums.centre - mean
    squares = np.einsum("cii->ci", sums.gram[power]) + 2 * first * step + mass[:, None] * step**2
    spread: FloatArray = squares.sum(axis=0)
    return spread


def gather_rows(
    columns: Sequence[NDArray[Any]],
    names: Sequence[str],
    plan: Absorption,
    *,
    weights: FloatArray | None,
) -> GatheredRows:
    """Sum the columns by cluster, with the planned effects absorbed.

    Parameters
    ----------
    columns : sequence of q arrays of length N
        Regressors (and instruments), then the outcome.
    names : sequence of q str
        For messages.
    plan : Absorption
        From ``plan_absorption``.
    weights : (N,) array or None
        Positive weights.
    """
    absorbed = plan.cell_group is not None
    intercept = None if absorbed else _constant_column(columns[:-1])
    shift = np.zeros(len(columns))
    if absorbed or intercept is not None:
        with np.errstate(invalid="ignore"):
            shift[:] = [column[:1024].mean() for column in columns]
        shift[~np.isfinite(shift)] = 0.0
        if intercept is not None:
            shift[intercept] = 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        sums = cross_products(
            columns, plan.cells, shift=shift, weights=weights, centre_cells=absorbed
        )
    _refuse_missing(sums, columns, names)
    power = 0 if weights is None else 1
    spread = _spread(sums, power)
    if plan.cell_group is not None:
        if plan.split:
            sums = sums.take(plan.cell_order)
        if plan.shared or weights is not None:
            means = _group_means(sums, power, plan.cell_group, plan.groups)
            sums = sums.about(means[plan.cell_group])
        if plan.split:
            sums = sums.gather(plan.cluster_starts)
    rows = plan.cells.n_rows
    return GatheredRows(sums, plan, shift, intercept, rows, spread, weights is not None)


def independent_columns(
    gram: FloatArray, spread: FloatArray, raw: FloatArray
) -> tuple[list[int], list[int]]:
    """Return the columns that are not combinations of earlier ones, and those that are.

    Parameters
    ----------
    gram : (p, p) array
        Cross-products.
    spread, raw : (p,) arrays
        Sums of squares against which what is left of a column is judged.
    """
    left = gram.copy()
    threshold = np.maximum(COLLINEAR * spread, ROUNDING * raw)
    kept, dropped = [], []
    for k in range(len(gram)):
        pivot = left[k, k]
        if not pivot > max(threshold[k], COLLINEAR * gram[k, k], 0.0):
            dropped.append(k)
            continue
        kept.append(k)
        line = left[k, k:] / np.sqrt(pivot)
        left[k:, k:] -= line[:, None] * line
    return kept, dropped


def inverse_factor(gram: FloatArray) -> FloatArray:
    """Return L with L L' = gram⁻¹ (upper triangular), scaling columns first."""
    scale = 1.0 / np.sqrt(np.diag(gram))
    lower = np.linalg.cholesky(gram * scale[:, None] * scale)
    inverse = np.linalg.solve(lower, np.diag(scale))
    factor: FloatArray = inverse.T.copy()
    return factor


def select_columns(rows: GatheredRows, design: Sequence[int]) -> tuple[list[int], list[int]]:
    """Split the positions in ``design`` into independent and collinear columns."""
    index = np.asarray(design, dtype=np.intp)
    gram = rows.total[np.ix_(index, index)]
    mass = float(rows.sums.mass[rows.weight_power].sum())
    spread = rows.spread[index]
    if rows.plan.cell_group is None:  # nothing was centred: the column itself is the yardstick
        spread = np.diag(gram)
    raw = np.diag(gram) + mass * rows.shift[index] ** 2
    kept, dropped = independent_columns(gram, spread, raw)
    return [design[k] for k in kept], [design[k] for k in dropped]


def restore_intercept(
    rows: GatheredRows, kept: Sequence[int], outcome: int
) -> tuple[FloatArray, float]:
    """Return T and c with β = T β* + c (c for the intercept), β* the coefficients when shifted.

    With every column but the constant v moved by s, y − s_y = v a* + Σ (x_k − s_k) β_k, so the
    intercept of the columns as given is a = a* + (s_y − Σ s_k β_k)/v.
    """
    assert rows.intercept is not None
    mass, first = rows.sums.mass[rows.weight_power], rows.sums.first[rows.weight_power]
    constant = float(first[:, rows.intercept].sum() / mass.sum())
    line = list(kept).index(rows.intercept)
    T = np.eye(len(kept))
    T[line] -= rows.shift[list(kept)] / constant
    T[line, line] = 1.0
    return T, float(rows.shift[outcome]) / constant
