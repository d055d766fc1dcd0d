"""Rows of a table that a run has written, for messages: as text, without importing pandas."""

from __future__ import annotations

import csv
from pathlib import Path


def read_rows(file: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none where it is not there (yet)."""
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
