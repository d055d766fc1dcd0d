"""Fisher's test by the design's own draws: a plain loop over all of them, and its size."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from schooltrial.models.cohort_inference.design_draws import design_check
from schooltrial.models.group_time.averages import plan_averages
from schooltrial.models.group_time.cells import plan_cells, treated_schools
from schooltrial.models.group_time.loadings import effects_of_cells
from schooltrial.models.group_time.panel import SchoolPanel

YEARS = np.arange(2020, 2025)


def _panel(cohort: np.ndarray, seed: int, effect: float = 0.0) -> SchoolPanel:
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 8, len(cohort))[:, None] + rng.normal(0, 2, (len(cohort), len(YEARS)))
    y += effect * ((cohort[:, None] > 0) & (cohort[:, None] <= YEARS))
    return SchoolPanel(y, YEARS, cohort, np.arange(len(cohort)).astype(str))


def _overall(panel: SchoolPanel) -> tuple[np.ndarray, float, float]:
    """Return the loadings of the overall effect by group, and its t by own variances."""
    cells = plan_cells(panel)
    row = plan_averages(cells, treated_schools(panel, cells))[0]
    effects = effects_of_cells(panel, cells, row.weights[:, None])
    own = np.einsum("it,it->i", panel.outcome, effects.loadings[panel.group, :, 0])
    variance = sum(own[panel.group == h].var(ddof=1) / n for h, n in enumerate(panel.sizes))
    return effects.loadings, float(effects.points[0]), float(effects.points[0] / variance**0.5)


def test_the_p_value_is_the_share_of_all_assignments_as_far_from_zero_as_what_was_seen() -> None:
    cohort = np.array([0, 0, 0, 2022, 2022, 2023, 2023])
    panel = _panel(cohort, 1, effect=2.0)
    loadings, _, seen = _overall(panel)
    other = [
        _overall(SchoolPanel(panel.outcome, YEARS, np.array(drawn), panel.schools))[2]
        for drawn in set(permutations(cohort.tolist()))
    ]
    found = design_check(panel.outcome, panel.group, loadings, None, draws=10,
                         random=np.random.default_rng(1))  # fmt: skip
    assert found.exact
    assert found.draws == len(other) == 210
    assert found.p_value[0] == pytest.approx(np.mean(np.abs(other) >= abs(seen) - 1e-9))


def test_cohorts_are_exchanged_within_blocks_alone() -> None:
    cohort = np.array([0, 2022, 2023, 0, 2022, 2023, 0, 0])
    panel = _panel(cohort, 2)
    loadings, _, seen = _overall(panel)
    blocks = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    other = []
    for first in set(permutations(cohort[:3].tolist())):
        for second in set(permutations(cohort[3:].tolist())):
            drawn = np.array([*first, *second])
            other.append(_overall(SchoolPanel(panel.outcome, YEARS, drawn, panel.schools))[2])
    found = design_check(panel.outcome, panel.group, loadings, blocks, draws=10,
                         random=np.random.default_rng(1))  # fmt: skip
    assert found.draws == 6 * 20
    assert found.p_value[0] == pytest.approx(np.mean(np.abs(other) >= abs(seen) - 1e-9))


def test_where_there_are_too_many_assignments_some_are_drawn_and_agree_with_all() -> None:
    cohort = np.array([0] * 5 + [2022] * 3 + [2023] * 3)
    panel = _panel(cohort, 3, effect=1.5)
    loadings, _, _ = _overall(panel)
    keys = {"draws": 4000, "random": np.random.default_rng(1)}
    every = design_check(panel.outcome, panel.group, loadings, None, **keys)  # type: ignore[arg-type]
    some = design_check(panel.outcome, panel.group, loadings, None, exact_up_to=100, **keys)  # type: ignore[arg-type]
    assert every.exact
    assert not some.exact
    assert (every.draws, some.draws) == (9240, 4000)
    assert some.p_value[0] == pytest.approx(every.p_value[0], abs=0.03)


def test_true_nulls_are_rejected_no_more_often_than_the_level_even_with_years_missing() -> None:
    cohort = np.array([0] * 4 + [2022] * 3 + [2023] * 3)
    rejected = 0
    for seed in range(200):
        panel = _panel(cohort, 100 + seed)
        loadings, _, _ = _overall(panel)
        outcome = panel.outcome.copy()
        outcome[seed % 10, seed % 5] = np.nan
        found = design_check(outcome, panel.group, loadings, None, draws=1,
                             random=np.random.default_rng(1))  # fmt: skip
        rejected += found.p_value[0] <= 0.05
    assert rejected <= 18


def test_cohorts_of_one_school_are_compared_unscaled() -> None:
    cohort = np.array([0] * 5 + [2022, 2023])
    panel = _panel(cohort, 5, effect=30.0)
    loadings, _, _ = _overall(panel)
    found = design_check(panel.outcome, panel.group, loadings, None, draws=1,
                         random=np.random.default_rng(1))  # fmt: skip
    assert found.draws == 42
    assert found.p_value[0] <= 2 / 42
