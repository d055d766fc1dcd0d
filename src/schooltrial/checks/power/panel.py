"""Power of a panel of schools, from how their means went from year to year before the programme.

The variance of a school's mean from year to year and its autocorrelation are taken of the schools
of comparison in the years before. With D_k half the mean squared change over k years, the common
change of the schools taken out, shocks with AR(1) have

    D_k = σ²_t(1 − ρ^k),    so that    ρ = D_2/D_1 − 1,    σ²_t = D_1/(1 − ρ).

What follows from them depends on the estimator: two-way effects compare the mean of all years after
with that of all years before, Callaway-Sant'Anna each cohort with its last year before alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from schooltrial.models.group_time.cells import ComparisonGroup
from schooltrial.models.power.allocation import Allocation
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.models.power.panel import panel_precision
from schooltrial.models.power.staggered import staggered_precision
from schooltrial.refusal import words_of

PANEL = "closed form: change of school means, AR(1)"


STAGGERED = "closed form: weights of Callaway-Sant'Anna, AR(1)"


UNKNOWN = "school means before the programme tell no variance from year to year"


class YearToYear(NamedTuple):
    """σ²_t and ρ of school means, in squared units of the outcome, and their sources."""

    variance: float
    correlation: float
    schools: int
    note: str


def year_to_year(means: pd.DataFrame, years: Sequence[int]) -> YearToYear | None:
    """Return how school means vary over years; None if no school has two in a row.

    Parameters
    ----------
    means : DataFrame
        ``school, year, mean`` of one outcome, one row per school and year.
    years : sequence of int
        Years before the programme.
    """
    wide = means[means["year"].isin(list(years))].pivot(index="school", columns="year")["mean"]
    one, two = _half_squared_change(wide, 1), _half_squared_change(wide, 2)
    if one is None or not one > 0:
        return None
    schools = int((wide.notna().sum(axis=1) > 1).sum())
    if two is None:
        return YearToYear(one, 0.0, schools, "no two years apart: years taken as independent")
    correlation = two / one - 1
    if correlation >= 1:
        return None
    if correlation < 0:
        return YearToYear(one, 0.0, schools, "negative autocorrelation taken as none")
    return YearToYear(one / (1 - correlation), correlation, schools, "")


def _half_squared_change(wide: pd.DataFrame, lag: int) -> float | None:
    """Return D_k over all pairs of years k apart, unbiased for each pair's common change."""
    total, spare = 0.0, 0
    for year in wide.columns:
        if year + lag not in wide.columns:
            continue
        change = (wide[year + lag] - wide[year]).dropna().to_numpy("float64")
        if len(change) > 1:
            total += float(((change - change.mean()) ** 2).sum())
            spare += len(change) - 1
    return total / (2 * spare) if spare else None


def panel_of(
    means: pd.DataFrame,
    schools: Allocation,
    before: Sequence[int],
    after: Sequence[int],
) -> tuple[Precision | None, str]:
    """Return the precision of two-way effects with one start, and its inputs.

    Parameters
    ----------
    means : DataFrame
        ``school, year, mean`` of the schools of comparison.
    schools : Allocation
        Schools by group and block.
    before, after : sequence of int
        Years before the programme, and from its start on.

    Returns
    -------
    Precision or None
        In the unit of the outcome.
    str
    """
    found = year_to_year(means, before)
    if found is None:
        return None, UNKNOWN
    try:
        design = panel_precision(
            schools, _measured(means, before), _measured(means, after),
            year_variance=found.variance, correlation=found.correlation,
        )  # fmt: skip
    except ValueError as error:
        return None, words_of(error)
    return design, _rests_on(found)


def staggered_of(
    means: pd.DataFrame,
    cohorts: Mapping[int, int],
    never: int,
    before: Sequence[int],
    after: Sequence[int],
    comparison_group: str,
) -> tuple[Precision | None, str]:
    """Return the precision of the overall effect of cohorts as listed, and its inputs.

    Parameters
    ----------
    means, before, after
        As in `panel_of`.
    cohorts : mapping of int to int
        First treated year → schools.
    never : int
        Schools that are never treated.
    comparison_group : {"never_treated", "not_yet_treated"}
        Whom cohorts are compared with.
    """
    found = year_to_year(means, before)
    if found is None:
        return None, UNKNOWN
    try:
        design = staggered_precision(
            cohorts, never, _measured(means, [*before, *after]), year_variance=found.variance,
            correlation=found.correlation,
            comparison_group=_known_group(comparison_group),
        )  # fmt: skip
    except ValueError as error:
        return None, words_of(error)
    entering = ", ".join(f"{count} from {year}" for year, count in sorted(cohorts.items()))
    told = f"cohorts as listed ({entering}), each against its last year before"
    return design, f"{told}; {_rests_on(found)}"


def _known_group(name: str) -> ComparisonGroup:
    return "not_yet_treated" if name == "not_yet_treated" else "never_treated"


def _measured(means: pd.DataFrame, years: Sequence[int]) -> list[int]:
    measured = set(np.unique(means["year"]))
    return [year for year in years if year in measured]


def _rests_on(found: YearToYear) -> str:
    told = (
        f"SD from year to year {found.variance**0.5:.3g}, autocorrelation {found.correlation:.2f}, "
        f"of {found.schools} schools of comparison in the years before"
    )
    return "; ".join(filter(None, (told, found.note)))
