"""Claims about all estimators of cohorts as linear forms, and the inference that follows."""

from time import perf_counter
from typing import Any

import numpy as np
import pytest

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cohort_regressions.linear_forms import Regression, estimate_by_regression
from schooltrial.models.group_time.panel import SchoolPanel
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption
from support.staggered_panels import Drawn, draw_panel

METHODS: tuple[Any, ...] = ("callaway_santanna", "sun_abraham", "imputation", "stacked")
REGRESSIONS: tuple[Regression, ...] = ("sun_abraham", "imputation", "stacked")
SIZES = {0: 30, 2013: 12, 2015: 11, 2016: 10}


def _fit(drawn: Drawn, **options: Any) -> StaggeredFit:
    schools, years = drawn.outcome.shape
    return fit_staggered_adoption(
        drawn.outcome.ravel(), school=np.repeat(np.arange(schools), years),
        year=np.tile(drawn.years, schools), cohort=np.repeat(drawn.cohort, years).astype(float),
        **{"draws": 0, **options},
    )  # fmt: skip


def _panel(drawn: Drawn) -> SchoolPanel:
    return SchoolPanel(drawn.outcome, drawn.years, drawn.cohort, np.arange(len(drawn.cohort)))


def test_sun_abraham_is_callaway_santanna_with_a_universal_base_in_a_balanced_panel() -> None:
    drawn = draw_panel(SIZES)
    ours, theirs = _fit(drawn, method="sun_abraham"), _fit(drawn, base_period="universal")
    assert ours.names == theirs.names
    assert ours.coefficients == pytest.approx(theirs.coefficients, abs=1e-11)
    assert ours.judged.std_error == pytest.approx(theirs.judged.std_error, rel=1e-10)
    assert ours.judged.df == pytest.approx(theirs.judged.df, rel=1e-9)


def test_own_variances_are_cr2_of_the_regression() -> None:
    drawn = draw_panel(SIZES)
    fit = _fit(drawn, method="sun_abraham")
    schools, years = drawn.outcome.shape
    columns = [
        ((drawn.cohort == cell.cohort)[:, None] & (drawn.years == cell.year)).astype(float).ravel()
        for cell in fit.cells
    ]
    school = np.repeat(np.arange(schools), years)
    dense = fit_least_squares_columns(
        drawn.outcome.ravel(), columns, names=[f"x{k}" for k in range(len(columns))],
        cluster=school, absorb=[school, np.tile(drawn.years, schools)],
    )  # fmt: skip
    weights = np.array([row.weights for row in fit.averages])
    expected = np.sqrt(np.diag(weights @ dense.covariance(vcov="CR2") @ weights.T))
    assert fit.judged.own.std_error == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("method", REGRESSIONS)
def test_own_variances_are_those_of_one_number_a_school(method: Regression) -> None:
    drawn = draw_panel(SIZES)
    fit = _fit(drawn, method=method)
    group = fit.panel.group
    numbers = np.einsum("it,itr->ir", drawn.outcome, fit.found.effects.loadings[group])
    expected = sum(
        numbers[group == h].var(axis=0, ddof=1) / size for h, size in enumerate(fit.panel.sizes)
    )
    assert fit.judged.own.std_error**2 == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("method", REGRESSIONS)
def test_the_loadings_of_schools_with_gaps_give_the_points_and_add_up_to_zero(
    method: Regression,
) -> None:
    drawn = draw_panel(SIZES, gaps=0.15)
    effects = estimate_by_regression(_panel(drawn), method).effects
    assert np.abs(effects.loadings.sum(axis=1)).max() < 1e-12
    moved = np.where(drawn.years == 2014, drawn.outcome + drawn.cohort[:, None], drawn.outcome)
    shifted = Drawn(moved, drawn.years, drawn.cohort, drawn.effect)
    change = estimate_by_regression(_panel(shifted), method).effects.points - effects.points
    expected = np.einsum("itr,it->r", effects.loadings, np.nan_to_num(moved - drawn.outcome))
    assert change == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("method", REGRESSIONS)
def test_one_missing_year_changes_errors_little(method: Regression) -> None:
    drawn = draw_panel(SIZES)
    whole = _fit(drawn, method=method)
    drawn.outcome[0, 0] = np.nan
    gap = _fit(drawn, method=method)
    assert gap.judged.own.std_error == pytest.approx(whole.judged.own.std_error, rel=0.05)
    assert "some schools lack years" in "; ".join(gap.notes)


@pytest.mark.parametrize("method", REGRESSIONS)
def test_a_group_of_which_one_school_is_seen_has_no_error_of_its_own(method: Regression) -> None:
    drawn = draw_panel({0: 12, 2013: 1, 2015: 11})
    drawn.outcome[0, 0] = np.nan
    fit = _fit(drawn, method=method)
    at = fit.position("treated[cohort=2013]")
    assert np.isnan(fit.judged.own.std_error[at])
    assert fit.judged.rules[at] == "two_regimes"


