"""The tables of checks as they were written: names and codes stay texts, numbers are numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO

import pandas as pd

TEXTS = (
    "school", "teacher", "pupil", "leader", "unit", "block", "arm", "period", "component", "table",
    "file", "column", "rule", "before", "after", "variable", "category", "label", "unit_kind",
    "quantity_unit", "units_label",
    "values", "outcome", "model", "level", "subgroup", "term", "ingredient", "sample", "scope",
    "method", "check", "approach", "step", "where_at_baseline",
)  # fmt: skip
"""Columns of checks that hold names, codes or sentences; each may look like a number, or be empty
in all rows, which would be read as numbers too."""


def read_check(path: str | Path | TextIO, **reading: Any) -> pd.DataFrame:
    """Read a table that a check wrote.

    A block `01`, a district `4801230` and a cell `-9.00` of the cleaning log are texts: read as
    numbers they would become `1`, `4801230.0` and `-9.0` where no other row is a word.

    Parameters
    ----------
    path : str, path or text file
        A CSV file of ``checks/`` or the cleaning log.
    **reading
        Further arguments of `pandas.read_csv`.
    """
    return pd.read_csv(path, dtype=dict.fromkeys(TEXTS, "str"), **reading)
