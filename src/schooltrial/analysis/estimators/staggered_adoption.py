"""Group-time effects of a programme that schools enter in different years, in their cells."""

from __future__ import annotations

from math import isfinite, nan
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.analysis.fitting import (
    CellsFit,
    FittedModel,
    PlannedModel,
    fit_panel_outcomes,
)
from schooltrial.analysis.panel.comparison_schools import (
    columns_of_characteristics,
    describe_comparisons,
)
from schooltrial.analysis.panel.school_covariates import covariates_of_cells
from schooltrial.analysis.panel.split_effects import split_rows
from schooltrial.models.cohort_inference.permutation import DRAWS
from schooltrial.models.group_time.persistence import PERSISTENCE
from schooltrial.models.inference.estimate import Estimate, noted
from schooltrial.models.panel.persistence import persistence_rows
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption
from schooltrial.protocol.content.sections import (
    Model,
    Years,
    programme_lasts,
    single_cluster,
    weight_variable,
)
from schooltrial.random_streams import stream

ESTIMANDS = (
    "ATT", "effect by group", "event study", "calendar year", "group-time effect",
    "pre-trend slope",
)  # fmt: skip
"""What the rows are of, in their order."""


def fit_planned(
    plan: PlannedModel,
    cells: pd.DataFrame,
    *,
    seed: int,
    years: Years | None = None,
    drawn_by_lot: bool = False,
    draws: int = DRAWS,
) -> FittedModel[StaggeredFit]:
    """Fit the model to each outcome: overall effect, by cohort, by years since, pre-trend test.

    Parameters
    ----------
    plan : PlannedModel
    cells : DataFrame
        The cells of school, year and outcome.
    seed : int
        The study's, for the permutation check.
    years : mapping, optional
        The protocol's section, which may say how long the programme of a cohort lasts.
    drawn_by_lot : bool
        Whether cohorts were drawn by lot, within blocks where there are any.
    draws : int
        Permutations; 0 for none.
    """
    model, lasts = plan.model, None if years is None else programme_lasts(years)

    def fit(found: pd.DataFrame) -> CellsFit[StaggeredFit]:
        outcome = str(found["outcome"].iloc[0])
        drawn = stream(seed, plan.name, outcome)
        fitted = _fit(found, model, outcome, drawn, draws, drawn_by_lot)
        rows: list[tuple[str, Estimate]] = [
            (estimand, estimate)
            for estimand in ESTIMANDS
            for estimate in fitted.estimates(
                fitted.terms_of(estimand), level=model["confidence_level"]
            )
        ]
        if lasts is not None:
            after = persistence_rows(fitted, lasts, model["confidence_level"])
            rows += [(PERSISTENCE, row) for row in after]
        if fitted.pretrend is not None:
            rows.append(("pre-trend test", fitted.pretrend))
        rows += [("permutation check", row) for row in fitted.permutation_rows()]
        split, told_of_split = split_rows(fitted, found, model)
        rows += split
        # What is true of the whole model stands once, beside its overall effect.
        common = [*fitted.notes, *told_of_split]
        lacking = int(found["n_pupils"].isna().sum())
        if lacking:
            common.append(f"pupils are not counted: {lacking:,} of {len(found):,} cells have no "
                          "number")  # fmt: skip
        if common:
            overall = noted([rows[0][1]], "; ".join(common))[0]
            rows[0] = (rows[0][0], overall)
        return CellsFit(rows, _told(fitted), fitted, fitted.schools)

    return fit_panel_outcomes(cells, plan, fit)


def _told(fitted: StaggeredFit) -> dict[str, Any]:
    """Return what the fit says of itself: cells, notes, and how its two variances compare."""
    ratios = dict(zip(fitted.names, fitted.judged.ratio.tolist(), strict=True))
    told: dict[str, Any] = {
        "cells": fitted.n_cells,
        "notes": list(fitted.notes),
        "std_error_own_over_two_regimes": {
            term: round(ratios[term], 4)
            for term in ("treated", *fitted.terms_of("effect by group"))
            if isfinite(ratios[term])
        },
    }
    if fitted.lottery is not None and not fitted.lottery.exact:
        told["draws"] = fitted.lottery.draws
    elif fitted.lottery is None and fitted.check is not None:
        told["draws"] = fitted.check.draws
    if fitted.check is not None and isfinite(fitted.check.pretrend_p):
        told["pretrend_permutation_p"] = fitted.check.pretrend_p
    if fitted.comparisons:
        told["comparison_schools"] = describe_comparisons(fitted.comparisons)
    return told


def _fit(
    cells: pd.DataFrame,
    model: Model,
    outcome: str,
    seed: np.random.Generator,
    draws: int,
    drawn_by_lot: bool,
) -> StaggeredFit:
    weights = None
    if model["weights"] not in (None, "schools"):
        column = weight_variable(model) or "n_pupils"
        weights = cells[column].to_numpy("float64", na_value=nan)
    cluster = single_cluster(model)
    cluster = None if cluster == "school" else cluster
    on, characteristics = columns_of_characteristics(cells, model["comparison_on"])
    window = model["event_window"]
    return fit_staggered_adoption(
        cells["mean"].to_numpy("float64"),
        school=cells["school"].to_numpy(),
        year=cells["year"].to_numpy("int64"),
        cohort=cells["cohort"].to_numpy("float64"),
        n_pupils=cells["n_pupils"].to_numpy("float64", na_value=nan),
        comparison_group=model["comparison_group"],
        base_period=model["base_period"],
        anticipation=model["anticipation"],
        comparison_on=on,
        comparison_weights=model["comparison_weights"],
        characteristics=characteristics,
        method=model["method"],
        event_window=(window[0], window[1]) if window else None,
        covariates=covariates_of_cells(cells, model, outcome),
        adjustment=model["adjustment"],
        weights=weights,
        weighted_by=model["weights"] or "",
        cluster=None if cluster is None else cells[cluster].astype("str").to_numpy(),
        clustered_on=cluster or "",
        strata=cells["block"].astype("str").to_numpy() if "block" in cells else None,
        drawn_by_lot=drawn_by_lot,
        draws=draws,
        seed=seed,
    )
