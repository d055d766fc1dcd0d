"""Content of the page on data quality, from the checks of the tables."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.document.numbers import number
from schooltrial.wording import exact


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
        f"{_name(row.outcome, labels)}, {row.year}: {row.share:.0%} of scores are "
        f"{exact(row.value)}."
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
