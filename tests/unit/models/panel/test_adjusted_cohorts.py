"""Claims about cohorts compared given covariates, with weights, and by district."""

from typing import Any

import numpy as np
import pytest

from schooltrial.models.panel.adjusted_cohorts import RowsOfSchools
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption
from unit.models.group_time.test_adjusted_cells import YEARS, a_panel

SCHOOLS = 62
SCHOOL = np.repeat(np.arange(SCHOOLS), len(YEARS))
YEAR = np.tile(YEARS, SCHOOLS)
ENTERS = {0: np.nan, 2016: 2016.0, 2018: 2018.0}


def _fit(sizes: tuple[int, ...] = (40, 12, 10), **keys: Any) -> StaggeredFit:
    panel, _ = a_panel(sizes=sizes)
    rows: dict[str, Any] = {
        "school": SCHOOL, "year": YEAR, "draws": 0,
        "cohort": np.repeat([ENTERS[int(g)] for g in panel.cohort], len(YEARS)),
    }  # fmt: skip
    return fit_staggered_adoption(panel.outcome.ravel(), **(rows | keys))


def _x(sizes: tuple[int, ...] = (40, 12, 10)) -> dict[str, np.ndarray]:
    return {"x1": a_panel(sizes=sizes)[1].values[:, :, 0].ravel()}


