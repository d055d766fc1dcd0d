"""Check that the recorded assignment is one that the design could have drawn."""

from collections.abc import Mapping, Sequence

import pandas as pd

from rule_adapter import run_as_rule
from schooltrial.checks.assignment import assignment_check


def main(*, assignment: str, arms: Sequence[Mapping[str, str]], kind: str, check: str) -> None:
    """Write one row per block, with the schools in each arm and a verdict."""
    names = [arm["name"] for arm in arms]
    assignment_check(pd.read_parquet(assignment), names, kind).to_csv(check, index=False)


run_as_rule(main, globals())
