"""Rows of a staggered roll-out after its programme ended: compared with none, and with during.

*Gone* is tested by the effect itself, *as before* by its difference from the effect on the same
schools during the programme. What is left of that effect is a ratio, whose confidence set is
Fieller's: it has no ends where the effect during the programme may be zero.
"""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.cohort_inference.variances import cohort_variances, judge_rows
from schooltrial.models.group_time.persistence import (
    DURING,
    Lasts,
    YearAfter,
    persistence_averages,
    years_after,
)
from schooltrial.models.inference.estimate import Estimate, noted
from schooltrial.models.inference.fieller import Judge, RatioSet, fieller_set
from schooltrial.models.panel.staggered_adoption import StaggeredFit
from schooltrial.wording import listed, plural

BASED_ON = "based on "
"""How the note begins that says which cohorts carry a row."""

NONE_AFTER = (
    "whether the effect lasted cannot be estimated: no year of the panel lies after the programme"
)

RATIO = "ratio with Fieller's interval"
"""What the method says of a share: its set agrees with the tests of the two rows above it."""

NO_ERROR = "no standard error: a ratio"

NOT_DURING = "not compared with the effect during the programme, in which these were not measured"


def average_persistence(fit: StaggeredFit, lasts: Lasts) -> StaggeredFit:
    """Return the fit whose averages are those by years since the programme ended.

    Parameters
    ----------
    fit : StaggeredFit
        By any method: its group-time effects are averaged, cells counting as they do in its
        overall effect, and judged as they are.
    lasts : int or mapping of int to int
        For how many years the programme of a cohort lasts, its first treated year counted, or that
        of each.

    Raises
    ------
    ValueError
        Where it is not said how long the programme of a cohort lasts.
    """
    size = fit.averages[fit.position("treated")].weights
    averages = persistence_averages(fit.cells, size, lasts)
    at = [fit.position(f"treated[cohort={cell.cohort}, year={cell.year}]") for cell in fit.cells]
    matrix = np.zeros((len(fit.names), len(averages)))
    matrix[at] = np.column_stack([row.weights for row in averages])
    found = cohort_variances(fit.units or fit.panel, fit.found.effects.combined(matrix))
    of_schools = None if fit.school_loadings is None else fit.school_loadings @ matrix
    return replace(
        fit, averages=averages, found=found, judged=judge_rows(found), check=None,
        school_loadings=of_schools,
    )  # fmt: skip


def persistence_rows(fit: StaggeredFit, lasts: Lasts, level: float = 0.95) -> list[Estimate]:
    """Return the effect during the programme, and those after it ended, with what is left of it.

    Parameters
    ----------
    fit, lasts
        As in `average_persistence`.
    level : float
        Of the intervals.
    """
    averaged = average_persistence(fit, lasts)
    found = {row.term: row for row in averaged.estimates(averaged.names, level=level)}
    rows = [found[DURING]] if DURING in found else []
    years = years_after(fit.cells, lasts)
    if not years:
        return noted(rows, NONE_AFTER)
    for year in years:
        after = found[year.term]
        rows.append(_carried(year, after, "" if year.compared else NOT_DURING))
        if year.compared:
            change = found[year.change]
            rows.append(_carried(year, change))
            if after.estimate != change.estimate:  # else there was no effect to have a share of
                rows.append(_carried(year, _ratio(averaged, year, change, level)))
    return rows


def _carried(year: YearAfter, row: Estimate, *notes: str) -> Estimate:
    """Return a row that says first which cohorts carry it, and how many of their schools."""
    named = listed([str(g) for g in year.cohorts])
    cohorts = "cohort" if len(year.cohorts) == 1 else "cohorts"
    count = row.n_treated_schools
    schools = "" if count is None else f", {plural(count, 'school')}"
    told = (f"{BASED_ON}{cohorts} {named}{schools}", *notes, row.note)
    return replace(row, note="; ".join(filter(None, told)))


def _ratio(fit: StaggeredFit, year: YearAfter, change: Estimate, level: float) -> Estimate:
    """Return the effect after as a share of that on the same schools during the programme."""
    at = [fit.position(year.term), fit.position(year.change)]
    after, less = (float(fit.coefficients[one]) for one in at)
    pair = np.zeros((len(fit.names), 2))
    pair[at] = [[1.0, 1.0], [0.0, -1.0]]  # after, and after less the change: during
    judge = judged_combinations(fit, pair)
    found = fieller_set(after, after - less, judge, level=level)
    low, high = (found.low, found.high) if found.bounded else (nan, nan)
    return replace(
        change, term=year.ratio, estimate=found.ratio, std_error=nan, df=nan, statistic=nan,
        p_value=nan, conf_low=low, conf_high=high, note=told_of_ratio(found),
        method=f"{change.method}; {RATIO}",
    )  # fmt: skip


def told_of_ratio(found: RatioSet) -> str:
    """Return the note on a ratio: it has no standard error, and may be unbounded."""
    if found.told:
        return (
            f"{NO_ERROR}; {found.told}: the interval of the effect on these schools during the "
            "programme includes zero"
        )
    if not found.bounded:
        return "no standard error and no interval: the two effects have none"
    return NO_ERROR


def judged_combinations(fit: StaggeredFit, pair: FloatArray) -> Judge:
    """Return how combinations of two rows are judged, each by its own degrees of freedom.

    Parameters
    ----------
    fit : StaggeredFit
    pair : array (R, 2)
        The two rows, as combinations of the fit's averages.
    """
    effects = fit.found.effects.combined(pair)
    base = cohort_variances(fit.units or fit.panel, effects)

    def judge(combined: FloatArray) -> tuple[FloatArray, FloatArray]:
        used = base.used.any(axis=1, keepdims=True).repeat(len(combined), axis=1)
        judged = judge_rows(replace(base, effects=effects.combined(combined.T), used=used))
        return judged.std_error, judged.df

    return judge
