"""How numbers are written in every table."""

from __future__ import annotations

import pandas as pd


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
