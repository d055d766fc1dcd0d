"""Fit one linear model with errors clustered by school to each of its outcomes."""

from collections.abc import Mapping
from typing import Any

from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.analysis.fitting import fit_sample
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.inference.estimate import Estimate
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model, Outcome

JOINT = {"CR0": "naive-F", "CR1": "naive-F", "CR1S": "naive-F", "CR2": "AHT", "CR3": "AHT"}
DF = {kind: "clusters-1" if test == "naive-F" else "satterthwaite" for kind, test in JOINT.items()}


def main(
    *,
    sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    estimates: str,
    diagnostics: str,
) -> None:
    """Write the treatment terms and joint tests of every outcome, and what was left out."""

    def fit(design: DesignMatrix, outcome: str) -> tuple[list[Estimate], dict[str, Any]]:
        fitted = _fit(design, model)
        rows: list[Estimate] = []
        for kind in model["covariance"]:
            rows += fitted.estimates(
                design.treatment_terms, vcov=kind, df=DF[kind], level=model["level"]
            )
            rows += [
                fitted.joint_test(terms, vcov=kind, test=JOINT[kind], name=hypothesis).row
                for hypothesis, terms in model["tests"].items()
            ]
        return rows, {"dropped": list(fitted.dropped), "r_squared": fitted.r_squared}

    fit_sample(
        fit, sample=sample, study=study, name=name, model=model, outcomes=outcomes,
        estimates=estimates, diagnostics=diagnostics,
    )  # fmt: skip


def _fit(design: DesignMatrix, model: Model) -> LeastSquaresFit:
    names = [*model["absorb"], *(["block"] if model["blocks"] == "fixed" else [])]
    return fit_least_squares_columns(
        design.outcome,
        list(design.columns.values()),
        names=list(design.columns),
        cluster=design.cluster,
        absorb=[design.rows[name].to_numpy() for name in names],
    )


run_as_rule(main, globals())
