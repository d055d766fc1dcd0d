"""Test one model's effects by the restricted wild cluster bootstrap."""

from collections.abc import Mapping
from typing import Any

from schooltrial.analysis.design_matrix import DesignMatrix, with_block_effects
from schooltrial.analysis.fitting import fit_sample
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model, Outcome
from schooltrial.random_streams import stream


def main(
    *,
    sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    seed: int,
    estimates: str,
    diagnostics: str,
) -> None:
    """Write effect, p-value and inverted interval of every outcome."""

    def fit(design: DesignMatrix, outcome: str) -> tuple[list[Estimate], dict[str, Any]]:
        columns, dropped = with_block_effects(design, fixed=model["blocks"] == "fixed")
        terms = [term for term in design.columns if term in columns]
        test = wild_cluster_bootstrap(
            design.outcome,
            design.rows.assign(**columns)[terms].to_numpy("float64"),
            design.cluster,
            test="treated",
            absorb=design.rows["block"].to_numpy() if model["blocks"] == "fixed" else None,
            draws=model["draws"] - 1,
            seed=stream(seed, name, outcome),
            regressor_names=terms,
        )
        return list(test.estimates(level=model["level"])), {"dropped": dropped}

    fit_sample(
        fit, sample=sample, study=study, name=name, model=model, outcomes=outcomes,
        estimates=estimates, diagnostics=diagnostics,
    )  # fmt: skip


run_as_rule(main, globals())
