"""The effect on those whom the assignment moved to take the programme up (CACE), by 2SLS."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.analysis.fitting import FittedModel, OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.complier_effect.anderson_rubin import invert_anderson_rubin
from schooltrial.models.complier_effect.two_stage_least_squares import InstrumentFit, fit_instrument
from schooltrial.protocol.sections import Model

STRONG = 16
"""First-stage F that What Works Clearinghouse asks of one instrument (as recalled)."""


def fit_planned(
    plan: PlannedModel, sample: pd.DataFrame, *, taken_up: str
) -> FittedModel[InstrumentFit]:
    """Fit the model to each of its outcomes: the effect, its Anderson-Rubin set, the first stage.

    Parameters
    ----------
    plan : PlannedModel
        ``blocks`` and ``fixed_effects`` are of this estimator.
    sample : DataFrame
        The analysed sample of pupils or teachers.
    taken_up : str
        The column that says who took the programme up.
    """
    model = plan.model

    def fit(design: DesignMatrix, outcome: str) -> OutcomeFit[InstrumentFit]:
        fitted = _fit(design, model, taken_up)
        level = model["confidence_level"]
        stage = fitted.first_stages[0]
        rows = [
            *fitted.estimates(level=level),
            replace(invert_anderson_rubin(fitted, level=level).row, term=f"{taken_up}, robust set"),
            *stage.estimates(["treated"], level=level),
            fitted.first_stage_test().row,
        ]
        strength = rows[-1].statistic
        told = {"first_stage_f": strength, "strong": bool(strength >= STRONG)}
        return OutcomeFit(rows, told, fitted)

    estimands = {
        taken_up: "CACE", f"{taken_up}, robust set": "Anderson-Rubin set",
        "treated": "take-up", f"first stage of {taken_up}": "first stage",
    }  # fmt: skip
    return fit_outcomes(sample, plan, fit, estimands, take_up=taken_up)


def _fit(design: DesignMatrix, model: Model, taken_up: str) -> InstrumentFit:
    if design.treatment_terms != ("treated",):
        raise ValueError("the effect on compliers is of one assignment; remove `effects_by`")
    names = [*model["fixed_effects"], *(["block"] if model["blocks"] == "fixed" else [])]
    covariates = {key: column for key, column in design.columns.items() if key != "treated"}
    return fit_instrument(
        design.outcome,
        endogenous={taken_up: design.rows[taken_up].to_numpy("float64")},
        instruments={"treated": design.columns["treated"]},
        exogenous=covariates if names else {"intercept": design.outcome * 0 + 1, **covariates},
        cluster=design.cluster,
        weights=design.weights,
        absorb=[design.rows[name].to_numpy() for name in names] or None,
    )
