"""Power by simulation: against closed forms, trials drawn with their effect, and with losses."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from schooltrial.models.power.allocation import counted_allocation, planned_allocation
from schooltrial.models.power.closed_form import school_randomised
from schooltrial.models.power.sign_and_magnitude import sign_magnitude_errors
from schooltrial.models.power.simulated_moments import simulate_moments
from schooltrial.models.power.simulation import (
    PlannedTrial,
    SimulatedPower,
    simulate_power,
    trial_moments,
)
from schooltrial.models.reml.batch import fit_batch, spectral_design

Z = np.arange(24) % 2
EQUAL = PlannedTrial(np.full(24, 60), Z)


def _drawn(
    trial: PlannedTrial, trials: int = 6000, icc: float = 0.2, seed: int = 1
) -> SimulatedPower:
    return simulate_power(
        trial, icc, r2_school=0.4, r2_pupil=0.5, trials=trials, rng=np.random.default_rng(seed)
    )


def test_equal_schools_have_the_power_and_the_detectable_effect_of_the_closed_form() -> None:
    drawn = _drawn(EQUAL)
    closed = school_randomised(planned_allocation(24), 60, 0.2, r2_school=0.4, r2_pupil=0.5)
    assert_allclose(drawn.df, closed.df, rtol=1e-6)
    for effect in (0.0, 0.2, 0.35, 0.5):
        wanted = closed.power(effect)
        assert abs(drawn.power(effect) - wanted) < 4 * sqrt(wanted * (1 - wanted) / drawn.trials)
    assert drawn.mdes() == pytest.approx(closed.mdes(), rel=0.02)
    assert drawn.power_error(0.35) == pytest.approx(
        sqrt(drawn.power(0.35) * (1 - drawn.power(0.35)) / 6000)
    )


def test_unequal_blocks_cost_what_the_closed_form_says() -> None:
    block = np.repeat(np.arange(6), 4)
    treated = np.tile([1, 0, 0, 0], 6)
    drawn = _drawn(PlannedTrial(np.full(24, 60), treated, block=block))
    closed = school_randomised(
        counted_allocation([1] * 6, [3] * 6), 60, 0.2, r2_school=0.4, r2_pupil=0.5
    )
    assert closed.df == 17
    assert_allclose(drawn.df, closed.df, rtol=1e-6)
    assert drawn.estimate.std() == pytest.approx(closed.std_error, rel=4 / sqrt(12_000))
    wanted = closed.power(0.4)
    assert abs(drawn.power(0.4) - wanted) < 4 * sqrt(wanted * (1 - wanted) / drawn.trials)


def test_an_effect_that_is_added_afterwards_is_as_one_that_was_drawn() -> None:
    moments = trial_moments(EQUAL, np.full(24, 60), np.random.default_rng(0))
    assert moments is not None
    design = spectral_design(moments)
    fits = [
        fit_batch(
            design,
            simulate_moments(
                design, np.array([0.0, effect]), school_variance=0.12, pupil_variance=0.4,
                trials=50, rng=np.random.default_rng(3),
            ),
            np.array([0.0, 1.0]),
        )
        for effect in (0.0, 0.3)
    ]  # fmt: skip
    assert_allclose(fits[1].estimate, fits[0].estimate + 0.3, rtol=1e-10)
    assert_allclose(fits[1].std_error_kr, fits[0].std_error_kr, rtol=1e-8)
    assert_allclose(fits[1].df_kr, fits[0].df_kr, rtol=1e-8)


def test_schools_of_unequal_size_detect_less_than_equal_ones_of_the_same_mean() -> None:
    sizes = np.tile([8, 16, 40, 176], 6)
    unequal = _drawn(PlannedTrial(sizes, np.repeat([0, 1], 12)), icc=0.03)
    harmonic = school_randomised(planned_allocation(24), sizes, 0.03, r2_school=0.4, r2_pupil=0.5)
    arithmetic = school_randomised(planned_allocation(24), 60, 0.03, r2_school=0.4, r2_pupil=0.5)
    # REML weighs schools, so the harmonic mean is the cautious bound
    assert arithmetic.std_error < unequal.estimate.std() < harmonic.std_error


def test_losses_take_schools_and_pupils_at_their_rates_and_power_with_them() -> None:
    losing = PlannedTrial(
        np.full(24, 60), Z, schools_lost=(0.0, 0.25), pupils_lost=(0.5, 0.5)
    )  # fmt: skip
    lost, whole = _drawn(losing), _drawn(EQUAL)
    assert lost.schools.mean() == pytest.approx(12 + 9, abs=0.6)
    assert lost.n_individuals.mean() == pytest.approx(21 * 30, rel=0.05)
    assert lost.power(0.35) < whole.power(0.35) - 0.02
    assert lost.mdes() > whole.mdes()


def test_a_covariate_of_schools_costs_a_degree_of_freedom() -> None:
    drawn = _drawn(PlannedTrial(np.full(24, 60), Z, covariates=2), trials=400)
    assert_allclose(drawn.df, 20, rtol=1e-6)


def test_trials_whose_losses_leave_no_comparison_never_reject() -> None:
    few = PlannedTrial(np.full(6, 30), [0, 1] * 3, schools_lost=(0.5, 0.5))
    drawn = _drawn(few, trials=2000)
    assert 0 < drawn.undefined < 2000
    assert drawn.power(100.0) == pytest.approx(1 - drawn.undefined / 2000)
    with pytest.raises(ValueError, match="plan for fewer losses"):
        drawn.mdes(power=0.99)


def test_signs_and_sizes_of_simulated_trials_err_as_the_closed_form_says() -> None:
    drawn = _drawn(EQUAL, trials=20_000)
    closed = school_randomised(planned_allocation(24), 60, 0.2, r2_school=0.4, r2_pupil=0.5)
    found = drawn.sign_magnitude(0.1)
    wanted = sign_magnitude_errors(0.1, closed.std_error, closed.df)
    n = found.power * 20_000
    assert found.power == pytest.approx(wanted.power, abs=4 * sqrt(wanted.power / 20_000))
    assert found.type_s == pytest.approx(wanted.type_s, abs=4 * sqrt(wanted.type_s / n))
    assert found.type_m == pytest.approx(wanted.type_m, rel=0.05)


def test_the_same_seed_gives_the_same_power() -> None:
    losing = PlannedTrial(np.full(24, 60), Z, pupils_lost=(0.1, 0.2))
    first, again = (_drawn(losing, trials=300) for _ in range(2))
    assert first.estimate.tolist() == again.estimate.tolist()
    assert _drawn(losing, trials=300, seed=2).estimate[0] != first.estimate[0]


def test_trials_that_cannot_be_fitted_are_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="both groups in some block"):
        simulate_power(
            PlannedTrial([30] * 6, [0, 0, 0, 1, 1, 1], block=[0] * 3 + [1] * 3), 0.1, rng=rng
        )
    with pytest.raises(ValueError, match="expected an ICC from 0"):
        simulate_power(EQUAL, 1.0, rng=rng)
    with pytest.raises(ValueError, match="need rejections and an effect"):
        _drawn(EQUAL, trials=100).sign_magnitude(0.0)
