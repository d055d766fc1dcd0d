"""Type S and Type M errors: published examples, quadrature, and simulated estimates."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest
from scipy import integrate, special, stats

from schooltrial.models.power.minimum_detectable_effect import power_of_test
from schooltrial.models.power.sign_and_magnitude import sign_magnitude_errors


def test_the_first_example_of_gelman_and_carlin_is_reproduced() -> None:
    # page 644: true difference .1, standard error 3.28: power .05, Type S 46%, exaggeration 77
    found = sign_magnitude_errors(0.1, 3.28, inf)
    assert round(found.power, 2) == 0.05
    assert round(found.type_s, 2) == 0.46
    assert round(found.type_m) == 77


def test_the_second_example_of_gelman_and_carlin_is_reproduced() -> None:
    # page 646: true effect 2, standard error 8.1: power .06, Type S 24%
    found = sign_magnitude_errors(2.0, 8.1, inf)
    assert round(found.power, 2) == 0.06
    assert round(found.type_s, 2) == 0.24


@pytest.mark.parametrize("df", [1.5, 2.0, 10.0, 38.0, 2000.0])
@pytest.mark.parametrize("delta", [0.05, 1.0, 2.8, 5.0])
def test_the_closed_form_is_the_integral_over_the_estimated_standard_error(
    df: float, delta: float
) -> None:
    c = special.stdtrit(df, 0.975)
    w = stats.chi(df, scale=1 / sqrt(df))

    def size(spread: float) -> float:
        edge = c * spread
        return float(
            stats.norm.pdf(edge - delta)
            + stats.norm.pdf(edge + delta)
            + delta * (special.ndtr(delta - edge) - special.ndtr(-delta - edge))
        )

    def density(spread: float) -> float:
        return size(spread) * float(w.pdf(spread))

    ends = (0.0, 1.0, 1 + 20 / sqrt(df))
    mean = sum(integrate.quad(density, *ends[k : k + 2], epsabs=1e-13)[0] for k in (0, 1))
    found = sign_magnitude_errors(3 * delta, 3.0, df)
    assert found.type_m == pytest.approx(mean / found.power / delta, rel=1e-8)
    assert found.power == pytest.approx(float(power_of_test(delta, 1.0, df)), rel=1e-12)


def test_significant_estimates_of_simulated_small_trials_err_as_often_and_as_far() -> None:
    rng = np.random.default_rng(2)
    trials, df, delta = 400_000, 6, 0.8
    estimate = rng.normal(delta, 1, trials)
    error = np.sqrt(rng.chisquare(df, trials) / df)
    rejects = np.abs(estimate) > special.stdtrit(df, 0.975) * error
    kept = estimate[rejects]
    found = sign_magnitude_errors(delta, 1.0, df)
    n = rejects.sum()
    assert rejects.mean() == pytest.approx(found.power, abs=4 * sqrt(0.1 / trials))
    assert (kept < 0).mean() == pytest.approx(found.type_s, abs=4 * sqrt(found.type_s / n))
    spread = float((np.abs(kept) / delta).std())
    assert (np.abs(kept) / delta).mean() == pytest.approx(found.type_m, abs=4 * spread / sqrt(n))


def test_with_high_power_significant_estimates_are_right_and_not_too_large() -> None:
    found = sign_magnitude_errors(1.0, 0.1, 38)
    assert found.power == pytest.approx(1)
    assert found.type_s < 1e-12
    assert found.type_m == pytest.approx(1, abs=1e-9)


def test_as_the_effect_vanishes_half_of_the_significant_estimates_have_the_wrong_sign() -> None:
    assert sign_magnitude_errors(1e-6, 1.0, 20).type_s == pytest.approx(0.5, abs=1e-5)


def test_harm_is_exaggerated_as_benefit_is() -> None:
    assert sign_magnitude_errors(-0.4, 0.3, 12) == sign_magnitude_errors(0.4, 0.3, 12)


def test_an_effect_without_sign_or_an_error_without_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one with a sign"):
        sign_magnitude_errors(0.0, 1.0, 9)
    with pytest.raises(ValueError, match="more than 1 are needed"):
        sign_magnitude_errors(0.1, 1.0, 1.0)
