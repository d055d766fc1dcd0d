"""Group-time effects of a programme that schools enter in different years, in their cells."""

from __future__ import annotations

from math import nan

import pandas as pd

from schooltrial.analysis.few_clusters import describe_few
from schooltrial.analysis.fitting import (
    CellsFit,
    FittedModel,
    PlannedModel,
    fit_panel_outcomes,
)
from schooltrial.models.inference.estimate import noted
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption
from schooltrial.protocol.sections import Model

AS_THEY_ARE = "they have no small-sample factor, so read the intervals as too narrow"
"""What is said of few schools, where no other variance is offered."""


def fit_planned(plan: PlannedModel, cells: pd.DataFrame) -> FittedModel[StaggeredFit]:
    """Fit the model to each outcome: overall effect, by cohort, by years since, pre-trend test.

    Parameters
    ----------
    plan : PlannedModel
        ``comparison_group`` is of this estimator.
    cells : DataFrame
        The cells of school, year and outcome.
    """
    model = plan.model

    def fit(found: pd.DataFrame) -> CellsFit[StaggeredFit]:
        fitted = _fit(found, model)
        rows = [
            (estimand, estimate)
            for estimand, effects in (
                ("ATT", [fitted.overall]),
                ("effect by group", fitted.cohorts),
                ("event study", fitted.since),
                ("group-time effect", fitted.cells),
            )
            for estimate in fitted.estimates(
                [effect.term for effect in effects], level=model["confidence_level"]
            )
        ]
        if fitted.pretrend is not None:
            rows.append(("pre-trend test", fitted.pretrend))
        informing = found[found["school"].astype("str").isin(list(fitted.schools))]
        few = describe_few(informing, "school", "influence-function", AS_THEY_ARE)
        if few:
            rows = [(estimand, noted([one], few)[0]) for estimand, one in rows]
        lacking = int(found["n_pupils"].isna().sum())
        if lacking:
            note = f"pupils are not counted: {lacking:,} of {len(found):,} cells have no number"
            rows = [(estimand, noted([one], note)[0]) for estimand, one in rows]
        told = {"cells": fitted.n_cells, "notes": list(fitted.notes)}
        return CellsFit(rows, told, fitted, fitted.schools)

    return fit_panel_outcomes(cells, plan, fit)


def _fit(cells: pd.DataFrame, model: Model) -> StaggeredFit:
    return fit_staggered_adoption(
        cells["mean"].to_numpy("float64"),
        school=cells["school"].to_numpy(),
        year=cells["year"].to_numpy("int64"),
        cohort=cells["cohort"].to_numpy("float64"),
        n_pupils=cells["n_pupils"].to_numpy("float64", na_value=nan),
        comparison_group="not_yet_treated"
        if model["comparison_group"] == "not_yet_treated"
        else "never_treated",
    )
