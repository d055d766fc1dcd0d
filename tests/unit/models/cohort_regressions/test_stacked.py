"""Claims about the stacked event study."""

import numpy as np
import pytest

from schooltrial.models.cohort_regressions.school_patterns import gather_patterns
from schooltrial.models.cohort_regressions.stacked import estimate_stacks
from support.staggered_panels import Drawn, dense_effects, draw_panel

SIZES = {0: 9, 2012: 5, 2014: 4, 2015: 2}


def _stacked_regression(
    drawn: Drawn, window: tuple[int, int], *, not_yet: bool, weighted: bool = True
) -> np.ndarray:
    """Stack the cohorts and regress with the weights of Wing, Freedman and Hollingsworth."""
    start, end = window
    cohorts = [g for g in np.unique(drawn.cohort) if g]
    treated_all = sum((drawn.cohort == g).sum() for g in cohorts)
    clean = {
        g: (drawn.cohort == 0) | (not_yet & (drawn.cohort > g + end)) for g in cohorts
    }  # fmt: skip
    controls_all = sum(clean[g].sum() for g in cohorts)
    events = list(range(start, end + 1))
    outcome, treated, weights, stack = [], [], [], []
    for number, g in enumerate(cohorts):
        rows = (drawn.cohort == g) | clean[g]
        own = drawn.cohort[rows] == g
        share = own.sum() / treated_all / (clean[g].sum() / controls_all)
        inside = np.isin(drawn.years - g, events)
        outcome.append(drawn.outcome[rows][:, inside])
        treated.append(own)
        weights.append(np.where(own | (not weighted), 1.0, share))
        stack += [number] * rows.sum()
    wide = np.full((len(stack), len(cohorts) * len(events)), np.nan)  # a column: stack × year
    at = np.array(stack)
    for number in range(len(cohorts)):
        wide[at == number, number * len(events) : (number + 1) * len(events)] = outcome[number]
    own = np.concatenate(treated)[:, None]
    event = np.tile(events, len(cohorts))
    columns = [(own & (event == e)).astype(float) for e in events if e != -1]
    weight = np.broadcast_to(np.concatenate(weights)[:, None], wide.shape)
    return dense_effects(wide, columns, weight)


@pytest.mark.parametrize("not_yet", [False, True], ids=["never treated", "not yet treated"])
def test_averages_by_cohort_shares_are_the_weighted_stacked_regression(not_yet: bool) -> None:
    drawn = draw_panel(SIZES)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found, window = estimate_stacks(patterns, drawn.years, not_yet=not_yet)
    assert window == (-2, 2)
    points, since = found.points(patterns), found.year - found.cohort
    ours = [np.average(points[since == e], weights=found.size[since == e]) for e in (-2, 0, 1, 2)]
    assert ours == pytest.approx(_stacked_regression(drawn, window, not_yet=not_yet), rel=1e-9)


def test_without_the_weights_stacks_count_by_the_precision_of_their_comparisons() -> None:
    drawn = draw_panel({0: 3, 2012: 12, 2014: 2, 2015: 2})
    weighted = _stacked_regression(drawn, (-2, 2), not_yet=True)
    plain = _stacked_regression(drawn, (-2, 2), not_yet=True, weighted=False)
    assert np.abs(weighted - plain).max() > 0.1


@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_a_stack_is_the_event_study_of_its_cohort_and_clean_comparisons(gaps: float) -> None:
    drawn = draw_panel(SIZES, gaps=gaps)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found, _ = estimate_stacks(patterns, drawn.years, not_yet=True, window=(-2, 0))
    rows = np.isin(drawn.cohort, [0, 2012, 2014, 2015])
    for g in (2012, 2014):
        rows = (drawn.cohort == g) | (drawn.cohort == 0) | (drawn.cohort > g)
        inside = np.isin(drawn.years - g, [-2, -1, 0])
        own = (drawn.cohort[rows] == g)[:, None]
        columns = [(own & (drawn.years[inside] == g + e)).astype(float) for e in (-2, 0)]
        expected = dense_effects(drawn.outcome[rows][:, inside], columns)
        assert found.points(patterns)[found.cohort == g] == pytest.approx(expected, rel=1e-9)


def test_the_loadings_of_a_school_add_up_to_zero() -> None:
    drawn = draw_panel(SIZES, gaps=0.15)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found, _ = estimate_stacks(patterns, drawn.years, not_yet=True)
    assert np.abs(found.loadings.sum(axis=1)).max() < 1e-12


def test_a_cohort_without_all_years_of_the_window_is_left_out_by_name() -> None:
    drawn = draw_panel({0: 5, 2012: 3, 2014: 4, 2016: 4})
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found, window = estimate_stacks(patterns, drawn.years, window=(-2, 3))
    assert window == (-2, 3)
    assert set(found.cohort) == {2012, 2014}
    assert found.notes == ("cohort 2016 lacks years of the window -2 to +3 and is left out",)


def test_the_last_cohort_has_no_clean_comparison_where_all_are_treated() -> None:
    drawn = draw_panel({2012: 3, 2014: 4, 2016: 4})
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    found, _ = estimate_stacks(patterns, drawn.years, not_yet=True, window=(-2, 1))
    assert set(found.cohort) == {2012, 2014}
    assert found.notes[0].startswith("cohort 2016 has no school that is untreated in all years")


def test_a_window_without_a_year_before_is_refused() -> None:
    drawn = draw_panel(SIZES)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    with pytest.raises(ValueError, match="begin it at -1 or earlier"):
        estimate_stacks(patterns, drawn.years, window=(0, 2))


def test_a_window_that_no_cohort_has_is_refused_with_what_each_lacks() -> None:
    drawn = draw_panel(SIZES)
    patterns = gather_patterns(drawn.outcome, drawn.cohort)
    with pytest.raises(ValueError, match=r"cohort 2012 lacks years of the window -3 to \+5"):
        estimate_stacks(patterns, drawn.years, window=(-3, 5))
