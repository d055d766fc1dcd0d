from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schooltrial.models.inference.multiple_testing import (
    adjust_p_values,
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    hochberg,
    holm,
    sharpened_q,
    step_down_max_t,
    step_down_min_p,
)
from schooltrial.models.inference.reference_distribution import ReferenceDistribution

SETTINGS = settings(deadline=None, max_examples=25, derandomize=True)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)
ADJUSTMENTS = [bonferroni, holm, hochberg, benjamini_hochberg, benjamini_yekutieli, sharpened_q]
Adjustment = Callable[[list[float]], NDArray[np.float64]]


def _family(seed: int, outcomes: int, draws: int, *, exact: bool) -> ReferenceDistribution:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(outcomes, outcomes))
    values = rng.normal(size=(draws, outcomes)) @ mixing
    observed = values[0] if exact else 1.5 * rng.normal(size=outcomes) @ mixing
    return ReferenceDistribution(observed, values, None, exact)


@pytest.mark.parametrize("adjust", ADJUSTMENTS)
def test_one_door_leads_to_each_adjustment_by_its_name(adjust: Adjustment) -> None:
    p = [0.01, 0.04, 0.03, 0.2]
    name = adjust.__name__
    np.testing.assert_array_equal(adjust_p_values(p, name), adjust(p))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no adjustment 'sidak'; choose from bonferroni, holm"):
        adjust_p_values(p, "sidak")  # type: ignore[arg-type]


@pytest.mark.parametrize("adjust", ADJUSTMENTS)
def test_a_family_of_one_keeps_its_p_value(adjust: Adjustment) -> None:
    # Two-stage q-values pay the factor 1 + q even alone: q/(1 + q) must reach p.
    expected = 0.03 / 0.97 if adjust is sharpened_q else 0.03
    assert adjust([0.03])[0] == pytest.approx(expected)


@pytest.mark.parametrize("adjust", ADJUSTMENTS)
@SETTINGS
@given(P_VALUES, st.randoms())
def test_adjusted_values_keep_the_order_and_ignore_that_of_the_list(
    adjust: Adjustment, p: list[float], random: object
) -> None:
    adjusted = adjust(p)
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
    assert ((adjusted >= 0) & (adjusted <= 1)).all()
    shuffled = list(range(len(p)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert adjust([p[i] for i in shuffled]) == pytest.approx(adjusted[shuffled])


@SETTINGS
@given(P_VALUES)
def test_hochberg_lies_under_holm_and_holm_under_bonferroni(p: list[float]) -> None:
    assert (hochberg(p) <= holm(p) + 1e-15).all()
    assert (holm(p) <= bonferroni(p) + 1e-15).all()
    assert (benjamini_hochberg(p) <= hochberg(p) + 1e-12).all()


@SETTINGS
@given(st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_holm_is_the_closed_test_with_bonferroni_inside(p: list[float]) -> None:
    m = len(p)
    subsets = [s for size in range(1, m + 1) for s in combinations(range(m), size)]
    for k in range(m):
        local = [min(1.0, len(s) * min(p[i] for i in s)) for s in subsets if k in s]
        assert holm(p)[k] == pytest.approx(max(local))


@SETTINGS
@given(P_VALUES)
def test_sharpened_q_is_the_smallest_rate_at_which_two_stages_reject(p: list[float]) -> None:
    q_values = sharpened_q(p)
    m = len(p)
    ordered = np.sort(p)
    ranks = np.arange(1, m + 1)

    def rejected(q: float) -> int:
        prime = q / (1 + q)
        first = int((ranks * (ordered <= prime * ranks / m)).max())
        second = m if first == m else prime * m / (m - first)
        return m if first == m else int((ranks * (ordered <= second * ranks / m)).max())

    for q, rank in zip(np.sort(q_values), ranks, strict=True):
        if q < 1:
            assert rejected(q * (1 + 1e-9) + 1e-12) >= rank
        if q > 1e-6:
            assert rejected(q * (1 - 1e-6)) < rank


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("method", [step_down_max_t, step_down_min_p])
def test_step_down_never_below_raw_nor_above_single_step_and_monotone(
    method: Callable[[ReferenceDistribution], object], exact: bool
) -> None:
    for seed in range(10):
        family = _family(seed, 5, 400, exact=exact)
        found = method(family)
        raw, single, steps = found.raw, found.single_step, found.step_down  # type: ignore[attr-defined]
        assert raw == pytest.approx(family.p_value())
        assert (steps >= raw - 1e-12).all()
        assert (steps <= single + 1e-12).all()
        leading = np.abs(family.observed) if method is step_down_max_t else -raw
        assert (np.diff(steps[np.argsort(-leading, kind="stable")]) >= -1e-12).all()


def test_max_t_step_down_equals_its_definition_draw_by_draw() -> None:
    family = _family(3, 4, 250, exact=False)
    observed, draws = np.abs(family.observed), np.abs(family.draws)
    order = np.argsort(-observed)
    expected, before = np.empty(4), 0.0
    for step, k in enumerate(order):
        still = order[step:]
        beyond = sum(max(draw[i] for i in still) >= observed[k] for draw in draws)
        before = max(before, (1 + beyond) / (1 + len(draws)))
        expected[k] = before
    assert step_down_max_t(family).step_down == pytest.approx(expected)


def test_identical_outcomes_cost_nothing_and_independent_ones_about_as_much_as_holm() -> None:
    rng = np.random.default_rng(8)
    one = rng.normal(size=(2000, 1))
    same = ReferenceDistribution(np.full(6, 2.3), np.repeat(one, 6, axis=1), None, False)
    assert step_down_max_t(same).step_down == pytest.approx(same.p_value())
    apart = ReferenceDistribution(np.full(6, 2.5), rng.normal(size=(20000, 6)), None, False)
    found = step_down_max_t(apart)
    assert found.step_down.max() == pytest.approx(holm(found.raw).max(), rel=0.15)


def test_probabilities_of_enumerated_assignments_weigh_the_draws() -> None:
    draws = np.array([[2.0, 1.0], [0.5, 3.0], [1.0, 0.2]])
    family = ReferenceDistribution(draws[0], draws, np.array([0.5, 0.25, 0.25]), True)
    found = step_down_max_t(family)
    assert found.raw == pytest.approx([0.5, 0.75])
    assert found.step_down == pytest.approx([0.75, 0.75])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: holm([]), "one or more needed"),
        (lambda: holm([0.2, 1.2]), "p-value 1 is 1.2"),
        (lambda: benjamini_hochberg([0.1, float("nan")]), "p-value 1 is nan"),
        (
            lambda: step_down_max_t(
                ReferenceDistribution(np.zeros(2), np.zeros((5, 3)), None, False)
            ),
            "2 statistics but draws of shape \\(5, 3\\)",
        ),
        (
            lambda: step_down_max_t(
                ReferenceDistribution(np.array([1, np.nan]), np.zeros((5, 2)), None, False)
            ),
            "statistic 1 of the family is nan",
        ),
    ],
)
def test_errors_say_which_hypothesis(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
