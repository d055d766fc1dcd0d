"""Compare the arms at baseline, schools and pupils."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rule_adapter import run_as_rule
from schooltrial.checks.balance import balance


def main(
    *, sample: str, settings: Mapping[str, Any], labels: Mapping[str, str], year: int, check: str
) -> None:
    """Write one row per variable and level: means, SDs and standardised differences."""
    result = balance(pd.read_parquet(sample), settings, labels, year)
    result.to_csv(check, index=False, float_format="%.10g")


run_as_rule(main, globals())
