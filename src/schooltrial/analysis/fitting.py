"""Fit one model of the protocol to each of its outcomes, whatever the estimator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from schooltrial.analysis.bounded_outcomes import describe_bounds
from schooltrial.analysis.cluster_notes import describe_clusters
from schooltrial.analysis.confounding import tells_arms_apart
from schooltrial.analysis.design_matrix import DesignMatrix, build_design_matrix, listed
from schooltrial.analysis.estimates_table import (
    ARM,
    NO_EFFECT_SIZE,
    Labels,
    in_comparison,
    labels_of,
    pupil_effect_size,
    row,
    table,
)
from schooltrial.data.rows.analysed import refuse_lacking
from schooltrial.data.rows.school_rows import rows_of_outcome
from schooltrial.models.inference.estimate import Estimate, noted
from schooltrial.models.inference.outcome_variation import refuse_copies, refuse_unvarying
from schooltrial.protocol.content.sections import Model, Outcome, covariate_terms, model_of_outcome
from schooltrial.refusal import refused_as
from schooltrial.wording import part_notes

SIZED = ("ITT", "CACE")
"""Estimands that have an effect size."""

OF_SCHOOLS = "no effect size: the SD of school means is not that of pupils"

Result = TypeVar("Result")


@dataclass(frozen=True)
class PlannedModel:
    """One model as the protocol declares it.

    Attributes
    ----------
    study, name : str
        Names of the study and of the model.
    model, outcomes : mapping
        Sections of the protocol: the model's own, and all outcomes.
    """

    study: str
    name: str
    model: Model
    outcomes: Mapping[str, Outcome]

    @property
    def sampled(self) -> str:
        """Whose outcomes they are: of pupils, teachers or schools."""
        return self.outcomes[self.model["outcomes"][0]]["measured_on"]

    def fits(self) -> list[tuple[str, Model, str]]:
        """Return the model's name, the model as it is fitted to an outcome, and the outcome."""
        return [
            (self.name, model_of_outcome(self.model, outcome, self.outcomes), outcome)
            for outcome in self.model["outcomes"]
        ]


@dataclass(frozen=True)
class FittedModel(Generic[Result]):
    """What came of one model.

    Attributes
    ----------
    table : DataFrame
        Rows of the long table of estimates, outcome by outcome.
    diagnostics : dict
        Outcome → what its fit says of itself.
    results : dict
        Outcome → the estimator's own result, of which more can be asked.
    """

    table: pd.DataFrame
    diagnostics: dict[str, dict[str, Any]]
    results: dict[str, Result]


@dataclass(frozen=True)
class OutcomeFit(Generic[Result]):
    """One outcome's fit.

    Attributes
    ----------
    estimates : iterable of Estimate
        What is reported of it.
    diagnostics : dict
        What it says of itself.
    result : object
        The fit.
    """

    estimates: Iterable[Estimate]
    diagnostics: dict[str, Any]
    result: Result


@dataclass(frozen=True)
class CellsFit(Generic[Result]):
    """One outcome's fit to cells of school and year.

    Attributes
    ----------
    estimates : list of (str, Estimate)
        Each with what it is an estimate of.
    diagnostics : dict
        What the fit says of itself.
    result : object
        The fit.
    schools : collection of str, optional
        The schools that the estimates rest on; all by default.
    """

    estimates: list[tuple[str, Estimate]]
    diagnostics: dict[str, Any]
    result: Result
    schools: Collection[str] | None = None


