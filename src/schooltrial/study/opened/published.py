"""Numbers printed in an article, compared with the study's table of estimates digit by digit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.refusal import UserError

COLUMNS = ("source", "model", "term", "method", "quantity", "printed")
"""Columns of a file of published numbers; ``method`` is a word of the row's method, or empty."""


QUANTITIES = {
    "estimate": "Estimate",
    "std_error": "Standard error",
    "statistic": "Statistic",
    "df": "Degrees of freedom",
    "p_value": "p",
}
"""Column of the table of estimates → its name in the comparison."""


def read_published(file: Path) -> pd.DataFrame:
    """Read a file of published numbers, each as it was printed.

    Parameters
    ----------
    file : pathlib.Path
        A CSV file with the columns source, model, term, method, quantity and printed.

    Raises
    ------
    UserError
        Where a column is missing.
    """
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    missing = [name for name in COLUMNS if name not in rows]
    if missing:
        raise UserError(f"{file} has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}")
    return rows


def compare_with_published(published: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Compare published numbers with the table of estimates, at the digits that were printed.

    Parameters
    ----------
    published : DataFrame
        What ``read_published`` returns.
    estimates : DataFrame
        The study's table of estimates.

    Returns
    -------
    DataFrame
        A row for each number: what it is, as printed, as computed, and whether every printed digit
        agrees.

    Raises
    ------
    UserError
        Where a number has no row, or several, in the table of estimates.
    """
    found = []
    for row in published.to_dict("records"):
        value = _computed(row, estimates)
        written = write_as_printed(value, row["printed"])
        found.append(
            {
                "Model": row["model"],
                "Term": row["term"],
                "Method": row["method"],
                "Quantity": QUANTITIES.get(row["quantity"], row["quantity"]),
                "Printed": row["printed"],
                "Computed": written,
                "Agrees": "yes" if written == row["printed"] else "no",
            }
        )
    return pd.DataFrame(found)


def _computed(row: Mapping[Any, Any], estimates: pd.DataFrame) -> float:
    same = (estimates["model"] == row["model"]) & (estimates["term"] == row["term"])
    same &= estimates["method"].str.contains(row["method"], regex=False)
    values = estimates.loc[same]
    if row["quantity"] not in estimates:
        raise UserError(f"the table of estimates has no column {row['quantity']!r}")
    if len(values) != 1:
        told = f"{row['model']}, {row['term']}, {row['method'] or 'any method'}"
        raise UserError(f"{told}: {len(values)} rows in the table of estimates, where one is meant")
    return float(values[row["quantity"]].iloc[0])


def write_as_printed(value: float, printed: str) -> str:
    """Write a number with as many decimals as another was printed with, in the same style."""
    decimals = len(printed.split(".")[1]) if "." in printed else 0
    text = f"{value:.{decimals}f}"
    return text.replace("0.", ".", 1) if printed.lstrip("-").startswith(".") else text
