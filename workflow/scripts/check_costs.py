"""Add up programme costs, by ingredient and per pupil per year."""

from collections.abc import Sequence

import pandas as pd

from schooltrial.checks.implementation.costs import cost_table, pupils_reached
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Costs


def main(
    *,
    costs: str,
    sample: str,
    settings: Costs,
    arms: Sequence[Arm],
    during: Sequence[int],
    check: str,
) -> None:
    """Write one row per ingredient, and one for all of them."""
    reached = pupils_reached(
        pd.read_parquet(sample, columns=["arm", "year"]), [arm["name"] for arm in arms], during
    )
    found = cost_table(pd.read_parquet(costs), settings, reached)
    found.to_csv(check, index=False, float_format="%.10g")


run_as_rule(main, globals())
