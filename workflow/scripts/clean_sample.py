"""Link the standard tables into the analysed sample, and keep the ledger of who left."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rule_adapter import run_as_rule
from schooltrial.data.sample import build_sample
from schooltrial.data.school_panel import school_panel
from schooltrial.protocol import Model, Outcome


def main(
    *,
    schools: str,
    assignment: str,
    pupils: str,
    scores: str,
    arms: Sequence[Mapping[str, str]],
    outcomes: Mapping[str, Outcome],
    variables: Mapping[str, Any],
    keep: Mapping[str, Any],
    models: Mapping[str, Model],
    baseline: int,
    years: Sequence[int],
    seed: int,
    sample: str,
    panel: str,
    ledger: str,
    flow: str,
    mobility: str,
) -> None:
    """Write the sample and the school panel (Parquet), the ledger, flow and mobility (CSV)."""
    tables = {
        "schools": pd.read_parquet(schools),
        "assignment": pd.read_parquet(assignment),
        "pupils": pd.read_parquet(pupils),
        "scores": pd.read_parquet(scores),
    }
    built = build_sample(
        tables,
        outcomes=outcomes,
        arms=arms,
        variables=variables,
        keep=keep,
        models=models,
        baseline=baseline,
        years=years,
        seed=seed,
    )
    built.pupils.to_parquet(sample, index=False)
    school_panel(built.pupils, list(outcomes)).to_parquet(panel, index=False)
    built.ledger.to_csv(ledger, index=False)
    built.flow.to_csv(flow, index=False)
    built.mobility.to_csv(mobility, index=False)


run_as_rule(main, globals())
