"""What is odd about the data before any group is compared: gaps, heaps, outliers, distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

BINS = 40


DISTRIBUTION = ["outcome", "year", "bin_low", "bin_high", "n", "share"]


HEAPING = ["outcome", "year", "value", "n", "share", "threshold", "verdict"]


def distributions(scores: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Return the histogram of every outcome by year, over bins that are alike in all years.

    Parameters
    ----------
    scores : DataFrame
        Long table with ``outcome``, ``year`` and ``value`` as they were read.
    bins : int
        Bins between the least and the greatest value; where there are fewer distinct values than
        bins, each value is one, whose ends are the value itself.
    """
    rows: list[list[object]] = []
    for outcome, held in known_cells(scores).groupby("outcome", observed=True):
        edges, whole = _edges(held["value"].to_numpy("float64"), bins)
        ends = [edges[:-1], edges[1:]]
        if whole:
            ends = [(ends[0] + ends[1]) / 2] * 2
        for year, values in held.groupby("year")["value"]:
            counts, _ = np.histogram(values.to_numpy("float64"), edges)
            rows += [
                [str(outcome), year, low, high, int(n), n / len(values)]
                for low, high, n in zip(*ends, counts, strict=True)
            ]
    return pd.DataFrame(rows, columns=DISTRIBUTION)


def _edges(values: Any, bins: int) -> tuple[Any, bool]:
    """Return the edges of bins, and whether each bin is of one value, in its middle."""
    distinct = np.unique(values)
    if len(distinct) <= bins:
        step = np.diff(distinct).min() if len(distinct) > 1 else 1.0
        whole = (distinct - distinct[0]) / step
        if np.allclose(whole, np.round(whole)) and whole[-1] <= bins:
            return distinct[0] + step * (np.arange(round(float(whole[-1])) + 2) - 0.5), True
    return np.linspace(distinct[0], distinct[-1], bins + 1), False


def heaping(scores: pd.DataFrame, threshold: float, shown: int = 3) -> pd.DataFrame:
    """Return the most frequent values of every outcome and year, and whether they are a heap.

    A value that holds ``threshold`` of the scores or more is a heap (a default score, a floor or
    a ceiling), unless the outcome has so few values that this is what it is (up to ten).
    """
    rows: list[list[object]] = []
    for (outcome, year), held in known_cells(scores).groupby(["outcome", "year"], observed=True):
        counts = (
            held["value"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        )
        few = len(counts) <= 10
        for value, n in counts.head(shown).items():
            share = n / len(held)
            verdict = "heap" if share >= threshold and not few else ""
            rows.append([str(outcome), year, value, int(n), share, threshold, verdict])
    return pd.DataFrame(rows, columns=HEAPING)


def known_cells(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that hold a value."""
    return scores.dropna(subset=["value"])