@pytest.mark.parametrize("method", METHODS)
def test_effects_that_differ_and_grow_are_recovered_where_the_timing_is_random(
    method: Any,
) -> None:
    years = np.arange(2010, 2018)
    rng = np.random.default_rng(3)
    covered, misses = [], []
    for seed in range(60):
        drawn = draw_panel({0: 24, 2013: 10, 2014: 10, 2015: 10}, seed=seed)
        own = rng.normal(0, 0.3, len(drawn.cohort))[:, None] * (drawn.effect != 0)
        drawn = Drawn(drawn.outcome + own, years, drawn.cohort, drawn.effect + own)
        fit = _fit(drawn, method=method)
        rows = ("treated", "treated[cohort=2013]", "treated[since=1]")
        for row, found in zip(rows, fit.estimates(rows), strict=True):
            weights = fit.averages[fit.position(row)].weights
            truth = sum(
                weight * drawn.effect[drawn.cohort == cell.cohort, years == cell.year].mean()
                for weight, cell in zip(weights, fit.cells, strict=True)
                if weight
            )
            misses.append((found.estimate - truth) / found.std_error)
            covered.append(found.conf_low <= truth <= found.conf_high)
    assert abs(np.mean(misses)) < 3.5 * np.std(misses) / np.sqrt(len(misses) / 3)
    assert 0.91 <= np.mean(covered) <= 0.99


def test_what_is_estimated_stands_in_the_method() -> None:
    drawn = draw_panel(SIZES)
    told = {method: _fit(drawn, method=method).method.split(";")[0] for method in REGRESSIONS}
    assert told == {
        "sun_abraham": "Sun-Abraham, against never treated",
        "imputation": "imputation (Borusyak-Jaravel-Spiess), from all untreated cells",
        "stacked": "stacked event study (Wing-Freedman-Hollingsworth weights), years -3 to +1, "
        "against never treated",
    }
    early = _fit(drawn, method="imputation", anticipation=1).method
    assert early.split(";")[0].endswith("untreated cells, 1 year of anticipation")


@pytest.mark.parametrize("method", REGRESSIONS)
@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_permutation_of_cohorts_agrees_with_the_variances(method: Regression, gaps: float) -> None:
    fit = _fit(draw_panel(SIZES, gaps=gaps), method=method, draws=400, seed=1)
    assert fit.check is not None
    at = fit.position("treated")
    half = fit.estimates("treated")[0]
    assert fit.check.half_width[at] == pytest.approx(half.conf_high - half.estimate, rel=0.2)


def test_a_panel_without_treated_schools_is_refused_with_what_to_give() -> None:
    with pytest.raises(ValueError, match="give `cohort` in the assignment table"):
        estimate_by_regression(_panel(draw_panel({0: 5})), "imputation")


def test_stacks_need_schools_never_treated_or_those_not_yet() -> None:
    panel = _panel(draw_panel({2013: 5, 2016: 5}))
    with pytest.raises(ValueError, match="comparison_group: not_yet_treated"):
        estimate_by_regression(panel, "stacked")
    found = estimate_by_regression(panel, "stacked", comparison_group="not_yet_treated")
    assert {cell.cohort for cell in found.cells} == {2013}


def test_a_large_panel_takes_less_than_a_second() -> None:
    drawn = draw_panel({0: 8000, 2013: 700, 2014: 700, 2015: 600}, range(2008, 2018))
    for method in REGRESSIONS:
        began = perf_counter()
        estimate_by_regression(_panel(drawn), method)
        assert perf_counter() - began < 1


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_an_imputation_where_every_school_is_treated_has_no_drift_to_tell_from_the_years(
    gaps: float,
) -> None:
    fit = _fit(draw_panel({2013: 8, 2015: 8, 2017: 9}, gaps=gaps), method="imputation", draws=50)
    assert fit.terms_of("pre-trend slope") == ()
    assert fit.terms_of("effect by group") == ("treated[cohort=2013]", "treated[cohort=2015]")
    assert fit.overall.std_error > 0
    assert fit.pretrend is not None


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_sun_abraham_without_schools_never_treated_is_judged_with_the_last_cohort_as_comparison(
    gaps: float,
) -> None:
    fit = _fit(draw_panel({2013: 8, 2015: 8, 2017: 9}, gaps=gaps), method="sun_abraham", draws=50)
    assert fit.method.startswith("Sun-Abraham, against cohort 2017;")
    assert fit.overall.std_error > 0
    assert fit.overall.df > 5
