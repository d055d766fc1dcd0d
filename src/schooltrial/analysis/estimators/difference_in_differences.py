"""Difference-in-differences and event study, in cells of school and year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.analysis.cluster_notes import describe_clusters
from schooltrial.analysis.few_clusters import describe_few
from schooltrial.analysis.fitting import (
    CellsFit,
    FittedModel,
    PlannedModel,
    fit_panel_outcomes,
)
from schooltrial.models.inference.estimate import Estimate, noted
from schooltrial.models.panel.difference_in_differences import (
    PanelFit,
    event_indicators,
    programme_indicator,
    two_way_effects,
)
from schooltrial.protocol.sections import Years, reference_year

OF_PANEL = (
    "take `estimator: cluster_robust` with `fixed_effects: [school, year]`, `active_years` and "
    "`covariance: [CR2]`, where there are rows of pupils"
)
"""What to do where clusters are few."""


@dataclass(frozen=True)
class EffectAndEvents:
    """The two fits of one outcome.

    Attributes
    ----------
    effect : PanelFit
        Of the years before and those in which the programme acts.
    events : PanelFit
        Of every year, beside the reference year.
    """

    effect: PanelFit
    events: PanelFit

    def __getattr__(self, name: str) -> Any:
        """Return what the fit of the effect offers, such as ``conf_int`` and ``summary``."""
        if name.startswith("_") or name in ("effect", "events"):
            raise AttributeError(name)
        return getattr(self.effect, name)

    def estimates(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Return the effect, then the event study."""
        return (*self.effect.estimates(level=level), *self.events.estimates(level=level))


def fit_planned(
    plan: PlannedModel, cells: pd.DataFrame, *, years: Years
) -> FittedModel[EffectAndEvents]:
    """Fit the model to each of its outcomes: effect, event study, test of the pre-trend.

    Parameters
    ----------
    plan : PlannedModel
        ``active_years`` and ``cluster`` are of this estimator.
    cells : DataFrame
        The cells of school, year and outcome.
    years : mapping
        The protocol's section.
    """
    model, reference = plan.model, reference_year(years)
    active = model["active_years"] or years["programme"]

    def fit(found: pd.DataFrame) -> CellsFit[EffectAndEvents]:
        cluster = model["cluster"]
        near = found[found["year"].isin([*years["baseline"], *active])]
        _refuse_empty(found)
        weighted = bool(found["n_pupils"].notna().all())
        effect = _fit(near, active=active, cluster=cluster, weighted=weighted)
        events = _fit(found, reference=reference, cluster=cluster, weighted=weighted)
        rows = [("ATT", estimate) for estimate in effect.estimates(level=model["confidence_level"])]
        rows += [
            ("event study", estimate)
            for estimate in events.estimates(level=model["confidence_level"])
        ]
        before = [
            f"treated[year={year}]"
            for year in years["baseline"]
            if year != reference and (found["year"] == year).any()
        ]
        if before:
            test = events.test(before, name="no difference in trend before the programme")
            rows.append(("pre-trend test", test))
        notes = [] if weighted else [_unweighted(found)]
        notes += _of_later_cohorts(found, min(active))
        if cluster:
            notes += describe_clusters(found.assign(cluster=found["school"]), cluster)
        few = describe_few(found, cluster or "school", "CR1", OF_PANEL)
        notes += [few] if few else []
        if notes:
            rows = [(estimand, noted([one], "; ".join(notes))[0]) for estimand, one in rows]
        told = {"cells": effect.n_cells, "cells_event_study": events.n_cells}
        return CellsFit(rows, told, EffectAndEvents(effect, events))

    return fit_panel_outcomes(cells, plan, fit)


def _refuse_empty(cells: pd.DataFrame) -> None:
    """Raise where a mean has no pupil behind it: its weight would be 0, or below."""
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


def _of_later_cohorts(cells: pd.DataFrame, first: int) -> list[str]:
    """Return a note where schools that begin later count as treated from the first active year."""
    if "cohort" not in cells:
        return []
    begins = cells["cohort"].astype("float64")
    later = int(cells.loc[begins > first, "school"].nunique())
    if later == 0:
        return []
    return [
        f"{later:,} schools of later cohorts count as treated from {first} on: "
        "staggered_adoption takes each cohort from its own first year"
    ]


def _unweighted(cells: pd.DataFrame) -> str:
    lacking = int(cells["n_pupils"].isna().sum())
    return f"every cell counts alike: {lacking:,} of {len(cells):,} have no number of pupils"


def _fit(
    cells: pd.DataFrame,
    active: Sequence[int] | None = None,
    reference: int = 0,
    cluster: str | None = None,
    *,
    weighted: bool = True,
) -> PanelFit:
    treated, year = cells["treated"].to_numpy("float64"), cells["year"].to_numpy("int64")
    if active is not None:
        columns, names = programme_indicator(treated, year, active)
    else:
        columns, names = event_indicators(treated, year, reference)
    return two_way_effects(
        cells["mean"].to_numpy("float64"),
        columns,
        names=names,
        school=cells["school"].to_numpy(),
        year=year,
        n_pupils=cells["n_pupils"].to_numpy("float64") if weighted else None,
        cluster=None if cluster is None else cells[cluster].to_numpy(),
    )
