"""Averages of group-time effects: overall, by cohort, by years since it began, by calendar year.

Weights are those of Callaway and Sant'Anna (2021, section 3.1): cells count by their treated
schools (where schools lack years, by those seen in both years of the cell), and within a cohort all
years count alike. The numbers of schools are part of the design and are taken as fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.group_time.cells import BasePeriod, Cell

SLOPE = "yearly drift before the programme"
"""Term of the row with one degree of freedom that stands beside the joint pre-trend test."""


@dataclass(frozen=True, eq=False)
class Average:
    """A weighted sum of cells.

    Attributes
    ----------
    term : str
        Its name: ``treated``, ``treated[cohort=2016]``, ``treated[since=1]``.
    estimand : str
        What it is of, as in the long table.
    weights : array (K,)
        Of each cell.
    """

    term: str
    estimand: str
    weights: FloatArray


def plan_averages(
    cells: Sequence[Cell],
    schools: Sequence[float] | FloatArray,
    *,
    base_period: BasePeriod = "varying",
    anticipation: int = 0,
) -> tuple[Average, ...]:
    """Return all averages of the cells, the overall effect first.

    Parameters
    ----------
    cells : sequence of Cell
    schools : array (K,)
        Treated schools of each cell, or what else cells count by.
    base_period, anticipation
        Those of the cells: they say which cells are before the programme.

    Raises
    ------
    ValueError
        Where no cell is after a cohort's first year.
    """
    size = np.asarray(schools, dtype=np.float64)
    after = np.array([cell.since >= 0 for cell in cells], dtype=bool)
    if not after.any():
        raise ValueError("no cohort has years after its start with other schools to compare")

    def mean(term: str, estimand: str, chosen: FloatArray, weights: FloatArray) -> Average:
        kept = np.where(chosen, weights, 0.0)
        return Average(term, estimand, kept / kept.sum())

    def each(
        values: Callable[[Cell], int], name: str, estimand: str, inside: FloatArray, w: FloatArray
    ) -> Iterator[Average]:
        of = np.array([values(cell) for cell in cells])
        for value in sorted(set(of[inside].tolist())):
            yield mean(f"treated[{name}={value}]", estimand, inside & (of == value), w)

    everywhere = np.ones(len(cells), dtype=bool)
    alike = np.ones(len(cells))
    since = list(each(lambda c: c.since, "since", "event study", everywhere, size))
    rows = [
        mean("treated", "ATT", after, size),
        *each(lambda c: c.cohort, "cohort", "effect by group", after, alike),
        *since,
        *each(lambda c: c.year, "year", "calendar year", after, size),
        *(
            Average(f"treated[cohort={c.cohort}, year={c.year}]", "group-time effect", one)
            for c, one in zip(cells, np.eye(len(cells)), strict=True)
        ),
    ]
    before = [row for row in since if event_time(row.term) < -anticipation]
    if before:
        rows.append(Average(SLOPE, "pre-trend slope", _slope(before, base_period, anticipation)))
    return tuple(rows)


def _slope(before: Sequence[Average], base_period: BasePeriod, anticipation: int) -> FloatArray:
    """Return the weights of the drift a year: the mean of yearly ones, or a line to the base."""
    if base_period == "varying":
        mean: FloatArray = np.mean([row.weights for row in before], axis=0)
        return mean
    distance = np.array([event_time(row.term) + 1.0 + anticipation for row in before])
    rows = np.array([row.weights for row in before])
    line: FloatArray = (distance / (distance @ distance)) @ rows
    return line


def event_time(term: str) -> int:
    """Return the years since a cohort began that a term of the event study names."""
    return int(term.removeprefix("treated[since=").removesuffix("]"))


def pretrend_terms(averages: Sequence[Average], anticipation: int = 0) -> tuple[str, ...]:
    """Return the terms of the event study that are before the programme."""
    return tuple(
        row.term
        for row in averages
        if row.estimand == "event study" and event_time(row.term) < -anticipation
    )
