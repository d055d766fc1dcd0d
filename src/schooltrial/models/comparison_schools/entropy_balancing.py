r"""Entropy balancing: weights under which comparison schools have a cohort's means exactly.

Of all weights :math:`w_i \ge 0` with :math:`\sum w_i = 1` and :math:`\sum_i w_i x_i = \bar x_1`,
those that are nearest to equal ones in the sense of :math:`\sum w_i \log w_i` are (Hainmueller
2012, Political Analysis 20, 25-46)

.. math:: w_i \propto \exp(\lambda'(x_i - \bar x_1)), \qquad
          \lambda = \arg\min \log \sum_i \exp(\lambda'(x_i - \bar x_1)).

The dual is convex, and Newton steps reach its minimum in a handful of rounds: its gradient is the
imbalance that is left, its Hessian the weighted covariance. It has a minimum just where the means
lie inside the convex hull of the comparison schools.

A mean that lies on the edge (every school of the cohort is a charter school) leaves only the
comparison schools on that edge with a weight: they are found first, and balanced on the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.wording import listed, plural

BALANCED = 1e-9
"""SDs by which a mean may miss its target: the rounding of the last Newton step."""

ROUNDS = 200
"""Newton steps; a problem that has a solution takes about ten."""

_EDGE = 1e-10  # SDs within which a mean is the least or the largest value
_ROUNDING = 1e-14  # of the dual: nearer to its minimum, a fall does not show
_LEAST_FALL = 1e-4  # of what a step promises: Armijo's rule


def entropy_weights(
    characteristics: FloatArray, targets: FloatArray, names: Sequence[str]
) -> FloatArray:
    """Return the weights of comparison schools that give them a cohort's means.

    Parameters
    ----------
    characteristics : array (n, K)
        Of the comparison schools: prior level, prior trend, flags, numbers.
    targets : array (K,)
        Means of the cohort.
    names : sequence of str (K,)
        What the columns are called in messages.

    Returns
    -------
    array (n,)
        Weights of sum one; 0 for schools that the edge of the hull excludes.

    Raises
    ------
    ValueError
        Where no weights can reach the means. The message names the variable: the one whose mean
        lies beyond all comparison schools or, where only the combination does, the one that the
        nearest weighting misses by most.
    """
    x = np.asarray(characteristics, dtype="float64")
    goal = np.asarray(targets, dtype="float64")
    _refuse_unknown(x, goal, names)
    scale = x.std(axis=0)
    scale[scale == 0] = np.maximum(np.abs(x).max(axis=0, initial=1.0), 1.0)[scale == 0]
    distance = (x - goal) / scale
    _refuse_beyond(x, goal, distance, names)
    kept = _on_the_edge(distance)
    weights = np.zeros(len(x))
    if kept.any():
        found = _newton(distance[kept])
        if found is None:
            within = _largest_support(distance[kept])
            if within.any():
                found = np.zeros(len(within))
                again = _newton(distance[kept][within])
                found = None if again is None else _placed(again, within)
        if found is not None:
            weights[kept] = found
            return weights
    raise ValueError(_missed(distance, x, goal, names))


def _refuse_unknown(x: FloatArray, goal: FloatArray, names: Sequence[str]) -> None:
    """Raise where there is nothing to weight, or a value is not known."""
    if not len(x):
        raise ValueError("there is no comparison school to weight")
    lacking = [
        name
        for name, column, target in zip(names, x.T, goal, strict=True)
        if not (np.isfinite(column).all() and np.isfinite(target))
    ]
    if lacking:
        raise ValueError(
            f"{listed(lacking)}: some schools have no value; leave these schools out, or balance "
            "on other characteristics"
        )


def _refuse_beyond(
    x: FloatArray, goal: FloatArray, distance: FloatArray, names: Sequence[str]
) -> None:
    """Raise where a mean lies beyond the least or the largest comparison school."""
    beyond = (distance.min(axis=0) > _EDGE) | (distance.max(axis=0) < -_EDGE)
    if not beyond.any():
        return
    at = int(np.flatnonzero(beyond)[0])
    low, high = x[:, at].min(), x[:, at].max()
    having = f"all have {low:.4g}" if low == high else f"have {low:.4g} to {high:.4g}"
    others = plural(len(x), "comparison school")
    raise ValueError(
        f"the cohort's mean of {names[at]} is {goal[at]:.4g}, and its {others} {having}: no "
        f"weights can reach it. Take {names[at]!r} out of `comparison_on`, or set "
        "`comparison_weights: nearest`"
    )


def _on_the_edge(distance: FloatArray) -> NDArray[np.bool_]:
    """Return the schools that may have a weight where some means are a least or largest value."""
    kept = np.ones(len(distance), dtype=bool)
    while kept.any():
        inside = distance[kept]
        edge = (inside.min(axis=0) > -_EDGE) | (inside.max(axis=0) < _EDGE)
        narrower = kept & (np.abs(distance[:, edge]) <= _EDGE).all(axis=1)
        if (narrower == kept).all():
            break
        kept = narrower
    return kept


def _newton(distance: FloatArray) -> FloatArray | None:
    """Return the weights of the dual's minimum; None if it has none."""
    dual = np.zeros(distance.shape[1])
    value, weights = _dual(distance, dual)
    for _ in range(ROUNDS):
        imbalance = weights @ distance
        if np.abs(imbalance).max(initial=0.0) <= BALANCED:
            return weights
        curvature = (distance * weights[:, None]).T @ distance - np.outer(imbalance, imbalance)
        # Collinear characteristics leave directions that change nothing: least squares skips them.
        step = -np.linalg.lstsq(curvature, imbalance, rcond=1e-12)[0]
        promised, length = float(imbalance @ step), 1.0
        if not promised < 0:
            return None
        while length > 1e-10:
            lower, following = _dual(distance, dual + length * step)
            if lower <= value + _LEAST_FALL * length * promised + _ROUNDING * max(abs(value), 1.0):
                break
            length /= 2
        else:
            return None
        dual, value, weights = dual + length * step, lower, following
    return None


