"""Statistical power: MDES (in SD) at design, at randomisation and at analysis.

At protocol: schools, pupils, ICC and R² as planned. At randomisation: the schools that were
assigned, with the pupils of the baseline roster, ICC and R² still as planned. At analysis: schools
and pupils whose outcome is analysed, ICC and R² as the primary model found them; beside it the
effect that follows from the standard error that was reported. Power after the fact is taken at the
effect of the protocol, never at the estimate, which would only restate the p-value (Hoenig &
Heisey 2001, The American Statistician 55(1): 19-24).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.power.panel import PANEL, STAGGERED
from schooltrial.checks.power.simulation import SIMULATED, Simulated, simulated, worth_drawing
from schooltrial.checks.power.stages import (
    Comparison,
    Diagnostics,
    StageInputs,
    StudyPlan,
    at_analysis,
    comparisons,
    is_subgroup,
    stages_before,
    with_observed_shares,
)
from schooltrial.models.power.allocation import Allocation
from schooltrial.models.power.closed_form import school_randomised
from schooltrial.models.power.minimum_detectable_effect import Precision, mde_multiplier
from schooltrial.models.power.sign_and_magnitude import sign_magnitude_errors
from schooltrial.protocol.content.shown_units import difference_unit
from schooltrial.random_streams import stream
from schooltrial.refusal import words_of

COLUMNS = [
    "outcome", "model", "subgroup", "arm", "stage", "units_label", "unit_kind", "n_units",
    "n_treated_units", "treated_share", "n_individuals", "individuals_per_unit", "n_blocks",
    "covariates_school", "icc", "r2_school", "r2_pupil", "std_error", "df", "mdes", "multiplier",
    "mdes_multiplier", "alpha", "target_power", "effect", "power", "type_s", "type_m",
    "std_error_estimate", "df_estimate", "mdes_estimate", "method", "note",
]  # fmt: skip


TWO_LEVEL, ONE_LEVEL = "closed form, two levels", "closed form, one level"


OF_ESTIMATE = "standard error of the estimate"


STAGES = ("protocol", "randomisation", "analysis")


def power_table(
    plan: StudyPlan,
    assignment: pd.DataFrame,
    samples: Mapping[str, pd.DataFrame],
    *,
    diagnostics: Diagnostics | None = None,
    estimates: pd.DataFrame | None = None,
    panel: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return MDES (in SD), and power at the expected effect, stage by stage.

    Parameters
    ----------
    plan : StudyPlan
        What the protocol says.
    assignment : DataFrame
        One row per unit that was assigned: the unit, ``arm``, and ``block`` where there are any.
    samples : mapping of str to DataFrame
        Level of outcomes (pupil, teacher) → the sample: ``cluster`` (the unit assigned), ``block``,
        ``arm``, ``treated``, ``year``, outcomes and covariates.
    diagnostics : mapping, optional
        Model → outcome → what the fit says of itself; without it there is no row at analysis.
    estimates : DataFrame, optional
        The long table of estimates.
    panel : DataFrame, optional
        Means of schools by year and outcome, for models that compare their changes.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``. Each outcome of a primary model has a row for each stage, and each
        group beside the control group; each subgroup of a model has one, at analysis. Effects and
        standard errors are in standard deviations of pupils (of teachers, for their outcomes);
        where the standard deviation is not known, ``units_label`` names the outcome's unit in
        place of SD. ``mdes`` is by the non-central t and ``mdes_multiplier`` the usual M·s;
        ``mdes_estimate`` follows from the standard error that was reported.
        ``individuals_per_unit`` is a harmonic mean. Where a number cannot be had it is NaN, and
        ``note`` says why. ``method`` names the form: where units differ in size, a further row of
        the stage tells what simulated trials found.
    """
    rows = []
    for comparison in comparisons(plan, samples):
        subgroup = is_subgroup(comparison.model)
        stages = [] if subgroup else stages_before(plan, comparison, assignment, panel)
        if diagnostics is not None:
            stages.append(at_analysis(plan, comparison, diagnostics, estimates))
        stages = with_observed_shares(stages)
        for inputs in stages:
            rows.append(_row(plan, comparison, inputs))
            if not subgroup and _drawn(plan, comparison, inputs):
                rows.append(_simulated_row(plan, comparison, inputs))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(plan: StudyPlan, comparison: Comparison, inputs: StageInputs) -> list[Any]:
    settings, allocation, shares = plan.settings, inputs.allocation, inputs.shares
    alpha, wanted = settings["alpha"], settings["power"]
    design, told = _precision(inputs)
    reported = None if inputs.reported is None else inputs.reported.precision
    in_sd = inputs.design is None and (inputs.reported is None or inputs.reported.standardised)
    effect = plan.effect(comparison.outcome, in_sd=in_sd)
    method = _method(comparison, inputs) if design is not None else ""
    if design is None:
        design, method = reported, "" if reported is None else OF_ESTIMATE
    units = plan.outcomes[comparison.outcome]["units_label"]
    return [
        comparison.outcome, comparison.name, comparison.model["where_label"], comparison.arm,
        inputs.stage, "SD" if in_sd else difference_unit(units),
        plan.unit,
        *_sizes(inputs),
        nan if allocation is None else _block_count(comparison, inputs, allocation),
        nan if shares is None else inputs.covariates,
        *((nan, nan, nan) if shares is None else (shares.icc, shares.r2_school, shares.r2_pupil)),
        *_detectable(design, alpha, wanted), alpha, wanted, nan if effect is None else effect,
        *_power(design, effect, alpha), *_of_estimate(reported, alpha, wanted), method,
        "; ".join(filter(None, (*inputs.notes, told))),
    ]  # fmt: skip


