"""What a reader must know of the groups that standard errors are clustered on."""

from __future__ import annotations

import numpy as np
import pandas as pd

FEW = 20
"""Fewer clusters than this are few: Cameron and Miller (2015), Journal of Human Resources 50(2),
317-372, section VI."""


def describe_clusters(rows: pd.DataFrame, name: str) -> list[str]:
    """Return the notes on clusters that a model names.

    Parameters
    ----------
    rows : DataFrame
        The rows analysed; ``cluster`` is the unit that was assigned.
    name : str
        The variable of the clusters.
    """
    groups, units = _codes(rows[name]), _codes(rows["cluster"])
    pairs = np.unique(np.column_stack([units, groups]), axis=0)
    held = np.bincount(pairs[:, 0])
    count = len(np.unique(groups))
    notes = [f"errors clustered on {name} ({count:,})"]
    split = int((held > 1).sum())
    if split:
        notes.append(
            f"{split:,} of {len(held):,} assigned units hold several groups of {name}: errors "
            "clustered below the unit of assignment are too small"
        )
        if (np.bincount(pairs[:, 1]) > 1).any():
            notes.append(
                f"a group of {name} is in several assigned units: if its label is used again in "
                "another unit, give each group a label of its own"
            )
    elif count < FEW:
        notes.append(f"few clusters: {count:,} (fewer than {FEW})")
    return notes


def _codes(values: pd.Series) -> np.ndarray:
    codes, _ = pd.factorize(values)
    return np.asarray(codes)
