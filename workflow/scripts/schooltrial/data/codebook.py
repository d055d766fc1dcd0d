"""A codebook of the standard tables: each variable, what it is, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

COLUMNS = [
    "table", "variable", "label", "raw_column", "type", "rows", "missing", "distinct", "low",
    "high", "values",
]  # fmt: skip
LISTED = 12


def codebook(
    tables: Mapping[str, pd.DataFrame],
    labels: Mapping[str, str],
    raw_columns: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """Describe every variable of every table.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The standard tables.
    labels : mapping of str to str
        Variable → name in exhibits.
    raw_columns : mapping
        Table → variable → column of the raw file that it was read from.

    Returns
    -------
    DataFrame
        One row per variable. Identifiers are counted, never listed.
    """
    rows = []
    for table, frame in tables.items():
        if table == "scores":
            parts = {str(name): part["value"] for name, part in frame.groupby("outcome")}
            parts = {
                **{key: frame[key] for key in frame if key not in ("outcome", "value")},
                **parts,
            }
        else:
            parts = {str(name): frame[name] for name in frame}
        for name, values in parts.items():
            raw = raw_columns.get(table, {}).get(name, "")
            rows.append([table, name, labels.get(name, ""), raw, *_describe(name, values)])
    return pd.DataFrame(rows, columns=COLUMNS)


def _describe(name: str, values: pd.Series) -> list[object]:
    known = values.dropna()
    distinct = int(known.nunique())
    counts = [len(values), int(values.isna().sum()), distinct]
    if pd.api.types.is_numeric_dtype(values):
        kind, low, high = (
            "number",
            known.min() if len(known) else "",
            known.max() if len(known) else "",
        )
    elif pd.api.types.is_datetime64_any_dtype(values):
        kind = "date"
        low, high = (str(known.min())[:10], str(known.max())[:10]) if len(known) else ("", "")
    else:
        kind, low, high = "text", "", ""
    identifier = name in ("school", "pupil", "teacher")
    listed = (
        ""
        if identifier or distinct > LISTED
        else "; ".join(
            f"{value:g}" if kind == "number" else str(value) for value in sorted(known.unique())
        )
    )
    return [kind, *counts, low, high, listed]
