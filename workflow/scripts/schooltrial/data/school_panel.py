"""The school × year panel that difference-in-differences and the figures of trends use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def school_panel(
    pupils: pd.DataFrame, outcomes: Sequence[str], where: Mapping[str, Sequence[Any]] | None = None
) -> pd.DataFrame:
    """Return the mean of each outcome by school and year, in long form.

    Parameters
    ----------
    pupils : DataFrame
        The analysed sample.
    outcomes : sequence of str
        Columns that are averaged.
    where : mapping, optional
        Pupils who count.

    Returns
    -------
    DataFrame
        Columns ``school, block, arm, treated, year, outcome, mean, n_pupils``.
    """
    from schooltrial.data.sample import matches

    kept = pupils if where is None else pupils[matches(pupils, where)]
    identity = ["school", "block", "arm", "treated", "year"]
    long = kept.melt(id_vars=identity, value_vars=list(outcomes), var_name="outcome")
    long = long.dropna(subset=["value"])
    means = long.groupby([*identity, "outcome"], as_index=False, dropna=False)["value"].agg(
        mean="mean", n_pupils="size"
    )
    return means.sort_values(["outcome", "school", "year"], ignore_index=True)
