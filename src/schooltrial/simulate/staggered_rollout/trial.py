r"""A synthetic programme that schools enter in cohorts, seen through published proficiency rates.

In percentage points, the untreated rate of outcome o in school s of region r and year t is

.. math:: m_o + d_r + \sigma_o a_{so} + \theta b_s (t - t_0) + h_{o,t} + \rho_{rto} + u_{sto}

with :math:`a` the lasting level and :math:`b` the lasting trend of the school (both of variance
one), :math:`h` what changes for all schools, :math:`\rho` a shock to the region in that year and
:math:`u` an autoregressive process of the school; :math:`t_0` is the first treated year. From its
first treated year on a treated school adds its effect (`staggered_rollout.effects`). True rates are
kept inside ``rate_range``, so an effect is cut where it would pass it; the truth is the mean of
what is left. The pupils who are proficient are binomial, given those tested.

Entry is not random: within a region, the schools of each cohort are those with the largest
:math:`\lambda_b b_s + \lambda_a a_s` plus Gumbel noise, which draws without replacement with odds
:math:`\exp(\lambda_b b + \lambda_a a)`. With :math:`\lambda_b = 0` (``selection_on_trend``) the
trends of treated and other schools are alike on average, and differences-in-differences are
unbiased; otherwise they are not.
"""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.school_randomised.files import school_names
from schooltrial.simulate.staggered_rollout.effects import school_effects, true_effects
from schooltrial.simulate.staggered_rollout.files import rollout_files
from schooltrial.simulate.staggered_rollout.parameters import (
    NEVER,
    OUTCOMES,
    REGIONS,
    RolloutParameters,
)
from schooltrial.simulate.staggered_rollout.school_changes import (
    SchoolChange,
    draw_changes,
    open_in,
)

Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


UNIT = "percentage points"


SIZE_NOISE = 0.05
"""SD of the log of the pupils tested, from year to year, beside that of counting."""


def simulate(parameters: RolloutParameters, seed: int) -> SimulatedTrial:
    """Return a synthetic roll-out; the same parameters and seed give the same frames.

    Parameters
    ----------
    parameters : RolloutParameters
        The simulation section of the protocol.
    seed : int
        Seed of the study.

    Returns
    -------
    SimulatedTrial
        Truth beside what all trials have (``effects`` are in points, over the schools treated by
        that year): ``units`` (outcome), ``att`` (see `true_effects`), ``trend_difference`` (points
        a year by which the treated schools' own trends exceed the others'),
        ``n_treated_schools``, ``n_comparison_schools``, ``n_cohort``, ``n_charters`` (by group),
        ``n_school_years``, ``n_tested`` (year) and ``school_changes``. Complete data: ``schools``,
        and ``school_years``, a row per school and year in which it is open, with ``n_tested`` and
        for each outcome ``<outcome>_untreated``, ``<outcome>_treated`` (per cent; not a number
        where a school never enters), ``<outcome>_proficient`` (pupils) and the realised
        ``<outcome>`` (per cent).
    """
    schools, school_years, changes = complete_data(parameters, seed)
    raw = rollout_files(parameters, schools, school_years, changes, seed)
    truth = _truth(parameters, seed, schools, school_years, changes) | {"faults": raw.faults}
    complete = {"schools": schools, "school_years": school_years}
    return SimulatedTrial(raw.files, raw.encodings, truth, complete, raw.delimiters)


def complete_data(
    parameters: RolloutParameters, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[SchoolChange, ...]]:
    """Return schools, school × year rates with both potential outcomes, and changes of schools."""
    schools = _schools(parameters, seed)
    changes = draw_changes(parameters, schools, seed)
    there = open_in(changes, len(schools), parameters.years)
    untreated = _untreated(parameters, schools, seed)
    tested = _tested(parameters, schools, seed)
    _merge(changes, parameters.years, untreated, tested)
    low, high = parameters.rate_range
    treated = (untreated + school_effects(parameters, schools, there)).clip(low, high)
    rows, columns = np.nonzero(there)
    frame = schools[["school_code", "region", "charter", "cohort", "treated"]].iloc[rows]
    frame = frame.reset_index(drop=True)
    frame.insert(0, "school", rows)
    frame["year"] = np.array(parameters.years)[columns]
    frame["n_tested"] = tested[rows, columns]
    enters = frame["treated"].to_numpy()
    rng = stream(seed, "pupils proficient")
    for place, outcome in enumerate(OUTCOMES):
        without = untreated[:, :, place].clip(low, high)[rows, columns]
        with_it = treated[:, :, place][rows, columns]
        frame[f"{outcome}_untreated"] = without
        frame[f"{outcome}_treated"] = np.where(enters, with_it, np.nan)
        chance = np.where(enters, with_it, without) / 100
        frame[f"{outcome}_proficient"] = rng.binomial(frame["n_tested"], chance)
        frame[outcome] = 100 * frame[f"{outcome}_proficient"] / frame["n_tested"]
    return schools, frame, changes


