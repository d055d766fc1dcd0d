"""Panels that go one by one through the library, as a study's do."""

from __future__ import annotations

import numpy as np
from benchmarks.panel_batch import Rows, t_rejects
from benchmarks.panel_runs import BAND, JOINT, KINDS, TRUTHS, Tally, tally
from benchmarks.panel_trials import YEARS, Panels, Scenario, panel_stream, simulate_panels
from numpy.typing import NDArray

from schooltrial.models.group_time.averages import pretrend_terms
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

FloatArray = NDArray[np.float64]

CHECK = "permutation check"
CHECK_DRAWS = 399


def fitted(scenario: Scenario, panels: Panels, k: int, *, draws: int = 0) -> StaggeredFit:
    """Fit panel k through the door that a study takes."""
    outcome = panels.outcome[k]
    schools, years = outcome.shape
    cohort = scenario.design.cohort().astype(float)
    return fit_staggered_adoption(
        outcome.ravel(),
        school=np.repeat(np.arange(schools), years),
        year=np.tile(np.array(YEARS), schools),
        cohort=np.repeat(np.where(cohort > 0, cohort, np.nan), years),
        comparison_group=scenario.design.comparison_group,
        draws=draws,
        seed=k,
    )


def run_single(part: tuple[Scenario, int, int]) -> list[Tally]:
    """Analyse a part of a scenario's panels without effects, and count rejections.

    Rows that a panel does not have, because schools lack years, are no tests.
    """
    scenario, number, draws = part
    panels = simulate_panels(scenario, draws, panel_stream(scenario, number))
    fits = [fitted(scenario, panels, k) for k in range(draws)]
    names = {row.term: KINDS[row.estimand] for fit in fits for row in fit.averages}
    shape = (draws, len(names))
    point, error, df = (np.full(shape, np.nan) for _ in range(3))
    joint, joint_df, band = (np.full(draws, np.nan) for _ in range(3))
    column = {term: at for at, term in enumerate(names)}
    for k, fit in enumerate(fits):
        at = [column[term] for term in fit.names]
        point[k, at], error[k, at] = fit.coefficients, fit.judged.std_error
        df[k, at] = fit.judged.df
        if fit.pretrend is not None and not np.isnan(fit.pretrend.p_value):
            joint[k], joint_df[k] = float(fit.pretrend.p_value < 0.05), fit.pretrend.df
        ends = [(row.band_low, row.band_high) for row in fit.since]
        known = [(low, high) for low, high in ends if not np.isnan(low)]
        if known:
            band[k] = float(any(low > 0 or high < 0 for low, high in known))
    rejected = t_rejects(Rows(point, error, df), 0.0)
    found = [
        tally("rule", TRUTHS[0], kind, term, rejected[:, at], df[:, at])
        for at, (term, kind) in enumerate(names.items())
    ]
    before = pretrend_terms(fits[0].averages)
    event = [column[term] for term in fits[0].terms_of("event study")]
    found.append(tally("rule", TRUTHS[0], BAND, BAND, band, np.nanmin(df[:, event], axis=1)))
    if before:
        found.append(tally("rule", TRUTHS[0], JOINT, JOINT, joint, joint_df))
    return found


def run_checks(part: tuple[Scenario, int, int]) -> list[Tally]:
    """Permute the cohorts of a part of a scenario's panels, and count rejections by permutation."""
    scenario, number, draws = part
    panels = simulate_panels(scenario, draws, panel_stream(scenario, number, "permuted"))
    p, joint = [], []
    for k in range(draws):
        fit = fitted(scenario, panels, k, draws=CHECK_DRAWS)
        assert fit.check is not None
        p.append(fit.check.p_value)
        joint.append(fit.check.pretrend_p)
    rejected = np.where(np.isnan(p), np.nan, np.array(p) <= 0.05)
    tested = np.where(np.isnan(joint), np.nan, np.array(joint) <= 0.05)
    nothing = np.full(draws, np.nan)
    chosen = [k for k, row in enumerate(fit.averages) if row.estimand in ("ATT", "effect by group")]
    return [
        *(tally("rule", TRUTHS[0], CHECK, fit.names[k], rejected[:, k], nothing) for k in chosen),
        tally("rule", TRUTHS[0], f"{CHECK}, before", JOINT, tested, nothing),
    ]