def fit_outcomes(
    pupils: pd.DataFrame,
    plan: PlannedModel,
    fit: Callable[[DesignMatrix, str], OutcomeFit[Result]],
    estimands: Mapping[str, str] | None = None,
    take_up: str | None = None,
) -> FittedModel[Result]:
    """Fit a model to each of its outcomes in the analysed sample.

    Parameters
    ----------
    pupils : DataFrame
        The analysed sample.
    plan : PlannedModel
    fit : callable
        Takes the columns of one outcome and its name.
    estimands : mapping, optional
        Term → what its estimate is of, where that is not an effect of the offer.
    take_up : str, optional
        The column of take-up, where the model needs it.

    Raises
    ------
    Refusal
        Where the sample lacks a variable of the model; and with the model and the outcome, where
        the data cannot support it.
    """
    told_of = pupils
    if plan.sampled == "school":
        told_of = rows_of_outcome(pupils, plan.model["outcomes"][0], "left_out")
    refuse_lacking(told_of, plan.sampled, plan.fits(), take_up)
    rows: list[dict[str, object]] = []
    told: dict[str, dict[str, Any]] = {}
    results: dict[str, Result] = {}
    for _, model, outcome in plan.fits():
        with refused_as(f"model {plan.name}, outcome {outcome}"):
            sampled = pupils
            if plan.sampled == "school":
                sampled = rows_of_outcome(pupils, outcome, model["bounded_cells"])
            design = build_design_matrix(sampled, model, outcome, take_up)
            _refuse_uninformative(design, outcome, f"{plan.sampled}s")
            fitted = fit(design, outcome)
            left_out = covariates_left_out(
                model, outcome, design.columns, fitted.diagnostics.get("dropped", ())
            )
            notes = "; ".join([*notes_of(design), *_idle(left_out, design, model, outcome)])
            for found in fitted.estimates:
                inside = design.rows[in_comparison(design.rows, found.term)]
                estimate = _of_compared(found, len(inside))
                estimate = noted([estimate], notes)[0] if notes else estimate
                estimand = (estimands or {}).get(estimate.term) or estimand_of(estimate, design)
                effect = NO_EFFECT_SIZE
                if estimand in SIZED and plan.sampled == "school":
                    effect = replace(NO_EFFECT_SIZE, rule=OF_SCHOOLS)
                elif estimand in SIZED:
                    effect = pupil_effect_size(estimate, design, plan.outcomes[outcome])
                made = row(_labels(plan, outcome, inside), estimate, estimand, effect)
                if plan.sampled == "school":
                    made["n_individuals"] = _pupils_behind(inside)
                rows.append(made)
            kept: dict[str, Any] = {"indicated": design.indicated} if design.indicated else {}
            if design.clustered_on:
                kept["clusters"] = describe_clusters(design.rows, design.clustered_on)
            told[outcome] = {"incomplete": design.incomplete, **kept, **fitted.diagnostics}
            results[outcome] = fitted.result
    return FittedModel(table(rows), told, results)


def fit_panel_outcomes(
    cells: pd.DataFrame, plan: PlannedModel, fit: Callable[[pd.DataFrame], CellsFit[Result]]
) -> FittedModel[Result]:
    """Fit a panel model to each of its outcomes.

    Parameters
    ----------
    cells : DataFrame
        The cells of school, year and outcome: see ``panel_cells``.
    plan : PlannedModel
    fit : callable
        Takes the cells of one outcome.

    Raises
    ------
    Refusal
        With the model and the outcome, where the data cannot support the model.
    """
    rows: list[dict[str, object]] = []
    told: dict[str, dict[str, Any]] = {}
    results: dict[str, Result] = {}
    for outcome in plan.model["outcomes"]:
        with refused_as(f"model {plan.name}, outcome {outcome}"):
            inside = cells[cells["outcome"] == outcome]
            inside = inside[inside["mean"].notna()]
            if inside.empty:
                raise ValueError(
                    f"no school has the outcome {outcome!r} in any year; check its column, and "
                    "the model's `where`"
                )
            means = inside["mean"].to_numpy("float64")
            refuse_unvarying(means, outcome, "cells of school and year")
            fitted = fit(inside)
            near_end = describe_bounds(inside, plan.outcomes[outcome])
            if near_end:
                estimand, first = fitted.estimates[0]
                fitted.estimates[0] = (estimand, noted([first], near_end)[0])
            if fitted.schools is not None:
                inside = inside[inside["school"].astype("str").isin(list(fitted.schools))]
            labels = _labels(plan, outcome, inside)
            made = [
                row(_own_schools(labels, estimate), estimate, estimand)
                for estimand, estimate in fitted.estimates
            ]
            _say_once(made)
            if inside["n_pupils"].isna().any():
                made = [{**one, "n_individuals": nan} for one in made]
            rows += made
            told[outcome] = fitted.diagnostics
            results[outcome] = fitted.result
    return FittedModel(table(rows), told, results)


def _say_once(rows: list[dict[str, object]]) -> None:
    """Keep only in the first row the notes that all rows of an outcome share.

    Why a row has no standard error stays beside it.
    """
    notes = [str(one["note"]) for one in rows]
    shared = {part for part in part_notes(notes)[0] if not part.startswith("no standard error")}
    for one, note in zip(rows[1:], notes[1:], strict=True):
        one["note"] = "; ".join(part for part in note.split("; ") if part not in shared)


def _own_schools(labels: Labels, estimate: Estimate) -> Labels:
    """Return the labels with the schools behind one row, if it knows them."""
    if estimate.n_treated_schools is None:
        return labels
    schools, treated = estimate.n_schools, estimate.n_treated_schools
    if isnan(labels.n_treated_schools):  # schools were not assigned as a whole
        return replace(labels, n_schools=schools)
    return replace(
        labels, n_units=schools, n_treated_units=treated, n_schools=schools,
        n_treated_schools=treated,
    )  # fmt: skip


