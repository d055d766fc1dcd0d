"""The study of panels: its simulators, its streams, and that many panels at once are as one."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.panel_batch import as_if_of, moments_of
from benchmarks.panel_report import panel_tables
from benchmarks.panel_runs import by_rule, rows_of_design, run_part, together
from benchmarks.panel_scenarios import EFFECTS, NOISE, ONE_BY_ONE, OTHERS
from benchmarks.panel_single import fitted, run_single
from benchmarks.panel_table import outside, size_table
from benchmarks.panel_trials import (
    DESIGNS,
    YEARS,
    Design,
    Scenario,
    districts_of,
    panel_stream,
    simulate_panels,
)

FEW = Design(40, (4, 3))


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(FEW),
        Scenario(Design(30, (12, 11)), errors="t5"),
        Scenario(Design(30, (12, 3)), spread="double", correlation=0.9),
        Scenario(Design(40, (6, 1)), spread="small schools"),
        Scenario(Design(12, (5, 4, 11), "not_yet_treated"), effects="heterogeneous"),
        Scenario(Design(0, (4, 3, 20), "not_yet_treated"), spread="half"),
        Scenario(DESIGNS[5]),
    ],
    ids=lambda scenario: scenario.name,
)
def test_many_panels_at_once_give_what_the_library_gives_one_by_one(scenario: Scenario) -> None:
    panels = simulate_panels(scenario, 3, panel_stream(scenario, 0))
    group = np.unique(scenario.design.cohort(), return_inverse=True)[1].astype(np.int64)
    plan = rows_of_design(scenario.design)
    rows, joint = by_rule(moments_of(panels.outcome, group), scenario.design, plan)["rule"]
    for k in range(3):
        fit = fitted(scenario, panels, k)
        at = [fit.position(term) for term in plan.terms]
        for ours, theirs in (
            (rows.point[k], fit.coefficients),
            (rows.std_error[k], fit.judged.std_error),
            (rows.df[k], fit.judged.df),
        ):
            np.testing.assert_allclose(ours, theirs[at], rtol=1e-10, atol=1e-12)
        assert fit.pretrend is not None
        told = joint.f[k] if joint.df[k] >= 4 else np.nan
        assert fit.pretrend.statistic == pytest.approx(told, rel=1e-8, nan_ok=True)


def test_treated_schools_vary_as_much_more_as_the_scenario_says() -> None:
    scenario = Scenario(Design(200, (100, 100)), spread="double", correlation=0.9)
    outcome = simulate_panels(scenario, 20, np.random.default_rng(1)).outcome
    treated = scenario.design.cohort() > 0
    ratio = outcome[:, treated].var() / outcome[:, ~treated].var()
    assert ratio == pytest.approx(2.0, abs=0.15)
    here, next_year = outcome[..., :-1].ravel(), outcome[..., 1:].ravel()
    assert np.corrcoef(here, next_year)[0, 1] == pytest.approx(0.9, abs=0.01)


def test_small_schools_are_treated_and_their_shocks_are_larger() -> None:
    scenario = Scenario(Design(300, (50, 50)), spread="small schools", correlation=0.0)
    outcome = simulate_panels(scenario, 20, np.random.default_rng(2)).outcome
    treated = scenario.design.cohort() > 0
    assert outcome[:, treated].var() > 1.3 * outcome[:, ~treated].var()


def test_effects_begin_with_the_cohort_and_have_the_mean_that_is_tested() -> None:
    scenario = Scenario(Design(0, (300, 300), "not_yet_treated"), effects="heterogeneous")
    effect = simulate_panels(scenario, 5, np.random.default_rng(3)).effect
    before = np.array(YEARS) < scenario.design.cohort()[:, None]
    assert not effect[:, before].any()
    assert effect[:, ~before].mean() == pytest.approx(1.0, abs=0.05)


def test_districts_are_of_one_cohort_and_hold_three_schools() -> None:
    district, cohort = districts_of(FEW), FEW.cohort()
    assert all(len(np.unique(cohort[district == d])) == 1 for d in np.unique(district))
    assert np.bincount(district).max() == 3
    assert len(np.unique(district)) == 14 + 2 + 1


def test_a_cohort_of_the_same_year_is_not_moved() -> None:
    loadings = np.random.default_rng(4).normal(size=(10, 3))
    np.testing.assert_array_equal(as_if_of(loadings, 6, 6), loadings)


def test_a_row_of_years_since_is_moved_to_the_other_cohorts_years() -> None:
    loadings = np.zeros((10, 1))
    loadings[[7, 6], 0] = 1.0, -1.0  # the first treated year beside the last one before
    moved = as_if_of(loadings, 7, 6)
    assert moved[6, 0] == 1.0
    assert moved[5, 0] == -1.0


def test_a_change_that_falls_off_the_end_is_one_over_as_many_years() -> None:
    loadings = np.zeros((10, 1))
    loadings[[9, 1], 0] = 1.0, -1.0
    np.testing.assert_array_equal(as_if_of(loadings, 2, 8), loadings)


def test_a_row_of_years_before_stays_where_the_other_cohort_is_not_yet_treated() -> None:
    loadings = np.zeros((10, 1))
    loadings[[3, 2], 0] = 1.0, -1.0
    np.testing.assert_array_equal(as_if_of(loadings, 7, 6), loadings)


def test_a_part_gives_the_same_whenever_it_is_run() -> None:
    part = (Scenario(FEW), 2, 5)
    assert repr(run_part(part)) == repr(run_part(part))


def test_every_scenario_has_a_stream_of_its_own_which_methods_share() -> None:
    every = {one.name: one for one in (*NOISE, *EFFECTS, *OTHERS, *ONE_BY_ONE)}
    streams = [panel_stream(one, 0) for one in every.values()]
    starts = {tuple(each.integers(0, 2**60, size=2).tolist()) for each in streams}
    assert len(starts) == len(every) >= len((*NOISE, *EFFECTS, *OTHERS))


def test_rows_that_schools_without_years_lack_are_no_tests() -> None:
    scenario = Scenario(Design(30, (4, 2)), setting="missing")
    table = size_table([(scenario, together([run_single((scenario, 0, 4))]))])
    cells = table[table["kind"] == "group-time effects"].iloc[0]
    assert cells["panels"] == 4
    assert 0 < cells["answered"] <= 1


def test_the_page_names_what_leaves_the_band() -> None:
    scenario = Scenario(FEW)
    found = run_part((scenario, 0, 40))
    wrong = [one._replace(rejected=float(one.panels)) for one in found if one.kind == "overall"]
    kept = [one for one in found if one.kind != "overall"]
    table = size_table([(scenario, [*wrong, *kept])])
    assert "overall" in set(outside(table)["kind"])
    assert "| 40+4+3 | overall | 1 |" in panel_tables(table)["panel outside"]