def _dual(distance: FloatArray, dual: FloatArray) -> tuple[float, FloatArray]:
    """Return the dual's value and the weights at a point."""
    exponent = distance @ dual
    largest = float(exponent.max())
    raised = np.exp(exponent - largest)
    total = float(raised.sum())
    return largest + float(np.log(total)), raised / total


def _placed(weights: FloatArray, within: NDArray[np.bool_]) -> FloatArray:
    whole = np.zeros(len(within))
    whole[within] = weights
    return whole


def _largest_support(distance: FloatArray) -> NDArray[np.bool_]:
    """Return the schools that have a weight in some exact weighting: one linear programme.

    Weights up to a common factor, each with a part of at most one that counts: the sum of these
    parts is largest where every school that can have a weight has one.
    """
    from scipy.optimize import linprog

    n, count = distance.shape
    found = linprog(
        np.concatenate([np.zeros(n), -np.ones(n)]),
        A_ub=np.hstack([-np.eye(n), np.eye(n)]), b_ub=np.zeros(n),
        A_eq=np.hstack([distance.T, np.zeros((count, n))]), b_eq=np.zeros(count),
        bounds=[(0, None)] * n + [(0, 1)] * n, method="highs",
    )  # fmt: skip
    if found.x is None:
        return np.zeros(n, dtype=bool)
    return np.asarray(found.x[n:] > 0.5)


def _missed(distance: FloatArray, x: FloatArray, goal: FloatArray, names: Sequence[str]) -> str:
    """Say which mean the nearest weighting misses by most, and by how much."""
    from scipy.optimize import linprog

    n, count = distance.shape
    found = linprog(
        np.concatenate([np.zeros(n), np.ones(2 * count)]),
        A_eq=np.vstack([np.hstack([distance.T, np.eye(count), -np.eye(count)]),
                        np.concatenate([np.ones(n), np.zeros(2 * count)])]),
        b_eq=np.concatenate([np.zeros(count), [1.0]]),
        bounds=(0, None), method="highs",
    )  # fmt: skip
    nearest = found.x[:n]
    at = int(np.argmax(np.abs(nearest @ distance)))
    return (
        f"no weights give the comparison schools the cohort's means of {listed(list(names))} at "
        f"once, though each alone can be reached: nearest are weights with a mean {names[at]} of "
        f"{nearest @ x[:, at]:.4g} in place of {goal[at]:.4g}. Take {names[at]!r} out of "
        "`comparison_on`, or set `comparison_weights: nearest`"
    )
