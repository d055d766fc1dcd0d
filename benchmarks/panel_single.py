"""Panels that go one by one through the library, as a study's do."""

from __future__ import annotations

from typing import Any

import numpy as np
from benchmarks.panel_batch import Rows, t_rejects
from benchmarks.panel_runs import BAND, JOINT, KINDS, TRUTHS, Tally, tally
from benchmarks.panel_scenarios import ADJUSTED
from benchmarks.panel_trials import YEARS, Panels, Scenario, panel_stream, simulate_panels
from numpy.typing import NDArray

from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

FloatArray = NDArray[np.float64]

CHECK = "permutation check"
CHECK_DRAWS = 399


def fitted(scenario: Scenario, panels: Panels, k: int, *, draws: int = 0) -> StaggeredFit:
    """Fit panel k through the door that a study takes."""
    outcome = panels.outcome[k]
    schools, years = outcome.shape
    cohort = scenario.design.cohort().astype(float)
    more: dict[str, Any] = {}
    if scenario.method in ADJUSTED and panels.covariate is not None:
        more["covariates"] = {"x": np.repeat(panels.covariate[k], years)}
        more["adjustment"] = scenario.method
    elif scenario.method:
        more["method"] = scenario.method
    if scenario.setting == "districts" and panels.group is not None:
        more["cluster"] = np.repeat(panels.group[k], years)
    return fit_staggered_adoption(
        outcome.ravel(),
        school=np.repeat(np.arange(schools), years),
        year=np.tile(np.array(YEARS), schools),
        cohort=np.repeat(np.where(cohort > 0, cohort, np.nan), years),
        comparison_group=scenario.design.comparison_group,
        draws=draws,
        seed=k,
        **more,
    )


def _attempt(scenario: Scenario, panels: Panels, k: int) -> StaggeredFit | None:
    """Return a fit, or None where the library refuses the panel."""
    try:
        return fitted(scenario, panels, k)
    except ValueError:
        return None


def run_single(part: tuple[Scenario, int, int]) -> list[Tally]:
    """Analyse a part of a scenario's panels without effects, and count rejections.

    Rows that a panel does not have, because schools lack years, are no tests.
    """
    scenario, number, draws = part
    panels = simulate_panels(scenario, draws, panel_stream(scenario, number))
    attempts = [_attempt(scenario, panels, k) for k in range(draws)]
    fits = {k: fit for k, fit in enumerate(attempts) if fit is not None}
    if not fits:
        nothing = np.full(draws, np.nan)
        return [
            tally("rule", TRUTHS[0], kind, kind, nothing, nothing)
            for kind in (*KINDS.values(), BAND, JOINT)
        ]
    names = {
        row.term: KINDS[row.estimand]
        for fit in fits.values()
        for row in fit.averages
        if row.estimand in KINDS
    }
    shape = (draws, len(names))
    point, error, df = (np.full(shape, np.nan) for _ in range(3))
    joint, joint_df, band = (np.full(draws, np.nan) for _ in range(3))
    column = {term: at for at, term in enumerate(names)}
    for k, fit in fits.items():
        own = [i for i, term in enumerate(fit.names) if term in column]
        at = [column[fit.names[i]] for i in own]
        point[k, at], error[k, at] = fit.coefficients[own], fit.judged.std_error[own]
        df[k, at] = fit.judged.df[own]
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
    event = [at for at, kind in enumerate(names.values()) if kind == KINDS["event study"]]
    least = np.where(np.isnan(df[:, event]), np.inf, df[:, event]).min(axis=1)
    found.append(
        tally("rule", TRUTHS[0], BAND, BAND, band, np.where(least < np.inf, least, np.nan))
    )
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
