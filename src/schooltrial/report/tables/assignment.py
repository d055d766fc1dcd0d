"""The checks of the assignment as the report shows them: every test, and the units it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.exhibits.style.table_text import number, p_text

UNITS = ["unit", "block", "arm", "drawn_arm", "verdict", "reason"]


def tests_shown(tests: pd.DataFrame) -> pd.DataFrame:
    """Return every test, counts as counts, and levels with the digits that they have."""
    told = tests.copy()
    told["p"] = tests["p"].map(p_text)
    told["value"] = tests["value"].map(_value)
    told["threshold"] = tests["threshold"].map(_value)
    return told.fillna("").astype("str")


def _value(value: float) -> str:
    """Return a number to four digits that count, a whole one without decimals."""
    if pd.isna(value):
        return ""
    return number(value, 0) if value == round(value) else f"{value:.4g}".replace("-", "−")


def units_told(verdict: Mapping[str, Any], noun: str) -> str:
    """Return in one sentence how many units were found to be what."""
    counts = {name: n for name, n in verdict["units"].items() if n}
    told = ", ".join(f"{n:,} {name}" for name, n in counts.items())
    return f"Of {sum(counts.values()):,} {noun}s, one by one: {told}."


def units_shown(units: pd.DataFrame) -> pd.DataFrame | None:
    """Return the units of which there is something to say; None where there is not."""
    known = [name for name in UNITS if name in units and units[name].notna().any()]
    rows = units.loc[units["verdict"] != "passed", known]
    return rows.fillna("").astype("str") if len(rows) else None
