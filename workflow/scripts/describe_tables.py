"""Describe the standard tables: codebook, means by group and year, and what is odd about them."""

from collections.abc import Mapping

import pandas as pd

from schooltrial.checks.data_quality.codebook import (
    arms_of_rows,
    build_codebook,
    means_by_arm_and_year,
    raw_columns,
)
from schooltrial.checks.data_quality.missingness import count_missing
from schooltrial.checks.data_quality.oddities import distributions, heaping
from schooltrial.checks.data_quality.outliers import outcome_rows, school_outliers
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.column_map import Tables
from schooltrial.protocol.content.sections import Checks, DerivedVariable, Outcome


def main(
    *,
    tables: Tables,
    unit: str,
    labels: Mapping[str, str],
    thresholds: Checks,
    outcomes: Mapping[str, Outcome],
    variables: Mapping[str, DerivedVariable],
    codebook_file: str,
    means_file: str,
    missing_file: str,
    distributions_file: str,
    heaping_file: str,
    outliers_file: str,
    **standard: str,
) -> None:
    """Write one CSV per description."""
    frames = {table: pd.read_parquet(path) for table, path in standard.items() if table in tables}
    means = means_by_arm_and_year(frames, arms_of_rows(frames, unit))
    scores = outcome_rows(frames)
    populations = {name: outcome["population"] for name, outcome in outcomes.items()}
    for path, found in (
        (codebook_file, build_codebook(frames, labels, raw_columns(tables))),
        (means_file, means),
        (missing_file, count_missing(frames, thresholds["missing_share"], populations, variables)),
        (distributions_file, distributions(scores)),
        (heaping_file, heaping(scores, thresholds["heaping_share"])),
        (outliers_file, school_outliers(scores, thresholds["outlier_sd"])),
    ):
        found.to_csv(path, index=False, float_format="%.10g")


run_as_rule(main, globals())
