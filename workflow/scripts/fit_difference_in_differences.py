"""Fit difference-in-differences and event study to the school by year panel."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.analysis.estimates_table import labels_of, row, table
from schooltrial.analysis.fitting import write_fit
from schooltrial.analysis.panel_cells import read_panel_cells
from schooltrial.models.panel.difference_in_differences import (
    PanelFit,
    event_indicators,
    programme_indicator,
    two_way_effects,
)
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model, Outcome, Years, reference_year
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
    """Write the effect, the event study and the test of the pre-trend, by outcome."""
    every = read_panel_cells(sample, panel, bounded, schools, name, model, outcomes, years)
    rows, told = [], {}
    for outcome in model["outcomes"]:
        with refused_as(f"model {name}, outcome {outcome}"):
            cells = every[every["outcome"] == outcome]
            labels = labels_of(study, name, model, outcome, cells)
            active = model["active_years"] or years["during"]
            effect = _fit(cells[cells["year"].isin([*years["before"], *active])], active=active)
            events = _fit(cells, reference=reference_year(years))
            rows += [row(labels, found, "ATT") for found in effect.estimates(level=model["level"])]
            rows += [
                row(labels, found, "event study")
                for found in events.estimates(level=model["level"])
            ]
            before = [
                f"treated[year={year}]"
                for year in years["before"]
                if year != reference_year(years) and (cells["year"] == year).any()
            ]
            if before:
                test = events.test(before, name="no difference in trend before the programme")
                rows.append(row(labels, test, "pre-trend test"))
            told[outcome] = {"cells": effect.n_cells, "cells_event_study": events.n_cells}
    write_fit(table(rows), told, estimates, diagnostics)


def _fit(cells: pd.DataFrame, active: list[int] | None = None, reference: int = 0) -> PanelFit:
    treated, year = cells["treated"].to_numpy("float64"), cells["year"].to_numpy("int64")
    if active is not None:
        columns, names = programme_indicator(treated, year, active)
    else:
        columns, names = event_indicators(treated, year, reference)
    return two_way_effects(
        cells["mean"].to_numpy("float64"),
        columns,
        names=names,
        school=cells["school"].to_numpy(),
        year=year,
        n_pupils=cells["n_pupils"].to_numpy("float64"),
    )


run_as_rule(main, globals())
