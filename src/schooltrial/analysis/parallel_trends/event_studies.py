"""The event study of a panel model, as analyses of sensitivity take it.

Each year is compared with the last one before the programme (a universal base), whatever base the
model has: bounds on differences in trend are of levels beside one reference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, nan

import numpy as np

from schooltrial.analysis.parallel_trends.refits import CheckedModel
from schooltrial.models.cohort_inference.hotelling import joint_test, rows_covariance
from schooltrial.models.cohort_inference.variances import (
    CohortVariances,
    cohort_variances,
    row_variances,
)
from schooltrial.models.group_time.averages import event_time
from schooltrial.models.panel.difference_in_differences import PanelFit
from schooltrial.models.panel.staggered_adoption import StaggeredFit
from schooltrial.models.panel.treatment_terms import LAST_BEFORE, event_of
from schooltrial.models.parallel_trends.event_coefficients import Array, EventCoefficients
from schooltrial.protocol.content.sections import last_before
from schooltrial.wording import named

GAPS = "years are missing between those seen: a change is from one year seen to the next"


OTHER = "the event study is that of Callaway and Sant'Anna, as its years share one reference"


@dataclass(frozen=True, eq=False)
class EventStudy:
    """Coefficients with the degrees of freedom behind them.

    Attributes
    ----------
    coefficients : EventCoefficients
        Their effect is the mean over the years of the programme.
    df : float
        Of the effect that is asked about.
    each_df : array
        Of each coefficient; years of the programme have those of the effect.
    slope_df : float
        Of the average drift a year before.
    joint_df : float
        η of the joint test of the years before; NaN where there is none.
    method, note : str
    """

    coefficients: EventCoefficients
    df: float
    each_df: Array
    slope_df: float
    joint_df: float
    method: str
    note: str = ""


def event_study(checked: CheckedModel) -> EventStudy:
    """Return the event study of a model.

    Raises
    ------
    ValueError
        Where there is no year before the reference, or no covariance.
    Refusal
        Where the model cannot be fitted.
    """
    if checked.staggered:
        wide = checked.with_model(
            base_period="universal", method="callaway_santanna", event_window=[]
        )
        other = checked.plan.model["method"] != "callaway_santanna"
        found = _of_cohorts(wide.fitted().results[checked.outcome])
        return replace(found, note="; ".join(filter(None, [found.note, OTHER * other])))
    reference = last_before(checked.years)
    wide = checked.with_model(event_window=[])
    fitted = replace(wide, years={**checked.years, "reference": reference}).fitted()
    events: PanelFit | None = fitted.results[checked.outcome].events
    if events is None:
        raise ValueError(
            "no event study: the years since the start cannot be separated from the effects of "
            "schools and years"
        )
    model = checked.plan.model
    kind = None if events.is_two_way else model["covariance"][0]
    if model["active_from"] is not None:
        return _of_years(events, LAST_BEFORE, None, kind)
    active = model["active_years"] or checked.years["programme"]
    return _of_years(events, reference, list(active), kind)


def _of_cohorts(fit: StaggeredFit) -> EventStudy:
    """Return the event study by years since a cohort began; the overall effect is asked about."""
    terms = fit.terms_of("event study")
    rows = [fit.position(term) for term in terms]
    times = np.array([event_time(term) for term in terms])
    reference = -1 - fit.anticipation
    before = int((times < reference).sum())
    _refuse_none_before(before)
    overall = fit.averages[0].weights
    since = np.array([cell.since for cell in fit.cells])
    shares = np.array([overall[since == time].sum() for time in times[before:]])
    found, rule = fit.found, fit.found.rule(rows)
    covariance = rows_covariance(found, rows, rule)
    if not np.isfinite(covariance).all():
        raise ValueError(
            "no standard error: every treated cohort is one school, or one school is never treated"
        )
    coefficients = EventCoefficients.of(
        fit.coefficients[rows], covariance, before, shares, _pooled_covariance(found, rows)
    )
    chosen = np.zeros((len(fit.averages), 2))
    chosen[rows[0], 0] = -1.0 / before
    chosen[0, 1] = 1.0  # the overall effect, which the shares add up to
    combined = cohort_variances(fit.units or fit.panel, found.effects.combined(chosen))
    df = row_variances(combined, rule).df
    each = row_variances(found, rule).df[rows]
    each[before:] = df[1]
    joint = joint_test(found, rows[:before], rule)
    eta = joint.df + before - 1 if isfinite(joint.statistic) else nan
    gaps = bool((np.diff(np.sort(np.append(times, reference))) > 1).any())
    return EventStudy(
        coefficients, float(df[1]), each, float(df[0]), float(eta), fit.method, GAPS if gaps else ""
    )


def _pooled_covariance(found: CohortVariances, rows: list[int]) -> Array:
    """Return the covariance of rows were the schools of all groups to vary alike."""
    pool = found.covariances.pooled()
    total = np.zeros((len(rows), len(rows)))
    for group in range(len(found.sizes)):
        w = found.units(group, rows)
        total += np.einsum("itr,tu,ius->rs", w, pool, w, optimize=True)
    return total


def _of_years(
    fit: PanelFit, reference: int, active: list[int] | None, kind: str | None
) -> EventStudy:
    """Return the event study of years; the mean of the active ones (None: all) is asked about."""
    terms = sorted((name for name in fit.names if event_of(name) is not None), key=_year)
    years = np.array([_year(name) for name in terms])
    before = int((years < reference).sum())
    _refuse_none_before(before)
    rows = fit.estimates(terms, vcov=kind)
    lacking = [row for row in rows if not isfinite(row.std_error)]
    if lacking:
        raise ValueError(
            f"{lacking[0].note} ({named([row.term for row in lacking], 3)}); the bounds take every "
            "year by itself, whatever `event_window` is"
        )
    inside = np.ones(len(years) - before) if active is None else np.isin(years[before:], active)
    weights = inside / max(inside.sum(), 1)
    at = [fit.position(term) for term in terms]
    coefficients = EventCoefficients.of(
        fit.coefficients[at], fit.covariance(vcov=kind)[np.ix_(at, at)], before, weights
    )
    of_effect = dict(zip(terms[before:], weights.tolist(), strict=True))
    df = fit.contrast(of_effect, name="effect", vcov=kind).df
    slope = fit.contrast({terms[0]: -1.0 / before}, name="slope", vcov=kind)
    each = np.array([row.df for row in rows])
    each[before:] = df
    eta = nan
    if not fit.is_two_way:
        joint = fit.test(terms[:before], name="years before", vcov=kind)
        eta = joint.df + before - 1 if isfinite(joint.statistic) and joint.df > 0 else nan
    gaps = bool((np.diff(np.sort(np.append(years, reference))) > 1).any())
    return EventStudy(
        coefficients, float(df), each, float(slope.df), eta, fit.method, GAPS if gaps else ""
    )


def _year(term: str) -> int:
    event = event_of(term)
    assert event is not None
    return event


def _refuse_none_before(before: int) -> None:
    if before < 1:
        raise ValueError(
            "one year before the programme, which all others are compared with: how far trends "
            "differed before cannot be seen. Add earlier years to `years.baseline`"
        )
