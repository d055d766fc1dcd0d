"""The complier average causal effect (CACE), by two-stage least squares."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pandas as pd

from schooltrial.analysis.confounding import absorbed_groups, refuse_confounded
from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.analysis.fitting import FittedModel, OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.complier_effect.anderson_rubin import invert_anderson_rubin
from schooltrial.models.complier_effect.two_stage_least_squares import InstrumentFit, fit_instrument
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.outcome_variation import (
    FITTED_EXACTLY,
    is_constant,
    refuse_exact_fit,
)
from schooltrial.protocol.content.sections import Model

STRONG = 16
"""First-stage F that What Works Clearinghouse asks of one instrument (as recalled)."""

EXACT = (
    "no standard error: take-up follows the assignment exactly (all who were offered, none of the "
    "others), so that the instrument could not be stronger"
)
"""What is said of a first stage without error."""


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
        refuse_confounded(design, absorbed_groups(model))
        _refuse_unmoved(design, taken_up)
        fitted = _fit(design, model, taken_up)
        names = [taken_up, *(name for name in design.columns if name != "treated")]
        effects = "the fixed effects" if absorbed_groups(model) else ""
        for stage in (fitted.reduced_form, fitted.second_stage):
            refuse_exact_fit(stage.residual_ss, stage.total_ss, outcome, names, effects=effects)
        level = model["confidence_level"]
        first = fitted.first_stages[0]
        exact = first.residual_ss <= FITTED_EXACTLY * first.total_ss
        moved = [*first.estimates(["treated"], level=level), fitted.first_stage_test().row]
        if exact:
            moved = [_exactly(row) for row in moved]
        rows = [
            *fitted.estimates(level=level),
            replace(invert_anderson_rubin(fitted, level=level).row, term=f"{taken_up}, robust set"),
            *moved,
        ]
        strength = rows[-1].statistic
        told = {"first_stage_f": strength, "strong": exact or bool(strength >= STRONG)}
        return OutcomeFit(rows, told, fitted)

    estimands = {
        taken_up: "CACE", f"{taken_up}, robust set": "Anderson-Rubin set",
        "treated": "take-up", f"first stage of {taken_up}": "first stage",
    }  # fmt: skip
    return fit_outcomes(sample, plan, fit, estimands, take_up=taken_up)


def _exactly(row: Estimate) -> Estimate:
    """Return a row of the first stage without a test, for there is no error to test by."""
    return replace(
        row, std_error=nan, statistic=nan, p_value=nan, conf_low=nan, conf_high=nan, note=EXACT
    )


def _refuse_unmoved(design: DesignMatrix, taken_up: str) -> None:
    """Raise where take-up is the same for everybody."""
    took = design.rows[taken_up].to_numpy("float64")
    if not is_constant(took):
        return
    who = {0.0: "nobody took the programme up", 1.0: "everybody took the programme up"}
    said = who.get(float(took[0]), f"take-up is {took[0]:g} for everybody")
    raise ValueError(
        f"{said}: {taken_up!r} is the same in all {len(took):,} rows, so that the assignment moved "
        "no one and there is no effect on compliers. Check the records of take-up, or report the "
        "effect of the offer by another `estimator`"
    )


def _fit(design: DesignMatrix, model: Model, taken_up: str) -> InstrumentFit:
    if design.treatment_terms != ("treated",):
        raise ValueError(
            "the effect on compliers is of one assignment, and this model has several effects: "
            f"{', '.join(design.treatment_terms)}. Name the two groups that it compares (`arms: "
            "[control, …]`), and remove `effects_by` and `moderator`"
        )
    names = absorbed_groups(model)
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
