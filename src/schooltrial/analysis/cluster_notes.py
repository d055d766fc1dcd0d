"""Notes for a reader on the clusters of standard errors."""

from __future__ import annotations

from collections.abc import Sequence

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
    elif count < FEW:
        notes.append(f"few clusters: {count:,} (fewer than {FEW})")
    if crosses_schools(rows, name):
        notes.append(used_again(name))
    return notes


def used_again(name: str) -> str:
    """Return the note on labels that several schools use."""
    return (
        f"labels of {name} are in several schools, and a school has several: if a label is used "
        "again for another group, give each group a label of its own"
    )


def crosses_schools(rows: pd.DataFrame, name: str) -> bool:
    """Return whether neither groups lie in schools nor schools in groups."""
    if name == "school" or "school" not in rows:
        return False
    pairs = np.unique(np.column_stack([_codes(rows["school"]), _codes(rows[name])]), axis=0)
    several = [bool((np.bincount(pairs[:, at]) > 1).any()) for at in (0, 1)]
    return all(several)


def lacks_unit_level(rows: pd.DataFrame, levels: Sequence[np.ndarray]) -> bool:
    """Return whether the unit that was assigned is neither a row nor one of the random levels.

    The effect is then judged as if the units of a group were alike but for what the levels hold.

    Parameters
    ----------
    rows : DataFrame
        The rows analysed; ``cluster`` is the unit that was assigned.
    levels : sequence of array
        The group of every row, for each random level.
    """
    units = _codes(rows["cluster"])
    count = len(np.unique(units))
    if count == len(units):
        return False
    for level in levels:
        groups = _codes(pd.Series(level))
        pairs = len(np.unique(np.column_stack([units, groups]), axis=0))
        if pairs == count == len(np.unique(groups)):
            return False
    return True


def _codes(values: pd.Series) -> np.ndarray:
    codes, _ = pd.factorize(values)
    return np.asarray(codes)
