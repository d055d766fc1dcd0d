"""Two-level models: identities, properties, the boundary, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from schooltrial.models.moments.school_moments import from_frame
from schooltrial.models.multilevel.r_squared import estimate_r_squared
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.two_level import (
    deviance,
    fit_two_level,
    fit_two_level_frame,
    fit_two_level_moments,
)
from schooltrial.models.reml import newton as variance_search
from schooltrial.models.reml.profile_likelihood import profile

SETTINGS = settings(deadline=None, max_examples=25, derandomize=True)


def trial(
    seed: int = 1,
    schools: int = 20,
    sizes: tuple[int, int] = (3, 25),
    school_sd: float = 4.0,
    effect: float = 2.0,
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), rng.integers(*sizes, schools, endpoint=True))
    z = (school % 2).astype(float)
    x = rng.normal(0, 1, schools)[school] + rng.normal(0, 1, len(school))
    y = 50 + effect * z + 3 * x + rng.normal(0, school_sd, schools)[school]
    y += rng.normal(0, 8, len(school))
    w = rng.uniform(0.3, 3.0, len(school))
    return pd.DataFrame({"school": school, "z": z, "x": x, "y": y, "w": w})


def fit(frame: pd.DataFrame, fixed: tuple[str, ...] = ("z", "x"), **options: Any) -> MultilevelFit:
    return fit_two_level_frame(frame, outcome="y", fixed=fixed, school="school", **options)


def no_school_variance(seed: int = 4) -> pd.DataFrame:
    """School means closer to each other than chance: the estimate of σ²_u is zero."""
    frame = trial(seed, schools=16, school_sd=0.0)
    own = frame.groupby("school")["y"].transform("mean")
    return frame.assign(y=frame["y"] - 0.9 * (own - own.mean()) + 1.5 * frame["z"])


# -- identities ------------------------------------------------------------------------------------


def test_with_a_ratio_of_zero_the_model_is_ordinary_least_squares() -> None:
    frame = trial()
    fitted = fit(frame)
    at_zero = profile(fitted.model, np.zeros(1))
    design = np.column_stack((np.ones(len(frame)), frame["z"], frame["x"]))
    y = frame["y"].to_numpy()
    beta, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    sigma2 = float(rss[0]) / (len(y) - 3)
    back = fitted.centred.back
    assert_allclose(back @ at_zero.beta + fitted.centred.offset, beta, rtol=1e-11)
    assert at_zero.sigma2 == pytest.approx(sigma2, rel=1e-12)
    covariance = back @ (at_zero.sigma2 * at_zero.inverse) @ back.T
    assert_allclose(covariance, sigma2 * np.linalg.inv(design.T @ design), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_with_equal_schools_reml_is_the_t_test_of_school_means(df: Any) -> None:
    schools, pupils = 14, 9
    frame = trial(schools=schools, sizes=(pupils, pupils))
    row = fit(frame, ("z",)).estimates(["z"], df=df)[0]
    means = frame.groupby("school")[["z", "y"]].mean()
    one, two = (means.loc[means["z"] == arm, "y"] for arm in (1, 0))
    pooled = ((len(one) - 1) * one.var() + (len(two) - 1) * two.var()) / (schools - 2)
    assert row.estimate == pytest.approx(one.mean() - two.mean(), rel=1e-11)
    assert row.std_error == pytest.approx(np.sqrt(pooled * (1 / len(one) + 1 / len(two))), rel=1e-9)
    assert row.df == pytest.approx(schools - 2, rel=1e-7)


def test_with_equal_schools_the_variances_are_those_of_analysis_of_variance() -> None:
    schools, pupils = 14, 9
    frame = trial(schools=schools, sizes=(pupils, pupils))
    fitted = fit(frame, ("z",))
    groups = frame.groupby("school")
    within = (groups["y"].var() * (pupils - 1)).sum() / (schools * (pupils - 1))
    means = groups[["z", "y"]].mean()
    between = pupils * (means.groupby("z")["y"].var() * (schools / 2 - 1)).sum() / (schools - 2)
    assert fitted.sigma2 == pytest.approx(within, rel=1e-9)
    assert fitted.variance("school") == pytest.approx((between - within) / pupils, rel=1e-8)


def test_a_joint_test_of_one_contrast_is_the_square_of_its_t() -> None:
    fitted = fit(trial())
    contrast = np.array([[0.0, 1.0, -0.5]])
    for df in ("kenward-roger", "satterthwaite"):
        joint = fitted.test(contrast, df=df)
        single = fitted.contrast(contrast[0], df=df)
        assert joint.statistic == pytest.approx(single.statistic**2, rel=1e-10)
        assert joint.df == pytest.approx(single.df, rel=1e-10)
        assert joint.p_value == pytest.approx(single.p_value, rel=1e-8)


def test_a_joint_test_does_not_depend_on_how_its_hypothesis_is_written() -> None:
    fitted = fit(trial())
    contrasts = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    mixed = np.array([[2.0, 1.0], [-1.0, 3.0]]) @ contrasts
    one, two = fitted.test(contrasts), fitted.test(mixed)
    assert one.statistic == pytest.approx(two.statistic, rel=1e-10)
    assert one.df == pytest.approx(two.df, rel=1e-9)


def test_normal_degrees_are_infinite_and_p_is_that_of_z() -> None:
    from scipy import stats

    row = fit(trial()).estimates(["z"], df="normal")[0]
    assert np.isinf(row.df)
    assert row.p_value == pytest.approx(2 * stats.norm.sf(abs(row.statistic)), rel=1e-8)
    assert row.conf_high - row.estimate == pytest.approx(
        1.959963984540054 * row.std_error, rel=1e-8
    )


def test_arrays_and_frames_give_the_same_fit() -> None:
    frame = trial()
    design = np.column_stack((np.ones(len(frame)), frame["z"], frame["x"]))
    names = ("(Intercept)", "z", "x")
    one = fit_two_level(frame["y"].to_numpy(), design, frame["school"], names=names)
    two = fit_two_level(frame["y"], [design[:, 0], *design.T[1:]], frame["school"], names=names)
    assert_allclose(one.coefficients, fit(frame).coefficients, rtol=1e-12)
    assert_allclose(two.covariance(), fit(frame).covariance(), rtol=1e-10)


def test_the_public_deviance_is_lowest_at_the_estimate() -> None:
    frame = trial()
    moments = from_frame(frame, outcome="y", fixed=["z", "x"], school="school")
    fitted = fit_two_level_moments(moments)
    here = float(fitted.ratio[0])
    assert deviance(moments, here) == pytest.approx(fitted.criterion, abs=1e-9)
    assert deviance(moments, here * 1.01) > fitted.criterion
    assert deviance(moments, here * 0.99) > fitted.criterion


@pytest.mark.parametrize("start", [0.02, 0.3, 1.0, 5.0, 30.0])
@pytest.mark.parametrize("singular", [False, True])
def test_the_search_ends_at_the_same_place_from_wherever_it_starts(
    start: float, singular: bool
) -> None:
    fitted = fit(no_school_variance() if singular else trial())
    search = variance_search.search_ratios(
        lambda ratio: profile(fitted.model, ratio), fitted.shape, np.array([start])
    )
    assert search.converged
    assert search.singular == singular
    assert_allclose(search.profile.ratio, fitted.ratio, rtol=1e-8)


# -- properties ------------------------------------------------------------------------------------


@SETTINGS
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_labels_of_schools_do_not_matter(seed: int) -> None:
    frame = trial(seed)
    other = frame.sample(frac=1, random_state=seed)
    other = other.assign(school=other["school"].map(lambda s: f"school {(s * 7) % 20}"))
    one, two = fit(frame), fit(other)
    assert two.criterion == pytest.approx(one.criterion, abs=1e-8)
    assert one.estimates()
    for a, b in zip(one.estimates(), two.estimates(), strict=True):
        assert_allclose(
            [b.estimate, b.std_error, b.df, b.p_value],
            [a.estimate, a.std_error, a.df, a.p_value],
            rtol=1e-6,
        )


@SETTINGS
@given(seed=st.integers(0, 10_000), shift=st.floats(-1e6, 1e6), scale=st.floats(1e-3, 1e3))
def test_shift_and_scale_of_the_outcome_carry_through(
    seed: int, shift: float, scale: float
) -> None:
    frame = trial(seed)
    one, two = fit(frame), fit(frame.assign(y=shift + scale * frame["y"]))
    assert_allclose(
        two.coefficients[1:], scale * one.coefficients[1:], rtol=1e-6, atol=1e-6 * scale
    )
    assert_allclose(two.ratio, one.ratio, rtol=1e-5, atol=1e-9)
    for df in ("kenward-roger", "satterthwaite"):
        a, b = (f.estimates(["z"], df=df)[0] for f in (one, two))
        assert b.std_error == pytest.approx(scale * a.std_error, rel=1e-6)
        assert b.df == pytest.approx(a.df, rel=1e-4)


@SETTINGS
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100))
def test_the_scale_of_the_weights_is_that_of_the_residual_variance(
    seed: int, factor: float
) -> None:
    frame = trial(seed)
    one = fit(frame, weights="w")
    two = fit(frame.assign(w=factor * frame["w"]), weights="w")
    assert_allclose(two.coefficients, one.coefficients, rtol=1e-6)
    assert_allclose(two.covariance(), one.covariance(), rtol=1e-5, atol=1e-9)
    assert two.sigma2 == pytest.approx(factor * one.sigma2, rel=1e-6)
    assert two.criterion == pytest.approx(one.criterion, abs=1e-6)


def test_weights_of_one_are_no_weights() -> None:
    frame = trial().assign(w=1.0)
    assert_allclose(fit(frame, weights="w").coefficients, fit(frame).coefficients, rtol=1e-12)


def test_centring_a_covariate_moves_only_the_intercept() -> None:
    frame = trial()
    one, two = fit(frame), fit(frame.assign(x=frame["x"] + 1000.0))
    assert_allclose(two.coefficients[1:], one.coefficients[1:], rtol=1e-9)
    assert two.coefficients[0] == pytest.approx(
        one.coefficients[0] - 1000.0 * one.coefficients[2], rel=1e-9
    )
    assert two.criterion == pytest.approx(one.criterion, abs=1e-8)


def test_block_indicators_without_an_intercept_fit_the_same_model() -> None:
    frame = trial().assign(first=lambda f: (f["school"] < 10) * 1.0)
    frame["second"] = 1.0 - frame["first"]
    with_intercept = fit(frame, ("z", "x", "first"))
    moments = from_frame(
        frame, outcome="y", fixed=["z", "x", "first", "second"], school="school", intercept=False
    )
    without = fit_two_level_moments(moments)
    assert without.criterion == pytest.approx(with_intercept.criterion, abs=1e-8)
    one, two = with_intercept.estimates(["z"])[0], without.estimates(["z"])[0]
    assert_allclose([two.estimate, two.std_error, two.df], [one.estimate, one.std_error, one.df])


# -- the boundary and convergence ------------------------------------------------------------------


def test_a_zero_school_variance_is_reported_and_keeps_school_level_degrees() -> None:
    fitted = fit(no_school_variance())
    assert fitted.singular
    assert fitted.converged
    assert fitted.variance("school") == 0.0
    limit = 16 - 2
    for df in ("kenward-roger", "satterthwaite"):
        row = fitted.estimates(["z"], df=df)[0]
        assert row.note == "singular (variance estimated at zero: school)"
        assert row.df <= limit + 1e-9
    assert fitted.estimates(["z"], df="satterthwaite")[0].df <= limit
    assert fitted.estimates(["x"], df="satterthwaite")[0].df > 50


def test_at_zero_school_variance_a_maximum_likelihood_fit_has_the_same_policy() -> None:
    fitted = fit(no_school_variance(), reml=False)
    assert fitted.singular
    assert fitted.estimates(["z"], df="satterthwaite")[0].df <= 14


def test_a_search_that_is_cut_short_says_so_in_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variance_search, "MAX_STEPS", 1)
    fitted = fit(trial(school_sd=20.0))
    assert not fitted.converged
    assert fitted.estimates()
    for row in fitted.estimates():
        assert not row.converged
        assert "not converged: steps did not die out" in row.note
    assert fitted.diagnostics()["converged"] is False


def test_a_wrong_zero_is_caught_by_the_boundary_check() -> None:
    fitted = fit(trial())
    run = variance_search._Run(lambda ratio: profile(fitted.model, ratio), fitted.shape)
    judged = variance_search._judged(
        run, np.zeros(1), np.zeros(1, dtype=bool), settled=True, no_worse=set()
    )
    assert not judged.converged
    assert "put at zero" in judged.message


def test_diagnostics_tell_how_the_search_ended() -> None:
    found = fit(trial()).diagnostics()
    assert found["converged"] is True
    assert found["singular"] is False
    assert float(found["newton_decrement"]) < 1e-8
    assert 1 <= int(found["iterations"]) <= 20


# -- intraclass correlation, explained variance, school effects ------------------------------------


def test_the_interval_of_the_icc_ends_where_the_likelihood_has_fallen_by_the_quantile() -> None:
    moments = from_frame(trial(), outcome="y", fixed=["z", "x"], school="school")
    fitted = fit_two_level_moments(moments)
    (icc,) = fitted.icc()
    school, pupil = fitted.variance("school"), fitted.variance("residual")
    assert icc.estimate == pytest.approx(school / (school + pupil), rel=1e-12)
    for end in (icc.conf_low, icc.conf_high):
        fallen = deviance(moments, end / (1 - end)) - fitted.criterion
        assert fallen == pytest.approx(3.841458820694124, abs=1e-6)


def test_at_zero_school_variance_the_interval_of_the_icc_starts_at_zero() -> None:
    (icc,) = fit(no_school_variance()).icc()
    assert icc.estimate == icc.conf_low == 0.0
    assert 0.0 < icc.conf_high < 0.5


def test_explained_variance_compares_with_the_model_of_an_intercept_alone() -> None:
    frame = trial()
    fitted = fit(frame)
    empty = fit(frame, ())
    found = {row.level: row for row in estimate_r_squared(fitted)}
    assert found["residual"].r_squared == pytest.approx(1 - fitted.sigma2 / empty.sigma2)
    assert found["school"].empty == pytest.approx(empty.variance("school"))
    assert found["total"].empty == pytest.approx(empty.variance("school") + empty.sigma2)
    assert estimate_r_squared(empty)
    assert all(row.r_squared == pytest.approx(0, abs=1e-9) for row in estimate_r_squared(empty))


def test_school_effects_are_shrunken_mean_residuals() -> None:
    frame = trial()
    fitted = fit(frame)
    effects = fitted.random_effects()
    fixed = fitted.coefficients @ np.vstack((np.ones(len(frame)), frame["z"], frame["x"]))
    residual = (frame["y"] - fixed).groupby(frame["school"])
    size = residual.size().to_numpy()
    shrinkage = size * fitted.ratio[0] / (1 + size * fitted.ratio[0])
    assert_allclose(effects.effect[:, 0], shrinkage * residual.mean(), rtol=1e-8)
    assert_allclose(
        effects.conditional_variance[:, 0, 0], fitted.variance("school") * (1 - shrinkage)
    )
    assert np.all(effects.std_error[:, 0] ** 2 > effects.conditional_variance[:, 0, 0])


# -- recovery --------------------------------------------------------------------------------------


def test_simulated_trials_give_back_effect_variances_and_coverage() -> None:
    effects, schools, pupils, covered = [], [], [], 0
    for seed in range(150):
        fitted = fit(trial(seed, schools=24, sizes=(5, 20)))
        row = fitted.estimates(["z"])[0]
        effects.append(row.estimate)
        schools.append(fitted.variance("school"))
        pupils.append(fitted.sigma2)
        covered += row.conf_low <= 2.0 <= row.conf_high
    for found, truth in ((effects, 2.0), (schools, 16.0), (pupils, 64.0)):
        error = np.std(found) / np.sqrt(len(found))
        assert abs(np.mean(found) - truth) < 4 * error
    assert 0.88 <= covered / 150 <= 0.99
