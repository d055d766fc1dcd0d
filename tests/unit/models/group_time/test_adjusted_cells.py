"""Claims about cells that are adjusted for covariates or weighted."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from schooltrial.models.adjusted_changes.two_groups import Adjustment
from schooltrial.models.group_time.adjusted_cells import (
    SchoolCovariates,
    adjust_cells,
)
from schooltrial.models.group_time.cells import plan_cells
from schooltrial.models.group_time.loadings import effects_of_cells
from schooltrial.models.group_time.panel import SchoolPanel

YEARS = np.arange(2014, 2020)


def a_panel(
    sizes: tuple[int, ...] = (40, 12, 10), seed: int = 6, effect: float = 0.5, p: int = 1
) -> tuple[SchoolPanel, SchoolCovariates]:
    """Return schools whose trend depends on a covariate that treated schools have more of."""
    rng = np.random.default_rng(seed)
    cohort = np.repeat([0, 2016, 2018][: len(sizes)], sizes)
    n = len(cohort)
    x = rng.normal(size=(n, p)) + 0.4 * (cohort > 0)[:, None]
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    y = rng.normal(size=(n, 1)) + 0.3 * x.sum(axis=1)[:, None] * (YEARS - 2014)
    y = y + rng.normal(size=len(YEARS)) + effect * treated + rng.normal(size=(n, len(YEARS)))
    panel = SchoolPanel(y, YEARS, cohort, np.array([f"S{i}" for i in range(n)]))
    values = np.repeat(x[:, None, :], len(YEARS), axis=1)
    return panel, SchoolCovariates(values, tuple(f"x{i + 1}" for i in range(p)))


@pytest.mark.parametrize("adjustment", get_args(Adjustment))
@pytest.mark.parametrize("group", ["never_treated", "not_yet_treated"])
def test_without_covariates_every_adjustment_is_the_plain_comparison(
    adjustment: Adjustment, group: str
) -> None:
    panel, _ = a_panel()
    cells = plan_cells(panel, group)  # type: ignore[arg-type]
    found = adjust_cells(panel, cells, adjustment=adjustment)
    plain = effects_of_cells(panel, cells, np.eye(len(cells)))
    np.testing.assert_allclose(found.points, plain.points, atol=1e-12)


@pytest.mark.parametrize("adjustment", get_args(Adjustment))
def test_a_trend_by_a_covariate_is_taken_out(adjustment: Adjustment) -> None:
    panel, covariates = a_panel(sizes=(400, 120, 100))
    cells = plan_cells(panel)
    late = np.array([cell.since >= 0 for cell in cells])
    adjusted = adjust_cells(panel, cells, covariates=covariates, adjustment=adjustment).points
    plain = adjust_cells(panel, cells).points
    assert abs(adjusted[late].mean() - 0.5) < 0.1
    assert plain[late].mean() > 0.65


def test_a_covariate_that_changes_with_the_years_is_taken_in_the_base_year() -> None:
    panel, covariates = a_panel()
    cells = plan_cells(panel)
    later = covariates.values.copy()
    later[:, YEARS >= 2017] += np.random.default_rng(1).normal(size=(62, 3, 1))
    changed = adjust_cells(panel, cells, covariates=SchoolCovariates(later))
    found = adjust_cells(panel, cells, covariates=covariates)
    early = [cell.base < 2017 for cell in cells]
    assert not all(early)
    np.testing.assert_array_equal(changed.points[early], found.points[early])
    assert (changed.points[np.logical_not(early)] != found.points[np.logical_not(early)]).all()


def test_a_school_that_lacks_a_covariate_in_the_base_year_is_not_in_the_cell() -> None:
    panel, covariates = a_panel()
    values = covariates.values.copy()
    values[:3, YEARS == 2015] = np.nan
    cells = plan_cells(panel)
    found = adjust_cells(panel, cells, covariates=SchoolCovariates(values))
    without = [cell.base == 2015 for cell in cells]
    assert (found.loadings[:3][:, without] == 0).all()
    assert (found.loadings[:3][:, np.logical_not(without)] != 0).all()


def test_schools_that_lack_years_are_in_the_cells_whose_years_they_have() -> None:
    panel, covariates = a_panel()
    outcome = panel.outcome.copy()
    outcome[[0, 41], 3] = np.nan
    gappy = replace(panel, outcome=outcome)
    cells = plan_cells(gappy)
    found = adjust_cells(gappy, cells, covariates=covariates)
    for k, cell in enumerate(cells):
        rests = found.loadings[:, k] != 0
        assert rests[0] == (2017 not in (cell.year, cell.base))
        own, base = (np.searchsorted(YEARS, year) for year in (cell.year, cell.base))
        change = np.nan_to_num(outcome[:, own] - outcome[:, base])
        assert found.points[k] == pytest.approx(found.loadings[:, k] @ change)


def test_contributions_are_scaled_for_what_was_estimated() -> None:
    panel, covariates = a_panel()
    cells = plan_cells(panel)
    found = adjust_cells(panel, cells, covariates=covariates)
    own = panel.cohort == 2018
    k = next(i for i, cell in enumerate(cells) if cell.cohort == 2018)
    np.testing.assert_allclose(found.scaled[own, k] ** 2, found.contributions[own, k] ** 2 * 10 / 9)
    # A regression on a constant and one covariate takes two of the 40 schools' freedoms.
    assert found.leverage[panel.cohort == 0, k].sum() == pytest.approx(2)


def test_a_cohort_of_one_school_has_no_contribution() -> None:
    panel, covariates = a_panel(sizes=(40, 12, 1))
    cells = plan_cells(panel)
    found = adjust_cells(panel, cells, covariates=covariates)
    alone = np.array([cell.cohort == 2018 for cell in cells])
    assert np.isnan(found.scaled[-1, alone]).all()
    assert np.isfinite(found.scaled[:, ~alone]).all()
    assert np.isfinite(found.points).all()


def test_a_score_on_too_few_treated_schools_is_refused_and_a_regression_recommended() -> None:
    panel, covariates = a_panel(sizes=(40, 12, 9), p=2)
    cells = plan_cells(panel)
    for adjustment in ("doubly_robust", "inverse_probability"):
        with pytest.raises(
            ValueError,
            match=r"cohort 2018, .*9 treated schools are too few for a propensity score on 2 "
            r"covariates \(it needs 5 for each\). Take `adjustment: regression`",
        ):
            adjust_cells(panel, cells, covariates=covariates, adjustment=adjustment)
    assert np.isfinite(adjust_cells(panel, cells, covariates=covariates).points).all()


def test_a_message_names_the_cohort_and_the_years() -> None:
    panel, _ = a_panel()
    flat = SchoolCovariates(np.where(panel.cohort == 0, 0.0, 1.0)[:, None, None]
                            * np.ones((62, 6, 1)), ("charter",))  # fmt: skip
    with pytest.raises(ValueError, match=r"cohort 2016, 2015 compared with 2014: 'charter' is con"):
        adjust_cells(panel, plan_cells(panel), covariates=flat)


def test_a_covariate_that_is_the_same_in_all_schools_adjusts_nothing_and_is_named() -> None:
    panel, covariates = a_panel()
    flat = np.concatenate([covariates.values, np.full((62, 6, 1), 3.0)], axis=2)
    found = adjust_cells(panel, plan_cells(panel), covariates=SchoolCovariates(flat, ("x", "c")))
    plain = adjust_cells(panel, plan_cells(panel), covariates=covariates)
    np.testing.assert_array_equal(found.points, plain.points)
    assert found.idle == ((2016, "c"), (2018, "c"))
    assert plain.idle == ()


def test_an_indicator_of_missing_that_no_school_compared_with_has_is_left_out() -> None:
    panel, covariates = a_panel()
    flag = np.zeros((62, 6, 1))
    flag[-1] = 1.0
    both = SchoolCovariates(np.concatenate([covariates.values, flag], axis=2), ("x", "x=missing"))
    found = adjust_cells(panel, plan_cells(panel), covariates=both)
    plain = adjust_cells(panel, plan_cells(panel), covariates=covariates)
    np.testing.assert_array_equal(found.points, plain.points)
    assert set(found.idle) == {(2016, "x=missing"), (2018, "x=missing")}
