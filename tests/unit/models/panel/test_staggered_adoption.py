"""Claims about the effects of a programme that schools enter in different years."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from schooltrial.models.cohort_inference.permutation import drawn_statistics, permuted_labels
from schooltrial.models.cohort_inference.variances import cohort_variances, row_variances
from schooltrial.models.group_time.loadings import effects_of_cells
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

YEARS = np.arange(2010, 2017)


def _panel(seed: int, growth: float = 1.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    cohort = np.repeat([np.nan, 2013, 2015], [30, 15, 15])
    school = np.arange(60)
    since = YEARS[None, :] - cohort[:, None]
    effect = np.where(since >= 0, 1 + growth * np.nan_to_num(since), 0.0)
    mean = rng.normal(0, 3, 60)[:, None] + rng.normal(0, 2, len(YEARS))[None, :] + effect
    return {
        "outcome": (mean + rng.normal(0, 0.5, mean.shape)).ravel(),
        "school": np.repeat(school, len(YEARS)),
        "year": np.tile(YEARS, 60),
        "cohort": np.repeat(cohort, len(YEARS)),
    }


def _fit(panel: dict[str, np.ndarray], **options: str) -> StaggeredFit:
    columns = {key: panel[key] for key in ("school", "year", "cohort")}
    return fit_staggered_adoption(panel["outcome"], **columns, **options)  # type: ignore[arg-type]


def test_one_cohort_and_two_years_give_the_difference_in_differences() -> None:
    panel = _panel(1)
    kept = np.isin(panel["year"], [2012, 2013]) & (panel["cohort"] != 2015)
    panel = {key: values[kept] for key, values in panel.items()}
    change = panel["outcome"][panel["year"] == 2013] - panel["outcome"][panel["year"] == 2012]
    treated = panel["cohort"][panel["year"] == 2013] == 2013
    assert _fit(panel).overall.estimate == pytest.approx(
        change[treated].mean() - change[~treated].mean(), rel=1e-12
    )


def test_growing_effects_are_recovered_at_every_event_time() -> None:
    found = [_fit(_panel(seed)) for seed in range(20)]
    for term, truth in (("since=0", 1.0), ("since=1", 2.0), ("since=3", 4.0), ("since=-2", 0.0)):
        points = [e.estimate for fit in found for e in fit.since if e.term == f"treated[{term}]"]
        error = np.std(points, ddof=1) / np.sqrt(len(points))
        assert abs(np.mean(points) - truth) < 3.5 * error


def test_labels_and_the_order_of_rows_do_not_matter() -> None:
    panel = _panel(2)
    order = np.random.default_rng(3).permutation(len(panel["outcome"]))
    shuffled = {key: values[order] for key, values in panel.items()}
    shuffled["school"] = np.array([f"school {n}" for n in shuffled["school"]])
    assert _fit(shuffled).overall.estimate == pytest.approx(_fit(panel).overall.estimate, rel=1e-12)


def test_a_year_in_which_all_fall_changes_no_row() -> None:
    """A harder test is an effect of its year, with all cohorts and in every interval."""
    panel = _panel(5)
    harder = {**panel, "outcome": panel["outcome"] - 12.0 * (panel["year"] == 2015)}
    before, after = (_fit(one) for one in (panel, harder))
    np.testing.assert_allclose(after.coefficients, before.coefficients, atol=1e-9)
    np.testing.assert_allclose(after.judged.std_error, before.judged.std_error, rtol=1e-9)
    assert after.pretrend is not None
    assert before.pretrend is not None
    assert after.pretrend.p_value == pytest.approx(before.pretrend.p_value)


def test_the_pre_trend_test_has_few_degrees_of_freedom_and_a_slope_beside_it() -> None:
    fit = _fit(_panel(4))
    test = fit.pretrend
    assert test is not None
    numerator = int(test.note.split("(")[1].split(",")[0])
    assert 4 <= test.df < 45
    assert test.p_value == pytest.approx(stats.f.sf(test.statistic, numerator, test.df))
    (slope,) = fit.estimates(fit.terms_of("pre-trend slope"))
    before = [row for row in fit.since if "=-" in row.term]
    assert slope.estimate == pytest.approx(np.mean([row.estimate for row in before]))


def test_one_cohort_is_judged_by_welch_with_working_degrees_of_freedom() -> None:
    panel = _panel(8)
    kept = np.isin(panel["year"], [2012, 2013]) & (panel["cohort"] != 2015)
    row = _fit({key: values[kept] for key, values in panel.items()}).overall
    wide = panel["outcome"].reshape(60, -1)
    change = wide[:, 3] - wide[:, 2]
    treated, never = change[30:45], change[:30]
    error = np.sqrt(treated.var(ddof=1) / 15 + never.var(ddof=1) / 30)
    df = (1 / 15 + 1 / 30) ** 2 / (1 / (15**2 * 14) + 1 / (30**2 * 29))
    assert row.std_error == pytest.approx(error)
    assert row.df == pytest.approx(df)
    assert (row.n_schools, row.n_treated_schools) == (45, 15)


def test_small_cohorts_share_one_variance_and_a_lone_school_borrows_it() -> None:
    panel = _panel(9)
    kept = ~((panel["cohort"] == 2015) & (panel["school"] > 45))
    kept &= ~((panel["cohort"] == 2013) & (panel["school"] > 35))
    fit = _fit({key: values[kept] for key, values in panel.items()})
    assert set(fit.judged.rules) == {"two_regimes"}
    assert np.isfinite(fit.judged.std_error).all()
    alone = fit.position("treated[cohort=2015]")
    assert np.isnan(fit.judged.own.std_error[alone])


def test_single_school_cohorts_have_no_standard_error_but_a_permutation() -> None:
    panel = _panel(10)
    kept = (panel["school"] < 31) | (panel["school"] == 59)
    row = _fit({key: values[kept] for key, values in panel.items()}).overall
    assert np.isnan(row.std_error)
    assert 0 < row.p_value <= 1
    assert row.conf_low < row.estimate < row.conf_high
    assert "vary alike" in row.note


def test_a_school_by_itself_gives_what_its_group_gives() -> None:
    panel = _panel(11)
    once = _fit(panel)
    by_school = effects_of_cells(
        replace(once.panel, outcome=np.where(once.panel.seen, once.panel.outcome, np.nan)),
        once.cells, np.eye(len(once.cells)),
    )  # fmt: skip
    assert by_school.by_group
    gaps = {**panel, "outcome": panel["outcome"].copy()}
    gaps["outcome"][0] = np.nan
    assert not _fit(gaps).found.effects.by_group


def test_bands_hold_the_pointwise_intervals_of_the_event_study() -> None:
    fit = _fit(_panel(12))
    for row in fit.since:
        assert row.band_low < row.conf_low < row.conf_high < row.band_high
    assert np.isnan(fit.overall.band_low)


def test_the_same_draws_give_what_a_loop_over_them_gives() -> None:
    fit = _fit(_panel(13))
    y = fit.panel.outcome
    labels = permuted_labels(fit.panel.group, None, 5, np.random.default_rng(1))
    loadings = fit.found.effects.loadings
    theta, variance = drawn_statistics(y, labels, loadings, fit.panel.sizes)
    for draw in range(5):
        one = replace(fit.panel, cohort=np.array(fit.panel.groups)[labels[draw]])
        effects = effects_of_cells(
            one, fit.cells, np.column_stack([row.weights for row in fit.averages])
        )
        own = row_variances(cohort_variances(one, effects), "own")
        assert theta[draw] == pytest.approx(effects.points)
        assert np.sqrt(variance[draw]) == pytest.approx(own.std_error)


def test_a_school_that_lacks_a_year_is_told() -> None:
    panel = _panel(5)
    panel["outcome"][3] = np.nan
    assert "lack years" in _fit(panel).notes[0]


def test_a_cohort_without_a_year_before_is_left_out_and_named() -> None:
    panel = _panel(6)
    kept = panel["year"] >= 2013
    fit = _fit({key: values[kept] for key, values in panel.items()})
    assert fit.notes == ("cohort 2013 has no year before treatment and is left out",)
    assert [effect.term for effect in fit.cohorts] == ["treated[cohort=2015]"]


def test_without_a_treated_or_a_never_treated_school_there_is_no_effect() -> None:
    panel = _panel(7)
    with pytest.raises(ValueError, match="first treated year"):
        _fit({**panel, "cohort": np.full_like(panel["cohort"], np.nan)})
    treated = panel["cohort"] > 0
    with pytest.raises(ValueError, match="not_yet_treated"):
        _fit({key: values[treated] for key, values in panel.items()})