def _refuse_uninformative(design: DesignMatrix, outcome: str, people: str) -> None:
    """Raise where nothing can be learnt of an outcome: it has one value, or is a covariate."""
    refuse_unvarying(design.outcome, outcome, people)
    for name, column in design.columns.items():
        infinite = int((~np.isfinite(column)).sum())
        if infinite:
            raise ValueError(
                f"the covariate {name!r} is infinite for {infinite:,} of {len(column):,} {people}. "
                "Correct these cells, or list their text under `missing` of the file"
            )
    covariates = {
        name: column
        for name, column in design.columns.items()
        if name not in design.treatment_terms
    }
    refuse_copies(design.outcome, outcome, covariates)


def _pupils_behind(rows: pd.DataFrame) -> float | int:
    """Return the pupils behind rows of schools; NaN if it is not known of all."""
    counted = rows["n_pupils"].to_numpy("float64", na_value=nan)
    total = float(counted.sum())
    return nan if isnan(total) else round(total)


def _labels(plan: PlannedModel, outcome: str, rows: pd.DataFrame) -> Labels:
    return labels_of(plan.study, plan.name, plan.model, outcome, rows)


def _of_compared(fitted: Estimate, people: int) -> Estimate:
    """Return an arm's estimate with the people of the two groups that it compares.

    The model that it is of holds the people of the other groups too.
    """
    return replace(fitted, n_individuals=people) if fitted.term.startswith(ARM) else fitted


def notes_of(design: DesignMatrix) -> list[str]:
    """Return the notes on the rows of each number."""
    told = []
    if design.indicated:
        told.append(f"kept with an indicator of missing: {listed(design.indicated)}")
    for name, count in design.held_as_0.items():
        told.append(
            f"{name} enters as 0 for {count:,} who have no such score, without its indicator: add "
            f"{name}_missing to the covariates"
        )
    if design.clustered_on:
        told += describe_clusters(design.rows, design.clustered_on)
    if design.weighted_by:
        told.append(f"weighted by {design.weighted_by}")
    return told


def covariates_left_out(
    model: Model, outcome: str, columns: Iterable[str], dropped: Iterable[str]
) -> list[str]:
    """Return the covariates of a model without a column in the fit.

    Parameters
    ----------
    model : Model
    outcome : str
        The outcome, whose baseline may be a covariate.
    columns : iterable of str
        Columns of the design, without those that are constant.
    dropped : iterable of str
        Those of them that others determine.
    """
    entered = set(columns) - set(dropped)
    parts = {
        term: covariate_terms({**model, "covariates": [term]}, outcome)
        for term in model["covariates"]
    }
    return [
        term for term, names in parts.items()
        if not any(_is_of(column, name) for name in names for column in entered)
    ]  # fmt: skip


def _is_of(column: str, term: str) -> bool:
    """Return whether a column codes a term: itself, one of its levels, or a cell of several."""
    first, *others = term.split(":")
    if not others:
        return column == term or column.startswith(f"{term}=")
    return column.startswith(f"{first}=") and all(f":{name}=" in column for name in others)


def _idle(covariates: Sequence[str], design: DesignMatrix, model: Model, outcome: str) -> list[str]:
    """Return the notes on covariates that adjust nothing, those that the groups determine apart."""
    confounded = [
        term for term in covariates
        if any(
            tells_arms_apart(design, model, column)
            for name, column in design.columns.items()
            if name not in design.treatment_terms
            and any(_is_of(name, part)
                    for part in covariate_terms({**model, "covariates": [term]}, outcome))
        )
    ]  # fmt: skip
    others = [term for term in covariates if term not in confounded]
    notes = []
    if confounded:
        notes.append(
            f"left out: {', '.join(confounded)} (divides the rows analysed as the groups do, so "
            "that its effect cannot be separated from the programme's)"
        )
    if others:
        notes.append(
            f"left out: {', '.join(others)} (constant in the rows analysed, or determined by "
            "blocks, fixed effects or other covariates)"
        )
    return notes


def estimand_of(estimate: Estimate, design: DesignMatrix) -> str:
    """Return what an estimate is of: the offer's effect (ITT), one of several, or a joint test."""
    if estimate.term not in design.treatment_terms:
        return "joint test"
    arms = [f"{ARM}{arm}]" for arm in design.rows["arm"].unique()]
    whole = all(term in ("treated", *arms) for term in design.treatment_terms)
    return "ITT" if whole else "effect by group"
