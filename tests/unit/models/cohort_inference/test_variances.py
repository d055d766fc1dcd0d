"""Claims about variances of averages over cohorts, their df and their joint test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schooltrial.models.cohort_inference.bands import bonferroni_half_widths
from schooltrial.models.cohort_inference.hotelling import joint_test, rows_covariance
from schooltrial.models.cohort_inference.own_time import moved_to
from schooltrial.models.cohort_inference.variances import cohort_variances, row_variances
from schooltrial.models.group_time.averages import pretrend_terms
from schooltrial.models.group_time.loadings import Effects
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

YEARS = np.arange(2010, 2020)


def roll_out(never: int, *sizes: int, seed: int = 1, **options: Any) -> StaggeredFit:
    """Return the fit of a balanced panel without effects, cohorts beginning in 2016, 2017 …"""
    random = np.random.default_rng(seed)
    first = np.repeat([np.nan, *(2016 + np.arange(len(sizes)))], [never, *sizes])
    n = len(first)
    outcome = random.normal(size=(n, 1)) + random.normal(size=(n, len(YEARS)))
    return fit_staggered_adoption(
        outcome.ravel(), school=np.repeat(np.arange(n), len(YEARS)), year=np.tile(YEARS, n),
        cohort=np.repeat(first, len(YEARS)), draws=0, **options,
    )  # fmt: skip


def by_school(fit: StaggeredFit) -> Effects:
    """Return the same linear forms, school by school."""
    group, n = fit.panel.group, fit.panel.sizes.astype(float)
    loadings = fit.found.effects.loadings[group] / n[group, None, None]
    centred = fit.panel.outcome - np.stack([
        fit.panel.outcome[group == h].mean(0) for h in range(len(n))
    ])[group]  # fmt: skip
    psi = np.einsum("it,itr->ir", centred, loadings) * np.sqrt(n / (n - 1))[group][:, None]
    return Effects(fit.coefficients, loadings, psi)


def test_the_degrees_of_freedom_of_one_cohort_are_those_of_welch_without_estimates() -> None:
    fit = roll_out(128, 7)
    expected = (1 / 7 + 1 / 128) ** 2 / (1 / (7**2 * 6) + 1 / (128**2 * 127))
    assert expected == pytest.approx(6.673, abs=5e-4)
    assert fit.judged.own.df == pytest.approx(np.full(len(fit.names), expected))


def test_the_joint_test_of_q_years_of_one_cohort_loses_q_minus_1_of_them() -> None:
    fit = roll_out(128, 7)
    rows = [fit.position(term) for term in pretrend_terms(fit.averages)][-5:]
    assert len(rows) == 5
    assert joint_test(fit.found, rows, "own").df == pytest.approx(2.673, abs=5e-4)
    assert np.isnan(joint_test(fit.found, rows, "own").statistic)
    few = joint_test(fit.found, rows[:1], "own")
    t = fit.coefficients[rows[0]] / fit.judged.own.std_error[rows[0]]
    assert few.statistic == pytest.approx(t**2)
    assert few.df == pytest.approx(fit.judged.own.df[rows[0]])


@pytest.mark.parametrize("sizes", [(4, 3), (12, 15), (1, 6)])
def test_schools_one_by_one_give_the_variances_of_their_groups(sizes: tuple[int, ...]) -> None:
    fit = roll_out(40, *sizes)
    single = cohort_variances(fit.panel, by_school(fit)) if min(sizes) > 1 else None
    for rule in ("own", "two_regimes"):
        grouped = row_variances(fit.found, rule)
        if single is None:
            assert np.isfinite(grouped.std_error).any() == (rule == "two_regimes") or rule == "own"
            continue
        apart = row_variances(single, rule)
        assert apart.std_error == pytest.approx(grouped.std_error, rel=1e-10)
        assert apart.df == pytest.approx(grouped.df, rel=1e-10)
        rows = [fit.position(term) for term in pretrend_terms(fit.averages)][:3]
        assert rows_covariance(single, rows, rule) == pytest.approx(
            rows_covariance(fit.found, rows, rule), rel=1e-10
        )
        one, other = joint_test(single, rows, rule), joint_test(fit.found, rows, rule)
        assert one.df == pytest.approx(other.df, rel=1e-8)
        assert one.statistic == pytest.approx(other.statistic, rel=1e-8, nan_ok=True)


def test_variances_do_not_depend_on_the_origin_nor_on_lasting_differences_of_schools() -> None:
    fit = roll_out(20, 5, 4)
    shifted = fit.panel.outcome + 1e3 + np.random.default_rng(2).normal(0, 50, (29, 1))
    moved = fit_staggered_adoption(
        shifted.ravel(), school=np.repeat(np.arange(29), 10), year=np.tile(YEARS, 29),
        cohort=np.repeat(np.where(fit.panel.cohort == 0, np.nan, fit.panel.cohort), 10), draws=0,
    )  # fmt: skip
    assert moved.judged.std_error == pytest.approx(fit.judged.std_error, rel=1e-8)
    assert moved.coefficients == pytest.approx(fit.coefficients, rel=1e-6, abs=1e-9)


def test_cohorts_of_ten_schools_have_variances_of_their_own_and_smaller_ones_share() -> None:
    assert set(roll_out(30, 10, 12).judged.rules) == {"own"}
    mixed = roll_out(30, 9, 12)
    rule = dict(zip(mixed.names, mixed.judged.rules, strict=True))
    assert rule["treated[cohort=2016]"] == rule["treated"] == "two_regimes"
    assert rule["treated[cohort=2017]"] == "own"


def test_no_degrees_of_freedom_are_infinite_and_none_exceed_the_schools() -> None:
    for sizes in ((4, 3), (17, 12), (1, 4)):
        fit = roll_out(60, *sizes)
        assert np.isfinite(fit.judged.df).all()
        assert (fit.judged.df < 60 + sum(sizes)).all()


def test_a_change_over_many_years_is_never_judged_by_one_over_few() -> None:
    """A cohort that begins late has few years since: a long change is one over as many years."""
    loadings = np.zeros((1, 10, 3))
    loadings[0, [9, 1], 0] = 1.0, -1.0  # seven years on, beside the last one before
    loadings[0, [2, 1], 1] = 1.0, -1.0  # the first year
    loadings[0, [9, 2, 1], 2] = 0.5, 0.5, -1.0
    moved = moved_to(loadings, 2, 8)[0]
    assert moved[[9, 1], 0].tolist() == [1.0, -1.0]
    assert moved[[8, 7], 1].tolist() == [1.0, -1.0]
    assert moved[:, 2] == pytest.approx((moved[:, 0] + moved[:, 1]) / 2)
    assert np.abs(moved).sum(axis=0) == pytest.approx([2.0, 2.0, 2.0])


def test_later_years_less_earlier_ones_keep_the_sum_of_their_weights() -> None:
    loadings = np.zeros((1, 10, 1))
    loadings[0, [6, 2], 0] = 1.0, -1.0  # four years on, less the first year
    moved = moved_to(loadings, 2, 8)[0, :, 0]
    assert moved.sum() == pytest.approx(0.0)
    assert moved[[9, 8]].tolist() == [1.0, -1.0]


def test_a_band_over_k_rows_is_the_interval_at_one_minus_alpha_over_k() -> None:
    fit = roll_out(30, 12, 11)
    rows = fit.since
    at = [fit.position(row.term) for row in rows]
    width = bonferroni_half_widths(fit.judged.std_error[at], fit.judged.df[at], 0.95)
    narrow = fit.estimates([row.term for row in rows], level=1 - 0.05 / len(rows))
    assert width == pytest.approx([(row.conf_high - row.conf_low) / 2 for row in narrow])


@pytest.mark.slow
def test_true_nulls_are_rejected_about_as_often_as_the_level_says_with_four_and_three_schools() -> (
    None
):
    rejected = {"treated": 0, "treated[cohort=2017]": 0, "joint": 0}
    draws = 300
    for seed in range(draws):
        fit = roll_out(128, 4, 3, seed=seed)
        for term in ("treated", "treated[cohort=2017]"):
            rejected[term] += fit.estimates(term)[0].p_value < 0.05
        assert fit.pretrend is not None
        rejected["joint"] += fit.pretrend.p_value < 0.05
    assert 0.02 * draws <= rejected["treated"] <= 0.09 * draws
    assert 0.02 * draws <= rejected["treated[cohort=2017]"] <= 0.09 * draws
    assert rejected["joint"] <= 0.10 * draws
