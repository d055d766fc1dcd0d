"""Claims about staggered adoption as protocols reach it."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from schooltrial.analysis.estimators.staggered_adoption import fit_planned
from schooltrial.refusal import Refusal


def test_rows_are_the_overall_effect_those_by_cohort_by_years_since_and_all_cells(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(estimator="staggered_adoption"), cells, seed=1)
    found, result = fitted.table, fitted.results["score"]
    assert (found["estimand"] == "ATT").sum() == 1
    assert found["estimate"].iloc[0] == result.overall.estimate
    assert (found["estimand"] == "effect by group").sum() == len(result.cohorts) == 2
    assert (found["estimand"] == "group-time effect").sum() == len(result.cells)


def test_schools_not_yet_treated_are_compared_with_where_the_plan_says_so(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    tables = [
        fit_planned(
            plan(estimator="staggered_adoption", comparison_group=group), cells, seed=1
        ).table
        for group in ("never_treated", "not_yet_treated")
    ]
    assert tables[0]["method"].iloc[0] != tables[1]["method"].iloc[0]
    assert tables[0]["estimate"].iloc[0] != tables[1]["estimate"].iloc[0]


def test_schools_of_a_cohort_that_informs_nothing_are_not_among_those_of_any_row(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    seen = cells[(cells["cohort"] != 2022) | (cells["year"] != 2021)]
    found = fit_planned(plan(estimator="staggered_adoption"), seen, seed=1).table
    assert set(found["n_schools"]) == {12}
    assert set(found["n_treated_schools"]) == {4}
    assert found["n_pupils"].max() == 12 * 4 * 20
    assert found["note"].str.contains("cohort 2022 has no school seen in 2021").tolist()[0]


def test_cells_without_a_number_of_pupils_are_counted_in_the_note(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    some = cells.assign(n_pupils=cells["n_pupils"].where(cells.index > 2))
    found = fit_planned(plan(estimator="staggered_adoption"), some, seed=1).table
    assert found["n_pupils"].isna().all()
    assert found["note"].str.contains("3 of 64 cells have no number").tolist()[0]


def test_how_long_the_programme_lasts_gives_effects_after_it_ended(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {"lasts": {"2021": 1, "2022": 1}}
    planned = plan(estimator="staggered_adoption", confidence_level=0.9)
    found = fit_planned(planned, cells, seed=1, years=years)
    rows = found.table[found.table["estimand"] == "persistence"].set_index("term")
    assert list(rows.index) == [
        "treated[during]", "treated[after=1]", "treated[after=1] - treated[during]",
        "treated[after=1] / treated[during]",
    ]  # fmt: skip
    cell = found.table.set_index("term").loc["treated[cohort=2021, year=2022]"]
    for column in ("estimate", "std_error", "df", "conf_low", "n_schools", "n_treated_schools"):
        assert rows.loc["treated[after=1]", column] == cell[column]
    assert rows.loc["treated[after=1]", "note"] == "rests on cohort 2021, 4 schools"
    without = fit_planned(planned, cells, seed=1).table
    assert "persistence" not in set(without["estimand"])
    assert without["estimate"].iloc[0] == found.table["estimate"].iloc[0]


def test_a_cohort_whose_programme_has_no_length_is_refused_with_the_line_to_add(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {"lasts": {"2021": 1}}
    with pytest.raises(Refusal, match=r"cohort 2022 lasted; add it.*lasts: \{2022: …\}"):
        fit_planned(plan(estimator="staggered_adoption"), cells, seed=1, years=years)