def _schools(parameters: RolloutParameters, seed: int) -> pd.DataFrame:
    """Return one row per school: code, region, cohort, group, size, lasting level and trend."""
    never = dict(parameters.comparison_schools)
    counts = [never[region] + sum(parameters.treated_in(region).values()) for region in REGIONS]
    n = sum(counts)
    schools = pd.DataFrame({"region": np.repeat(np.array(REGIONS, dtype=object), counts)})
    schools["school_code"] = _codes(schools["region"].to_numpy(), seed)
    # Names are given from the Middle on, whose files are the ones that show them: the first few
    # bear accents.
    names = school_names(n, parameters.accented_names)
    schools["school_name"] = names[-counts[0] :] + names[: n - counts[0]]
    levels = _correlated(parameters, (n,), stream(seed, "lasting levels"))
    for place, outcome in enumerate(OUTCOMES):
        schools[f"{outcome}_level"] = levels[:, place]
    schools["trend"] = stream(seed, "lasting trends").standard_normal(n)
    schools["cohort"] = _enter(parameters, schools, seed)
    schools["treated"] = schools["cohort"] != NEVER
    schools["charter"] = _charters(parameters, schools["treated"].to_numpy(), seed)
    spread = np.sqrt(np.log1p(parameters.school_size_cv**2))
    size = np.exp(spread * stream(seed, "school sizes").standard_normal(n))
    schools["size"] = parameters.pupils_tested * size / size.mean()
    small = stream(seed, "small schools").choice(n, parameters.small_schools, replace=False)
    schools.loc[small, "size"] = parameters.small_school_pupils
    return schools


def _codes(region: NDArray[np.object_], seed: int) -> list[str]:
    """Return six-digit ids; the first digit is the region's, 0 for the first of them."""
    digits = stream(seed, "school codes").choice(np.arange(10_000, 60_000), len(region), False)
    return [f"{REGIONS.index(name)}{number}" for name, number in zip(region, digits, strict=True)]


def _enter(parameters: RolloutParameters, schools: pd.DataFrame, seed: int) -> Ints:
    """Return the first treated year of each school, 0 for never."""
    pull = (
        parameters.selection_on_trend * schools["trend"]
        + parameters.selection_on_level * schools["ela_level"]
        + stream(seed, "entry").gumbel(size=len(schools))
    )
    cohort = np.full(len(schools), NEVER)
    for region, rows in pull.groupby(schools["region"]):
        counts = parameters.treated_in(str(region))
        order = rows.sort_values(ascending=False, kind="stable").index.to_numpy()
        entering = order[: sum(counts.values())]
        # Who comes first among those that enter is a lot, so that the cohorts are alike.
        entering = stream(seed, "cohorts", str(region)).permutation(entering)
        cohort[entering] = np.repeat(list(counts), list(counts.values()))
    return cohort


def _charters(
    parameters: RolloutParameters, treated: NDArray[np.bool_], seed: int
) -> NDArray[np.bool_]:
    """Return which schools are charters: the set share of each group, to the nearest school."""
    rng = stream(seed, "charters")
    charter = np.zeros(len(treated), dtype=bool)
    for arm, share in (
        (True, parameters.treated_charter_share),
        (False, parameters.comparison_charter_share),
    ):
        rows = np.flatnonzero(treated == arm)
        charter[rng.choice(rows, round(share * len(rows)), replace=False)] = True
    return charter


