"""Parser of the stored digits of R: entries by name, and the data they were fitted to."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

GOLD = Path(__file__).parent / "gold"
ROOT = Path(__file__).parents[2]


@cache
def _entries() -> dict[str, dict[str, Any]]:
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLD.glob("*.json"))]
    return {entry["id"]: entry for file in files for entry in file["entries"]}


def names(prefix: str) -> list[str]:
    """Return the names of the stored entries that begin with ``prefix``."""
    return [name for name in _entries() if name.startswith(prefix)]


def entry(name: str) -> dict[str, Any]:
    """Return one stored result: its call, tolerance hint, note and ``values``."""
    return _entries()[name]


def dataset(name: str) -> pd.DataFrame:
    """Return the data frame that an entry was fitted to."""
    if name == "achievement_awards":
        return pd.read_csv(ROOT / "data" / name / f"{name}.csv.gz")
    return pd.read_csv(GOLD / f"{name}.csv")
