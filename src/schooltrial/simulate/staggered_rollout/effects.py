"""The effect of a staggered programme on each school and year, and its true averages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.simulate.staggered_rollout.parameters import NEVER, OUTCOMES, RolloutParameters

Floats = NDArray[np.float64]


def school_effects(
    parameters: RolloutParameters, schools: pd.DataFrame, there: NDArray[np.bool_]
) -> Floats:
    r"""Return the effect on each school, year and outcome, in points.

    A school of cohort g and region r has in year t, :math:`e = t - g \ge 0` years since its start,

    .. math:: \tau_{st} = m_e\, \frac{c_g w_r}{\operatorname{mean}_{u \in S_e} c_{g(u)} w_{r(u)}}

    with :math:`m_e` the mean effect of the protocol, c and w the weights of cohorts and regions,
    and :math:`S_e` the treated schools that are open e years after their start: so the mean over
    these is :math:`m_e`.

    Parameters
    ----------
    parameters : RolloutParameters
        Mean effects and weights.
    schools : pandas.DataFrame
        ``region`` and ``cohort``, a row per school.
    there : array of bool (schools, years)
        Which schools are open when.

    Returns
    -------
    array (schools, years, outcomes)
        0 before the start and in schools that never enter.

    Raises
    ------
    ValueError
        If the weights of all schools that reach some year are 0.
    """
    weight = _relative(parameters, schools)
    cohort = schools["cohort"].to_numpy()
    since = np.array(parameters.years)[None, :] - cohort[:, None]
    active = (cohort != NEVER)[:, None] & (since >= 0)
    effects = np.zeros((*there.shape, len(OUTCOMES)))
    for reached in np.unique(since[active & there]):
        at = active & (since == reached)
        mean = np.broadcast_to(weight[:, None], at.shape)[at & there].mean()
        if mean <= 0:
            raise ValueError(
                f"cohort_weight and region_weight give the schools that are treated {reached} "
                "years after their start a mean weight of 0; make one of them positive."
            )
        for place, outcome in enumerate(OUTCOMES):
            effect = parameters.mean_effect(outcome, int(reached)) * weight / mean
            effects[:, :, place] += at * effect[:, None]
    return effects


def _relative(parameters: RolloutParameters, schools: pd.DataFrame) -> Floats:
    """Return each school's effect relative to the others'; 0 if it never enters."""
    cohorts = {int(cohort): value for cohort, value in parameters.cohort_weight}
    of_cohort = schools["cohort"].map(cohorts).fillna(0.0).to_numpy(dtype=float)
    of_region = schools["region"].map(dict(parameters.region_weight)).to_numpy(dtype=float)
    return np.asarray(of_cohort * of_region)


def true_effects(parameters: RolloutParameters, school_years: pd.DataFrame) -> dict[str, Any]:
    """Return the averages of the effect over treated schools in their treated years, in points.

    Every school counts once a year, as in the estimator of Callaway and Sant'Anna.

    Parameters
    ----------
    parameters : RolloutParameters
        Years of the panel.
    school_years : pandas.DataFrame
        The complete data, with both potential rates.

    Returns
    -------
    dict
        ``effects`` (outcome, year: over schools treated by that year; 0 before the first cohort)
        and ``att``: ``overall`` (outcome), ``since_start`` (outcome, years since the first treated
        year), ``cohort`` (outcome, cohort), ``cohort_year`` (outcome, cohort, year), ``region``
        (outcome, region).
    """
    treated = school_years[
        school_years["treated"] & (school_years["year"] >= school_years["cohort"])
    ]
    since = treated["year"] - treated["cohort"]
    effects: dict[str, dict[str, float]] = {}
    att: dict[str, Any] = {
        name: {} for name in ("overall", "since_start", "cohort", "cohort_year", "region")
    }
    for outcome in OUTCOMES:
        gain = treated[f"{outcome}_treated"] - treated[f"{outcome}_untreated"]
        by_year = _means(gain, treated["year"])
        effects[outcome] = {str(year): by_year.get(str(year), 0.0) for year in parameters.years}
        att["overall"][outcome] = float(gain.mean())
        att["since_start"][outcome] = _means(gain, since)
        att["cohort"][outcome] = _means(gain, treated["cohort"])
        att["cohort_year"][outcome] = {
            str(cohort): _means(gain[rows.index], rows["year"])
            for cohort, rows in treated.groupby("cohort", sort=True)
        }
        att["region"][outcome] = _means(gain, treated["region"])
    return {"effects": effects, "att": att}


def _means(values: pd.Series, by: pd.Series) -> dict[str, float]:
    return {str(key): float(mean) for key, mean in values.groupby(by, sort=True).mean().items()}
