"""Try the effects of primary panel models under trends that would not have been parallel."""

from collections.abc import Iterator, Mapping
from typing import cast

import pandas as pd

from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.panel.panel_cells import read_panel_cells
from schooltrial.analysis.parallel_trends.tables import ModelCells, parallel_trends_tables
from schooltrial.checks.parallel_trends.panel_models import checked_models
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Model, Outcome, ParallelTrends, Years


def main(
    *,
    sample: str,
    panel: str,
    bounded: str,
    schools: str,
    school_sample: str,
    study: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    settings: ParallelTrends,
    seed: int,
    check: str,
    placebos: str,
) -> None:
    """Write one row for each result, and one for each draw of placebo cohorts."""

    def cells_of(plan: PlannedModel) -> pd.DataFrame:
        return read_panel_cells(sample, panel, bounded, schools, plan, years, school_sample)

    def of_models() -> Iterator[ModelCells]:
        for name, model in checked_models(models).items():
            plan = PlannedModel(study, name, model, outcomes)
            cells = cells_of(plan)
            others = cells.iloc[:0]
            if settings["placebo_outcomes"]:
                other = cast(Model, {**model, "outcomes": settings["placebo_outcomes"]})
                others = cells_of(PlannedModel(study, name, other, outcomes))
            yield ModelCells(plan, cells, others)

    found, drawn = parallel_trends_tables(of_models(), settings, years, seed)
    found.to_csv(check, index=False, float_format="%.10g")
    drawn.to_csv(placebos, index=False, float_format="%.10g")


run_as_rule(main, globals())