def _correlated(
    parameters: RolloutParameters, shape: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    """Return standard normals of a shape × outcomes, the outcomes correlated as set."""
    link = parameters.outcome_correlation
    normals = rng.standard_normal((*shape, len(OUTCOMES)))
    second = link * normals[..., 0] + np.sqrt(1 - link**2) * normals[..., 1]
    return np.stack([normals[..., 0], second], axis=-1)


def _untreated(parameters: RolloutParameters, schools: pd.DataFrame, seed: int) -> Floats:
    """Return untreated rates in per cent, schools × years × outcomes, not yet cut to the range."""
    years = parameters.years
    region = schools["region"].map(REGIONS.index).to_numpy()
    shift = schools["region"].map(dict(parameters.region_shift)).to_numpy(dtype=float)
    changed = np.array([fsum(p for y, p in parameters.year_shift if int(y) <= t) for t in years])
    trend = schools["trend"].to_numpy()[:, None] * (np.array(years) - parameters.cohorts[0])
    common = shift[:, None] + changed + parameters.trend_sd * trend
    means, sds = dict(parameters.proficiency_mean), dict(parameters.school_sd)
    level = np.stack(
        [means[name] + sds[name] * schools[f"{name}_level"].to_numpy() for name in OUTCOMES], axis=1
    )
    rates = common[:, :, None] + level[:, None, :]
    link = parameters.shock_correlation
    shock = _correlated(parameters, (len(schools),), stream(seed, "school shocks", years[0]))
    for at, year in enumerate(years):
        if at:
            fresh = _correlated(parameters, (len(schools),), stream(seed, "school shocks", year))
            shock = link * shock + np.sqrt(1 - link**2) * fresh
        regional = _correlated(parameters, (len(REGIONS),), stream(seed, "region shocks", year))
        rates[:, at] += parameters.shock_sd * shock + parameters.region_year_sd * regional[region]
    return np.asarray(rates)


def _tested(parameters: RolloutParameters, schools: pd.DataFrame, seed: int) -> Ints:
    """Return pupils tested, schools × years, one at least."""
    size = schools["size"].to_numpy()
    counts = []
    for year in parameters.years:
        rng = stream(seed, "pupils tested", year)
        counts.append(rng.poisson(size * np.exp(SIZE_NOISE * rng.standard_normal(len(size)))))
    return np.asarray(np.maximum(np.stack(counts, axis=1), 1))


def _merge(
    changes: tuple[SchoolChange, ...], years: tuple[int, ...], untreated: Floats, tested: Ints
) -> None:
    """Add the pupils of schools that merge to those they merge into, in place."""
    for change in changes:
        if change.change == "merged":
            after = np.array(years) >= change.year
            own, others = tested[change.into, after], tested[change.school, after]
            part = (others / (own + others))[:, None]
            whole = untreated[change.into, after]
            untreated[change.into, after] = whole + part * (untreated[change.school, after] - whole)
            tested[change.into, after] = own + others


def _truth(
    parameters: RolloutParameters,
    seed: int,
    schools: pd.DataFrame,
    school_years: pd.DataFrame,
    changes: tuple[SchoolChange, ...],
) -> dict[str, Any]:
    """Return what is true of the roll-out, in values that JSON can hold."""
    treated = schools["treated"]
    trend = parameters.trend_sd * schools["trend"].groupby(treated).mean()
    kinds = pd.Series([change.change for change in changes], dtype=object)
    charters = schools["charter"].groupby(treated).sum()
    return {
        "seed": seed,
        "units": dict.fromkeys(OUTCOMES, UNIT),
        **true_effects(parameters, school_years),
        "trend_difference": float(trend[True] - trend[False]),
        "n_schools": len(schools),
        "n_treated_schools": int(treated.sum()),
        "n_comparison_schools": int((~treated).sum()),
        "n_cohort": _plain(schools.loc[treated, "cohort"].value_counts().sort_index()),
        "n_charters": {"comparison": int(charters[False]), "fellowship": int(charters[True])},
        "n_school_years": len(school_years),
        "n_tested": _plain(school_years.groupby("year")["n_tested"].sum()),
        "school_changes": _plain(kinds.value_counts().sort_index()),
    }


def _plain(counts: pd.Series) -> dict[str, int]:
    return {str(key): int(value) for key, value in counts.items()}
