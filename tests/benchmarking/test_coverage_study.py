"""What the coverage study rests on: its trials, its streams and its Monte Carlo intervals."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.coverage_methods import ENUMERABLE, METHODS, all_methods
from benchmarks.coverage_report import put_between
from benchmarks.coverage_runs import PART, Part, parts, run_part
from benchmarks.coverage_table import rate
from benchmarks.coverage_trials import CELLS, SIZE_LEAST, Cell, simulate_trial, streams
from benchmarks.coverage_truncation import bounded_test


def test_half_of_the_schools_are_treated_and_each_school_wholly() -> None:
    trial = simulate_trial(Cell(20, 0.05), 0.0, np.random.default_rng(1))
    of_school = [np.unique(trial.treated[trial.school == j]) for j in range(20)]
    assert all(len(arms) == 1 for arms in of_school)
    assert sum(float(arms[0]) for arms in of_school) == 10


def test_schools_differ_in_size_and_none_is_smaller_than_the_least() -> None:
    trial = simulate_trial(Cell(40, 0.0), 0.0, np.random.default_rng(2))
    sizes = np.bincount(trial.school)
    assert sizes.min() >= SIZE_LEAST
    assert 0.2 < sizes.std() / sizes.mean() < 0.8


def test_the_effect_is_added_to_the_treated_and_to_nobody_else() -> None:
    cell = Cell(10, 0.2)
    without = simulate_trial(cell, 0.0, np.random.default_rng(3))
    with_effect = simulate_trial(cell, 0.5, np.random.default_rng(3))
    np.testing.assert_allclose(
        with_effect.outcome - without.outcome, 0.5 * without.treated, atol=1e-12
    )


def test_the_errors_have_the_intraclass_correlation_of_the_cell() -> None:
    cell, rng = Cell(4_000, 0.2), np.random.default_rng(4)
    trial = simulate_trial(cell, 0.0, rng)
    error = trial.outcome - 0.6 * trial.pupil_covariate - 0.3 * trial.school_covariate
    first = np.flatnonzero(np.diff(trial.school, prepend=-1))
    assert np.corrcoef(error[first], error[first + 1])[0, 1] == pytest.approx(0.2, abs=0.05)
    assert error.var() == pytest.approx(1.0, abs=0.02)


def test_a_part_gives_the_same_answers_whenever_it_is_run() -> None:
    part = Part(Cell(10, 0.05), 0.2, 3, 2)
    first, again = run_part(part), run_part(part)
    np.testing.assert_array_equal(first.findings, again.findings)


def test_every_part_of_the_study_has_a_stream_of_its_own() -> None:
    starts = {
        tuple(each.integers(0, 2**60, size=2).tolist())
        for part in parts(2 * PART)
        for each in streams(part.cell, part.effect, part.number)
    }
    assert len(starts) == 2 * len(parts(2 * PART))


def test_the_parts_add_up_to_the_trials_asked_for_in_each_cell() -> None:
    trials = PART + 7
    for cell in CELLS:
        own = [part.trials for part in parts(trials) if part.cell == cell and part.effect == 0]
        assert sum(own) == trials


def test_every_method_answers_and_the_signs_are_enumerated_only_where_they_are_few() -> None:
    for schools in (ENUMERABLE, 20):
        data, redraws = streams(Cell(schools, 0.05), 0.0, 0)
        trial = simulate_trial(Cell(schools, 0.05), 0.0, data)
        answers = all_methods(trial, 0.0, redraws)
        silent = [m for m, f in zip(METHODS, answers.findings, strict=True) if np.isnan(f.erred)]
        assert silent == ([] if schools <= ENUMERABLE else ["wild-signs"])


def test_the_interval_of_a_rate_is_the_set_of_shares_a_score_test_accepts() -> None:
    events = np.repeat((1.0, 0.0), (13, 187))
    found = rate(events)
    for end in (found.low, found.high):
        score = (found.share - end) / np.sqrt(end * (1 - end) / len(events))
        assert abs(score) == pytest.approx(1.959963984540054, rel=1e-12)


def test_a_variance_far_from_its_bound_leaves_the_t_test_exact() -> None:
    assert bounded_test(40, 0.2).error == pytest.approx(0.05, abs=1e-6)


def test_the_bound_makes_the_test_cautious_and_more_so_with_fewer_schools() -> None:
    errors = [bounded_test(schools, 0.0).error for schools in (10, 20, 40, 400)]
    assert errors == sorted(errors)
    assert errors[-1] < 0.05


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks <!-- rates: generated -->"):
        put_between("a page", "rates", "a table")
