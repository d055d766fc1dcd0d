"""What the page on data quality tells, from the checks of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.exhibits.style.table_text import number

SHOWN_MEANS = 12
"""Largest differences from published means that the page shows; all stand in the check."""


def findings(
    missing: pd.DataFrame,
    heaps: pd.DataFrame,
    outliers: pd.DataFrame,
    aggregates: pd.DataFrame,
    labels: Mapping[str, str],
) -> list[str]:
    """Return one sentence for each thing that lies beyond a threshold of the protocol."""
    high = missing[missing["verdict"] == "high"]
    lines = [
        f"{_name(row.variable, labels)} ({row.table}, {row.year}): {row.share:.0%} missing."
        for row in high.itertuples()
    ]
    lines += [
        f"{_name(row.outcome, labels)}, {row.year}: {row.share:.0%} of scores are {row.value:g}."
        for row in heaps[heaps["verdict"] == "heap"].itertuples()
    ]
    lines += [
        f"School {row.school}, {_name(row.outcome, labels)}, {row.year}: its mean lies "
        f"{number(row.z, 1)} SDs of school means from the others."
        for row in outliers[outliers["verdict"] == "outlier"].itertuples()
    ]
    off = aggregates[aggregates["verdict"] == "differs"]
    lines += [f"{len(off)} school means differ from the published ones."] if len(off) else []
    return lines


def _name(variable: str, labels: Mapping[str, str]) -> str:
    return labels.get(variable) or str(variable).replace("_", " ")


def largest_differences(aggregates: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the school means that differ most from the published ones."""
    order = aggregates["difference"].abs().sort_values(ascending=False, kind="stable").index
    rows: list[dict[str, Any]] = aggregates.loc[order].head(SHOWN_MEANS).to_dict("records")
    return rows


def means_shown(
    means: pd.DataFrame, arms: Sequence[str]
) -> dict[str, list[tuple[str, str, list[str]]]]:
    """Return table → (variable, year, mean of each arm as text) for the codebook."""
    shown: dict[str, list[tuple[str, str, list[str]]]] = {}
    keys = ["table", "variable", "year"]
    for (table, variable, year), rows in means.groupby(keys, sort=False):
        by_arm = rows.set_index("arm")["mean"]
        cells = [number(float(by_arm.get(arm, float("nan"))), 2) for arm in arms]
        shown.setdefault(str(table), []).append((str(variable), str(year), cells))
    return shown


def by_table(codebook: pd.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return table → rows of the codebook, with numbers as a reader sees them."""
    shown = codebook.copy()
    for column in ("low", "high"):
        shown[column] = [_short(value) for value in shown[column]]
    return [
        (str(table), rows.to_dict("records")) for table, rows in shown.groupby("table", sort=False)
    ]


def _short(value: Any) -> str:
    try:
        return f"{float(value):.6g}"
    except ValueError:
        return str(value)
