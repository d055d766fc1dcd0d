"""Claims about the interaction-weighted estimator."""

import numpy as np
import pytest

from schooltrial.models.cohort_regressions.school_patterns import gather_patterns
from schooltrial.models.cohort_regressions.sun_abraham import estimate_interaction_weighted
from support.staggered_panels import dense_effects, draw_panel

SIZES = {0: 9, 2012: 5, 2014: 4, 2015: 1}


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_coefficients_are_those_of_the_regression_with_every_cohort_and_year(gaps: float) -> None:
    drawn = draw_panel(SIZES, gaps=gaps)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = estimate_interaction_weighted(patterns, drawn.years)
    columns = [
        ((drawn.cohort == g)[:, None] & (drawn.years == t)).astype(float)
        for g, t in zip(found.cohort, found.year, strict=True)
    ]
    assert found.points(patterns) == pytest.approx(dense_effects(drawn.outcome, columns), rel=1e-9)


def test_the_loadings_of_a_school_add_up_to_zero_and_are_zero_where_it_is_not_seen() -> None:
    drawn = draw_panel(SIZES, gaps=0.2)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    loadings = estimate_interaction_weighted(patterns, drawn.years).loadings
    assert np.abs(loadings.sum(axis=1)).max() < 1e-12
    assert np.abs(loadings[~patterns.seen]).max() == 0


def test_a_change_of_one_outcome_moves_an_effect_by_its_loading() -> None:
    drawn = draw_panel(SIZES, gaps=0.1)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    before = estimate_interaction_weighted(patterns, drawn.years)
    school, year = 11, int(np.flatnonzero(np.isfinite(drawn.outcome[11]))[2])
    moved = drawn.outcome.copy()
    moved[school, year] += 7.0
    after = gather_patterns(moved, drawn.cohort)
    change = estimate_interaction_weighted(after, drawn.years).points(after)
    change -= before.points(patterns)
    expected = 7.0 * before.loadings[patterns.of_school[school], year]
    assert change == pytest.approx(expected, abs=1e-9)


def test_where_none_is_never_treated_the_last_cohort_is_compared_with_before_it_begins() -> None:
    drawn = draw_panel({2012: 5, 2014: 4, 2016: 6})
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = estimate_interaction_weighted(patterns, drawn.years)
    assert set(found.cohort) == {2012, 2014}
    assert found.year.max() == 2015
    early = drawn.years < 2016
    columns = [
        ((drawn.cohort == g)[:, None] & (drawn.years[early] == t)).astype(float)
        for g, t in zip(found.cohort, found.year, strict=True)
    ]
    expected = dense_effects(drawn.outcome[:, early], columns)
    assert found.points(patterns) == pytest.approx(expected, rel=1e-9)
    assert "compared with cohort 2016, the last to begin" in found.notes[0]


def test_anticipation_moves_the_base_year_back() -> None:
    drawn = draw_panel(SIZES)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = estimate_interaction_weighted(patterns, drawn.years, anticipation=1)
    assert {cell.cohort: cell.base for cell in found.cells} == {2012: 2010, 2014: 2012, 2015: 2013}


def test_the_base_of_a_cohort_is_the_last_year_with_a_test_before_it() -> None:
    drawn = draw_panel(SIZES, [2010, 2011, 2012, 2013, 2015, 2016])
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = estimate_interaction_weighted(patterns, drawn.years)
    assert {cell.base for cell in found.cells if cell.cohort == 2015} == {2013}


@pytest.mark.parametrize(
    ("cohort", "told"),
    [
        (2010, "cohort 2010 has no year before treatment"),
        (2030, "cohort 2030 begins after 2017"),
    ],
)
def test_a_cohort_that_informs_nothing_is_left_out_by_name(cohort: int, told: str) -> None:
    drawn = draw_panel({0: 5, 2014: 4, cohort: 3})
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = estimate_interaction_weighted(patterns, drawn.years)
    assert set(found.cohort) == {2014}
    assert found.notes[0].startswith(told)


def test_a_cohort_never_seen_in_its_base_year_is_left_out_by_name() -> None:
    drawn = draw_panel({0: 5, 2012: 3, 2014: 4})
    drawn.outcome[drawn.cohort == 2014, 3] = np.nan  # 2013
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found = estimate_interaction_weighted(patterns, drawn.years)
    assert set(found.cohort) == {2012}
    assert found.notes == (
        "cohort 2014 has no school that can be compared between 2013 and later years, and is left "
        "out",
    )


def test_a_panel_in_which_no_cohort_informs_an_effect_is_refused() -> None:
    drawn = draw_panel({0: 5, 2010: 4})
    with pytest.raises(ValueError, match="cohort 2010 has no year before treatment"):
        estimate_interaction_weighted(gather_patterns(drawn.outcome, drawn.cohort), drawn.years)
