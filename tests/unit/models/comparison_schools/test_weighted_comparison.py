"""Effects against weighted comparison schools: closed forms, identities, and recovery."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schooltrial.models.comparison_schools.weighted_comparison import (
    weigh_comparisons,
    weighted_effects,
)
from schooltrial.models.group_time.averages import plan_averages
from schooltrial.models.group_time.cells import plan_cells, treated_schools
from schooltrial.models.group_time.panel import SchoolPanel
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

YEARS = np.arange(2012, 2019)
COHORT = np.array([0] * 60 + [2015] * 10 + [2016] * 8)
N = len(COHORT)


def _outcome(seed: int, charter: np.ndarray, drift: float = 0.0, effect: float = 3.0) -> np.ndarray:
    """Return schools by year; charter schools rise by ``drift`` a year from 2015 on."""
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 10, N)[:, None] + rng.normal(0, 2, (N, len(YEARS)))
    y += drift * charter[:, None] * np.maximum(YEARS - 2014, 0)
    return y + effect * ((COHORT[:, None] > 0) & (COHORT[:, None] <= YEARS))


def _fit(y: np.ndarray, **keys: Any) -> StaggeredFit:
    """Fit the rows of a panel; ``characteristics`` are given by school."""
    rows = np.repeat(np.arange(N), len(YEARS))
    keys["characteristics"] = {
        name: values[rows] for name, values in keys.get("characteristics", {}).items()
    }
    return fit_staggered_adoption(
        y.ravel(), school=np.array([f"s{at:02d}" for at in rows]), year=np.tile(YEARS, N),
        cohort=np.where(COHORT[rows] > 0, COHORT[rows], np.nan), draws=0, **keys,
    )  # fmt: skip


CHARTER = np.array([1.0, 0, 0] * 20 + [1.0] * 8 + [0.0] * 2 + [1.0] * 4 + [0.0] * 4)


def test_with_one_flag_the_comparison_is_the_mean_of_both_kinds_by_the_cohorts_shares() -> None:
    y = _outcome(1, CHARTER)
    fitted = _fit(y, comparison_on=["charter"], characteristics={"charter": CHARTER})
    change = y[:, 4] - y[:, 2]  # 2016 less 2014
    never = COHORT == 0
    by_kind = [change[never & (kind == CHARTER)].mean() for kind in (1, 0)]
    wanted = change[COHORT == 2015].mean() - 0.8 * by_kind[0] - 0.2 * by_kind[1]
    (found,) = fitted.estimates("treated[cohort=2015, year=2016]")
    assert found.estimate == pytest.approx(wanted, abs=1e-9)
    first = fitted.comparisons[0]
    assert (first.n_cohort, first.n_comparison, first.n_weighted) == (10, 60, 60)
    assert first.effective == pytest.approx(1 / (0.8**2 / 20 + 0.2**2 / 40))
    assert first.largest_share == pytest.approx(0.8 / 20)


def test_a_cohort_that_is_like_the_others_gets_the_rows_of_schools_that_count_alike() -> None:
    kind = np.array([1.0, 0] * 30 + [1.0, 0] * 5 + [1.0, 0] * 4)
    y = _outcome(2, kind)
    plain, weighted = _fit(y), _fit(y, comparison_on=["kind"], characteristics={"kind": kind})
    np.testing.assert_allclose(weighted.coefficients, plain.coefficients, atol=1e-9)
    for rule in ("own", "two_regimes"):
        one, other = getattr(weighted.judged, rule), getattr(plain.judged, rule)
        np.testing.assert_allclose(one.std_error, other.std_error, rtol=1e-8)
        np.testing.assert_allclose(one.df, other.df, rtol=1e-6)


def test_the_variance_is_unbiased_where_schools_vary_alike_whatever_the_weights() -> None:
    """E Σψ² of a quadratic form in independent changes of variance one is exactly Σω²."""
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.full(12, 0.5))
    cohort = np.array([0] * 12 + [2] * 5)
    base = SchoolPanel(np.zeros((17, 2)), np.array([1, 2]), cohort, np.arange(17).astype(str))
    cells = plan_cells(base)
    made = weigh_comparisons(base, cells, ["x"], {"x": np.zeros(17)})
    object.__setattr__(made.found[0], "weights", np.concatenate([weights, np.zeros(5)]))
    expected = 0.0
    for school in range(17):  # ψ is linear in the changes: Var by unit vectors
        y = np.zeros((17, 2))
        y[school, 1] = 1.0
        panel = SchoolPanel(y, base.years, cohort, base.schools)
        found = weighted_effects(panel, cells, np.ones((1, 1)), made)
        assert found.contributions is not None
        expected += float((found.contributions**2).sum())
    assert expected == pytest.approx((weights**2).sum() + 1 / 5)


@pytest.mark.parametrize("how", ["entropy", "nearest"])
def test_a_change_that_charter_schools_have_without_the_programme_is_no_longer_its_effect(
    how: Any,
) -> None:
    effects: dict[str, list[float]] = {"plain": [], "weighted": []}
    keys = {"comparison_on": ["charter"], "characteristics": {"charter": CHARTER}}
    for seed in range(20):
        y = _outcome(seed, CHARTER, drift=2.0)
        effects["plain"].append(_fit(y).coefficients[0])
        effects["weighted"].append(_fit(y, comparison_weights=how, **keys).coefficients[0])
    assert np.mean(effects["plain"]) > 4
    assert np.mean(effects["weighted"]) == pytest.approx(3, abs=0.4)


def test_level_and_trend_are_those_before_each_cohort_and_are_balanced_exactly() -> None:
    y = _outcome(4, CHARTER) + 0.5 * np.random.default_rng(5).normal(size=N)[:, None] * (
        YEARS - 2012
    )
    fitted = _fit(y, comparison_on=["level", "trend"])
    for one, years in zip(fitted.comparisons, (3, 4), strict=True):
        weights, own = one.weights, one.cohort == COHORT
        level = y[:, :years].mean(axis=1)
        slope = np.polyfit(YEARS[:years], y[:, :years].T, 1)[0]
        for values, balance in zip((level, slope), one.balance, strict=True):
            assert weights @ values == pytest.approx(values[own].mean(), abs=1e-7)
            assert abs(balance.difference_after) < 1e-8
            assert balance.cohort_mean == pytest.approx(values[own].mean())
    told = "; ".join(fitted.notes)
    assert "weighted to have each cohort's prior level and prior trend (entropy" in told
    assert "Daw and Hatfield 2018" in told
    assert "the pre-trend test says little" in told


def test_schools_that_are_not_yet_treated_are_weighted_too() -> None:
    y = _outcome(6, CHARTER)
    fitted = _fit(y, comparison_on=["charter"], comparison_group="not_yet_treated",
                  characteristics={"charter": CHARTER})  # fmt: skip
    early = next(one for one in fitted.comparisons if one.compared == (0, 2016))
    pool = np.isin(COHORT, (0, 2016))
    assert early.n_comparison == 68
    assert (early.weights[pool] > 0).all()
    assert early.weights @ CHARTER == pytest.approx(0.8)
    change = y[:, 3] - y[:, 2]
    (found,) = fitted.estimates("treated[cohort=2015, year=2015]")
    assert found.estimate == pytest.approx(
        change[COHORT == 2015].mean() - early.weights @ change, abs=1e-9
    )


def test_where_schools_lack_years_the_weights_of_those_seen_are_taken_as_the_whole() -> None:
    y = _outcome(7, CHARTER)
    y[:5, 4] = np.nan
    fitted = _fit(y, comparison_on=["charter"], characteristics={"charter": CHARTER})
    weights = fitted.comparisons[0].weights * np.isfinite(y[:, 4])
    change = y[:, 4] - y[:, 2]
    (found,) = fitted.estimates("treated[cohort=2015, year=2016]")
    wanted = change[COHORT == 2015].mean() - np.nansum(weights * change) / weights.sum()
    assert found.estimate == pytest.approx(wanted, abs=1e-9)


def test_schools_without_a_known_characteristic_are_left_out_and_counted() -> None:
    y, charter = _outcome(8, CHARTER), CHARTER.copy()
    charter[[0, 1, 60]] = np.nan
    fitted = _fit(y, comparison_on=["charter"], characteristics={"charter": charter})
    assert fitted.n_schools == N - 3
    assert "1 treated school left out, without a known charter" in fitted.notes
    assert "2 comparison schools left out, without a known charter" in fitted.notes
    charter[COHORT == 2016] = np.nan
    with pytest.raises(ValueError, match="no school of cohort 2016 has a known charter"):
        _fit(y, comparison_on=["charter"], characteristics={"charter": charter})


def test_what_cannot_be_made_alike_is_refused_with_the_cohort_and_the_variable() -> None:
    y = _outcome(9, CHARTER)
    rural = np.where(COHORT == 2016, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"cohort 2016: the cohort's mean of rural is 1, .* all"):
        _fit(y, comparison_on=["charter", "rural"],
             characteristics={"charter": CHARTER, "rural": rural})  # fmt: skip


def test_averages_weigh_cohorts_by_their_schools_as_without_weights() -> None:
    y = _outcome(10, CHARTER)
    fitted = _fit(y, comparison_on=["charter"], characteristics={"charter": CHARTER})
    cells = fitted.coefficients[[fitted.position(t) for t in fitted.terms_of("group-time effect")]]
    overall = plan_averages(fitted.cells, treated_schools(fitted.panel, fitted.cells))[0]
    assert fitted.coefficients[0] == pytest.approx(float(overall.weights @ cells))


def test_other_methods_and_covariates_are_not_combined_with_weighted_schools() -> None:
    y = _outcome(11, CHARTER)
    with pytest.raises(ValueError, match="has comparisons of its own, which `comparison_on"):
        _fit(y, comparison_on=["level"], method="sun_abraham")
    with pytest.raises(ValueError, match="is not combined with covariates, weights or clusters"):
        _fit(y, comparison_on=["level"], weights=np.ones(N * len(YEARS)))
