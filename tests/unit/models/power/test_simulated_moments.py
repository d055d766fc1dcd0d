"""Simulated trials: drawn statistics have the right law, and batches fit as their trials do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats

from schooltrial.models.moments.school_moments import SchoolMoments, from_frame
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.models.power.simulated_moments import moments_of_trial, simulate_moments
from schooltrial.models.reml import batch as batch_reml
from schooltrial.models.reml.batch import OutcomeBatch, fit_batch, spectral_design

BETA = np.array([50.0, 2.0, 0.5, -1.0])
TREATMENT = np.array([0.0, 1.0, 0.0, 0.0])


def pupils(seed: int = 1, schools: int = 16) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), rng.integers(3, 20, schools))
    return pd.DataFrame(
        {
            "school": school,
            "z": school % 2,
            "x": rng.normal(10, 3, len(school)),
            "size": rng.normal(size=schools)[school],
            "y": rng.normal(size=len(school)),
            "w": rng.uniform(0.5, 2, len(school)),
        }
    )


def design(weights: str | None = None) -> SchoolMoments:
    return from_frame(
        pupils(), outcome="y", fixed=["z", "x", "size"], school="school", weights=weights
    )


def draw(
    trials: int, school_variance: float, seed: int = 3, weights: str | None = None
) -> tuple[batch_reml.SpectralDesign, OutcomeBatch]:
    ready = spectral_design(design(weights))
    batch = simulate_moments(
        ready, BETA, school_variance=school_variance, pupil_variance=4.0, trials=trials,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return ready, batch


def near(values: NDArray[np.float64], mean: float, variance: float | None = None) -> None:
    """Check mean (and variance) of many draws, to five Monte Carlo standard errors."""
    n = len(values)
    assert abs(values.mean() - mean) < 5 * values.std() / np.sqrt(n)
    if variance is not None:
        spread = np.std((values - values.mean()) ** 2) / np.sqrt(n)
        assert abs(values.var() - variance) < 5 * spread


@pytest.mark.parametrize("weights", [None, "w"])
def test_drawn_statistics_have_the_means_and_variances_of_their_law(weights: str | None) -> None:
    _, batch = draw(20_000, 1.5, weights=weights)
    moments = design(weights)
    fitted = moments.mean[:, :-1] @ BETA
    for j in range(moments.n_schools):
        near(batch.mean[:, j], fitted[j], 1.5 + 4.0 / moments.weight[j])
    within = moments.within[:-1, :-1]
    spare = moments.n_rows - moments.n_schools
    explained = float(BETA @ within @ BETA)
    near(batch.cross[:, 2], float((within @ BETA)[2]), 4.0 * within[2, 2])
    near(batch.square, explained + 4.0 * spare, 32.0 * spare + 16.0 * explained)
    joint = np.cov(batch.square, batch.cross[:, 2])[0, 1]
    assert joint == pytest.approx(2 * 4.0 * float((within @ BETA)[2]), rel=0.1)
    assert np.all(batch.cross[:, [0, 1, 3]] == 0)  # nothing varies there within schools


def test_the_residual_within_schools_is_chi_squared_and_apart_from_the_rest() -> None:
    _, batch = draw(5_000, 1.5)
    moments = design()
    left = (batch.square - batch.cross[:, 2] ** 2 / moments.within[2, 2]) / 4.0
    degrees = moments.n_rows - moments.n_schools - 1
    assert stats.kstest(left, stats.chi2(degrees).cdf).pvalue > 1e-3
    for other in (batch.cross[:, 2], batch.mean[:, 0], batch.mean.var(axis=1)):
        assert abs(np.corrcoef(left, other)[0, 1]) < 4 / np.sqrt(len(left))


def test_drawn_statistics_have_the_law_of_simulated_pupils() -> None:
    frame, moments = pupils(), design()
    ready, batch = draw(1_500, 1.5, seed=8)
    rng = np.random.default_rng(9)
    fixed = BETA[0] + frame[["z", "x", "size"]].to_numpy() @ BETA[1:]
    found = []
    for _ in range(300):
        noise = rng.normal(0, np.sqrt(1.5), moments.n_schools)[frame["school"]]
        y = fixed + noise + rng.normal(0, 2, len(frame))
        one = from_frame(frame.assign(y=y), outcome="y", fixed=["z", "x", "size"], school="school")
        found.append(fit_two_level_moments(one))
    drawn = fit_batch(ready, batch, TREATMENT)
    pairs = (
        ([f.coefficients[1] for f in found], drawn.estimate),
        ([f.sigma2 for f in found], drawn.sigma2),
        ([f.ratio[0] for f in found], drawn.ratio),
        ([f.estimates(["z"])[0].p_value for f in found], drawn.p_values()),
    )
    for pupil_level, statistics in pairs:
        assert stats.ks_2samp(pupil_level, statistics).pvalue > 1e-3


@pytest.mark.parametrize("school_variance", [0.0, 0.05, 1.5, 40.0])
@pytest.mark.parametrize("weights", [None, "w"])
def test_a_batch_is_fitted_as_each_of_its_trials_alone(
    school_variance: float, weights: str | None
) -> None:
    ready, batch = draw(40, school_variance, weights=weights)
    fits = fit_batch(ready, batch, TREATMENT)
    assert bool(np.all(fits.converged))
    for k in range(40):
        alone = fit_two_level_moments(moments_of_trial(ready, batch, k))
        adjusted = alone.estimates(["z"])[0]
        plain = alone.estimates(["z"], df="satterthwaite")[0]
        assert (fits.ratio[k] == 0.0) == alone.singular
        assert_allclose(fits.ratio[k], alone.ratio[0], rtol=1e-8)
        assert_allclose(
            [fits.estimate[k], fits.std_error[k], fits.std_error_kr[k], fits.sigma2[k]],
            [adjusted.estimate, plain.std_error, adjusted.std_error, alone.sigma2],
            rtol=1e-10,
        )
        assert_allclose(
            [fits.df_kr[k], fits.df_satterthwaite[k]], [adjusted.df, plain.df], rtol=1e-9
        )
        assert_allclose(fits.p_values()[k], adjusted.p_value, rtol=1e-8)
        assert_allclose(fits.p_values(adjusted=False)[k], plain.p_value, rtol=1e-8)


def test_a_contrast_of_pupil_level_coefficients_is_fitted_alike() -> None:
    ready, batch = draw(20, 0.02)
    fits = fit_batch(ready, batch, np.array([0.0, 1.0, 3.0, 0.0]))
    for k in range(20):
        alone = fit_two_level_moments(moments_of_trial(ready, batch, k))
        rows = [
            alone.contrast([0.0, 1.0, 3.0, 0.0], df=df) for df in ("kenward-roger", "satterthwaite")
        ]
        assert_allclose(fits.df_kr[k], rows[0].df, rtol=1e-9)
        assert_allclose(fits.df_satterthwaite[k], rows[1].df, rtol=1e-9)


def test_recorded_outcomes_may_stand_in_for_drawn_ones() -> None:
    frame = pupils()
    rng = np.random.default_rng(5)
    single = []
    for _ in range(6):
        y = 20 + frame["x"] + rng.normal(size=16)[frame["school"]] + rng.normal(size=len(frame))
        single.append(
            from_frame(frame.assign(y=y), outcome="y", fixed=["z", "x", "size"], school="school")
        )
    batch = OutcomeBatch(
        mean=np.array([m.mean[:, -1] for m in single]),
        cross=np.array([m.within[:-1, -1] for m in single]),
        square=np.array([m.within[-1, -1] for m in single]),
    )
    fits = fit_batch(spectral_design(single[0]), batch, TREATMENT)
    for k, moments in enumerate(single):
        row = fit_two_level_moments(moments).estimates(["z"])[0]
        assert_allclose(
            [fits.estimate[k], fits.std_error_kr[k], fits.df_kr[k]],
            [row.estimate, row.std_error, row.df],
            rtol=1e-9,
        )


def test_cutting_a_batch_into_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ready, batch = draw(50, 1.0)
    whole = fit_batch(ready, batch, TREATMENT)
    monkeypatch.setattr(batch_reml, "TRIALS_AT_ONCE", 7)
    cut = fit_batch(ready, batch, TREATMENT)
    assert_allclose(cut.estimate, whole.estimate, rtol=1e-12)
    assert_allclose(cut.df_kr, whole.df_kr, rtol=1e-10)


def test_the_same_seed_draws_the_same_trials() -> None:
    assert_allclose(draw(5, 1.0, seed=2)[1].mean, draw(5, 1.0, seed=2)[1].mean, rtol=0)


def test_a_search_that_is_cut_short_says_so_for_its_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_reml, "MAX_STEPS", 1)
    ready, batch = draw(5, 40.0)
    assert not bool(np.any(fit_batch(ready, batch, TREATMENT).converged))


def test_under_no_effect_kenward_roger_rejects_at_its_level() -> None:
    ready = spectral_design(design())
    batch = simulate_moments(
        ready, np.array([50.0, 0.0, 0.5, -1.0]), school_variance=1.5, pupil_variance=4.0,
        trials=4_000, rng=np.random.default_rng(11),
    )  # fmt: skip
    rejected = float((fit_batch(ready, batch, TREATMENT).p_values() < 0.05).mean())
    assert abs(rejected - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 4_000) + 0.004


def test_numbers_that_make_no_trial_are_refused() -> None:
    ready = spectral_design(design())
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match=r"expected \(4,\)"):
        simulate_moments(
            ready, np.ones(3), school_variance=1.0, pupil_variance=1.0, trials=1, rng=rng
        )
    with pytest.raises(ValueError, match="positive pupil variance"):
        simulate_moments(ready, BETA, school_variance=1.0, pupil_variance=0.0, trials=1, rng=rng)
    _, batch = draw(2, 1.0)
    with pytest.raises(ValueError, match="one number for each of"):
        fit_batch(ready, batch, np.ones(2))
    few = from_frame(
        pupils().assign(school=lambda f: f["school"] % 3), outcome="y",
        fixed=["x"], school="school",
    )  # fmt: skip
    frame = pupils(schools=2)
    two = from_frame(frame, outcome="y", fixed=["z"], school="school")
    assert spectral_design(few).degrees == few.n_rows - 2
    with pytest.raises(ValueError, match="more schools than such regressors"):
        spectral_design(two)
