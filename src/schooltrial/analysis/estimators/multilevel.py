"""A multilevel model by REML: pupils (or teachers) in clusters, perhaps in random blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix, with_block_effects
from schooltrial.analysis.fitting import FittedModel, OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.moments.school_moments import compute_school_moments
from schooltrial.models.multilevel.r_squared import estimate_r_squared
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_moments


def fit_planned(plan: PlannedModel, sample: pd.DataFrame) -> FittedModel[MultilevelFit]:
    """Fit the model to each of its outcomes; the treatment terms are reported.

    Parameters
    ----------
    plan : PlannedModel
        ``blocks`` and ``df`` are of this estimator.
    sample : DataFrame
        The analysed sample of pupils or teachers.
    """
    model = plan.model

    def fit(design: DesignMatrix, outcome: str) -> OutcomeFit[MultilevelFit]:
        columns, dropped = with_block_effects(design, fixed=model["blocks"] == "fixed")
        nesting = f"{plan.outcomes[outcome]['measured_on']}s in {_clusters(design.rows)}"
        fitted = _fit(design, columns, outcome, nesting, random_blocks=model["blocks"] == "random")
        rows = fitted.estimates(
            design.treatment_terms, df=model["df"], level=model["confidence_level"]
        )
        told = {"dropped": dropped, **_diagnosis(fitted, model["confidence_level"])}
        return OutcomeFit(rows, told, fitted)

    return fit_outcomes(sample, plan, fit)


def _fit(
    design: DesignMatrix,
    columns: Mapping[str, Any],
    outcome: str,
    nesting: str,
    *,
    random_blocks: bool,
) -> MultilevelFit:
    moments = compute_school_moments(
        [*columns.values(), design.outcome],
        design.cluster,
        names=[*columns, outcome],
        group=design.rows["block"].to_numpy() if random_blocks else None,
        intercept=True,
    )
    if random_blocks:
        return fit_three_level(moments, level="block", nesting=nesting)
    return fit_two_level_moments(moments, nesting=nesting)


def _clusters(rows: pd.DataFrame) -> str:
    """Return what the clusters are: schools, or the teachers who were assigned."""
    named = rows["cluster"].astype("str")
    of_schools = "school" in rows and bool((rows["school"].astype("str") == named).all())
    return "schools" if of_schools or "teacher" not in rows else "teachers"


def _diagnosis(fitted: MultilevelFit, level: float) -> dict[str, Any]:
    """Return what a reader of the report may ask of a fit."""
    icc = {part.level: [part.estimate, part.conf_low, part.conf_high] for part in fitted.icc(level)}
    return {
        **fitted.diagnostics(),
        "variances": {part.level: part.estimate for part in fitted.variance_components},
        "icc": icc,
        "r_squared": {part.level: part.r_squared for part in estimate_r_squared(fitted)},
    }
