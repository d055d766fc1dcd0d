"""Estimate group-time effects of a programme that schools enter in different years."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.analysis.estimates_table import labels_of, row, table
from schooltrial.analysis.fitting import write_fit
from schooltrial.analysis.panel_cells import read_panel_cells
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model, Outcome, Years
from schooltrial.refusal import refused_as


def main(
    *,
    sample: str,
    panel: str,
    bounded: str,
    schools: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    years: Years,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write the overall effect, those by cohort and by years since, and the pre-trend test."""
    cells = read_panel_cells(sample, panel, bounded, schools, name, model, outcomes, years)
    rows, told = [], {}
    for outcome in model["outcomes"]:
        with refused_as(f"model {name}, outcome {outcome}"):
            found = cells[cells["outcome"] == outcome]
            labels = labels_of(study, name, model, outcome, found)
            fitted = _fit(found, model)
            for estimand, effects in (
                ("ATT", [fitted.overall]),
                ("effect by group", fitted.cohorts),
                ("event study", fitted.since),
                ("group-time effect", fitted.cells),
            ):
                terms = [effect.term for effect in effects]
                estimated = fitted.estimates(terms, level=model["level"])
                rows += [row(labels, estimate, estimand) for estimate in estimated]
            if fitted.pretrend is not None:
                rows.append(row(labels, fitted.pretrend, "pre-trend test"))
            told[outcome] = {"cells": fitted.n_cells, "notes": list(fitted.notes)}
    write_fit(table(rows), told, estimates, diagnostics)


def _fit(cells: pd.DataFrame, model: Model) -> StaggeredFit:
    return fit_staggered_adoption(
        cells["mean"].to_numpy("float64"),
        school=cells["school"].to_numpy(),
        year=cells["year"].to_numpy("int64"),
        cohort=cells["cohort"].to_numpy("float64"),
        n_pupils=cells["n_pupils"].to_numpy("float64"),
        control_group="not_yet_treated"
        if model["control_group"] == "not_yet_treated"
        else "never_treated",
    )


run_as_rule(main, globals())
