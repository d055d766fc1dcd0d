r"""Matching with replacement: each school of a cohort with the comparison schools most like it.

The distance of schools i and j is Mahalanobis's,

.. math:: d_{ij}^2 = (x_i - x_j)' S^{-1} (x_i - x_j),

with S the covariance of the characteristics among comparison schools (Rubin 1980; for an effect on
the treated, Stuart 2010, Statistical Science 25, 1-21). Each of the k nearest has weight 1/k for
the school, and the weights are averaged over the schools of the cohort: a comparison school that
resembles several counts several times.

Equal distances are common where characteristics are flags. They are put in the order of the
schools' names, so that the order of the rows, or the computer, decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray, IntArray
from schooltrial.wording import listed, plural

_SAME = 9  # decimals of a squared distance: differences beyond are rounding
_SINGULAR = 1e-10  # eigenvalues of the correlations below this count as zero


@dataclass(frozen=True, eq=False)
class Matches:
    """The comparison schools that each school of a cohort is matched with.

    Attributes
    ----------
    partners : array (m, k)
        Positions of the comparison schools, nearest first.
    distances : array (m, k)
        Mahalanobis distances.
    weights : array (n,)
        Of the comparison schools; they sum to one.
    """

    partners: IntArray
    distances: FloatArray
    weights: FloatArray


def match_nearest(
    cohort: FloatArray,
    comparisons: FloatArray,
    names: Sequence[str],
    variables: Sequence[str],
    *,
    neighbours: int = 3,
) -> Matches:
    """Match each school of a cohort with its nearest comparison schools, with replacement.

    Parameters
    ----------
    cohort : array (m, K)
        Characteristics of the schools of the cohort.
    comparisons : array (n, K)
        Of the comparison schools.
    names : sequence of str (n,)
        Names of the comparison schools, which decide between equal distances.
    variables : sequence of str (K,)
        What the columns are called in messages.
    neighbours : int
        Comparison schools for each, k.

    Returns
    -------
    Matches

    Raises
    ------
    ValueError
        Where there are fewer comparison schools than neighbours, a value is not known, or schools
        of the cohort differ from all others in a variable that does not vary among these.
    """
    treated = np.asarray(cohort, dtype="float64")
    others = np.asarray(comparisons, dtype="float64")
    _refuse(treated, others, variables, neighbours)
    root = _whitening(others)
    near, far = treated @ root, others @ root
    squared = ((near[:, None, :] - far[None, :, :]) ** 2).sum(axis=2).round(_SAME)
    by_name = np.argsort(np.asarray(names, dtype=str), kind="stable")
    order = by_name[np.argsort(squared[:, by_name], axis=1, kind="stable")[:, :neighbours]]
    weights = np.bincount(order.ravel(), minlength=len(others)) / order.size
    return Matches(order, np.sqrt(np.take_along_axis(squared, order, axis=1)), weights)


def _refuse(
    treated: FloatArray, others: FloatArray, variables: Sequence[str], neighbours: int
) -> None:
    """Raise where schools cannot be matched."""
    if neighbours < 1 or len(others) < neighbours:
        raise ValueError(
            f"{plural(neighbours, 'neighbour')} asked for, and there "
            f"{'is' if len(others) == 1 else 'are'} {plural(len(others), 'comparison school')}"
        )
    lacking = [
        name
        for name, own, other in zip(variables, treated.T, others.T, strict=True)
        if not (np.isfinite(own).all() and np.isfinite(other).all())
    ]
    if lacking:
        raise ValueError(
            f"{listed(lacking)}: some schools have no value; leave these schools out, or match on "
            "other characteristics"
        )
    for name, own, other in zip(variables, treated.T, others.T, strict=True):
        if np.ptp(other) == 0 and (own != other[0]).any():
            raise ValueError(
                f"all comparison schools have {name} = {other[0]:.4g}, and "
                f"{plural(int((own != other[0]).sum()), 'school')} of the cohort not: none is "
                f"like them. Take {name!r} out of `comparison_on`"
            )


def _whitening(x: FloatArray) -> FloatArray:
    """Return a root of the inverse covariance; directions without variance count for nothing."""
    spread = x.std(axis=0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    centred = (x - x.mean(axis=0)) * scale
    values, vectors = np.linalg.eigh(centred.T @ centred / max(len(x) - 1, 1))
    kept = values > _SINGULAR * max(float(values.max(initial=0.0)), 1.0)
    return np.asarray(scale[:, None] * vectors[:, kept] / np.sqrt(values[kept]))
