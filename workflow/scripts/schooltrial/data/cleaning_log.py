"""The log of every change between raw files and standard tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import pandas as pd


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One rule that touched cells or rows of a file.

    Attributes
    ----------
    table, file, column : str
        Standard table, raw file, and raw column (empty where whole rows are meant).
    rule : str
        What was done.
    count : int
        Cells, or rows where ``column`` is empty, that it touched.
    before, after : str
        The first cell touched, as it was and as it became.
    """

    table: str
    file: str
    column: str
    rule: str
    count: int
    before: str = ""
    after: str = ""


def to_frame(entries: Iterable[LogEntry]) -> pd.DataFrame:
    """Return the log as a frame, one row per rule, file and column."""
    return pd.DataFrame(
        [astuple(entry) for entry in entries], columns=[field.name for field in fields(LogEntry)]
    )
