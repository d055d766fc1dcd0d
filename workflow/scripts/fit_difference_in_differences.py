"""Fit difference-in-differences and event study to the school by year panel."""

from collections.abc import Mapping

from schooltrial.analysis.estimators.difference_in_differences import fit_planned
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.panel.panel_cells import read_panel_cells
from schooltrial.analysis.writing import write_fit
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Design, Model, Outcome, Years
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
    to_record: PlanToRecord,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write the effect, the event study and the test of the pre-trend, by outcome."""
    plan = PlannedModel(study, name, model, outcomes)
    cells = read_panel_cells(sample, panel, bounded, schools, plan, years, school_sample)
    fitted = fit_planned(plan, cells, years=years, randomised=design["randomised"])
    write_fit(fitted, to_record, estimates, diagnostics)


run_as_rule(main, globals())
