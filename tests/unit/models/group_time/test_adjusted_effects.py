"""Claims about averages of adjusted cells and their inference, by school and by district."""

from typing import get_args

import numpy as np
import pytest
from scipy import special

from schooltrial.models.adjusted_changes.two_groups import Adjustment
from schooltrial.models.cohort_inference.variances import cohort_variances, row_variances
from schooltrial.models.group_time.adjusted_cells import (
    SchoolCovariates,
    adjust_cells,
)
from schooltrial.models.group_time.adjusted_effects import (
    AdjustedPanel,
    adjusted_effects_of,
    covariate_residuals,
)
from schooltrial.models.group_time.averages import Average, plan_averages
from schooltrial.models.group_time.cells import Cell, plan_cells, treated_schools
from schooltrial.models.group_time.loadings import effects_of_cells
from schooltrial.models.group_time.panel import SchoolPanel
from unit.models.group_time.test_adjusted_cells import a_panel


def _rows(panel: SchoolPanel) -> tuple[tuple[Cell, ...], tuple[Average, ...], np.ndarray]:
    cells = plan_cells(panel)
    averages = plan_averages(cells, treated_schools(panel, cells))
    return cells, averages, np.column_stack([row.weights for row in averages])


def _adjusted(
    panel: SchoolPanel,
    covariates: SchoolCovariates | None = None,
    adjustment: Adjustment = "regression",
    clusters: np.ndarray | None = None,
) -> AdjustedPanel:
    cells, _, matrix = _rows(panel)
    found = adjust_cells(panel, cells, covariates=covariates, adjustment=adjustment, units=clusters)
    return adjusted_effects_of(
        panel, cells, found, matrix, covariates=covariates, clusters=clusters
    )


@pytest.mark.parametrize("rule", ["own", "two_regimes"])
def test_without_covariates_and_weights_errors_and_df_are_those_of_group_means(rule: str) -> None:
    panel, _ = a_panel(sizes=(40, 4, 3))
    cells, _, matrix = _rows(panel)
    plain = row_variances(cohort_variances(panel, effects_of_cells(panel, cells, matrix)), rule)  # type: ignore[arg-type]
    found = _adjusted(panel)
    ours = row_variances(cohort_variances(found.panel, found.effects), rule)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours.std_error, plain.std_error, rtol=1e-10)
    np.testing.assert_allclose(ours.df, plain.df, rtol=1e-10)


@pytest.mark.parametrize("adjustment", get_args(Adjustment))
def test_points_are_loadings_times_outcomes(adjustment: Adjustment) -> None:
    panel, covariates = a_panel()
    found = _adjusted(panel, covariates=covariates, adjustment=adjustment)
    by_hand = np.einsum("it,itr->r", panel.outcome, found.effects.loadings)
    np.testing.assert_allclose(found.effects.points, by_hand, atol=1e-12)
    np.testing.assert_allclose(found.effects.loadings.sum(axis=1), 0, atol=1e-14)


def test_degrees_of_freedom_of_a_cohort_are_those_of_its_schools() -> None:
    """Where the schools compared with are many, the schools of the cohort decide."""
    panel, covariates = a_panel(sizes=(2000, 6))
    found = _adjusted(panel, covariates=covariates)
    judged = row_variances(cohort_variances(found.panel, found.effects), "own")
    assert judged.df == pytest.approx(np.full(len(judged.df), 5.0), rel=0.02)


def test_a_covariate_that_few_comparison_schools_have_costs_degrees_of_freedom() -> None:
    """The trend of charters is that of three schools, though 40 are compared with."""
    panel, _ = a_panel(sizes=(40, 12))
    charter = np.r_[np.ones(3), np.zeros(37), np.ones(12)]
    covariates = SchoolCovariates(np.repeat(charter[:, None, None], 6, axis=1), ("charter",))
    found = _adjusted(panel, covariates=covariates)
    judged = row_variances(cohort_variances(found.panel, found.effects), "own")
    plain = row_variances(
        cohort_variances(panel, effects_of_cells(panel, *_rows(panel)[::2])), "own"
    )
    assert judged.df[0] < 5 < plain.df[0]
    assert judged.std_error[0] > 1.5 * plain.std_error[0]


