"""Claims about the imputation estimator and its pre-trend test."""

import numpy as np
import pytest

from schooltrial.models.cohort_regressions.imputation import (
    difference_before,
    drift_before,
    impute_untreated,
)
from schooltrial.models.cohort_regressions.school_patterns import gather_patterns
from support.staggered_panels import Drawn, dense_effects, dense_imputation, draw_panel

SIZES = {0: 9, 2012: 5, 2014: 4, 2015: 1}


def _begun(drawn: Drawn, anticipation: int = 0) -> np.ndarray:
    cohort = drawn.cohort[:, None]
    return np.asarray((cohort > 0) & (drawn.years >= cohort - anticipation))


@pytest.mark.parametrize("anticipation", [0, 1])
@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_effects_are_outcomes_less_what_untreated_cells_predict(
    gaps: float, anticipation: int
) -> None:
    drawn = draw_panel(SIZES, gaps=gaps)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = impute_untreated(patterns, drawn.years, anticipation=anticipation)
    dense = dense_imputation(drawn, drawn.outcome, _begun(drawn, anticipation))
    expected = [
        np.nanmean(dense[drawn.cohort == g][:, drawn.years == t])
        for g, t in zip(found.cohort, found.year, strict=True)
    ]
    assert found.points(patterns) == pytest.approx(expected, rel=1e-9)
    overall = found.size @ found.points(patterns) / found.size.sum()
    assert overall == pytest.approx(np.nanmean(dense[_begun(drawn, anticipation)]), rel=1e-9)


def test_where_all_are_treated_in_the_end_the_years_before_are_imputed() -> None:
    drawn = draw_panel({2012: 5, 2014: 4, 2016: 6}, gaps=0.1)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = impute_untreated(patterns, drawn.years)
    assert found.year.max() == 2015
    assert set(found.cohort) == {2012, 2014}
    dense = dense_imputation(drawn, drawn.outcome, _begun(drawn))
    expected = [
        np.nanmean(dense[drawn.cohort == g][:, drawn.years == t])
        for g, t in zip(found.cohort, found.year, strict=True)
    ]
    assert found.points(patterns) == pytest.approx(expected, rel=1e-9)
    assert found.notes == (
        "no school is untreated in 2016 and 2017: effects in such years cannot be imputed and are "
        "left out",
    )


def test_the_loadings_of_a_school_add_up_to_zero() -> None:
    drawn = draw_panel(SIZES, gaps=0.15)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    loadings = impute_untreated(patterns, drawn.years).loadings
    assert np.abs(loadings.sum(axis=1)).max() < 1e-12
    assert np.abs(loadings[~patterns.seen]).max() == 0


def test_a_change_of_one_outcome_moves_an_effect_by_its_loading() -> None:
    drawn = draw_panel(SIZES, gaps=0.1)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    before = impute_untreated(patterns, drawn.years)
    school, year = 2, int(np.flatnonzero(np.isfinite(drawn.outcome[2]))[1])
    moved = drawn.outcome.copy()
    moved[school, year] -= 3.0
    dense = dense_imputation(drawn, moved, _begun(drawn))
    expected = [
        np.nanmean(dense[drawn.cohort == g][:, drawn.years == t])
        for g, t in zip(before.cohort, before.year, strict=True)
    ]
    shift = -3.0 * before.loadings[patterns.of_school[school], year]
    assert before.points(patterns) + shift == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("gaps", [0.0, 0.15])
@pytest.mark.parametrize("leads", [1, 3])
def test_leads_are_those_of_the_regression_among_untreated_cells(gaps: float, leads: int) -> None:
    drawn = draw_panel({0: 9, 2014: 5, 2015: 4}, gaps=gaps)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = difference_before(patterns, drawn.years, leads=leads)
    assert found is not None
    assert {cell.since for cell in found.cells} == set(range(-leads, 0))
    untreated = np.where(_begun(drawn), np.nan, drawn.outcome)
    columns = [
        ((drawn.cohort == g)[:, None] & (drawn.years == t)).astype(float)
        for g, t in zip(found.cohort, found.year, strict=True)
    ]
    assert found.points(patterns) == pytest.approx(dense_effects(untreated, columns), abs=1e-9)
    assert np.abs(found.loadings.sum(axis=1)).max() < 1e-12


def test_every_cohort_keeps_a_year_that_its_leads_are_compared_with() -> None:
    drawn = draw_panel({0: 5, 2013: 3, 2016: 4})
    found = difference_before(gather_patterns(drawn.outcome, drawn.cohort), drawn.years)
    assert found is not None
    assert sorted((cell.cohort, cell.year, cell.base) for cell in found.cells) == [
        (2013, 2011, 2010), (2013, 2012, 2010), (2016, 2014, 2013), (2016, 2015, 2013)
    ]  # fmt: skip


def test_one_year_before_leaves_no_lead_to_test() -> None:
    drawn = draw_panel({0: 5, 2011: 3})
    assert difference_before(gather_patterns(drawn.outcome, drawn.cohort), drawn.years) is None


@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_the_drift_is_that_of_schools_that_rise_by_so_much_a_year_before_treatment(
    gaps: float,
) -> None:
    drawn = draw_panel({0: 5, 2013: 3, 2016: 4}, noise=0.0, gaps=gaps)
    rising = drawn.outcome + 0.7 * (drawn.cohort > 0)[:, None] * drawn.years
    patterns = gather_patterns(rising, drawn.cohort)
    loadings = drift_before(patterns, drawn.years)
    assert loadings is not None
    assert np.einsum("ut,ut->", loadings, patterns.total) == pytest.approx(0.7, rel=1e-9)
    assert np.abs(loadings.sum(axis=1)).max() < 1e-12


def test_a_lead_of_the_last_cohort_that_nothing_is_compared_with_is_left_out() -> None:
    drawn = draw_panel({2012: 5, 2014: 4, 2016: 6})
    found = difference_before(gather_patterns(drawn.outcome, drawn.cohort), drawn.years)
    assert found is not None
    assert {(cell.cohort, cell.year) for cell in found.cells} == {(2012, 2011), (2014, 2013)}


def test_schools_and_cohorts_that_cannot_be_imputed_are_named() -> None:
    drawn = draw_panel({0: 5, 2010: 2, 2014: 4})
    drawn.outcome[-1, :4] = np.nan
    found = impute_untreated(gather_patterns(drawn.outcome, drawn.cohort), drawn.years)
    assert set(found.cohort) == {2014}
    assert set(found.size) == {3}
    assert found.notes == (
        "cohort 2010 has no year before treatment and is left out",
        "1 school of cohort 2014 not seen before treatment: what their outcomes would have been "
        "cannot be imputed",
    )


def test_years_that_no_chain_of_untreated_schools_links_are_left_out() -> None:
    drawn = draw_panel({0: 2, 2014: 3})
    drawn.outcome[:2, 4:] = np.nan  # the two schools never treated are seen until 2013
    late = draw_panel({0: 2}, seed=5)
    late.outcome[:, :4] = np.nan  # and two others from 2014 on
    outcome = np.vstack([drawn.outcome, late.outcome])
    cohort = np.append(drawn.cohort, late.cohort)
    with pytest.raises(ValueError, match="12 cells cannot be imputed, since no chain"):
        impute_untreated(gather_patterns(outcome, cohort), drawn.years)
