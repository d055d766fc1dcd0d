"""Estimate group-time effects of a programme that schools enter in different years."""

from collections.abc import Mapping

from schooltrial.analysis.estimators.staggered_adoption import fit_planned
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.panel.panel_cells import read_panel_cells
from schooltrial.analysis.writing import write_fit
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Design, Model, Outcome, Years, drawn_by_lot
from schooltrial.protocol.plan import PlanToRecord


def main(
    *,
    sample: str,
    panel: str,
    bounded: str,
    schools: str,
    school_sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    years: Years,
    design: Design,
    seed: int,
    to_record: PlanToRecord,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write effects overall, by cohort, by years since and after, and the pre-trend test."""
    plan = PlannedModel(study, name, model, outcomes)
    cells = read_panel_cells(sample, panel, bounded, schools, plan, years, school_sample)
    fitted = fit_planned(
        plan, cells, seed=seed, years=years, drawn_by_lot=drawn_by_lot(design)
    )  # fmt: skip
    write_fit(fitted, to_record, estimates, diagnostics)


run_as_rule(main, globals())
