"""Power and minimum detectable effects: identities, R's digits, and designs by least squares."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, special

from schooltrial.models.power.allocation import Allocation, counted_allocation, planned_allocation
from schooltrial.models.power.closed_form import (
    district_randomised,
    precision,
    pupils_within_sites,
    school_randomised,
    teachers_within_schools,
    two_level_variance,
)
from schooltrial.models.power.cluster_sizes import (
    harmonic_mean,
    harmonic_mean_of,
    pupil_weighted_design_effect,
    reml_efficiency,
    size_variation,
)
from schooltrial.models.power.minimum_detectable_effect import (
    Precision,
    find_minimum_detectable_effect,
    mde_multiplier,
    power_of_test,
    rejection_tails,
)

SETTINGS = settings(deadline=None, derandomize=True)
TWO_GROUPS = [
    # R 4.2.2: power.t.test(n, delta = 1, strict = TRUE)$power, and $delta at power .8, tol 1e-12
    # units in each arm, tails, power (None: not asked), minimum detectable effect
    (20, 2, 0.868953027725, 0.909129032682),
    (3, 2, None, 3.07089226636),
    (20, 1, None, 0.800680336254),
]


@pytest.mark.parametrize(("n", "sided", "power", "effect"), TWO_GROUPS)
def test_two_groups_of_pupils_have_the_power_of_rs_power_t_test(
    n: int, sided: int, power: float | None, effect: float
) -> None:
    two = pupils_within_sites(planned_allocation(2 * n), 0.0)
    assert two.std_error == pytest.approx(sqrt(2 / n))
    assert two.df == 2 * n - 2
    if power is not None:
        assert two.power(1.0) == pytest.approx(power, rel=1e-9)
    assert two.mdes(sided=2 if sided == 2 else 1) == pytest.approx(effect, rel=1e-9)


def test_without_an_effect_the_power_is_the_level_of_the_test() -> None:
    for df in (1.0, 3.0, 38.0, 4000.0, inf):
        assert power_of_test(0.0, 2.0, df, alpha=0.1) == pytest.approx(0.1, rel=1e-9)
        assert power_of_test(0.0, 2.0, df, alpha=0.1, sided=1) == pytest.approx(0.1, rel=1e-9)


@pytest.mark.parametrize("df", [1.0, 2.0, 5.0, 38.0, 300.0])
@pytest.mark.parametrize("delta", [0.3, 1.0, 2.8, 8.0])
def test_tails_are_those_of_a_normal_over_an_independent_root_chi_squared(
    df: float, delta: float
) -> None:
    c = special.stdtrit(df, 0.975)
    constant = np.log(2) + df / 2 * np.log(df / 2) - special.gammaln(df / 2)

    def tail(centre: float) -> float:
        def integrand(w: float) -> float:
            return float(
                np.exp(constant + (df - 1) * np.log(w) - df * w * w / 2)
                * special.ndtr(centre - c * w)
            )

        ends = (1e-300, 1.0, 1 + 20 / sqrt(df))
        return float(
            sum(integrate.quad(integrand, *ends[k : k + 2], epsabs=1e-14)[0] for k in (0, 1))
        )

    upper, lower = rejection_tails(delta, 1.0, df)
    assert float(upper) == pytest.approx(tail(delta), abs=1e-11)
    assert float(lower) == pytest.approx(tail(-delta), abs=1e-11)


def test_very_large_effects_are_found_for_certain() -> None:
    for df in (1.0, 38.0, 2000.0, inf):
        power = power_of_test(np.array([200.0, 1e3, 1e4, -1e3]), 1.0, df)
        assert np.all(power == pytest.approx(1.0, abs=1e-12))


@SETTINGS
@given(
    st.floats(2, 500), st.floats(0.01, 0.2), st.floats(0.3, 0.99), st.sampled_from([1, 2]),
)  # fmt: skip
def test_at_the_minimum_detectable_effect_the_power_is_the_one_wanted(
    df: float, alpha: float, power: float, sided: int
) -> None:
    tails: list[Literal[1, 2]] = [1, 2]
    effect = find_minimum_detectable_effect(
        0.3, df, alpha=alpha, power=power, sided=tails[sided - 1]
    )
    reached = power_of_test(effect, 0.3, df, alpha=alpha, sided=tails[sided - 1])
    assert float(reached) == pytest.approx(power, abs=1e-10)


@SETTINGS
@given(st.floats(0.01, 3), st.floats(1, 100))
def test_power_is_the_same_for_harm_as_for_benefit(effect: float, df: float) -> None:
    there, back = (rejection_tails(sign * effect, 0.7, df) for sign in (1, -1))
    assert float(there[0]) == float(back[1])
    assert float(there[1]) == float(back[0])


def test_the_multiplier_is_close_with_twenty_degrees_of_freedom_and_not_with_three() -> None:
    for df in (20.0, 38.0, 200.0, 5000.0):
        exact = find_minimum_detectable_effect(1.0, df)
        assert abs(mde_multiplier(df) / exact - 1) < 1e-3
    assert mde_multiplier(3.0) / find_minimum_detectable_effect(1.0, 3.0) < 0.98
    assert mde_multiplier(inf) == pytest.approx(find_minimum_detectable_effect(1.0, inf), rel=1e-5)


def test_the_familiar_multiplier_is_two_point_eight() -> None:
    assert round(mde_multiplier(inf), 3) == 2.802
    assert round(mde_multiplier(inf, sided=1), 3) == 2.486
    assert Precision(0.1, 38).mdes_multiplier() == pytest.approx(0.1 * mde_multiplier(38))


# Designs


def _least_squares(treated: NDArray[np.float64], block: NDArray[np.int64]) -> tuple[float, int]:
    """Return the variance of the effect, for units of variance one, and what is left of the df."""
    x = np.column_stack([treated, *(block == b for b in np.unique(block))]).astype(float)
    return float(np.linalg.inv(x.T @ x)[0, 0]), len(x) - np.linalg.matrix_rank(x)


@SETTINGS
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=6))
def test_an_allocation_is_worth_what_least_squares_with_block_effects_makes_of_it(
    blocks: list[tuple[int, int]],
) -> None:
    treated = np.concatenate([np.repeat([1.0, 0.0], pair) for pair in blocks])
    block = np.repeat(np.arange(len(blocks)), [sum(pair) for pair in blocks])
    variance, df = _least_squares(treated, block)
    allocation = counted_allocation([t for t, _ in blocks], [c for _, c in blocks])
    assert 1 / allocation.information == pytest.approx(variance, rel=1e-9)
    if df > 0:
        found = precision(allocation, 2.0)
        assert found.std_error**2 == pytest.approx(2 * variance)
        assert found.df == df


def test_a_block_of_one_arm_tells_nothing_of_the_effect_and_something_of_the_error() -> None:
    with_it = precision(counted_allocation([2, 3, 4], [2, 3, 0]), 1.0)
    without = precision(counted_allocation([2, 3], [2, 3]), 1.0)
    assert with_it.std_error == without.std_error
    assert with_it.df == without.df + 3


def test_effects_of_their_own_cost_a_degree_of_freedom_for_every_block() -> None:
    eight = planned_allocation(40, blocks=8)
    assert precision(eight, 1.0, covariates=1).df == 40 - 8 - 1 - 1
    assert precision(eight, 1.0, covariates=1, block_effects="fixed").df == 40 - 16 - 1
    assert precision(eight, 1.0, covariates=1, block_effects="random").df == 8 - 1 - 1


def test_effects_that_vary_over_sites_add_their_variance_over_the_number_of_sites() -> None:
    lotteries = planned_allocation(600, 0.4, blocks=12)
    fixed = pupils_within_sites(lotteries, 0.2, r2_pupil=0.5)
    random = pupils_within_sites(
        lotteries, 0.2, r2_pupil=0.5, block_effects="random", effect_sd=0.15
    )
    assert fixed.std_error**2 == pytest.approx(0.8 * 0.5 / (600 * 0.4 * 0.6))
    assert random.std_error**2 - fixed.std_error**2 == pytest.approx(0.15**2 / 12)


def test_the_mean_of_site_effects_varies_by_the_stated_formula_in_simulated_lotteries() -> None:
    rng = np.random.default_rng(4)
    sites, pupils, trials = 10, 20, 6000
    z = np.tile(np.repeat([1.0, 0.0], pupils // 2), (sites, 1))
    effects = rng.normal(0, 0.3, (trials, sites))
    y = effects[:, :, None] * z + rng.normal(0, sqrt(0.7), (trials, sites, pupils))
    estimate = ((2 * z - 1) * y).sum(axis=(1, 2)) / (sites * pupils / 2)
    expected = pupils_within_sites(
        planned_allocation(sites * pupils, blocks=sites), 0.3, block_effects="random", effect_sd=0.3
    ).std_error
    assert estimate.std() == pytest.approx(expected, rel=4 / sqrt(2 * trials))


def test_three_levels_are_two_where_districts_hold_no_variance_of_their_own() -> None:
    two = school_randomised(planned_allocation(60), 25, 0.15, r2_school=0.4, r2_pupil=0.3)
    three = district_randomised(
        planned_allocation(60), 1, 25, 0.15, 0.0, r2_district=0.4, r2_pupil=0.3
    )
    assert three.std_error == pytest.approx(two.std_error, rel=1e-12)
    assert three.df == two.df


def test_the_mean_of_a_district_varies_as_simulated_means_do() -> None:
    rng = np.random.default_rng(5)
    m, n, size = 3, 8, 20_000
    means = rng.normal(0, sqrt(0.1), (size, 1, 1)) + rng.normal(0, sqrt(0.2), (size, m, 1))
    means = (means + rng.normal(0, sqrt(0.7), (size, m, n))).mean(axis=(1, 2))
    variance = district_randomised(planned_allocation(40), m, n, 0.1, 0.2).std_error ** 2 * 10
    assert means.var() == pytest.approx(variance, rel=4 * sqrt(2 / size))


def test_teachers_within_schools_are_clusters_whose_schools_are_removed() -> None:
    teachers = planned_allocation(96, 0.4, blocks=24)
    found = teachers_within_schools(teachers, 22, 0.1, icc_school=0.15, r2_pupil=0.5)
    variance = 0.1 + 0.75 * 0.5 / 22
    assert found.std_error == pytest.approx(sqrt(variance / (96 * 0.24)))
    assert found.df == 96 - 24 - 1
    own = teachers_within_schools(teachers, 1, 1.0)
    assert own.std_error == pytest.approx(sqrt(1 / (96 * 0.24)))


def test_schools_of_one_pupil_are_pupils() -> None:
    schools = school_randomised(planned_allocation(200, 0.3), 1, 0.2)
    pupils = pupils_within_sites(planned_allocation(200, 0.3), 0.0)
    assert schools == pupils


# Sizes


def test_the_harmonic_mean_gives_the_mean_variance_of_school_means() -> None:
    sizes = np.array([20.0, 60, 150, 45])
    each = [two_level_variance(n, 0.2, r2_pupil=0.4) for n in sizes]
    assert two_level_variance(harmonic_mean(sizes), 0.2, r2_pupil=0.4) == pytest.approx(
        np.mean(each), rel=1e-12
    )


def test_the_form_by_coefficient_of_variation_is_right_for_lognormal_sizes() -> None:
    middle = (np.arange(400_000) + 0.5) / 400_000
    sizes = 100 * np.exp(0.4 * special.ndtri(middle))
    assert harmonic_mean_of(float(sizes.mean()), size_variation(sizes)) == pytest.approx(
        harmonic_mean(sizes), rel=1e-4
    )


def test_the_efficiency_of_reml_is_near_that_of_weighing_by_known_variances() -> None:
    sizes = np.linspace(40, 160, 41)
    for icc in (0.02, 0.1, 0.3):
        weights = 1 / (icc + (1 - icc) / sizes)
        equal = 41 / (icc + (1 - icc) / sizes.mean())
        about = reml_efficiency(float(sizes.mean()), size_variation(sizes), icc)
        assert about == pytest.approx(weights.sum() / equal, abs=0.012)
    assert reml_efficiency(100, 0.0, 0.1) == 1


def test_counting_pupils_alike_has_the_design_effect_of_their_sum() -> None:
    sizes, icc = np.array([10.0, 30, 80]), 0.1
    share = sizes / sizes.sum()
    variance = float((share**2 * (icc + (1 - icc) / sizes)).sum())
    expected = pupil_weighted_design_effect(float(sizes.mean()), size_variation(sizes), icc)
    assert variance * sizes.sum() == pytest.approx(expected, rel=1e-12)


# Refusals


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: planned_allocation(40, 1.0), "both groups have units"),
        (lambda: planned_allocation(10, blocks=10), "more units than blocks"),
        (lambda: counted_allocation([2, 0], [0, 2]), "no block holds units of both groups"),
        (lambda: counted_allocation([2, 1], [2]), "one of each for every block"),
        (lambda: precision(planned_allocation(3), 1.0, covariates=1), "degrees of freedom"),
        (lambda: precision(planned_allocation(9), 0.0), "above zero"),
        (lambda: precision(planned_allocation(9), 1.0, effect_sd=0.1), "block_effects='random'"),
        (lambda: two_level_variance(9, 1.2), "between 0 and 1"),
        (lambda: two_level_variance(9, 0.7, icc_block=0.4), "sum to at most 1"),
        (lambda: harmonic_mean([3, 0]), "leave out schools without pupils"),
        (lambda: find_minimum_detectable_effect(0.1, 9, power=0.04), "above|between the level"),
        (lambda: find_minimum_detectable_effect(0.0, 9), "standard error is 0"),
        (lambda: power_of_test(1.0, 1.0, 0.0), "0 degrees of freedom"),
        (lambda: power_of_test(1.0, 1.0, 9, alpha=1.0), "level of the test is 1"),
    ],
)  # fmt: skip
def test_numbers_that_make_no_design_are_refused(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


def test_covariates_may_do_harm_between_schools() -> None:
    assert two_level_variance(50, 0.1, r2_school=-0.2) > two_level_variance(50, 0.1)


def test_a_plan_and_a_list_of_the_same_schools_are_one_allocation() -> None:
    assert planned_allocation(12, 0.25, blocks=3) == counted_allocation([1] * 3, [3] * 3)
    assert Allocation(12, 3, 3, 2.25).treated_share == 0.25
