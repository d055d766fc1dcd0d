"""Decompose the two-way effects of a staggered programme into comparisons of cohorts."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.panel.panel_cells import read_panel_cells
from schooltrial.checks.goodman_bacon.comparisons_table import (
    COLUMNS,
    decompose_cells,
)
from schooltrial.checks.goodman_bacon.panel_models import decomposed_models
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Model, Outcome, Years


def main(
    *,
    sample: str,
    panel: str,
    bounded: str,
    schools: str,
    school_sample: str,
    study: str,
    design: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    check: str,
) -> None:
    """Write one row for each model, outcome and comparison of two cohorts."""
    parts = [pd.DataFrame(columns=COLUMNS)]
    for name, model in decomposed_models(models, design).items():
        plan = PlannedModel(study, name, model, outcomes)
        cells = read_panel_cells(sample, panel, bounded, schools, plan, years, school_sample)
        parts.append(decompose_cells(cells, name))
    found = parts[1:] or parts
    pd.concat(found, ignore_index=True).to_csv(check, index=False, float_format="%.10g")


run_as_rule(main, globals())
