"""Which arms a row of the estimates compares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

ARM = "treated[arm="

OF_PANELS = {
    "ATT", "event study", "calendar year", "group-time effect", "pre-trend slope",
    "pre-trend test", "persistence", "permutation check",
}  # fmt: skip
"""Estimands of rows that rest on some schools and years of their model, and count those alone."""


def rests_on_a_part(row: Any) -> bool:
    """Return whether a row of the estimates is of some cohorts or years of a panel."""
    of_a_cohort = row.estimand == "effect by group" and "[cohort=" in str(row.term)
    return row.estimand in OF_PANELS or of_a_cohort


def lines_compared(lines: pd.DataFrame, term: str, terms: Iterable[str]) -> pd.DataFrame:
    """Return the lines without the groups whose effects are other terms of the model."""
    others = {other[len(ARM) : -1] for other in terms if other.startswith(ARM)}
    if term.startswith(ARM):
        return lines[~lines["arm"].isin(others - {term[len(ARM) : -1]})]
    return lines
