"""A test of the effect by the restricted wild cluster bootstrap."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix, side_by_side, with_block_effects
from schooltrial.analysis.few_clusters import describe_few_to_bootstrap
from schooltrial.analysis.fitting import FittedModel, OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.inference.estimate import noted
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap
from schooltrial.models.wild_bootstrap.result import WildBootstrap
from schooltrial.random_streams import stream


def crosses_blocks(cluster: npt.NDArray[Any], block: npt.NDArray[Any]) -> bool:
    """Return whether some cluster lies in several blocks, and some block in several clusters."""
    pairs = pd.DataFrame({"cluster": cluster, "block": block}).drop_duplicates()
    return bool(pairs["cluster"].duplicated().any() and pairs["block"].duplicated().any())


def fit_planned(
    plan: PlannedModel, sample: pd.DataFrame, *, seed: int
) -> FittedModel[WildBootstrap]:
    """Test the model's effect on each of its outcomes: effect, p-value, inverted interval.

    Parameters
    ----------
    plan : PlannedModel
        ``blocks`` and ``replications`` are of this estimator.
    sample : DataFrame
        The analysed sample of pupils or teachers.
    seed : int
        Of the study.
    """
    model = plan.model

    def fit(design: DesignMatrix, outcome: str) -> OutcomeFit[WildBootstrap]:
        columns, dropped = with_block_effects(design, fixed=model["blocks"] == "fixed")
        blocks = design.rows["block"].to_numpy() if model["blocks"] == "fixed" else None
        if blocks is not None and crosses_blocks(design.cluster, blocks):
            blocks, terms = None, list(columns)  # indicators: within clusters nothing is absorbed
        else:
            terms = [term for term in design.columns if term in columns]
        test = wild_cluster_bootstrap(
            design.outcome,
            side_by_side(columns, terms, len(design.rows)),
            design.cluster,
            test="treated",
            absorb=blocks,
            weights=design.weights,
            draws=model["replications"] - 1,
            seed=stream(seed, plan.name, outcome),
            outcome_names=[outcome],
            regressor_names=terms,
        )
        rows = test.estimates(level=model["confidence_level"])
        warning = describe_few_to_bootstrap(design.rows, design.clustered_on or "cluster")
        rows = tuple(noted(rows, warning)) if warning else rows
        drawn = test.distribution.drawn
        return OutcomeFit(rows, {"dropped": dropped, "draws": drawn}, test)

    return fit_outcomes(sample, plan, fit)
