"""Fit one linear model with errors clustered by school to each of its outcomes."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.analysis.estimators.cluster_robust import fit_planned
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
    to_record: PlanToRecord,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write the treatment terms and joint tests of every outcome, and what was left out."""
    plan = PlannedModel(study, name, model, outcomes)
    fitted = fit_planned(plan, pd.read_parquet(sample))
    write_fit(fitted, to_record, estimates, diagnostics)


run_as_rule(main, globals())