def test_what_is_done_is_named_in_the_method() -> None:
    fit = _fit(covariates=_x(), adjustment="doubly_robust", weights=np.ones(372),
               weighted_by="pupils", cluster=SCHOOL // 3, clustered_on="district")  # fmt: skip
    assert fit.overall.method.startswith(
        "Callaway-Sant'Anna, against never treated, adjusted for x1 by a regression and a "
        "propensity score (doubly robust), weighted by pupils, clustered on district; "
    )
    assert fit.overall.method.endswith("variance of all clusters together, working df")
    assert "21 districts are the independent units" in "; ".join(fit.notes)
    assert fit.n_clusters == 21
    assert fit.n_schools == 62


def test_equal_weights_are_no_weights() -> None:
    plain, weighted = _fit(), _fit(weights=np.full(372, 80.0))
    np.testing.assert_allclose(weighted.coefficients, plain.coefficients, rtol=1e-10)
    np.testing.assert_allclose(weighted.judged.std_error, plain.judged.std_error, rtol=1e-9)
    np.testing.assert_allclose(weighted.judged.df, plain.judged.df, rtol=1e-9)


def test_a_weight_is_that_of_the_last_year_before_the_schools_cohort() -> None:
    rng = np.random.default_rng(8)
    before = rng.uniform(1, 9, SCHOOLS)
    weights = rng.uniform(1, 9, (SCHOOLS, len(YEARS)))
    cohort = a_panel()[0].cohort
    base = np.where(cohort > 0, cohort - 1, 2015)
    weights[np.arange(SCHOOLS), base - 2014] = before
    varying = _fit(weights=weights.ravel())
    fixed = _fit(weights=np.repeat(before, len(YEARS)))
    np.testing.assert_allclose(varying.coefficients, fixed.coefficients, rtol=1e-12)


def test_a_school_not_weighed_in_its_base_year_has_the_weight_of_the_nearest_year() -> None:
    weights = np.tile(np.arange(1.0, 7.0), SCHOOLS)
    gap = weights.copy()
    gap[(SCHOOL == 0) & (YEAR == 2015)] = np.nan
    expected = weights.copy()
    expected[SCHOOL == 0] = 1.0  # of 2014, the year before
    np.testing.assert_allclose(
        _fit(weights=gap).coefficients, _fit(weights=expected).coefficients, rtol=1e-12
    )


def test_cohorts_count_by_the_weights_of_their_schools() -> None:
    cohort = np.repeat(a_panel()[0].cohort, len(YEARS))
    fit = _fit(weights=np.where(cohort == 2018, 1e6, 1.0))
    since_0 = dict(zip(fit.names, fit.coefficients, strict=True))
    assert since_0["treated[since=0]"] == pytest.approx(
        since_0["treated[cohort=2018, year=2018]"], abs=1e-4
    )


def test_a_school_that_lacks_a_covariate_is_left_out_and_counted() -> None:
    x = _x()
    x["x1"] = np.where(SCHOOL < 2, np.nan, x["x1"])
    fit = _fit(covariates=x)
    assert "2 schools of 62 left out where a covariate is missing in the base year" in fit.notes
    assert fit.n_schools == 60


def test_where_a_whole_cohort_lacks_a_covariate_it_is_named_and_others_are_estimated() -> None:
    x = _x()
    x["x1"] = np.where(SCHOOL >= 52, np.nan, x["x1"])
    fit = _fit(covariates=x)
    assert any("no effect of cohort 2018 in 2015" in note for note in fit.notes)
    assert [row.term for row in fit.cohorts] == ["treated[cohort=2016]"]
    with pytest.raises(ValueError, match="no cohort has schools with all covariates"):
        _fit(covariates={"x1": np.full(372, np.nan)})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"weights": np.where(SCHOOL == 3, 0.0, 1.0), "weighted_by": "size"},
         r"`weights: size` must be above 0, and is 0 for school 3 in 2015 \(1 school of 62\)"),
        ({"weights": np.where(SCHOOL < 2, np.nan, 1.0), "weighted_by": "size"},
         r"is missing for school 0 in .*\(2 schools of 62\).*`weights: schools`"),
        ({"cluster": np.where((SCHOOL == 5) & (YEAR > 2016), "B", "A"), "clustered_on": "district"},
         "school 5 lies in district A in one year and B in another"),
        ({"cluster": np.full(372, "A"), "clustered_on": "district"},
         "all schools lie in one district"),
        ({"covariates": {"charter": (SCHOOL >= 40).astype(float)}},
         "cohort 2016, .*'charter' is constant"),
        ({"covariates": {"charter": (SCHOOL >= 38).astype(float)}, "adjustment": "doubly_robust"},
         "predict for some schools without error"),
        ({"covariates": {"a": np.sin(SCHOOL), "b": 2 * np.sin(SCHOOL)}}, "'b' is .*determined"),
        ({"weights": np.ones(372), "comparison_on": ["level"]}, r"`comparison_on: \[level\]`"),
        ({"cluster": SCHOOL // 2, "method": "sun_abraham"}, "`method: sun_abraham` takes no cov"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _fit(**keys)


def test_a_cohort_in_one_district_has_no_error_and_its_row_says_why() -> None:
    district = np.where(SCHOOL >= 52, 99, SCHOOL // 4)
    district = np.where((SCHOOL >= 40) & (SCHOOL < 52), 98, district)
    fit = _fit(cluster=district, clustered_on="district")
    for row in fit.cohorts:
        assert np.isnan(row.std_error)
        assert "one school (or lies in one cluster)" in row.note or "every treated" in row.note
    assert any("all schools of cohort 2016, 2018 lie in one district" in note for note in fit.notes)
    assert fit.check is None


def test_every_row_without_an_error_says_why() -> None:
    sizes = (40, 21, 1)
    fit = _fit(sizes=sizes, covariates=_x(sizes))
    assert np.isfinite(fit.coefficients).all()
    for row in fit.estimates(fit.names):
        assert row.note or np.isfinite(row.std_error)


def test_rows_without_covariates_weights_and_clusters_are_plain() -> None:
    assert RowsOfSchools(SCHOOL, YEAR, {}).plain
    assert not RowsOfSchools(SCHOOL, YEAR, _x()).plain
    assert not RowsOfSchools(SCHOOL, YEAR, {}, weights=np.ones(372)).plain
    assert not RowsOfSchools(SCHOOL, YEAR, {}, clusters=SCHOOL).plain
