"""Fit one multilevel model by REML to each of its outcomes."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.analysis.estimators.multilevel import fit_planned
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
    """Write the treatment terms of every outcome, and what each fit says of itself."""
    plan = PlannedModel(study, name, model, outcomes)
    fitted = fit_planned(plan, pd.read_parquet(sample))
    write_fit(fitted, to_record, estimates, diagnostics)


run_as_rule(main, globals())
