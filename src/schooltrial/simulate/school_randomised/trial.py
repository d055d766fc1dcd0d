r"""A synthetic school-randomised trial with known potential outcomes.

In SD of pupils within grade and year, the untreated outcome of pupil i in school j and year t is

    z_ijt = d_j + √(ρ − v)·(√π_j·a_j + √(1−π_j)·b_jt) + √(1−ρ)·(√λ·A_i + √(1−λ)·e_ijt)

with ρ the ICC, d_j the shift of the district and v its variance, a_j what lasts in a school and
b_jt what does not, A_i the lasting ability of the pupil (covariates included) and e_ijt the rest,
all of variance one; so z has variance one and ICC ρ. With π = √R² of schools and λ = √R² of pupils,
R² is what a pretest explains at each level, since the parts of two years then correlate π and λ. A
treated school adds the effect of the year. Outcomes correlate as set at every level.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.base.simulated_trial import Drawn, SimulatedTrial
from schooltrial.simulate.school_randomised.enrolment import enrol
from schooltrial.simulate.school_randomised.files import randomisation_seed, raw_files, school_names
from schooltrial.simulate.school_randomised.parameters import (
    COVARIATES,
    LEVEL_GRADES,
    OUTCOMES,
    SUBJECTS,
    Parameters,
)

Floats = NDArray[np.float64]


PUPIL_NUMBERS = 899_981
"""Pupils are numbered from 1,000,000 up, by so many numbers."""


def simulate(parameters: Parameters, seed: int, drawn: Drawn | None = None) -> SimulatedTrial:
    """Return a synthetic trial; the same parameters and seed give the same frames.

    Parameters
    ----------
    parameters : Parameters
        The simulation section of the protocol.
    seed : int
        Seed of the study. Every step and year draws from a stream of its own, so a later year or a
        further step leaves the others as they were.
    drawn : Drawn, optional
        The draw of the schools of `frame`; by default it is made here (see `assign`).

    Returns
    -------
    SimulatedTrial
        Truth beside what all trials have: ``randomisation_seed``, ``effects_in_scale_points``,
        ``icc``, ``n_treated_schools``, ``n_pupils`` (year), ``n_analysed`` (outcome, year) and
        ``joined_after_assignment`` (year); ``effects`` are in SD. Complete data: ``schools`` with
        codes, block, arm, size and lasting effects; ``pupils``, a row per pupil and year, with
        ids, school, covariates, and for each outcome ``<outcome>_untreated``,
        ``<outcome>_treated`` (potential, scale points or per cent), the realised ``<outcome>``
        and, for tests, ``<subject>_status`` (valid, absent, impossible).
    """
    schools, pupils = complete_data(parameters, seed, drawn)
    draw_seed = drawn.seed if drawn else randomisation_seed(seed)
    raw = raw_files(parameters, schools, pupils, seed, draw_seed)
    truth = _truth(parameters, seed, schools, raw.pupils) | {"faults": raw.faults}
    truth["randomisation_seed"] = draw_seed
    complete = {"schools": schools, "pupils": raw.pupils}
    return SimulatedTrial(raw.files, raw.encodings, truth, complete)


def frame(parameters: Parameters, seed: int) -> pd.DataFrame:
    """Return the schools as they are known before the draw: code, block, and pupils on roll."""
    schools = _schools(parameters, seed)
    told = schools[["school_code", "school_name", "block"]].copy()
    told["on_roll"] = schools["size"].round().astype("int64")
    return told.sort_values("school_code", ignore_index=True)


def complete_data(
    parameters: Parameters, seed: int, drawn: Drawn | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the schools, and the pupils with both potential outcomes, before any mess."""
    schools = _schools(parameters, seed)
    schools["treated"] = (
        schools["school_code"].isin(drawn.treated)
        if drawn
        else assign(schools, randomisation_seed(seed))
    )
    schools["arm"] = np.where(schools["treated"], "T", "C")
    enrolled = enrol(parameters, schools, seed)
    people = _people(parameters, schools, enrolled, seed)
    pupils = enrolled.join(people.drop(columns=["first_year", "first_school"]), on="pupil")
    years = [
        _outcomes(parameters, schools, rows, int(year), seed)
        for year, rows in pupils.groupby("year", sort=True)
    ]
    return schools, pd.concat(years, ignore_index=True)


