"""The effect among those who were there at the assignment, to compare with that of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from schooltrial.report.findings.headlines import Finding, digits_of, excludes_zero, with_interval

ADJUSTED, BARE = "complete cases, adjusted", "complete cases"

APPROACHES = {
    ADJUSTED: "with the covariates of the primary analysis",
    BARE: "without covariates",
}
"""Approaches of the check of missing outcomes whose row this is, the first that is there."""


@dataclass(frozen=True)
class FirstAssigned:
    """The effect among those who were there at the assignment and are analysed.

    Attributes
    ----------
    words : str
        The sentence that says it.
    outside : bool
        Whether it is below, or above, the primary analysis and all sensitivity analyses, or on
        another side of zero than the primary analysis.
    apart : bool
        Whether zero is inside its interval and outside that of the primary analysis, or the
        reverse.
    adjusted : bool
        Whether it has the covariates of the primary analysis.
    same : bool
        Whether they are those of the primary analysis.
    """

    words: str
    outside: bool
    apart: bool
    adjusted: bool
    same: bool = False


def first_assigned(
    one: Finding, others: Sequence[Finding], bounds: pd.DataFrame | None
) -> FirstAssigned | None:
    """Return the effect among those there at the assignment, in the group first assigned.

    None where it is of the same people, and zero is in or out of its interval as in the primary
    analysis.

    Parameters
    ----------
    one : Finding
        Of the primary analysis.
    others : sequence of Finding
        Its sensitivity analyses.
    bounds : DataFrame, optional
        ``missing_outcomes.csv``.
    """
    if bounds is None or not one.found:
        return None
    rows = rows_of(one, bounds)
    approach = next((name for name in APPROACHES if (rows["approach"] == name).any()), "")
    rows = rows[rows["approach"] == approach]
    if len(rows) != 1:
        return None
    row, how, adjusted = rows.iloc[0], APPROACHES[approach], approach == ADJUSTED
    size, low, high = size_of(row, one)
    digits = digits_of(size, low, high, in_sd=one.in_sd)
    clear = low > 0 or high < 0
    apart = isfinite(low) and isfinite(high) and clear != excludes_zero(one)
    same = row["n_individuals"] == one.n_people
    if same and not apart:
        return None
    known = [other.estimate for other in others if isfinite(other.estimate)]
    where = _where(size, [one.estimate, *known], digits_of(size, *known, in_sd=one.in_sd))
    all_ = "the primary and all sensitivity analyses" if known else "the primary analysis"
    compared = f", {where} {all_}" if where and not same else ""
    side = "excludes" if clear else "includes"
    zero = f" Its interval {side} zero, unlike that of the primary analysis." if apart else ""
    if same:
        whose = f"The same {row['n_individuals']:,.0f} {one.people}, analysed"
        told = f"{whose} in the group first assigned and {how}, give "
        told += f"{with_interval(size, low, high, digits)} {one.unit}.{zero}"
        return FirstAssigned(told, outside=True, apart=apart, adjusted=adjusted, same=True)
    words = (
        f"Among the {row['n_individuals']:,.0f} {one.people} who were there at the assignment and "
        f"are analysed (in the group first assigned, {how}), the estimate is "
        f"{with_interval(size, low, high, digits)} {one.unit}{compared}.{zero}"
    )
    return FirstAssigned(words, outside=bool(where) or apart, apart=apart, adjusted=adjusted)


def rows_of(one: Finding, bounds: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the check of missing outcomes on a finding that have an estimate.

    Parameters
    ----------
    one : Finding
        Of the primary analysis.
    bounds : DataFrame
        ``missing_outcomes.csv``.
    """
    return bounds[
        (bounds["outcome"] == one.outcome)
        & (bounds["model"] == one.model)
        & bounds["estimate"].notna()
        & ((bounds["arm"] == one.arm) | (one.arm == ""))
    ]


def size_of(row: pd.Series, one: Finding) -> tuple[float, float, float]:
    """Return the estimate of such a row and its interval, in the unit of the finding."""
    times = 100.0 if one.binary else 1.0
    size, low, high = (float(times * row[key]) for key in ("estimate", "conf_low", "conf_high"))
    return size, low, high


def _where(size: float, values: Sequence[float], digits: int) -> str:
    """Return whether a number is below or above all others as they are printed; else nothing."""
    shown = [round(value, digits) for value in values]
    if round(size, digits) < min(shown):
        return "below"
    return "above" if round(size, digits) > max(shown) else ""
