"""Rows of schools for one outcome of a cross-section."""

from __future__ import annotations

import pandas as pd


def rows_of_outcome(sample: pd.DataFrame, outcome: str, rule: str) -> pd.DataFrame:
    """Return the rows of schools for one outcome, with ``n_pupils`` and bounded values placed.

    Parameters
    ----------
    sample : DataFrame
        One row per school and year; see `build_school_sample`.
    outcome : str
        The outcome.
    rule : str
        ``bounded_cells`` of the model.
    """
    counted = sample.assign(n_pupils=sample[f"{outcome}_n_pupils"])
    placed = f"{outcome}_{rule}"
    if placed not in sample:
        return counted
    return counted.assign(**{outcome: sample[placed]})
