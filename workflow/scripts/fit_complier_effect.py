"""Estimate the effect on those whom the assignment moved to take the programme up (CACE)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.analysis.fitting import fit_sample
from schooltrial.models.complier_effect.anderson_rubin import invert_anderson_rubin
from schooltrial.models.complier_effect.two_stage_least_squares import InstrumentFit, fit_instrument
from schooltrial.models.inference.estimate import Estimate
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model, Outcome

STRONG = 16
"""First-stage F that What Works Clearinghouse asks of one instrument (as recalled)."""


def main(
    *,
    sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    taken_up: str,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write the effect on compliers, its Anderson-Rubin set and the first stage, by outcome."""

    def fit(design: DesignMatrix, outcome: str) -> tuple[list[Estimate], dict[str, Any]]:
        fitted = _fit(design, model, taken_up)
        level = model["level"]
        stage = fitted.first_stages[0]
        rows = [
            *fitted.estimates(level=level),
            replace(invert_anderson_rubin(fitted, level=level).row, term=f"{taken_up}, robust set"),
            *stage.estimates(["treated"], level=level),
            fitted.first_stage_test().row,
        ]
        strength = rows[-1].statistic
        return rows, {"first_stage_f": strength, "strong": bool(strength >= STRONG)}

    fit_sample(
        fit, sample=sample, study=study, name=name, model=model, outcomes=outcomes,
        estimates=estimates, diagnostics=diagnostics, take_up=taken_up,
        estimands={
            taken_up: "CACE", f"{taken_up}, robust set": "Anderson-Rubin set",
            "treated": "take-up", f"first stage of {taken_up}": "first stage",
        },
    )  # fmt: skip


def _fit(design: DesignMatrix, model: Model, taken_up: str) -> InstrumentFit:
    if design.treatment_terms != ("treated",):
        raise ValueError("the effect on compliers is of one assignment; remove `treatment_by`")
    names = [*model["absorb"], *(["block"] if model["blocks"] == "fixed" else [])]
    covariates = {key: column for key, column in design.columns.items() if key != "treated"}
    return fit_instrument(
        design.outcome,
        endogenous={taken_up: design.rows[taken_up].to_numpy("float64")},
        instruments={"treated": design.columns["treated"]},
        exogenous=covariates if names else {"intercept": design.outcome * 0 + 1, **covariates},
        cluster=design.cluster,
        absorb=[design.rows[name].to_numpy() for name in names] or None,
    )


run_as_rule(main, globals())
