"""Test one model's effects by re-drawing the assignment with the design that was used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix, with_block_effects
from schooltrial.analysis.fitting import fit_sample
from schooltrial.models.assignment.design import rerandomised
from schooltrial.models.assignment.draws import EXACT_UP_TO
from schooltrial.models.assignment.of_schools import school_assignment
from schooltrial.models.inference.estimate import Estimate, noted, without_test
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model, Outcome
from schooltrial.random_streams import stream
from schooltrial.randomisation.criterion import draw_criterion
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import read_record


def main(
    *,
    sample: str,
    assignment: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    design: Mapping[str, Any],
    seed: int,
    estimates: str,
    diagnostics: str,
    frame: str | None = None,
    record: str | None = None,
    drawn_from: Sequence[str] = (),
) -> None:
    """Write effect, p-value and inverted interval of every outcome.

    Re-draws are held to the criterion of balance of a re-randomised design. Where it cannot be used
    there is an effect and no p-value, with a note that says why.
    """
    known = draw_criterion(
        pd.read_parquet(assignment), design, read_frame(frame, design) if frame else None,
        read_record(Path(record).read_text("utf-8"), record) if record else None,
    )  # fmt: skip
    arms = model["compare"] or [arm["name"] for arm in design["arms"]]
    is_blocked = design["kind"] != "complete"

    def fit(matrix: DesignMatrix, outcome: str) -> tuple[list[Estimate], dict[str, Any]]:
        columns, dropped = with_block_effects(matrix, fixed=model["blocks"] == "fixed")
        covariates = [term for term in matrix.columns if term in columns and term != "treated"]
        treated = matrix.rows["treated"].to_numpy()
        block = matrix.rows["block"].to_numpy() if is_blocked else None
        units = school_assignment(matrix.cluster, treated, block)
        lottery = units.design(arms=(0.0, 1.0), one_arm_blocks=True)
        if known.criterion:
            rule = known.criterion.among([str(unit) for unit in lottery.units], arms)
            lottery = rerandomised(lottery, rule)
        test = randomisation_inference(
            matrix.outcome, treated, matrix.cluster,
            covariates=matrix.rows.assign(**columns)[covariates].to_numpy("float64"),
            block=block, block_effects=model["blocks"] == "fixed", design=lottery,
            draws=1 if known.unusable else model["draws"],
            exact_up_to=0 if known.unusable else EXACT_UP_TO,
            seed=stream(seed, name, outcome), covariate_names=covariates,
        )  # fmt: skip
        rows = list(test.estimates(level=model["level"]))
        lone = ", ".join(units.with_one_arm())
        if lone:
            rows = noted(rows, f"blocks with one arm left stay as they are in re-draws: {lone}")
        if known.unusable:
            method = f"randomisation inference, {test.statistic}, no re-draws"
            rows = without_test(rows, method, known.unusable)
        return rows, {"dropped": dropped}

    fit_sample(
        fit, sample=sample, study=study, name=name, model=model, outcomes=outcomes,
        estimates=estimates, diagnostics=diagnostics,
    )  # fmt: skip


run_as_rule(main, globals())