def test_residuals_are_what_covariates_leave_within_groups() -> None:
    panel, covariates = a_panel()
    left = covariate_residuals(panel, covariates)
    x = covariates.values[:, 0, 0]
    for h in range(3):
        inside = panel.group == h
        x[inside] -= x[inside].mean()
    np.testing.assert_allclose(x @ left, 0, atol=1e-9)
    assert covariate_residuals(panel, None) is panel.outcome


def test_districts_of_one_school_change_nothing() -> None:
    panel, covariates = a_panel()
    one = _adjusted(panel, covariates=covariates)
    each = _adjusted(panel, covariates=covariates, clusters=np.arange(62)[::-1])
    a, b = (
        row_variances(cohort_variances(found.panel, found.effects), "own") for found in (one, each)
    )
    np.testing.assert_allclose(b.std_error, a.std_error, rtol=1e-10)
    np.testing.assert_allclose(b.df, a.df, rtol=1e-10)


def test_two_copies_of_every_school_in_a_district_are_one_school() -> None:
    """Clustering undoes the copying: points, errors and degrees of freedom are the same."""
    panel, covariates = a_panel()
    twice = np.repeat(np.arange(62), 2)
    copied = SchoolPanel(
        panel.outcome[twice], panel.years, panel.cohort[twice], np.arange(124).astype(str)
    )
    once = _adjusted(panel, covariates=covariates)
    both = _adjusted(copied, covariates=SchoolCovariates(covariates.values[twice]), clusters=twice)
    np.testing.assert_allclose(both.effects.points, once.effects.points, rtol=1e-10)
    for rule in ("own", "two_regimes"):
        a, b = (
            row_variances(cohort_variances(found.panel, found.effects), rule)
            for found in (once, both)
        )
        np.testing.assert_allclose(b.std_error, a.std_error, rtol=1e-9)
        np.testing.assert_allclose(b.df, a.df, rtol=1e-9)


def test_a_cohort_in_one_district_has_no_error_of_its_own() -> None:
    panel, _ = a_panel()
    district = np.where(panel.cohort == 2018, 99, np.arange(62) // 4)
    found = _adjusted(panel, clusters=district)
    _, averages, _ = _rows(panel)
    judged = row_variances(cohort_variances(found.panel, found.effects), "own")
    terms = [row.term for row in averages]
    assert np.isnan(judged.std_error[terms.index("treated[cohort=2018]")])
    assert judged.std_error[terms.index("treated[cohort=2016]")] > 0


def test_districts_that_hold_several_cohorts_are_units_of_their_own() -> None:
    panel, _ = a_panel()
    district = np.arange(62) % 10
    found = _adjusted(panel, clusters=district)
    assert found.crossed
    assert not _adjusted(panel, clusters=np.arange(62)).crossed
    judged = row_variances(cohort_variances(found.panel, found.effects), "own")
    assert np.isfinite(judged.std_error).all()
    assert (judged.df < 10).all()
    assert found.effects.contributions is not None
    np.testing.assert_allclose(
        judged.std_error**2, (found.effects.contributions**2).sum(axis=0), rtol=1e-12
    )


def test_true_nulls_are_rejected_as_often_as_said_with_four_and_three_treated_schools() -> None:
    """Nominal 5%, a regression on one covariate that differs between treated and others."""
    rejected = []
    for draw in range(300):
        panel, covariates = a_panel(sizes=(60, 4, 3), seed=draw, effect=0.0)
        found = _adjusted(panel, covariates=covariates)
        judged = row_variances(cohort_variances(found.panel, found.effects), "own")
        t = np.abs(found.effects.points / judged.std_error)
        rejected.append(2 * special.stdtr(judged.df, -t) < 0.05)
    share = np.mean(rejected, axis=0)
    assert 0.02 <= share[0] <= 0.08
    assert 0.02 <= share[1:3].mean() <= 0.08
