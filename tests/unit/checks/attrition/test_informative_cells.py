"""Which cells a model of changes rests on: those of schools with a year from which to measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.attrition.informative_cells import find_informative_cells
from schooltrial.models.panel.staggered_adoption import fit_staggered_adoption
from schooltrial.protocol.content.sections import Years
from support.standard_study import model

YEARS: Years = {
    "label": "year", "baseline": [2017, 2018], "programme": [2019, 2020], "follow_up": [],
    "to_come": [], "reference": None, "lasts": None,
}  # fmt: skip
DIFFERENCES = model(outcomes=["maths"], estimator="difference_in_differences")
STAGGERED = model(outcomes=["maths"], estimator="staggered_adoption")


def _cells(there: dict[str, list[int]], **cohort: int) -> pd.DataFrame:
    rows = [
        {"school": school, "year": year, "cohort": cohort.get(school)}
        for school, years in there.items()
        for year in years
    ]
    return pd.DataFrame(rows).astype({"cohort": "Int64"})


def _informs(cells: pd.DataFrame, fitted: Any) -> dict[str, list[int]]:
    whole = pd.Series(True, index=cells.index)
    kept = cells[find_informative_cells(cells, whole, fitted, YEARS)]
    return {str(name): rows["year"].tolist() for name, rows in kept.groupby("school")}


def test_a_difference_in_differences_needs_any_year_before() -> None:
    cells = _cells({"A": [2018, 2019], "B": [2017, 2020], "C": [2019, 2020], "D": [2018]})
    assert _informs(cells, DIFFERENCES) == {"A": [2018, 2019], "B": [2017, 2020], "D": [2018]}


def test_rows_that_the_model_leaves_out_are_no_year_before() -> None:
    cells = _cells({"A": [2018, 2019], "B": [2018, 2019]})
    complete = pd.Series([True, True, False, True])
    found = find_informative_cells(cells, complete, DIFFERENCES, YEARS)
    assert found.tolist() == [True, True, False, False]


def test_a_cohort_needs_the_last_year_of_the_panel_before_it_began() -> None:
    there = {"A": [2017, 2018, 2019, 2020], "B": [2017, 2019, 2020], "N": [2017, 2018, 2019, 2020]}
    cells = _cells(there, A=2019, B=2019)
    # B was not seen in 2018, from which cohort 2019 is measured: no effect rests on it.
    assert _informs(cells, STAGGERED) == {"A": there["A"], "N": there["N"]}


def test_a_school_never_treated_needs_the_base_year_of_a_cohort_that_has_begun() -> None:
    there = {"A": [2018, 2019, 2020], "B": [2018, 2019, 2020], "N": [2018, 2019, 2020],
             "M": [2019, 2020]}  # fmt: skip
    found = _informs(_cells(there, A=2019, B=2020), STAGGERED)
    # Of 2019, M has no change since 2018; of 2020 it has one since 2019, for cohort 2020.
    assert found["M"] == [2020]
    assert found["N"] == there["N"]


def test_where_no_cohort_informs_an_effect_nobody_is_analysed() -> None:
    assert _informs(_cells({"A": [2019, 2020], "N": [2019, 2020]}, A=2019), STAGGERED) == {}


@pytest.mark.parametrize("group", ["never_treated", "not_yet_treated"])
def test_the_schools_that_inform_are_those_that_the_estimate_rests_on(group: str) -> None:
    """On panels of which a third of the cells, and so whole base years, are missing."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        cells = pd.DataFrame({"school": np.repeat(np.arange(14), 6).astype(str),
                              "year": np.tile(np.arange(2015, 2021), 14)})  # fmt: skip
        first = np.repeat([2017, 2019, 2020, 2030, 0], [3, 3, 2, 2, 4])
        cells["cohort"] = np.repeat(np.where(first > 0, first, np.nan), 6)
        cells = cells[rng.uniform(size=len(cells)) < 0.67].reset_index(drop=True)
        fit = fit_staggered_adoption(
            rng.normal(size=len(cells)), school=cells["school"].to_numpy(),
            year=cells["year"].to_numpy(), cohort=cells["cohort"].to_numpy(),
            comparison_group="never_treated" if group == "never_treated" else "not_yet_treated",
            draws=0,
        )  # fmt: skip
        compared = model(outcomes=["maths"], estimator="staggered_adoption", comparison_group=group)
        whole = pd.Series(True, index=cells.index)
        informs = find_informative_cells(cells, whole, compared, YEARS)
        assert cells.loc[informs, "school"].nunique() == fit.overall.n_schools


def test_an_imputation_rests_on_any_year_before() -> None:
    there = {"A": [2017, 2018, 2019, 2020], "B": [2017, 2019, 2020], "N": [2017, 2018, 2019, 2020]}
    fitted = {**STAGGERED, "method": "imputation"}
    assert _informs(_cells(there, A=2019, B=2019), fitted) == there


def test_a_regression_without_schools_never_treated_rests_on_the_years_before_the_last_cohort() -> (
    None
):
    there = {name: [2017, 2018, 2019, 2020] for name in ("A", "B")}
    fitted = {**STAGGERED, "method": "sun_abraham"}
    found = _informs(_cells(there, A=2019, B=2020), fitted)
    assert found == {name: [2017, 2018, 2019] for name in there}


def test_a_method_that_has_no_effect_to_estimate_analyses_nobody() -> None:
    cells = _cells({"A": [2019, 2020], "N": [2019, 2020]}, A=2019)
    for method in ("sun_abraham", "imputation", "stacked"):
        assert _informs(cells, {**STAGGERED, "method": method}) == {}
