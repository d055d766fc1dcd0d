"""Cells of the school panel published as a bound or a range, and how a model takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

KEYS = ["school", "year", "outcome"]


def collect_bounded_cells(
    bounded: pd.DataFrame, published: pd.DataFrame, columns: Sequence[str]
) -> pd.DataFrame:
    """Return bounded rows in the form of the panel, with ``mean_low`` and ``mean_high``.

    A cell of which another row was published (a part of a school that was split), or that several
    bounded rows tell of, is left out: how many pupils each stands for is seldom published.

    Parameters
    ----------
    bounded, published : DataFrame
        Rows of school scores: those that `is_bounded` finds, and those with a value.
    columns : sequence of str
        Columns of the panel, and others that are kept.
    """
    if len(bounded) == 0:
        return pd.DataFrame(columns=[*columns, "mean_low", "mean_high"])
    known = pd.MultiIndex.from_frame(published[KEYS].astype("str"))
    told = pd.MultiIndex.from_frame(bounded[KEYS].astype("str"))
    alone = bounded[~told.isin(known) & ~told.duplicated(keep=False)]
    alone = alone.rename(columns={"value": "mean", "value_low": "mean_low"})
    alone = alone.rename(columns={"value_high": "mean_high"}).astype({"arm": "str"})
    return alone[[*columns, "mean_low", "mean_high"]].sort_values(
        ["outcome", "school", "year"], ignore_index=True
    )


def with_bounded_cells(
    panel: pd.DataFrame, bounded: pd.DataFrame, rule: str, first_year: int
) -> pd.DataFrame:
    """Return the panel with bounded cells put at a point that the protocol declares.

    ``midpoint``: half way between the bounds. ``against``: the end that makes the effect least:
    the upper end for treated schools before their first year and for the others from the
    programme's first year on, the lower end otherwise. ``in_favour``: the other end. With one
    cohort and effects measured from a year before, `against` and `in_favour` enclose every effect
    that the bounds allow; with several cohorts they are two scenarios, as the years before one
    cohort are years after another began.

    Parameters
    ----------
    panel, bounded : DataFrame
        Published cells, and those of `bounded_cells`.
    rule : {"left_out", "midpoint", "against", "in_favour"}
        What is done; ``left_out`` returns the panel as it is.
    first_year : int
        First year of the programme, for schools without a ``cohort``.
    """
    if rule == "left_out" or len(bounded) == 0:
        return panel
    low, high = (bounded[name].to_numpy("float64") for name in ("mean_low", "mean_high"))
    if rule == "midpoint":
        value = (low + high) / 2
    else:
        value = np.where(_helps(bounded, first_year) == (rule == "in_favour"), high, low)
    return pd.concat([panel, bounded.assign(mean=value)[list(panel)]], ignore_index=True)


def _helps(bounded: pd.DataFrame, first_year: int) -> np.ndarray:
    """Tell where a higher value makes the effect greater."""
    treated = bounded["treated"].to_numpy("float64") > 0
    first = np.full(len(bounded), float(first_year))
    if "cohort" in bounded:
        cohort = bounded["cohort"].to_numpy("float64")
        first = np.where(np.isnan(cohort), first, cohort)
    begun = bounded["year"].to_numpy("int64") >= first
    return np.asarray(treated == begun)
