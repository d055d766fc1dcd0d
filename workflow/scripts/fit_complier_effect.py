"""Estimate the effect on compliers, who take the programme up if and only if offered it (CACE)."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.analysis.estimators.complier_effect import fit_planned
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.writing import write_fit
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Model, Outcome
from schooltrial.protocol.plan import PlanToRecord


def main(
    *,
    sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    taken_up: str,
    to_record: PlanToRecord,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write the effect on compliers, its Anderson-Rubin set and the first stage, by outcome."""
    plan = PlannedModel(study, name, model, outcomes)
    fitted = fit_planned(plan, pd.read_parquet(sample), taken_up=taken_up)
    write_fit(fitted, to_record, estimates, diagnostics)


run_as_rule(main, globals())
