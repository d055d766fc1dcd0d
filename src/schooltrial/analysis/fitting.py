"""Fit one model of the protocol to each of its outcomes, whatever the estimator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix, build_design_matrix
from schooltrial.analysis.estimates_table import (
    ARM,
    NO_EFFECT_SIZE,
    in_comparison,
    labels_of,
    pupil_effect_size,
    row,
    table,
)
from schooltrial.data.rows.analysed import refuse_lacking
from schooltrial.models.inference.estimate import Estimate
from schooltrial.protocol.sections import Model, Outcome
from schooltrial.refusal import refused_as

SIZED = ("ITT", "CACE")
"""Estimands that have an effect size."""


Fit = Callable[[DesignMatrix, str], tuple[Iterable[Estimate], dict[str, Any]]]


def fit_outcomes(
    pupils: pd.DataFrame,
    *,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    fit: Fit,
    estimands: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the long table of a model's estimates, and what each fit says of itself.

    Parameters
    ----------
    pupils : DataFrame
        The analysed sample.
    study, name : str
        Names of the study and of the model.
    model, outcomes : mapping
        Sections of the protocol.
    fit : callable
        Takes the columns of one outcome and its name; returns estimates and diagnostics.
    estimands : mapping, optional
        Term → what its estimate is of, where that is not an effect of the offer.

    Raises
    ------
    Refusal
        With the model and the outcome, where the data cannot support the model.
    """
    rows: list[dict[str, object]] = []
    told: dict[str, Any] = {}
    for outcome in model["outcomes"]:
        with refused_as(f"model {name}, outcome {outcome}"):
            design = build_design_matrix(pupils, model, outcome)
            found, said = fit(design, outcome)
            for fitted in found:
                inside = design.rows[in_comparison(design.rows, fitted.term)]
                estimate = _of_compared(fitted, len(inside))
                estimand = (estimands or {}).get(estimate.term) or estimand_of(estimate, design)
                labels = labels_of(study, name, model, outcome, inside)
                effect = NO_EFFECT_SIZE
                if estimand in SIZED:
                    effect = pupil_effect_size(estimate, design, outcomes[outcome])
                rows.append(row(labels, estimate, estimand, effect))
            told[outcome] = {"incomplete": design.incomplete, **said}
    return table(rows), told


def _of_compared(fitted: Estimate, people: int) -> Estimate:
    """Return an arm's estimate with the people of the two arms that it compares.

    The model that it is of holds the people of the other arms too.
    """
    return replace(fitted, n_pupils=people) if fitted.term.startswith(ARM) else fitted


def estimand_of(estimate: Estimate, design: DesignMatrix) -> str:
    """Return what an estimate is of: the offer's effect (ITT), one of several, or a joint test."""
    if estimate.term not in design.treatment_terms:
        return "joint test"
    arms = [f"{ARM}{arm}]" for arm in design.rows["arm"].unique()]
    whole = all(term in ("treated", *arms) for term in design.treatment_terms)
    return "ITT" if whole else "effect by group"


def write_fit(
    found: pd.DataFrame, told: Mapping[str, Any], estimates: str, diagnostics: str
) -> None:
    """Write rows of the estimates table (CSV) and diagnostics (JSON), to ten digits."""
    found.to_csv(estimates, index=False, float_format="%.10g")
    rounded = json.loads(json.dumps(told), parse_float=lambda text: float(f"{float(text):.10g}"))
    Path(diagnostics).write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def fit_sample(
    fit: Fit,
    *,
    sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    estimates: str,
    diagnostics: str,
    estimands: Mapping[str, str] | None = None,
    take_up: str | None = None,
) -> None:
    """Fit one model to each of its outcomes in the analysed sample, and write both files."""
    pupils = pd.read_parquet(sample)
    level = outcomes[model["outcomes"][0]]["level"]
    refuse_lacking(
        pupils, level, [(name, model, outcome) for outcome in model["outcomes"]], take_up
    )
    found, told = fit_outcomes(
        pupils, study=study, name=name, model=model, outcomes=outcomes, fit=fit,
        estimands=estimands,
    )  # fmt: skip
    write_fit(found, told, estimates, diagnostics)
