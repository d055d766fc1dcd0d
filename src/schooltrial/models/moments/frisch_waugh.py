"""School sums of outcomes and regressors from which everything that all draws share is swept out.

By the Frisch-Waugh theorem a regression of y on a treatment d, covariates x and block effects needs
d, x and y only after the blocks (or the one constant) and x have been taken out of d and y. Where
each block holds whole schools this leaves, for school j, with x centred on its block, e the
residual of y on x, and weights w (1 without):

    n_j = Σw,   s_j = Σw·x,   S_j = Σw·x x',   r_j = Σw·e,   h_j = Σw·x e,

all of them sums over the school's pupils. A re-drawn assignment or a re-weighted bootstrap sample
is then a matter of schools alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.moments.school_moments import SchoolMoments, compute_school_moments
from schooltrial.models.moments.school_runs import find_school_runs

_COLLINEAR = 1e-10  # share of a column's sum of squares left over that counts as none


_CONSTANT = 1e-18  # the same before centring, where the level of the column enters


@dataclass(frozen=True, eq=False)
class ResidualSums:
    """Sums by school after blocks and covariates have been taken out.

    Attributes
    ----------
    schools : array (J,)
        Labels, sorted.
    n_individuals : int array (J,)
        Rows of each school.
    weight : array (J,)
        n_j, the sum of weights.
    block : int array (J,), block_weight : array (B,)
        Block of each school, and the blocks' sums of weights.
    s : array (J, p); S : array (J, p, p)
        Sums and cross-products of the block-centred regressors.
    r : array (J, K); h : array (J, p, K)
        Sums of the residuals of K outcomes, and of their products with the regressors.
    inverse : array (p, p)
        M = (Σ S_j)⁻¹.
    coefficients : array (p, K)
        Of the outcomes on the regressors.
    residual_products : array (K, K)
        Σ w·e e'.
    spread : array (K,)
        Σ w·(y − ȳ)² of the outcomes, ȳ their means over all rows.
    names : tuple of str, outcomes : tuple of str
        Regressors (p) and outcomes (K).
    block_effects : int
        Parameters that centring took: one a block, or a nested group.
    """

    schools: NDArray[Any]
    n_individuals: NDArray[np.int64]
    weight: FloatArray
    block: IntArray
    block_weight: FloatArray
    s: FloatArray
    S: FloatArray
    r: FloatArray
    h: FloatArray
    inverse: FloatArray
    coefficients: FloatArray
    residual_products: FloatArray
    spread: FloatArray
    names: tuple[str, ...]
    outcomes: tuple[str, ...]
    block_effects: int

    @property
    def n_schools(self) -> int:
        """Return J."""
        return len(self.schools)

    @property
    def n_rows(self) -> int:
        """Return N."""
        return int(self.n_individuals.sum())

    @property
    def n_parameters(self) -> int:
        """Return the number of regressors and swept-out effects."""
        return len(self.names) + self.block_effects


def residual_sums(
    outcomes: ArrayLike,
    regressors: ArrayLike | None,
    school: ArrayLike,
    *,
    block: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    outcome_names: Sequence[str] | None = None,
    regressor_names: Sequence[str] | None = None,
) -> ResidualSums:
    """Take the sums in one pass over pupils.

    Parameters
    ----------
    outcomes : array (N,) or (N, K)
    regressors : array (N, p), optional
        Without a constant: the block effects hold it.
    school : array (N,)
        Labels of the schools (the clusters).
    block : array (N,), optional
        Effects to sweep out: groups of whole schools, or groups within schools (the schools
        themselves included). None: one constant.
    weights : array (N,), optional
        Positive weights.
    outcome_names, regressor_names : sequence of str, optional
        For messages and results.

    Raises
    ------
    ValueError
        For missing values, collinear regressors (named), or effects that cross schools.
    """
    y, x = _matrix(outcomes), _matrix(regressors)
    x = np.empty((len(y), 0)) if x.size == 0 else x
    y_names = _names(outcome_names, "y", y.shape[1])
    x_names = _names(regressor_names, "x", x.shape[1])
    columns = [*x.T, *y.T]
    names = (*x_names, *y_names)
    moments, nested = _moments(columns, names, school, block, weights)
    if nested is None:
        centred = _centred_on_blocks(moments, block is not None)
    else:
        centred = _within_groups(moments, nested)
    return _partial_out(centred, x_names, y_names)


def _matrix(values: ArrayLike | None) -> NDArray[Any]:
    array = np.empty((0, 0)) if values is None else np.asarray(values)
    return array[:, None] if array.ndim == 1 else array


def _names(given: Sequence[str] | None, letter: str, count: int) -> tuple[str, ...]:
    if given is None:
        return (letter,) if count == 1 else tuple(f"{letter}{i + 1}" for i in range(count))
    if len(given) != count:
        raise ValueError(f"{len(given)} names were given for {count} columns: {list(given)}")
    return tuple(given)


def _moments(
    columns: list[NDArray[Any]],
    names: tuple[str, ...],
    school: ArrayLike,
    block: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[SchoolMoments, NDArray[Any] | None]:
    """Return moments by school, or by the groups within schools that are to be swept out."""
    options: dict[str, Any] = {"names": names, "weights": weights, "by_school": True}
    if block is None:
        return compute_school_moments(columns, school, **options), None
    if _nested_in_schools(school, block):
        within = compute_school_moments(columns, block, group=school, **options)
        return within, within.groups
    return compute_school_moments(columns, school, group=block, **options), None


def _nested_in_schools(school: ArrayLike, block: ArrayLike) -> bool:
    """Return whether each group lies in one school; otherwise each school must lie in one group."""
    schools, groups = find_school_runs(school), find_school_runs(block)
    starts = np.union1d(schools.starts, groups.starts)
    school_code = schools.codes[np.searchsorted(schools.starts, starts, side="right") - 1]
    group_code = groups.codes[np.searchsorted(groups.starts, starts, side="right") - 1]
    pairs = np.unique(school_code * len(groups.labels) + group_code).size
    if pairs == len(groups.labels):
        return True
    if pairs == len(schools.labels):
        return False
    raise ValueError(
        "the effects to absorb cross the schools: some school lies in two groups and some group "
        "in two schools; give these effects as indicator columns among the covariates"
    )


@dataclass(frozen=True, slots=True)
class _Centred:
    """Sums of all columns [x y] after centring."""

    schools: NDArray[Any]
    n_individuals: NDArray[np.int64]
    weight: FloatArray
    block: IntArray
    block_weight: FloatArray
    total: FloatArray
    products: FloatArray
    raw: FloatArray
    spread: FloatArray
    block_effects: int


def _by_school(moments: SchoolMoments) -> FloatArray:
    if moments.within_by_school is None:
        raise ValueError("the cross-products of each school are needed: take them by_school")
    return moments.within_by_school


def _centred_on_blocks(moments: SchoolMoments, blocked: bool) -> _Centred:
    if blocked and moments.groups is not None:
        labels, codes = np.unique(moments.groups, return_inverse=True)
        block, count = codes.astype(np.intp), len(labels)
    else:
        block, count = np.zeros(moments.n_schools, dtype=np.intp), 1
    w = moments.weight
    block_weight = np.zeros(count)
    np.add.at(block_weight, block, w)
    origin = moments.mean.mean(axis=0)  # near the data, so that block means lose no digits
    mean = moments.mean - origin
    block_mean = np.zeros((count, mean.shape[1]))
    np.add.at(block_mean, block, w[:, None] * mean)
    shift = mean - (block_mean / block_weight[:, None])[block]
    within = _by_school(moments)
    products = within + w[:, None, None] * (shift[:, :, None] * shift[:, None, :])
    raw = np.einsum("jqq->q", within) + w @ moments.mean**2
    return _Centred(
        moments.schools, moments.n_individuals, w, block, block_weight,
        w[:, None] * shift, products, raw, _spread(moments), count,
    )  # fmt: skip


def _spread(moments: SchoolMoments) -> FloatArray:
    """Return the sums of squares of all columns about their means over all rows."""
    from_mean = moments.mean - (moments.weight @ moments.mean) / moments.weight.sum()
    total = np.einsum("jqq->q", _by_school(moments)) + moments.weight @ from_mean**2
    return np.asarray(total)


def _within_groups(moments: SchoolMoments, school: NDArray[Any]) -> _Centred:
    """Add up groups within each school: centred columns have no sums, only products."""
    schools, code = np.unique(school, return_inverse=True)
    order = np.argsort(code, kind="stable")
    first = np.flatnonzero(np.diff(code[order], prepend=-1))
    within = _by_school(moments)
    products = np.add.reduceat(within[order], first)
    weight = np.add.reduceat(moments.weight[order], first)
    raw = np.einsum("jqq->q", within) + moments.weight @ moments.mean**2
    return _Centred(
        schools, np.add.reduceat(moments.n_individuals[order], first), weight,
        np.zeros(len(schools), dtype=np.intp), weight.sum(keepdims=True),
        np.zeros((len(schools), products.shape[1])), products, raw, _spread(moments),
        moments.n_schools,
    )  # fmt: skip


def _partial_out(
    centred: _Centred, names: tuple[str, ...], outcomes: tuple[str, ...]
) -> ResidualSums:
    p = len(names)
    total = centred.products.sum(axis=0)
    refuse_collinear(total[:p, :p], centred.raw[:p], names)
    xx, xy = total[:p, :p], total[:p, p:]
    # One square root of the inverse keeps M symmetric and positive to the last digit.
    root = np.linalg.inv(np.linalg.cholesky(xx)) if p else np.empty((0, 0))
    inverse = root.T @ root
    beta = inverse @ xy
    beta += inverse @ (xy - xx @ beta)
    xx_j, xy_j, yy_j = (
        centred.products[:, :p, :p], centred.products[:, :p, p:], centred.products[:, p:, p:],
    )  # fmt: skip
    cross = np.swapaxes(xy_j, 1, 2) @ beta
    residual_yy = yy_j - cross - np.swapaxes(cross, 1, 2) + beta.T @ xx_j @ beta
    return ResidualSums(
        schools=centred.schools,
        n_individuals=centred.n_individuals,
        weight=centred.weight,
        block=centred.block,
        block_weight=centred.block_weight,
        s=centred.total[:, :p],
        S=xx_j,
        r=centred.total[:, p:] - centred.total[:, :p] @ beta,
        h=xy_j - xx_j @ beta,
        inverse=inverse,
        coefficients=beta,
        residual_products=residual_yy.sum(axis=0),
        spread=centred.spread[p:],
        names=names,
        outcomes=outcomes,
        block_effects=centred.block_effects,
    )


def refuse_collinear(products: FloatArray, raw: FloatArray, names: Sequence[str]) -> None:
    """Raise a ValueError that names the first column that those before it determine.

    Parameters
    ----------
    products : array (p, p)
        Cross-products about the block means.
    raw : array (p,)
        Sums of squares about zero, against which a constant column is judged.
    names : sequence of str
    """
    left = products.copy()
    size = np.diagonal(products).copy()
    for k, name in enumerate(names):
        if not size[k] > _CONSTANT * raw[k]:
            raise ValueError(
                f"covariate {name!r} does not vary (within blocks); it cannot be separated from "
                "the constant or the block effects: leave it out"
            )
        if not left[k, k] > _COLLINEAR * size[k]:
            raise ValueError(
                f"covariate {name!r} is a linear combination of {list(names[:k])} (within "
                "blocks): leave one of them out"
            )
        left[k + 1 :] -= np.outer(left[k + 1 :, k] / left[k, k], left[k])
