"""Claims about difference-in-differences as protocols reach it."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from schooltrial.analysis.estimators.difference_in_differences import fit_planned
from schooltrial.protocol.sections import Years
from schooltrial.refusal import Refusal

YEARS: Years = {"label": "", "baseline": [2019, 2020], "programme": [2021], "follow_up": [2022],
                "to_come": [], "reference": None, "lasts": None}  # fmt: skip


def test_the_effect_is_the_difference_of_mean_changes_and_years_after_do_not_count(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(estimator="difference_in_differences"), cells, years=YEARS)
    means = cells.pivot_table(index="treated", columns="year", values="mean")
    change = means[2021] - means[[2019, 2020]].mean(axis=1)
    rows = fitted.table.set_index("estimand")
    assert rows.loc["ATT", "estimate"] == pytest.approx(change[1.0] - change[0.0], rel=1e-9)
    assert fitted.diagnostics["score"] == {"cells": 48, "cells_event_study": 64}


def test_events_are_measured_from_the_last_year_before_and_the_others_before_it_are_tested(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(estimator="difference_in_differences"), cells, years=YEARS)
    events = fitted.table[fitted.table["estimand"] == "event study"]["term"].tolist()
    assert events == [f"treated[year={year}]" for year in (2019, 2021, 2022)]
    assert fitted.table["estimand"].iloc[-1] == "pre-trend test"
    assert [row.term for row in fitted.results["score"].estimates()][1:] == events


def test_cells_without_a_number_of_pupils_count_alike_and_the_note_says_so(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {
        "baseline": [2019, 2020],
        "programme": [2021, 2022],
        "reference": None,
        "lasts": None,
    }
    model = plan(estimator="difference_in_differences")
    some = cells.assign(n_pupils=cells["n_pupils"].where(cells.index > 2))
    alike = fit_planned(model, cells.assign(n_pupils=1.0), years=years).table
    found = fit_planned(model, some, years=years).table
    pd.testing.assert_series_equal(found["estimate"], alike["estimate"])
    pd.testing.assert_series_equal(found["std_error"], alike["std_error"])
    told = "every cell counts alike: 3 of 64 have no number of pupils"
    assert found["note"].str.contains(told).tolist() == [True, *[False] * (len(found) - 1)]
    assert found["n_pupils"].isna().all()


def test_a_mean_with_no_pupil_behind_it_is_refused_by_school_and_year(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {
        "baseline": [2019, 2020],
        "programme": [2021, 2022],
        "reference": None,
        "lasts": None,
    }
    empty = cells.assign(n_pupils=cells["n_pupils"].where(cells.index != 5, 0.0))
    with pytest.raises(Refusal, match="school S01 has a value in 2020 and `n_pupils` of 0"):
        fit_planned(plan(estimator="difference_in_differences"), empty, years=years)


def test_schools_that_begin_later_than_the_active_years_are_counted_in_the_note(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {
        "baseline": [2019, 2020],
        "programme": [2021, 2022],
        "reference": None,
        "lasts": None,
    }
    model = plan(estimator="difference_in_differences")
    found = fit_planned(model, cells, years=years).table
    assert "4 schools of later cohorts count as treated from 2021" in found["note"].iloc[0]
    assert not found["note"].iloc[1:].str.contains("later cohorts").any()
    alike = fit_planned(model, cells.drop(columns="cohort"), years=years).table
    assert not alike["note"].astype("str").str.contains("cohort").any()
    pd.testing.assert_series_equal(found["estimate"], alike["estimate"])
