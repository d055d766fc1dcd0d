"""A linear model by least squares, with errors clustered on what was assigned, or another group."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.analysis.confounding import absorbed_groups, refuse_confounded
from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.analysis.few_clusters import describe_plain_variance
from schooltrial.analysis.fitting import FittedModel, OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.inference.estimate import Estimate, noted
from schooltrial.models.inference.outcome_variation import refuse_exact_fit
from schooltrial.models.moments.school_moments import INTERCEPT
from schooltrial.protocol.content.sections import Model

JOINT = {"CR0": "naive-F", "CR1": "naive-F", "CR1S": "naive-F", "CR2": "AHT", "CR3": "AHT"}
DF = {kind: "clusters-1" if test == "naive-F" else "satterthwaite" for kind, test in JOINT.items()}


def fit_planned(plan: PlannedModel, sample: pd.DataFrame) -> FittedModel[LeastSquaresFit]:
    """Fit the model to each of its outcomes; treatment terms and joint tests are reported.

    Parameters
    ----------
    plan : PlannedModel
        ``blocks``, ``fixed_effects``, ``covariance`` and ``tests`` are of this estimator.
    sample : DataFrame
        The analysed sample of pupils or teachers.
    """
    model = plan.model

    def fit(design: DesignMatrix, outcome: str) -> OutcomeFit[LeastSquaresFit]:
        refuse_confounded(design, absorbed_groups(model))
        fitted = _fit(design, model)
        effects = "the fixed effects" if absorbed_groups(model) else ""
        refuse_exact_fit(
            fitted.residual_ss, fitted.total_ss, outcome, list(design.columns), effects=effects
        )
        rows: list[Estimate] = []
        cluster = design.clustered_on or "cluster"
        for kind in model["covariance"]:
            found = [
                *fitted.estimates(
                    design.treatment_terms, vcov=kind, df=DF[kind], level=model["confidence_level"]
                ),
                *(
                    fitted.joint_test(terms, vcov=kind, test=JOINT[kind], name=hypothesis).row
                    for hypothesis, terms in model["tests"].items()
                ),
            ]
            warning = describe_plain_variance(design.rows, cluster, kind, absorbed_groups(model))
            rows += noted(found, warning) if warning else found
        told = {"dropped": list(fitted.dropped), "r_squared": fitted.r_squared}
        return OutcomeFit(rows, told, fitted)

    return fit_outcomes(sample, plan, fit)


def _fit(design: DesignMatrix, model: Model) -> LeastSquaresFit:
    names = absorbed_groups(model)
    constant = {} if names else {INTERCEPT: np.ones(len(design.outcome))}
    columns = {**constant, **design.columns}
    return fit_least_squares_columns(
        design.outcome,
        list(columns.values()),
        names=list(columns),
        cluster=design.cluster,
        weights=design.weights,
        absorb=[design.rows[name].to_numpy() for name in names] or None,
    )