def assign(schools: pd.DataFrame, randomisation_seed: int) -> NDArray[np.bool_]:
    """Return which schools are treated: half of each block.

    Blocks are taken in alphabetical order and schools by their code; one generator,
    ``numpy.random.default_rng(randomisation_seed)``, permutes each block in turn, and the first
    half of the permutation is treated. So the recorded seed redraws the recorded list.
    """
    rng = np.random.default_rng(randomisation_seed)
    treated = np.zeros(len(schools), dtype=bool)
    for _, block in schools.reset_index(drop=True).sort_values("school_code").groupby("block"):
        order = rng.permutation(block.index.to_numpy())
        treated[order[: len(order) // 2]] = True
    return treated


def _schools(parameters: Parameters, seed: int) -> pd.DataFrame:
    districts, levels = [], []
    for district, level, count in parameters.blocks:
        districts += [district] * count
        levels += [level] * count
    n = len(levels)
    codes = stream(seed, "school codes").choice(np.arange(101, 1000), n, replace=False)
    schools = pd.DataFrame({"school_code": [f"{code:04d}" for code in codes]})
    schools["school_name"] = school_names(n, parameters.accented_names)
    schools["district"], schools["level"] = districts, levels
    schools["block"] = schools["district"] + " " + schools["level"]
    lots = stream(seed, "charters").random(n)
    schools["charter"] = lots < np.quantile(lots, parameters.charter_share)
    spread = np.sqrt(np.log1p(parameters.school_size_cv**2))
    size = np.exp(spread * stream(seed, "school sizes").standard_normal(n))
    mean = pd.Series(size).groupby(schools["block"]).transform("mean")
    schools["size"] = parameters.pupils_per_school * size / mean
    lasting = _correlated(parameters, n, stream(seed, "lasting school effects"))
    for outcome, values in zip(OUTCOMES, lasting.T, strict=True):
        schools[f"{outcome}_lasting"] = values
    return schools


def _correlated(parameters: Parameters, n: int, rng: np.random.Generator) -> Floats:
    """Return n rows of standard normals, one column per outcome, correlated as set."""
    root = np.linalg.cholesky(parameters.correlation)
    normals = rng.standard_normal((n, len(OUTCOMES)))
    # Summed by hand, so that the digits do not hang on how BLAS splits its work.
    return np.column_stack([(normals * row).sum(axis=1) for row in root])


def _people(
    parameters: Parameters, schools: pd.DataFrame, enrolled: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return what does not change about a pupil, one row per pupil in order of arrival."""
    people = enrolled.drop_duplicates("pupil").set_index("pupil").sort_index()
    people = people[["first_year", "first_school"]]
    drawn = [
        _cohort(parameters, schools, rows, stream(seed, "pupils", int(year)))
        for year, rows in people.groupby("first_year", sort=True)
    ]
    people = people.join(pd.concat(drawn))
    people["pupil_id"] = [f"{number:07d}" for number in _pupil_numbers(people.index.to_numpy())]
    return people


def _pupil_numbers(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return distinct seven-digit numbers that do not show who came first."""
    if len(order) > PUPIL_NUMBERS:
        raise ValueError(
            f"The trial has {len(order):,} pupils over the years, and numbers for "
            f"{PUPIL_NUMBERS:,} only; take fewer schools or a smaller pupils_per_school."
        )
    # 7919 has no factor in common with the modulus, so no two pupils share a number.
    return np.asarray(1_000_000 + (order * 7919 + 104_729) % PUPIL_NUMBERS)


def _cohort(
    parameters: Parameters, schools: pd.DataFrame, rows: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return covariates and lasting abilities of those who enter in one year."""
    n = len(rows)
    lasting = schools["maths_lasting"].to_numpy()[rows["first_school"].to_numpy()]
    share = parameters.disadvantaged_share
    with np.errstate(divide="ignore"):  # a share of 0 or 1: nobody or everybody
        logit = np.log(share) - np.log1p(-share)
    logit = logit - parameters.disadvantaged_school_slope * lasting
    chance = np.column_stack([
        np.full(n, parameters.male_share),
        1 / (1 + np.exp(-logit)),
        np.full(n, parameters.english_learner_share),
        np.full(n, parameters.special_education_share),
    ])  # fmt: skip
    has = rng.random(chance.shape) < chance
    cohort = pd.DataFrame(dict(zip(COVARIATES, has.T, strict=True)), index=rows.index)
    reduced = rng.random(n) < parameters.reduced_price_share
    cohort["lunch"] = np.where(cohort["disadvantaged"], np.where(reduced, "R", "F"), "P")
    rest = _correlated(parameters, n, rng)
    for column, outcome in enumerate(OUTCOMES):
        told = dict(parameters.covariate_effects)
        slopes = np.array([dict(told[name])[outcome] for name in COVARIATES])
        # Centred on the school's own shares, so that covariates leave the ICC as set.
        known = ((has - chance) * slopes).sum(axis=1)
        left = np.sqrt(1 - (chance * (1 - chance) * slopes**2).sum(axis=1))
        cohort[f"{outcome}_ability"] = known + left * rest[:, column]
    return cohort


def _outcomes(
    parameters: Parameters, schools: pd.DataFrame, rows: pd.DataFrame, year: int, seed: int
) -> pd.DataFrame:
    """Return the rows of one year with potential and realised outcomes and absences."""
    rows = rows.copy()
    school = rows["school"].to_numpy()
    fleeting = _correlated(parameters, len(schools), stream(seed, "school-year effects", year))
    noise = _correlated(parameters, len(rows), stream(seed, "pupil-year noise", year))
    absence = _correlated(parameters, len(rows), stream(seed, "missing tests", year))
    treated = schools["treated"].to_numpy()[school]
    rows["school_code"] = schools["school_code"].to_numpy()[school]
    rows["block"] = schools["block"].to_numpy()[school]
    rows["treated"] = treated
    rows["joined_after_assignment"] = rows["first_year"] > parameters.years_before[-1]
    for column, outcome in enumerate(OUTCOMES):
        icc = dict(parameters.icc)[outcome]
        lasting = np.sqrt(dict(parameters.pretest_r2_pupil)[outcome])
        effect = _school_effects(parameters, schools, outcome, fleeting[:, column])
        own = (
            np.sqrt(lasting) * rows[f"{outcome}_ability"] + np.sqrt(1 - lasting) * noise[:, column]
        )
        z = effect[school] + np.sqrt(1 - icc) * own.to_numpy()
        gain = parameters.effect(outcome, year)
        for arm, value in (("untreated", z), ("treated", z + gain)):
            rows[f"{outcome}_{arm}"] = _scale(parameters, outcome, rows["grade"], year, value)
        rows[outcome] = np.where(treated, rows[f"{outcome}_treated"], rows[f"{outcome}_untreated"])
    for column, subject in enumerate(SUBJECTS):
        rows[subject] = rows[subject].round().clip(*parameters.score_range).astype(int)
        link = parameters.missing_ability_correlation
        wish = link * rows[f"{subject}_ability"] + np.sqrt(1 - link**2) * absence[:, column]
        rows[f"{subject}_status"] = np.where(
            wish < _normal_quantile(parameters.missing_test_rate), "absent", "valid"
        )
    return rows


def _normal_quantile(share: float) -> float:
    if share in (0.0, 1.0):
        return -np.inf if share == 0 else np.inf
    return NormalDist().inv_cdf(share)


def _school_effects(
    parameters: Parameters, schools: pd.DataFrame, outcome: str, fleeting: Floats
) -> Floats:
    """Return the effect of each school in one year, in SD."""
    shift = schools["district"].map(dict(parameters.district_shift)).to_numpy(dtype=float)
    shift = shift - shift.mean()
    between = dict(parameters.icc)[outcome] - shift.var()
    if between < 0:
        raise ValueError(
            f"The districts' shifts have variance {shift.var():.4f}, more than the ICC of "
            f"'{outcome}'; make district_shift smaller or the ICC larger."
        )
    level_r2 = schools["level"].map(dict(parameters.pretest_r2_school)).to_numpy(dtype=float)
    share = np.sqrt(level_r2)
    lasting = schools[f"{outcome}_lasting"].to_numpy()
    effects = shift + np.sqrt(between) * (np.sqrt(share) * lasting + np.sqrt(1 - share) * fleeting)
    return np.asarray(effects)


def _scale(parameters: Parameters, outcome: str, grade: pd.Series, year: int, z: Floats) -> Floats:
    """Return SD units as scale points of the grade, or as per cent of days attended."""
    if outcome == "attendance":
        # Absence is log-normal with the mean and SD that are set.
        mean, sd = 100 - parameters.attendance_mean, parameters.attendance_sd
        spread = np.sqrt(np.log1p((sd / mean) ** 2))
        absent = np.exp(np.log(mean) - spread**2 / 2 - spread * z)
        return np.asarray(np.maximum(0.0, 100 - absent))
    means = {int(key): value for key, value in dict(parameters.score_mean)[outcome]}
    shift = dict(parameters.year_shift).get(str(year), 0.0)
    sd = dict(parameters.score_sd)[outcome]
    return np.asarray(grade.map(means).to_numpy(dtype=float) + sd * (z + shift))


def _truth(
    parameters: Parameters, seed: int, schools: pd.DataFrame, pupils: pd.DataFrame
) -> dict[str, Any]:
    """Return what is true of the trial, in values that JSON can hold."""
    effects = {o: {str(y): parameters.effect(o, y) for y in parameters.years} for o in OUTCOMES}
    by_year = pupils.groupby("year")
    analysed = {
        s: (pupils[f"{s}_status"] == "valid").groupby(pupils["year"]).sum() for s in SUBJECTS
    } | {"attendance": by_year.size()}
    return {
        "seed": seed,
        "effects": effects,
        "effects_in_scale_points": {
            s: {year: sd * effect for year, effect in effects[s].items()}
            for s, sd in parameters.score_sd
        },
        "icc": dict(parameters.icc),
        "n_schools": len(schools),
        "n_treated_schools": int(schools["treated"].sum()),
        "n_pupils": _plain(by_year.size()),
        "n_analysed": {outcome: _plain(counts) for outcome, counts in analysed.items()},
        "joined_after_assignment": _plain(by_year["joined_after_assignment"].sum()),
        "grades": {level: list(grades) for level, grades in LEVEL_GRADES.items()},
    }


def _plain(counts: pd.Series) -> dict[str, int]:
    return {str(key): int(value) for key, value in counts.items()}
