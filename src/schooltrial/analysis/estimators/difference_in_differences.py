"""Difference-in-differences and event study, in cells of school and year."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.analysis.cluster_notes import describe_clusters
from schooltrial.analysis.few_clusters import FEW_IN_AN_ARM, PLAIN, describe_few
from schooltrial.analysis.fitting import (
    CellsFit,
    FittedModel,
    PlannedModel,
    fit_panel_outcomes,
)
from schooltrial.analysis.panel.after_programme import rows_after_programme
from schooltrial.analysis.panel.panel_columns import PanelColumns, build_panel_columns
from schooltrial.analysis.panel.post_programme import compare_post_tests
from schooltrial.models.cohort_inference.bands import bonferroni_half_widths
from schooltrial.models.cohort_inference.hotelling import LEAST_DF
from schooltrial.models.group_time.averages import SLOPE
from schooltrial.models.group_time.persistence import PERSISTENCE
from schooltrial.models.inference.estimate import Estimate, f_estimate, noted
from schooltrial.models.panel.difference_in_differences import PanelFit
from schooltrial.models.panel.treatment_terms import LAST_BEFORE, event_of
from schooltrial.protocol.content.sections import Model, Years, clusters_of, reference_year
from schooltrial.wording import listed, named, plural

OF_CR2 = "take `covariance: [CR2]`"
"""What to do where clusters are few, and the variance is a plain one."""

NO_PRETREND = "test of equal trends before the programme"

ENOUGH_A_YEAR = 4
"""Treated schools for each year of a joint test, below which CR1 and its kin reject a true null in
more than a tenth of panels (7 schools and 5 years: in half)."""

Rows = list[tuple[str, Estimate]]


@dataclass(frozen=True)
class EffectAndEvents:
    """The two fits of one outcome.

    Attributes
    ----------
    effect : PanelFit
        Of the years before and those in which the programme acts.
    events : PanelFit or None
        Of every year, beside the reference year; None where no event can be told.
    """

    effect: PanelFit
    events: PanelFit | None

    def __getattr__(self, name: str) -> Any:
        """Return what the fit of the effect offers, such as ``conf_int`` and ``summary``."""
        if name.startswith("_") or name in ("effect", "events"):
            raise AttributeError(name)
        return getattr(self.effect, name)

    def estimates(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Return the effect, then the event study."""
        events = () if self.events is None else self.events.estimates(level=level)
        return (*self.effect.estimates(level=level), *events)


def fit_planned(
    plan: PlannedModel, cells: pd.DataFrame, *, years: Years, randomised: bool = False
) -> FittedModel[EffectAndEvents]:
    """Fit the model to each of its outcomes: effect, event study, test of the pre-trend.

    Parameters
    ----------
    plan : PlannedModel
        ``active_years``, ``active_from``, ``event_window`` and ``unit_trends`` are of this
        estimator, and what any regression has: covariates, effects, weights, clusters.
    cells : DataFrame
        The cells of school, year and outcome.
    years : mapping
        The protocol's section.
    randomised : bool
        Whether chance drew the schools: the comparison of the active years alone is then beside
        that of changes.
    """
    model, reference = plan.model, reference_year(years)
    active = model["active_years"] or years["programme"]

    def fit(found: pd.DataFrame) -> CellsFit[EffectAndEvents]:
        _refuse_empty(found, model)
        columns = build_panel_columns(found, model, str(found["outcome"].iloc[0]))
        year = columns.rows["year"]
        near = columns.inside(year.isin([*years["baseline"], *active]).to_numpy("bool"))
        near, every = near.seen_twice(), columns.seen_twice()
        terms, split_notes = near.split(near.programme(active))
        effect = near.fit(terms, split=bool(columns.splits))
        kinds = _kinds(model)
        level = model["confidence_level"]
        estimand = "effect by group" if columns.splits else "ATT"
        rows: Rows = []
        for kind in kinds:
            found_terms = [name for name in effect.names if name in terms]
            for one in effect.estimates(found_terms, vcov=kind, level=level):
                own = replace(one, n_treated_schools=effect.treated_schools[one.term])
                rows.append((estimand, noted([own], _few_treated(own, effect, near, kind))[0]))
        if randomised and model["active_from"] is None and not columns.splits:
            rows += compare_post_tests(
                near.rows, near.n_pupils if near.weights is None else near.weights,
                before=years["baseline"], active=active, change=rows[0][1], level=level,
            )  # fmt: skip
        notes = [*columns.notes, *split_notes, *_left_out(effect, terms)]
        notes += _seen_once(columns, every) + _of_later_cohorts(found, model, min(active))
        notes += _clusters(near, model)
        rows += [
            (PERSISTENCE, row) for row in _after(columns, model, years, active, kinds[0], found)
        ]
        events, more, told = _event_study(every, years["baseline"], reference, min(active), kinds)
        rows = _with_first_note(rows + more, "; ".join([*notes, *told]))
        diagnostics: dict[str, Any] = {"cells": effect.n_cells}
        if events is not None:
            diagnostics["cells_event_study"] = events.n_cells
        return CellsFit(rows, diagnostics, EffectAndEvents(effect, events))

    return fit_panel_outcomes(cells, plan, fit)


