"""Two-way effects in the years after a programme that began for all at once, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan

import numpy as np

from schooltrial.analysis.panel.panel_columns import PanelColumns
from schooltrial.arrays import FloatArray
from schooltrial.models.group_time.persistence import DURING, YearAfter
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.fieller import fieller_set
from schooltrial.models.panel.difference_in_differences import PanelFit
from schooltrial.models.panel.persistence import RATIO, told_of_ratio


def rows_after_programme(
    columns: PanelColumns,
    *,
    before: Sequence[int],
    active: Sequence[int],
    later: Sequence[int],
    kind: str,
    level: float,
) -> list[Estimate]:
    """Return the effect during the programme and in each year after it, and what is left of it.

    One regression has a term for the programme's years together and one for each later year, so
    that their difference is a contrast of it.

    Parameters
    ----------
    columns : PanelColumns
        Cells of all years.
    before, active, later : sequence of int
        Years before the programme, of it, and after it ended.
    kind : str
        Variance.
    level : float
        Of the intervals.
    """
    year = columns.rows["year"].to_numpy("int64")
    there = [t for t in sorted(later) if t > max(active) and (year == t).any()]
    kept = columns.inside(np.isin(year, [*before, *active, *there])).seen_twice()
    year = kept.rows["year"].to_numpy("int64")
    if not there or not np.isin(year, list(active)).any():
        return []
    treated = kept.rows["treated"].to_numpy("float64")
    steps = {t: YearAfter(t - max(active), (), compared=True) for t in there}
    fit = kept.fit_events({
        DURING: treated * np.isin(year, list(active)),
        **{step.term: treated * (year == t) for t, step in steps.items()},
    })  # fmt: skip
    if DURING not in fit.names:
        return []
    rows = list(_own(fit, [DURING], kind, level))
    for step in steps.values():
        if step.term not in fit.names:
            continue
        after = _own(fit, [step.term], kind, level)[0]
        change = fit.contrast(
            {step.term: 1.0, DURING: -1.0}, name=step.change, vcov=kind, level=level
        )
        change = replace(change, n_treated_schools=after.n_treated_schools)
        rows += [after, change]
        if after.estimate != change.estimate:  # else there was no effect to have a share of
            rows.append(_ratio(fit, step, after, change, kind, level))
    return rows


def _own(fit: PanelFit, terms: Sequence[str], kind: str, level: float) -> list[Estimate]:
    return [
        replace(row, n_treated_schools=fit.treated_schools[row.term])
        for row in fit.estimates(terms, vcov=kind, level=level)
    ]


def _ratio(
    fit: PanelFit, step: YearAfter, after: Estimate, change: Estimate, kind: str, level: float
) -> Estimate:
    """Return the effect after as a share of that during the programme."""

    def judge(combined: FloatArray) -> tuple[FloatArray, FloatArray]:
        rows = [
            fit.contrast({step.term: float(a), DURING: float(b)}, vcov=kind, level=level)
            for a, b in combined
        ]
        return np.array([row.std_error for row in rows]), np.array([row.df for row in rows])

    found = fieller_set(after.estimate, after.estimate - change.estimate, judge, level=level)
    return replace(
        change, term=step.ratio, estimate=found.ratio, std_error=nan, df=nan, statistic=nan,
        p_value=nan, conf_low=found.low if found.bounded else nan,
        conf_high=found.high if found.bounded else nan, note=told_of_ratio(found),
        method=f"{change.method}; {RATIO}",
    )  # fmt: skip
