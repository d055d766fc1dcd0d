"""The school × year panel that difference-in-differences and the figures of trends use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.rows.filters import matches

IDENTITY = ["school", "block", "arm", "treated"]


def panel_columns(staggered: bool) -> list[str]:
    """Return the columns of the panel."""
    cohort = ["cohort"] if staggered else []
    return [*IDENTITY, *cohort, "year", "outcome", "mean", "n_pupils"]


def build_school_panel(
    pupils: pd.DataFrame,
    outcomes: Sequence[str],
    where: Mapping[str, Any] | None = None,
    *,
    staggered: bool = False,
    also: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the mean of each outcome by school and year, in long form.

    Where units within schools were assigned, a school has a row for each of its blocks and arms.

    Parameters
    ----------
    pupils : DataFrame
        The analysed sample.
    outcomes : sequence of str
        Columns that are averaged.
    where : mapping, optional
        The filter of pupils who count.
    staggered : bool
        Whether the panel has the column ``cohort`` too.
    also : sequence of str
        Further variables of schools that are kept; a school and year has a row for each of their
        values.

    Returns
    -------
    DataFrame
        Columns ``school, block, arm, treated, (cohort), year, outcome, mean, n_pupils``.
    """
    kept = pupils if where is None else pupils[matches(pupils, where)]
    own = panel_columns(staggered)
    columns = [*own, *(name for name in also if name not in own)]
    identity = [name for name in columns if name not in ("outcome", "mean", "n_pupils")]
    cell, first = _cells(kept, identity)
    means = []
    for outcome in outcomes:
        values = kept[outcome].to_numpy("float64")
        seen = ~np.isnan(values)
        found = pd.Series(values[seen]).groupby(cell[seen]).agg(["mean", "size"])
        rows = kept[identity].take(first[found.index]).reset_index(drop=True)
        rows = rows.astype({"school": "str", "block": "str", "arm": "str"})
        rows["outcome"] = outcome
        rows["mean"], rows["n_pupils"] = found["mean"].to_numpy(), found["size"].to_numpy("int64")
        means.append(rows)
    return in_panel_order(means, columns)


def _cells(frame: pd.DataFrame, identity: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each row's school, block, group and year, and a row of each number."""
    cell = np.zeros(len(frame), dtype=np.int64)
    for name in identity:
        code, found = pd.factorize(frame[name], use_na_sentinel=False)
        cell, _ = pd.factorize(cell * max(len(found), 1) + code)
    _, first = np.unique(cell, return_index=True)
    return cell, first


def in_panel_order(parts: Iterable[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return panels as one, by outcome, school and year."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in columns}).astype(
            {"treated": "float64", "year": "Int64", "mean": "float64", "n_pupils": "int64"}
        )
    panel = pd.concat(filled, ignore_index=True)[list(columns)]
    return panel.sort_values(["outcome", "school", "year", "block", "arm"], ignore_index=True)
