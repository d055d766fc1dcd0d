"""Test one model's effects by re-drawing the assignment with the design that was used."""

from collections.abc import Mapping
from typing import Any

from fit_files import fit_sample
from rule_adapter import run_as_rule
from schooltrial.analysis.design_matrix import DesignMatrix, with_block_effects
from schooltrial.models.estimate import Estimate
from schooltrial.models.randomisation_inference import randomisation_inference
from schooltrial.protocol import Model, Outcome
from schooltrial.streams import stream


def main(
    *,
    sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    kind: str,
    seed: int,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write effect, p-value and inverted interval of every outcome."""

    def fit(design: DesignMatrix, outcome: str) -> tuple[list[Estimate], dict[str, Any]]:
        columns, dropped = with_block_effects(design, fixed=model["blocks"] == "fixed")
        covariates = [term for term in design.columns if term in columns and term != "treated"]
        test = randomisation_inference(
            design.outcome,
            design.rows["treated"].to_numpy(),
            design.cluster,
            covariates=design.rows.assign(**columns)[covariates].to_numpy("float64"),
            block=None if kind == "complete" else design.rows["block"].to_numpy(),
            block_effects=model["blocks"] == "fixed",
            draws=model["draws"],
            seed=stream(seed, name, outcome),
            covariate_names=covariates,
        )
        return list(test.estimates(["treated"], model["level"])), {"dropped": dropped}

    fit_sample(
        fit, sample=sample, study=study, name=name, model=model, outcomes=outcomes,
        estimates=estimates, diagnostics=diagnostics,
    )  # fmt: skip


run_as_rule(main, globals())