def _after(
    columns: PanelColumns, model: Model, years: Years, active: Sequence[int], kind: str,
    cells: pd.DataFrame,
) -> list[Estimate]:  # fmt: skip
    """Return the rows of years after the programme, where it began for all at once."""
    several = "cohort" in cells and cells["cohort"].nunique() > 1
    if several or model["active_from"] is not None or columns.splits:
        return []
    return rows_after_programme(
        columns, before=years["baseline"], active=active, later=years.get("follow_up", []),
        kind=kind, level=model["confidence_level"],
    )  # fmt: skip


def _kinds(model: Model) -> list[str]:
    """Return the variances that are reported."""
    if len(clusters_of(model)) == 2 and not set(model["covariance"]) <= set(PLAIN):
        return ["CR1S"]
    return list(model["covariance"])


def _event_study(
    columns: PanelColumns,
    baseline: Sequence[int],
    reference: int,
    begins: int,
    kinds: Sequence[str],
) -> tuple[PanelFit | None, Rows, list[str]]:
    """Return the fit of the events, their rows and tests, and the notes on all of them."""
    model = columns.model
    treatment = columns.events(reference, begins)
    fit = columns.fit_events(treatment)
    lost = [name for name in treatment if name not in fit.names]
    terms = [name for name in fit.names if name in treatment]
    if not terms:
        why = (
            "no event study: the years since the start cannot be separated from the effects of "
            "schools and years (no school is never treated); set `event_window` to bin its ends, "
            "or use staggered_adoption with `comparison_group: not_yet_treated`"
        )
        return None, [], [why]
    own = model["active_from"] is not None
    base = f"the last year before the own cohort began ({LAST_BEFORE})" if own else str(reference)
    about = [f"reference year: {base}"]
    binned = [name for name in terms if "<=" in name or ">=" in name]
    if binned:
        about.append(f"years beyond the window are binned: {listed(binned)}")
    if lost:
        about.append(
            f"left out: {named(lost)} (not separable from the effects of schools and years)"
        )
    before = [name for name in terms if _is_before(name, baseline, reference, own=own)]
    rows: Rows = []
    for kind in kinds:
        found = _with_bands(fit, terms, kind, model["confidence_level"])
        first = noted(found[:1], "; ".join(about)) if kind == kinds[0] else found[:1]
        rows += [("event study", one) for one in (*first, *found[1:])]
    for kind in kinds:
        rows += _pretrend(fit, before, reference if not own else LAST_BEFORE, kind,
                          model["confidence_level"])  # fmt: skip
    return fit, rows, []


def _with_bands(fit: PanelFit, terms: Sequence[str], kind: str, level: float) -> list[Estimate]:
    """Return the rows of the events, with their own schools and a band over all of them."""
    rows = fit.estimates(terms, vcov=kind, level=level)
    widths = bonferroni_half_widths(
        np.array([row.std_error for row in rows]), np.array([row.df for row in rows]), level
    )
    return [
        replace(
            row, band_low=row.estimate - width, band_high=row.estimate + width,
            n_treated_schools=fit.treated_schools[row.term],
        )
        for row, width in zip(rows, widths.tolist(), strict=True)
    ]  # fmt: skip


def _is_before(term: str, baseline: Sequence[int], reference: int, *, own: bool) -> bool:
    """Return whether an event is before the programme."""
    event = event_of(term)
    if event is None:
        return False
    if own:
        return event < LAST_BEFORE
    return event in baseline or ("<=" in term and event < reference)


def _pretrend(
    fit: PanelFit, before: Sequence[str], reference: int, kind: str, level: float
) -> Iterator[tuple[str, Estimate]]:
    """Yield the joint test of the events before, and their slope."""
    if not before:
        return
    own = max(fit.treated_schools[term] for term in before)
    if not fit.is_two_way:
        yield "pre-trend test", replace(_joint(fit, before, kind), n_treated_schools=own)
    slope = _slope(fit, before, reference, kind, level)
    yield "pre-trend slope", replace(slope, n_treated_schools=own)


