"""Student's t: tails and quantiles, with the normal distribution at infinite degrees of freedom."""

from __future__ import annotations

from math import inf

from scipy import special


def t_tail(statistic: float, df: float) -> float:
    """Return the upper tail of Student's t (of the normal where ``df`` is infinite)."""
    return float(special.ndtr(-statistic) if df == inf else special.stdtr(df, -statistic))


def t_quantile(probability: float, df: float) -> float:
    """Return the quantile of Student's t (of the normal where ``df`` is infinite)."""
    return float(special.ndtri(probability) if df == inf else special.stdtrit(df, probability))
