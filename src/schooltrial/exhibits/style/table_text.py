"""How every table looks as HTML, the same on every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from great_tables import GT


def number(value: float, digits: int = 3) -> str:
    """Return a number with fixed decimals, a true minus sign, and nothing where it is missing."""
    if pd.isna(value):
        return ""
    text = f"{value:.{digits}f}".replace("inf", "∞")
    if not text.strip("-0."):
        text = text.lstrip("-")
    return text.replace("-", "−")


def p_text(value: float) -> str:
    """Return a p-value with three decimals, ``<.001`` below that."""
    if pd.isna(value):
        return ""
    return "<.001" if value < 0.001 else f"{value:.3f}".lstrip("0")


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return an interval in brackets."""
    return "" if pd.isna(low) else f"[{number(low, digits)},\u00a0{number(high, digits)}]"


def html(
    data: pd.DataFrame,
    *,
    name: str,
    title: str,
    group: str,
    right: Sequence[str],
    notes: Sequence[str],
    study: Mapping[str, Any],
) -> str:
    """Return a table as a fragment of HTML, grouped, with its notes and the study's line."""
    label = "SYNTHETIC DATA. " if study["synthetic"] else ""
    table = GT(data, groupname_col=group, id=name).tab_header(title=title)
    for note in notes:
        table = table.tab_source_note(note)
    table = (
        table.tab_source_note(f"{label}{study['title']}. Protocol {study['protocol'][:12]}")
        .cols_align("right", columns=list(right))
        .tab_options(table_font_size="13px", heading_align="left", table_width="100%")
    )
    return str(table.as_raw_html())


def shown(frame: pd.DataFrame, digits: int = 2) -> pd.DataFrame:
    """Return every cell as a reader sees it, whole numbers without decimals."""
    told = frame.copy()
    for column in told.select_dtypes("number"):
        known = told[column].dropna()
        whole = bool((known == known.round()).all())
        if str(column) == "p" or str(column).endswith("_p") or str(column).startswith("p_"):
            told[column] = told[column].map(p_text)
        else:
            told[column] = told[column].map(lambda v, d=0 if whole else digits: number(v, d))
    return told.fillna("").astype("str")
