"""A cohort informs an effect, or the fit names it and says why it does not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest

from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

YEARS = (2018, 2019, 2020, 2021)


def panel(cohorts: Iterable[float], years: Iterable[int] = YEARS) -> pd.DataFrame:
    """Return a school for each cohort (NaN: never) in each year, with 10 pupils a cell."""
    rng = np.random.default_rng(4)
    rows = [(at, year, cohort) for at, cohort in enumerate(cohorts) for year in years]
    cells = pd.DataFrame(rows, columns=["school", "year", "cohort"])
    return cells.assign(mean=rng.normal(0, 1, len(cells)), n_pupils=10.0)


def fit(cells: pd.DataFrame, group: str = "never_treated", anticipation: int = 0) -> StaggeredFit:
    return fit_staggered_adoption(
        cells["mean"].to_numpy(), school=cells["school"].to_numpy(), year=cells["year"].to_numpy(),
        cohort=cells["cohort"].to_numpy("float64"), n_pupils=cells["n_pupils"].to_numpy(),
        comparison_group=group, anticipation=anticipation,  # type: ignore[arg-type]
    )  # fmt: skip


THREE = [np.nan] * 4 + [2020] * 3 + [2021] * 3
WITHOUT_BASE = panel(THREE).query("not (cohort == 2021 and year == 2020)")


def test_a_cohort_that_nobody_saw_in_its_last_year_before_is_named() -> None:
    found = fit(WITHOUT_BASE)
    told = "cohort 2021 has no school seen in 2020, the last year before it began"
    assert [note for note in found.notes if told in note] == [f"{told}, and informs no effect"]
    assert [one.term for one in found.cohorts] == ["treated[cohort=2020]"]


def test_its_schools_and_pupils_are_not_counted_and_its_rows_move_nothing() -> None:
    found, without = fit(WITHOUT_BASE), fit(panel(THREE[:7]))
    assert (found.n_schools, found.n_pupils) == (7, 280)
    assert found.overall == without.overall
    assert found.since == without.since


def test_a_year_that_no_school_has_is_no_gap_the_last_one_before_it_is_the_base() -> None:
    cells = panel(THREE).query("year != 2020")
    found = fit(cells)
    assert "cohort 2021" not in "; ".join(found.notes)
    change = cells.pivot(index="school", columns="year", values="mean")
    change = change[2021] - change[2019]
    effect = change.iloc[7:].mean() - change.iloc[:4].mean()
    (of_2021,) = [one for one in found.cohorts if one.term == "treated[cohort=2021]"]
    assert of_2021.estimate == pytest.approx(effect, rel=1e-12)


def test_a_cohort_that_begins_after_the_last_year_is_named_or_compared_with() -> None:
    cells = panel([*THREE[:7], 2025, 2025])
    found = fit(cells)
    assert "cohort 2025 begins after 2021, the last year, and informs no effect" in found.notes
    assert found.overall == fit(panel(THREE[:7])).overall
    compared = fit(cells, "not_yet_treated")
    assert any("compared with as not yet treated" in note for note in compared.notes)
    assert compared.n_schools == 9
    never = fit(panel([*THREE[:7], np.nan, np.nan]))
    assert compared.overall.estimate == pytest.approx(never.overall.estimate, rel=1e-12)


def test_a_cohort_with_nobody_to_compare_with_is_named_though_others_are_compared_with_it() -> None:
    found = fit(panel([2020] * 3 + [2021] * 3), "not_yet_treated")
    assert "cohort 2021 has no school to compare with" in "; ".join(found.notes)
    assert found.n_schools == 6


def test_a_panel_whose_cohorts_inform_nothing_is_refused_with_what_each_lacks() -> None:
    with pytest.raises(ValueError, match=r"2021 has no school to compare with.*Add the years"):
        fit(panel([2021] * 4), "not_yet_treated")
    lacking = panel([np.nan, np.nan, 2021, 2021]).query("cohort != 2021 or year < 2021")
    with pytest.raises(ValueError, match="no school seen both in 2020 and from 2021 on"):
        fit(lacking)


def test_a_cohort_of_one_school_and_a_lone_school_to_compare_with_have_a_warning() -> None:
    assert "cohort 2021 is one school" in fit(panel([np.nan, np.nan, 2020, 2020, 2021])).notes[0]
    assert "one school is never treated" in fit(panel([np.nan, 2020, 2020])).notes[0]
    assert fit(panel(THREE)).notes == ()


def test_a_school_with_two_rows_in_a_year_is_refused_by_name() -> None:
    cells = panel(THREE)
    with pytest.raises(ValueError, match="school 3 has two rows in 2019"):
        fit(pd.concat([cells, cells.query("school == 3 and year == 2019")]))


def test_a_cohort_whose_years_before_are_all_of_anticipation_is_named() -> None:
    found = fit(panel([np.nan] * 4 + [2019] * 3 + [2021] * 3), anticipation=1)
    told = "cohort 2019 has no year before it began less 1 year of anticipation and is left out"
    assert told in found.notes
    assert found.n_schools == 7
    with pytest.raises(ValueError, match="no cohort has a year before it began less 1 year"):
        fit(panel([np.nan] * 4 + [2019] * 3), anticipation=1)


def test_with_anticipation_the_base_is_earlier_and_the_year_before_need_not_be_seen() -> None:
    found = fit(WITHOUT_BASE, anticipation=1)
    assert "treated[cohort=2021]" in [one.term for one in found.cohorts]
    lacking = panel(THREE).query("not (cohort == 2021 and year == 2019)")
    told = "cohort 2021 has no school seen in 2019, the last year before it began less 1 year of"
    assert any(told in note for note in fit(lacking, anticipation=1).notes)


def test_a_cohort_that_may_respond_in_the_last_year_is_not_compared_with_then() -> None:
    cells = panel([np.nan] * 4 + [2020] * 3 + [2022] * 3)
    found = fit(cells, "not_yet_treated", anticipation=1)
    change = cells.pivot(index="school", columns="year", values="mean")
    change = change[2021] - change[2018]
    (late,) = [row for row in found.since if row.term == "treated[since=1]"]
    expected = change.iloc[4:7].mean() - change.iloc[:4].mean()
    assert late.estimate == pytest.approx(expected, rel=1e-12)


def test_years_that_are_not_whole_or_below_zero_and_panels_without_outcomes_are_refused() -> None:
    with pytest.raises(ValueError, match="is not a whole year"):
        fit(panel([np.nan] * 4 + [2020.5] * 3))
    with pytest.raises(ValueError, match="`anticipation` is -1; give a number of years"):
        fit(panel(THREE), anticipation=-1)
    with pytest.raises(ValueError, match="no cell of school and year has an outcome"):
        fit(panel(THREE).assign(mean=np.nan))