def _method(comparison: Comparison, inputs: StageInputs) -> str:
    if inputs.design is not None:
        return STAGGERED if comparison.staggered else PANEL
    return ONE_LEVEL if inputs.pupils_per_unit == 1 else TWO_LEVEL


def _drawn(plan: StudyPlan, comparison: Comparison, inputs: StageInputs) -> bool:
    """Return whether a stage is simulated too."""
    wanted = plan.settings.get("replications", 0) > 0 and comparison.closed
    return wanted and worth_drawing(inputs.units, inputs.shares)


def _simulated_row(plan: StudyPlan, comparison: Comparison, inputs: StageInputs) -> list[Any]:
    """Return the row of a stage by simulation, in the columns of `_row`."""
    settings, units, shares = plan.settings, inputs.units, inputs.shares
    assert units is not None
    assert shares is not None
    row = dict(zip(COLUMNS, _row(plan, comparison, replace(inputs, reported=None)), strict=True))
    effect = plan.effect(comparison.outcome, in_sd=True)
    name = ("power", comparison.name, comparison.outcome, comparison.arm, inputs.stage)
    try:
        found = simulated(
            units, shares, blocks=comparison.blocks, covariates=inputs.covariates, effect=effect,
            alpha=settings["alpha"], power=settings["power"], trials=settings["replications"],
            rng=stream(plan.seed, *name),
        )  # fmt: skip
    except ValueError as error:
        found = Simulated(nan, nan, nan, nan, nan, nan, words_of(error))
    row |= found._asdict()
    row |= {"multiplier": nan, "mdes_multiplier": nan, "method": SIMULATED}
    return [row[column] for column in COLUMNS]


def _sizes(inputs: StageInputs) -> list[float]:
    """Return units, those treated, their share, pupils, and pupils of a unit."""
    at, reported = inputs.allocation, inputs.reported
    if at is not None:
        return [at.units, at.treated, at.treated_share, inputs.pupils, inputs.pupils_per_unit]
    if reported is not None:
        share = reported.treated / reported.units if reported.units > 0 else nan
        return [reported.units, reported.treated, share, reported.pupils, nan]
    if inputs.units is not None:
        treated = float(inputs.units["treated"].sum())
        return [len(inputs.units), treated, treated / len(inputs.units), nan, nan]
    return [nan] * 5


def _block_count(comparison: Comparison, inputs: StageInputs, allocation: Allocation) -> int:
    """Return the number of blocks whose effects cost degrees of freedom; 0 if there are none."""
    without = allocation.blocks == 1 and (inputs.stage == "protocol" or not comparison.blocks)
    return 0 if without else allocation.blocks


def _precision(inputs: StageInputs) -> tuple[Precision | None, str]:
    """Return the closed form of a stage, or why there is none."""
    if inputs.design is not None:
        return inputs.design, ""
    if inputs.allocation is None or inputs.shares is None:
        return None, ""
    if not inputs.pupils_per_unit > 0:
        return None, ""
    shares = inputs.shares
    try:
        design = school_randomised(
            inputs.allocation, inputs.pupils_per_unit, shares.icc, r2_school=shares.r2_school,
            r2_pupil=shares.r2_pupil, covariates=inputs.covariates, icc_block=shares.icc_block,
        )  # fmt: skip
    except ValueError as error:
        return None, words_of(error)
    return design, ""


def _detectable(design: Precision | None, alpha: float, power: float) -> list[float]:
    if design is None:
        return [nan] * 5
    multiplier = mde_multiplier(design.df, alpha=alpha, power=power)
    exact = design.mdes(alpha=alpha, power=power)
    return [design.std_error, design.df, exact, multiplier, multiplier * design.std_error]


def _power(design: Precision | None, effect: float | None, alpha: float) -> list[float]:
    """Return power, Type S error rate and Type M ratio at the effect of the protocol."""
    if design is None or effect is None:
        return [nan] * 3
    if effect == 0 or not design.df > 1:
        return [design.power(effect, alpha=alpha), nan, nan]
    found = sign_magnitude_errors(effect, design.std_error, design.df, alpha=alpha)
    return [found.power, found.type_s, found.type_m]


def _of_estimate(reported: Precision | None, alpha: float, power: float) -> list[float]:
    if reported is None:
        return [nan] * 3
    exact = reported.mdes(alpha=alpha, power=power)
    return [reported.std_error, reported.df, exact]
