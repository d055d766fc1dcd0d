"""Bounds of an effect: identities, ties, directions, clusters, and coverage by simulation."""

from __future__ import annotations

from math import inf, isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.missing_outcomes.horowitz_manski_bounds import bound_by_horowitz_manski
from schooltrial.models.missing_outcomes.imbens_manski import (
    cluster_sums,
    critical_value,
    identified_set,
)
from schooltrial.models.missing_outcomes.lee_bounds import bound_by_lee
from schooltrial.models.missing_outcomes.trimmed_mean import trim_bottom, trim_top

SETTINGS = settings(deadline=None, max_examples=25, derandomize=True)
NAN = float("nan")


def _trial(seed: int, schools: int = 30, pupils: int = 20) -> dict[str, Any]:
    """Return a trial by schools whose programme keeps pupils, most of them weak."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), pupils)
    d = (school % 2).astype(float)
    y = 0.4 * rng.normal(size=schools)[school] + rng.normal(size=len(school))
    kept = rng.random(len(school)) < np.where(d == 1, 0.9, np.where(y < 0, 0.65, 0.85))
    return {"y": np.where(kept, y, NAN), "d": d, "school": school, "rng": rng, "full": y}


def test_the_interval_of_a_point_is_the_usual_one_and_of_wide_bounds_one_sided() -> None:
    assert critical_value(0.0, 1.0) == pytest.approx(stats.norm.ppf(0.975))
    assert critical_value(50.0, 1.0) == pytest.approx(stats.norm.ppf(0.95))
    assert critical_value(0.0, 1.0, df=7) == pytest.approx(stats.t.ppf(0.975, 7))
    assert critical_value(1.0, 1.0) < critical_value(0.1, 1.0)
    assert isnan(critical_value(1.0, 0.0))


def test_bounds_that_changed_places_are_refused() -> None:
    with pytest.raises(ValueError, match="above the upper one"):
        identified_set(1.0, 0.5, 0.1, 0.1)


@pytest.mark.parametrize("rule", ["fractional", "floor", "ceiling", "round", "type-2", "type-7"])
def test_a_fifth_of_ten_is_two_whatever_the_last_digit_of_a_division(rule: Any) -> None:
    y = np.arange(1.0, 11.0)
    for share in (0.2, 1 - 0.8, 1 - 8 / 10, 0.1 + 0.1, np.nextafter(0.2, 0), np.nextafter(0.2, 1)):
        assert trim_top(y, np.ones(10), share, rule).mean == pytest.approx(4.5, rel=1e-12)
        assert trim_bottom(y, np.ones(10), share, rule).mean == pytest.approx(6.5, rel=1e-12)


def test_the_value_at_the_cut_counts_in_part() -> None:
    y = np.array([1.0, 2.0, 3.0, 4.0])
    assert trim_top(y, np.ones(4), 0.375, "fractional").mean == pytest.approx((1 + 2 + 1.5) / 2.5)
    weighted = trim_top(y, np.array([1.0, 1.0, 1.0, 3.0]), 0.25, "fractional")
    assert weighted.mean == pytest.approx((1 + 2 + 3 + 1.5 * 4) / 4.5)
    assert weighted.cut == 4


def test_a_weight_of_two_is_the_same_pupil_twice() -> None:
    trial = _trial(3)
    w = np.where(np.arange(len(trial["y"])) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(w)), w.astype(int))
    ours = bound_by_lee(trial["y"], trial["d"], weights=w, cluster=trial["school"]).bounds
    theirs = bound_by_lee(
        trial["y"][twice], trial["d"][twice], cluster=trial["school"][twice]
    ).bounds
    assert ours.lower == pytest.approx(theirs.lower)
    assert ours.upper == pytest.approx(theirs.upper)
    assert ours.se_lower == pytest.approx(theirs.se_lower)


def test_ties_at_the_cut_do_not_matter_which_of_them_is_trimmed() -> None:
    y = np.array([1.0, 5.0, 5.0, 5.0, NAN, 2.0, 3.0, NAN, NAN, NAN])
    d = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    order = np.array([3, 2, 1, 0, 4, 5, 6, 7, 8, 9])
    first = bound_by_lee(y, d).bounds
    second = bound_by_lee(y[order], d[order]).bounds
    assert (first.lower, first.upper) == (second.lower, second.upper)
    assert first.lower == pytest.approx((1 + 5) / 2 - 2.5)  # 2 of 4 kept, a half at the cut twice
    assert first.upper == pytest.approx(5 - 2.5)


@given(seed=st.integers(0, 10_000))
@SETTINGS
def test_swapping_the_arms_turns_the_bounds_around(seed: int) -> None:
    trial = _trial(seed, 8, 12)
    answered = np.isfinite(trial["y"])
    # Where both arms answer alike the bound has a kink, and its error is that of one side of it.
    assume(answered[trial["d"] == 1].mean() != answered[trial["d"] == 0].mean())
    there = bound_by_lee(trial["y"], trial["d"], cluster=trial["school"]).bounds
    back = bound_by_lee(trial["y"], 1 - trial["d"], cluster=trial["school"]).bounds
    assert back.lower == pytest.approx(-there.upper)
    assert back.upper == pytest.approx(-there.lower)
    assert back.se_lower == pytest.approx(there.se_upper)
    assert bound_by_lee(trial["y"], 1 - trial["d"]).cells[0].trimmed_arm in ("control", "treated")


@given(seed=st.integers(0, 10_000), shift=st.floats(-1e3, 1e3), scale=st.floats(0.01, 100))
@SETTINGS
def test_bounds_hold_the_complete_case_difference_and_move_with_the_unit(
    seed: int, shift: float, scale: float
) -> None:
    trial = _trial(seed, 6, 15)
    y, d = trial["y"], trial["d"]
    found = bound_by_lee(y, d).bounds
    plain = np.nanmean(y[d == 1]) - np.nanmean(y[d == 0])
    assert found.lower - 1e-12 <= plain <= found.upper + 1e-12
    moved = bound_by_lee(shift + scale * y, d).bounds
    assert moved.lower == pytest.approx(scale * found.lower, rel=1e-7, abs=1e-8 * (1 + scale))
    assert moved.se_upper == pytest.approx(scale * found.se_upper, rel=1e-6)


def test_without_attrition_the_bounds_meet_in_the_difference_with_its_cr2_error() -> None:
    trial = _trial(5)
    y, d, school = trial["full"], trial["d"], trial["school"]
    fit = fit_least_squares_columns(
        y, [np.ones(len(y)), d], names=["(Intercept)", "d"], cluster=school
    )
    row = fit.estimates(["d"])[0]
    for found in (
        bound_by_lee(y, d, cluster=school).bounds,
        bound_by_horowitz_manski(y, d, (-9.0, 9.0), cluster=school),
    ):
        assert found.lower == pytest.approx(row.estimate, rel=1e-9)
        assert found.upper == pytest.approx(row.estimate, rel=1e-9)
        assert found.se_lower == pytest.approx(row.std_error, rel=1e-9)  # equal clusters
        assert found.df == pytest.approx(row.df)
        assert found.conf_low == pytest.approx(row.conf_low)


def test_the_clustered_error_is_that_of_a_bootstrap_of_schools() -> None:
    trial = _trial(11, schools=60)
    y, d, school = trial["y"], trial["d"], trial["school"]
    found = bound_by_lee(y, d, cluster=school).bounds
    rows = [np.flatnonzero(school == s) for s in range(60)]
    arms = [np.arange(0, 60, 2), np.arange(1, 60, 2)]
    draws = []
    for _ in range(400):
        chosen = np.concatenate([trial["rng"].choice(arm, 30) for arm in arms])
        sample = np.concatenate([rows[s] for s in chosen])
        again = bound_by_lee(y[sample], d[sample]).bounds
        draws.append((again.lower, again.upper))
    spread = np.std(draws, axis=0)
    # 400 draws give a standard deviation to 3.5 %; three of those.
    assert found.se_lower == pytest.approx(spread[0], rel=0.11)
    assert found.se_upper == pytest.approx(spread[1], rel=0.11)


def test_lees_bounds_hold_the_effect_on_those_always_observed_and_cover_it() -> None:
    rng = np.random.default_rng(8)
    inside = 0
    for _ in range(150):
        school = np.repeat(np.arange(40), 15)
        d = (school % 2).astype(float)
        base = 0.3 * rng.normal(size=40)[school] + rng.normal(size=len(school))
        wish = 0.6 * base + 0.8 * rng.normal(size=len(school))
        seen = wish + 0.5 * d > -0.6  # the programme keeps pupils and drives nobody away
        found = bound_by_lee(np.where(seen, base + 0.25 * d, NAN), d, cluster=school).bounds
        inside += found.conf_low <= 0.25 <= found.conf_high
    # At least .95: binomial with 150 draws, three standard errors below.
    assert inside / 150 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 150)


def test_cells_tighten_the_bounds_where_they_tell_who_is_observed() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    d, x = np.arange(n) % 2, np.arange(n) // 2 % 2
    y = 2.0 * x + rng.normal(size=n)
    seen = rng.random(n) < np.where((x == 1) & (d == 0), 0.5, 0.95)
    y = np.where(seen, y, NAN)
    plain, tight = bound_by_lee(y, d).bounds, bound_by_lee(y, d, cells=x).bounds
    assert plain.lower < tight.lower < 0 < tight.upper < plain.upper


def test_each_cell_may_have_its_own_direction() -> None:
    rng = np.random.default_rng(4)
    n = 6000
    d, x = np.arange(n) % 2, rng.integers(0, 2, n)
    more = np.where(x == 1, d == 1, d == 0)
    y = np.where(rng.random(n) < np.where(more, 0.95, 0.7), rng.normal(size=n), NAN)
    found = bound_by_lee(y, d, cells=x)
    assert [cell.trimmed_arm for cell in found.cells] == ["control", "treated"]
    assert found.bounds.lower < 0 < found.bounds.upper
    assert bound_by_lee(y, d).bounds.upper < 0.15 < found.bounds.upper  # pooled, they cancel


def test_cells_of_unequal_shares_treated_do_not_bias_the_average() -> None:
    rng = np.random.default_rng(6)
    n = 40_000
    x = rng.integers(0, 2, n)
    d = (rng.random(n) < np.where(x == 1, 0.8, 0.3)).astype(float)
    y = np.where(rng.random(n) < 0.8, 3.0 * x + (1 + x) * d + 0.1 * rng.normal(size=n), NAN)
    found = bound_by_lee(y, d, cells=x).bounds
    assert (found.lower + found.upper) / 2 == pytest.approx(1.5, abs=0.03)
    w = np.where(x == 1, np.where(d == 1, 1 / 0.8, 1 / 0.2), np.where(d == 1, 1 / 0.3, 1 / 0.7))
    weighted = bound_by_lee(y, d, weights=w).bounds
    assert (weighted.lower + weighted.upper) / 2 == pytest.approx(1.5, abs=0.06)


def test_a_cell_without_observed_pupils_in_an_arm_does_not_count() -> None:
    y = np.array([1.0, 2, NAN, NAN, 1, 2, 3, 4])
    d = np.array([1, 1, 0, 0, 1, 1, 0, 0])
    cells = np.array(["a"] * 4 + ["b"] * 4)
    found = bound_by_lee(y, d, cells=cells)
    assert found.empty == ("a",)
    assert found.bounds.lower == pytest.approx(1.5 - 3.5)
    assert [cell.weight for cell in found.cells] == [1.0]


def test_worst_case_bounds_are_as_wide_as_the_shares_missing() -> None:
    trial = _trial(1)
    y, d = trial["y"], trial["d"]
    found = bound_by_horowitz_manski(y, d, (-6.0, 6.0))
    missing = sum(np.isnan(y[d == arm]).mean() for arm in (0, 1))
    assert found.upper - found.lower == pytest.approx(12 * missing)
    assert found.lower <= bound_by_lee(y, d).bounds.lower
    assert found.upper >= bound_by_lee(y, d).bounds.upper


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: bound_by_lee([1.0, 2.0], [1, 1]), "both groups are needed"),
        (lambda: bound_by_lee([1.0, NAN], [1, 0]), "in no cell were both groups observed"),
        (
            lambda: bound_by_lee([1.0, 2, 3], [1, 0, 1], cells=["a", "a", "b"]),
            "both groups are needed in cell 'b'",
        ),
        (
            lambda: bound_by_lee([1.0, 2.0], [1, 0], weights=[1, 2], trimming="floor"),
            "with weights take 'fractional'",
        ),
        (lambda: bound_by_horowitz_manski([1.0, 9.0], [1, 0], (0, 5)), "9.0 for somebody"),
        (lambda: bound_by_horowitz_manski([1.0, 2.0], [1, 0], (5, 0)), "range must rise"),
        (lambda: bound_by_horowitz_manski([1.0, 2.0], [1, 1], (0, 5)), "both groups are needed"),
        (lambda: cluster_sums([1, 2, 2], np.array([1.0, 0.0, 0.0])), "two clusters in each group"),
    ],
)
def test_what_cannot_be_bounded_is_refused_in_words(call: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


def test_clusters_that_hold_both_arms_have_one_factor_for_all() -> None:
    sums = cluster_sums([1, 1, 2, 2, 3, 3], np.array([1.0, 0, 1, 0, 1, 0]))
    assert sums.df == 2
    assert np.allclose(sums.factor, 1.5)
    assert cluster_sums(None, np.zeros(3)).df == inf
