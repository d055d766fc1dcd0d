"""Claims about staggered adoption as protocols reach it."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from schooltrial.analysis.estimators.staggered_adoption import fit_planned


def test_rows_are_the_overall_effect_those_by_cohort_by_years_since_and_all_cells(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(estimator="staggered_adoption"), cells)
    found, result = fitted.table, fitted.results["score"]
    assert (found["estimand"] == "ATT").sum() == 1
    assert found["estimate"].iloc[0] == result.overall.estimate
    assert (found["estimand"] == "effect by group").sum() == len(result.cohorts) == 2
    assert (found["estimand"] == "group-time effect").sum() == len(result.cells)


def test_schools_not_yet_treated_are_compared_with_where_the_plan_says_so(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    tables = [
        fit_planned(plan(estimator="staggered_adoption", comparison_group=group), cells).table
        for group in ("never_treated", "not_yet_treated")
    ]
    assert tables[0]["method"].iloc[0] != tables[1]["method"].iloc[0]
    assert tables[0]["estimate"].iloc[0] != tables[1]["estimate"].iloc[0]