def _joint(fit: PanelFit, before: Sequence[str], kind: str) -> Estimate:
    try:
        test = fit.test(before, name=NO_PRETREND, vcov=kind)
    except ValueError as error:
        return f_estimate(
            NO_PRETREND, nan, len(before), nan, n_individuals=fit.n_pupils, n_schools=fit.n_schools,
            method=fit.method, note=f"no F: {error}",
        )  # fmt: skip
    years = plural(len(before), "year")
    if test.df < LEAST_DF or "too few clusters" in test.note:  # no df, where it would be negative
        left = f"{test.df:.1f}" if test.df > 0 else "no"
        few = f"no F: too few treated schools for a joint test of {years}, whose denominator would "
        few += f"have {left} degrees of freedom; read the slope"
        df = test.df if test.df > 0 else nan
        return replace(test, statistic=nan, p_value=nan, df=df, note=few)
    own = max(fit.treated_schools[term] for term in before)
    if kind in PLAIN and own < ENOUGH_A_YEAR * len(before):
        far = f"{kind} rejects far too often in a joint test of {years} on {own} treated schools"
        return noted([test], f"{far}; read that of CR2, or the slope")[0]
    return test


def _slope(
    fit: PanelFit, before: Sequence[str], reference: int, kind: str, level: float
) -> Estimate:
    """Return the slope over years of the events before, the reference among them at zero."""
    at = np.array([event_of(term) or 0 for term in before] + [reference], dtype="float64")
    spread = at - at.mean()
    weights = spread / float(spread @ spread)
    row = fit.contrast(
        dict(zip(before, weights[:-1].tolist(), strict=True)), name=SLOPE, vcov=kind, level=level
    )
    told = "change of the difference a year, by least squares over the years before"
    return noted([row], told)[0]


def _few_treated(row: Estimate, fit: PanelFit, columns: PanelColumns, kind: str) -> str:
    """Return the note on few treated schools; empty if there are many."""
    clusters = clusters_of(columns.model)
    if kind in PLAIN:
        if len(clusters) == 2:
            return ""
        return describe_few(columns.rows, (clusters or ["school"])[0], kind, OF_CR2)
    count = fit.having.get(row.term, FEW_IN_AN_ARM)
    if count >= FEW_IN_AN_ARM or not row.df > 0:
        return ""
    of = f"groups of {clusters[0]}" if clusters else "schools"
    return (
        f"few treated {of} ({count}): judged by t with {row.df:.1f} degrees of freedom; the "
        f"alternative is to permute which {of} are treated, with this t as the statistic"
    )


def _left_out(fit: PanelFit, terms: Sequence[str] | dict[str, Any]) -> list[str]:
    """Return the note on covariates that adjust nothing."""
    lost = [name for name in fit.dropped if name not in terms]
    if not lost:
        return []
    return [
        f"left out: {named(lost)} (determined by the effects of schools and years, or by other "
        "covariates)"
    ]


def _seen_once(columns: PanelColumns, kept: PanelColumns) -> list[str]:
    gone = len(set(columns.unit)) - len(set(kept.unit))
    if not gone:
        return []
    return [f"{plural(gone, 'school')} seen in one year only: no change to compare, left out"]


def _clusters(columns: PanelColumns, model: Model) -> list[str]:
    clusters = clusters_of(model)
    if len(clusters) == 2:
        counts = [f"{name} ({columns.rows[name].nunique():,})" for name in clusters]
        return [f"errors clustered on {listed(counts)} at once"]
    if not clusters:
        return []
    return describe_clusters(columns.rows.assign(cluster=columns.rows["school"]), clusters[0])


def _with_first_note(rows: Rows, note: str) -> Rows:
    """Return rows of which the first says what holds for all."""
    if not note:
        return rows
    (estimand, first), *others = rows
    return [(estimand, noted([first], note)[0]), *others]


def _refuse_empty(cells: pd.DataFrame, model: Model) -> None:
    """Raise where a mean has no pupil behind it: its weight would be 0, or below."""
    if model["weights"] not in (None, "pupils"):
        return
    empty = cells[(cells["n_pupils"] <= 0).fillna(False).to_numpy("bool")]
    if len(empty):
        one = empty.iloc[0]
        raise ValueError(
            f"school {one['school']} has a value in {one['year']} and `n_pupils` of "
            f"{one['n_pupils']:g} ({len(empty):,} of {len(cells):,} cells are so): a cell is "
            "weighted by its pupils. Correct `n_pupils` in the file of school scores, declare such "
            'numbers missing (`missing: ["", "0"]`), or leave the column out: every cell then '
            "counts alike"
        )


def _of_later_cohorts(cells: pd.DataFrame, model: Model, first: int) -> list[str]:
    """Return a note where schools that begin later count as treated from the first active year."""
    if "cohort" not in cells or model["active_from"] is not None:
        return []
    begins = cells["cohort"].astype("float64")
    later = int(cells.loc[begins > first, "school"].nunique())
    if later == 0:
        return []
    return [
        f"{later:,} schools of later cohorts count as treated from {first} on: take "
        "`active_from: cohort`, or staggered_adoption, for each cohort from its own first year"
    ]
