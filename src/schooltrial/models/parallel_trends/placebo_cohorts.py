r"""Placebo cohorts: what the effect would be of schools that had no programme.

Of the schools that are never treated, as many as each cohort has are drawn and called that cohort;
the others stay the comparison. The effect is then computed as that of the real cohorts,

.. math:: \hat\theta^* = \sum_k w_k \Bigl(\bar x_{k,\,P_{g(k)}} - \bar x_{k,\,C_k}\Bigr),

x the change of a school between the years of cell k, and w the weights of the effect. The draws
show how far chance and trends of untreated schools move the effect (Conley and Taber 2011, Review
of Economics and Statistics 93(1): 113-125, whose test assumes that treated and other schools vary
alike).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ComparedChange:
    """One cell: the change of each school between two years, and whose changes are compared.

    Attributes
    ----------
    change : array (N,)
        NaN where a school lacks one of the years.
    cohort : int
    compared : tuple of int
        Labels of the schools compared with, 0 for those that are in no cohort.
    weight : float
        Of the cell in the effect.
    """

    change: FloatArray
    cohort: int
    compared: tuple[int, ...]
    weight: float


def draw_placebo_cohorts(
    sizes: Sequence[tuple[int, int, int]], strata: IntArray, draws: int, random: np.random.Generator
) -> IntArray:
    """Return labels of placebo cohorts, (draws, N): 0 where a school stays the comparison.

    Parameters
    ----------
    sizes : sequence of (stratum, cohort, schools)
        How many schools of a stratum each cohort has.
    strata : array (N,)
        Stratum of each school that is never treated.
    draws : int
    random : numpy.random.Generator

    Raises
    ------
    ValueError
        Where a stratum has no more schools than its cohorts would take.
    """
    labels = np.zeros((draws, len(strata)), dtype=np.int64)
    for stratum in sorted({stratum for stratum, _, _ in sizes}):
        inside = np.flatnonzero(strata == stratum)
        drawn = [g for of, g, schools in sizes if of == stratum for _ in range(schools)]
        if len(inside) <= len(drawn):
            raise ValueError(
                f"{len(inside)} schools that are never treated, of which {len(drawn)} would be "
                "drawn as placebo cohorts: none would be left to compare with"
            )
        own = np.zeros(len(inside), dtype=np.int64)
        own[: len(drawn)] = drawn
        labels[:, inside] = random.permuted(np.tile(own, (draws, 1)), axis=1)
    return labels


def placebo_estimates(changes: Sequence[ComparedChange], labels: IntArray) -> FloatArray:
    """Return the effect of the cohorts that labels name, one for each draw.

    NaN where a draw leaves a cell without a school on either side.

    Parameters
    ----------
    changes : sequence of ComparedChange
    labels : array (draws, N)
    """
    change = np.column_stack([one.change for one in changes])
    seen = np.isfinite(change)
    both = np.column_stack([np.where(seen, change, 0.0), seen])
    sums = {  # of changes, and of schools seen: (draws, 2, cells)
        label: ((labels == label).astype(np.float64) @ both).reshape(len(labels), 2, -1)
        for label in np.unique(labels).tolist()
    }
    nobody = np.zeros((len(labels), 2, len(changes)))
    total = np.zeros(len(labels))
    for at, one in enumerate(changes):
        own = sums.get(one.cohort, nobody)[:, :, at]
        others = sum((sums[g] for g in one.compared if g in sums), nobody)[:, :, at]
        with np.errstate(divide="ignore", invalid="ignore"):
            total += one.weight * (own[:, 0] / own[:, 1] - others[:, 0] / others[:, 1])
    return np.where(np.isfinite(total), total, np.nan)
