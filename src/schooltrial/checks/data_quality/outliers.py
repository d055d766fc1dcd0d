"""Schools whose outcomes lie far from those of the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from schooltrial.checks.data_quality.oddities import known_cells

OUTLIERS = [
    "outcome", "year", "school", "n", "mean", "mean_of_schools", "sd_of_schools", "z", "threshold",
    "verdict",
]  # fmt: skip


def school_outliers(scores: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Return the mean of every school, outcome and year, and how far it lies from the others.

    z is the distance from the mean of school means in their SD, without weights; a school beyond
    ``threshold`` is shown as an outlier. ``scores`` needs the column ``school``.
    """
    keys = ["outcome", "year", "school"]
    known = known_cells(scores).dropna(subset=["school"])
    cells = known.groupby(keys, observed=True, as_index=False)["value"].agg(n="size", mean="mean")
    if cells.empty:
        return pd.DataFrame(columns=OUTLIERS)
    cells["outcome"] = cells["outcome"].astype("str")
    schools = cells.groupby(["outcome", "year"])["mean"]
    cells["mean_of_schools"] = schools.transform("mean")
    cells["sd_of_schools"] = schools.transform("std")
    spread = cells["sd_of_schools"].where(cells["sd_of_schools"] > 0)
    cells["z"] = (cells["mean"] - cells["mean_of_schools"]) / spread
    cells["threshold"] = threshold
    cells["verdict"] = np.where(cells["z"].abs() > threshold, "outlier", "")
    return cells[OUTLIERS]


def outcome_rows(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return all outcomes as they were read, long: outcome, year, school, value.

    Scores of pupils carry the school of their pupil's row of that year, observations that of
    their teacher's; one without such a row has none.
    """
    parts = []
    for table, people, unit in (
        ("scores", "pupils", "pupil"),
        ("observations", "teachers", "teacher"),
    ):
        if len(tables.get(table, [])):
            owner = tables[people]
            owner = owner.assign(school=owner.get("school"))[[unit, "year", "school"]]
            held = tables[table].drop(columns="school", errors="ignore")
            parts.append(held.merge(owner, on=[unit, "year"], how="left"))
    if len(tables.get("school_scores", [])):
        parts.append(tables["school_scores"])
    if not parts:
        return pd.DataFrame(columns=["outcome", "year", "school", "value"])
    columns = ["outcome", "year", "school", "value"]
    found = pd.concat([part[columns].astype({"outcome": "str"}) for part in parts])
    return found.reset_index(drop=True)
