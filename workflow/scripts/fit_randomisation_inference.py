"""Test one model's effects by re-drawing the assignment with the design that was used."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.analysis.estimators.randomisation_inference import Lottery, fit_planned
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.rerandomised_statistics import bin_statistics
from schooltrial.analysis.writing import TEN_DIGITS, write_fit
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Design, Model, Outcome
from schooltrial.protocol.plan import PlanToRecord
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import open_record


def main(
    *,
    sample: str,
    assignment: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    design: Design,
    seed: int,
    to_record: PlanToRecord,
    estimates: str,
    diagnostics: str,
    draws: str,
    frame: str | None = None,
    record: str | None = None,
    drawn_from: Sequence[str] = (),
) -> None:
    """Write effect, p-value and inverted interval of every outcome, and statistics of its draws."""
    lottery = Lottery.of(
        pd.read_parquet(assignment),
        design,
        read_frame(frame, design) if frame else None,
        open_record(record) if record else None,
    )
    plan = PlannedModel(study, name, model, outcomes)
    fitted = fit_planned(plan, pd.read_parquet(sample), lottery=lottery, seed=seed)
    write_fit(fitted, to_record, estimates, diagnostics)
    bin_statistics(name, fitted).to_csv(draws, index=False, float_format=TEN_DIGITS)


run_as_rule(main, globals())
