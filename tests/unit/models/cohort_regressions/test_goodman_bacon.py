"""Claims about what the two-way effect of a staggered programme averages."""

import numpy as np
import pytest

from schooltrial.models.cohort_regressions.goodman_bacon import (
    ALREADY,
    ALWAYS,
    NEVER,
    NOT_YET,
    decompose_two_way_effect,
)

YEARS = np.array([2010, 2011, 2012, 2014, 2015, 2016])  # no test in 2013


def _two_way(outcome: np.ndarray, begun: np.ndarray) -> float:
    """Return the two-way effect, by centring twice."""
    centred = begun - begun.mean(axis=1, keepdims=True) - begun.mean(axis=0) + begun.mean()
    return float((centred * outcome).sum() / (centred * begun).sum())


def _panel(sizes: dict[int, int], seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cohort = np.repeat(list(sizes), list(sizes.values()))
    outcome = rng.normal(0, 1, (len(cohort), len(YEARS)))
    begun = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    outcome += begun * (1 + YEARS - np.where(cohort > 0, cohort, 2016)[:, None])
    return outcome, cohort, begun.astype(float)


@pytest.mark.parametrize(
    "sizes",
    [
        {0: 9, 2012: 4, 2015: 5},
        {2011: 3, 2013: 2, 2016: 6},
        {0: 7, 2010: 4, 2014: 3},
        {0: 5, 2012: 1, 2014: 1, 2020: 3},
    ],
    ids=["with never treated", "all treated", "always treated", "one that begins after the end"],
)
def test_comparisons_add_up_to_the_two_way_effect(sizes: dict[int, int]) -> None:
    outcome, cohort, begun = _panel(sizes)
    found = decompose_two_way_effect(outcome, YEARS, cohort)
    assert found.estimate == pytest.approx(_two_way(outcome, begun), rel=1e-12)
    assert sum(one.weight for one in found.comparisons) == pytest.approx(1, rel=1e-12)


def test_one_cohort_is_compared_with_schools_never_treated_only() -> None:
    outcome, cohort, _ = _panel({0: 6, 2012: 4})
    (only,) = decompose_two_way_effect(outcome, YEARS, cohort).comparisons
    assert (only.kind, only.treated_cohort, only.compared_cohort) == (NEVER, 2012, 0)
    assert only.weight == 1


def test_what_a_cohort_is_compared_with_is_named() -> None:
    outcome, cohort, _ = _panel({0: 7, 2010: 4, 2012: 3, 2015: 3})
    found = decompose_two_way_effect(outcome, YEARS, cohort)
    kinds = {(one.treated_cohort, one.compared_cohort): one.kind for one in found.comparisons}
    assert kinds == {
        (2012, 0): NEVER, (2015, 0): NEVER, (2012, 2015): NOT_YET, (2015, 2012): ALREADY,
        (2012, 2010): ALWAYS, (2015, 2010): ALWAYS,
    }  # fmt: skip
    forbidden = sum(one.weight for one in found.comparisons if one.kind in (ALREADY, ALWAYS))
    assert found.forbidden == pytest.approx(forbidden)
    assert 0.2 < forbidden < 0.8


def test_growing_effects_are_subtracted_where_schools_already_treated_are_compared_with() -> None:
    begun = {2012: 2, 2014: 2}
    cohort = np.repeat([0, *begun], 2)
    since = YEARS - np.where(cohort > 0, cohort, 3000)[:, None]
    outcome = np.where(since >= 0, 1.0 + since, 0.0)
    found = decompose_two_way_effect(outcome, YEARS, cohort)
    (already,) = [one for one in found.comparisons if one.kind == ALREADY]
    assert already.estimate < 0 < min(o.estimate for o in found.comparisons if o.kind != ALREADY)


def test_schools_that_lack_a_year_are_left_out_and_counted() -> None:
    outcome, cohort, begun = _panel({0: 9, 2012: 4, 2015: 5})
    outcome[[0, 10], [2, 3]] = np.nan
    found = decompose_two_way_effect(outcome, YEARS, cohort)
    whole = np.isfinite(outcome).all(axis=1)
    assert (found.n_schools, found.left_out) == (16, 2)
    assert found.estimate == pytest.approx(_two_way(outcome[whole], begun[whole]), rel=1e-12)


def test_a_panel_without_two_cohorts_seen_in_all_years_is_refused() -> None:
    outcome, cohort, _ = _panel({0: 9, 2012: 4})
    outcome[cohort == 0, 2] = np.nan
    with pytest.raises(ValueError, match="4 of 13 schools are seen in all 6 years"):
        decompose_two_way_effect(outcome, YEARS, cohort)
