"""What is true of a synthetic trial of teacher-led learning, averaged from potential outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.simulate.school_randomised.files import randomisation_seed
from schooltrial.simulate.school_randomised.parameters import SUBJECTS
from schooltrial.simulate.teacher_led_learning.parameters import Parameters

DIGITS = 10
"""Decimals of the truth; sums of floats leave about 1e-14 where potential outcomes are equal."""


UNITS = {
    "practice": "rubric points",
    "knowledge": "control SD",
    "maths": "control SD",
    "ela": "control SD",
}
"""Unit of each outcome as analysed; that of practice has no SD, as raters' noise is part of it."""


def truth_of(
    parameters: Parameters, seed: int, complete: Mapping[str, pd.DataFrame]
) -> dict[str, Any]:
    """Return what is true of the trial, in values that JSON can hold.

    Parameters
    ----------
    parameters : Parameters
        The simulation section of the protocol.
    seed : int
        Seed of the study.
    complete : mapping of str to pandas.DataFrame
        ``schools``, ``teachers``, ``pupils`` and ``observations``.

    Returns
    -------
    dict
        ``seed``, ``randomisation_seed``, ``units`` (outcome); ``effects`` (outcome, year: mean of
        treated less untreated over all teachers or pupils of the year, in ``units``);
        ``practice_effect_in_sd_of_year_mean`` and ``practice_effect_in_true_sd`` (year);
        ``mediation`` (subject, year: ``total``, ``through_practice``, ``direct``, and ``share``, or
        None where the total is 0); ``reliability`` (``single_sheet``, ``year_mean``,
        ``occasions``, ``raters`` and ``variance`` by facet, squared points); ``practice_slope``;
        ``icc``; ``n_schools``, ``n_treated_schools``, ``n_pairs``; by year ``n_teachers``,
        ``n_newcomers``, ``n_pupils``, and ``n_sheets`` that hold a score; ``n_analysed`` (outcome,
        year).
    """
    teachers, pupils = complete["teachers"], complete["pupils"]
    schools, sheets = complete["schools"], complete["observations"]
    effects = {
        "practice": _gain(teachers, "practice", 1.0),
        "knowledge": _gain(teachers, "knowledge", parameters.knowledge_sd),
    }
    for subject in SUBJECTS:
        effects[subject] = _gain(pupils, subject, dict(parameters.score_sd)[subject])
    practice = effects["practice"]
    mean_sd = parameters.true_sd / parameters.reliability**0.5
    held = sheets[sheets["status"] == "held"]
    return {
        "seed": seed,
        "randomisation_seed": randomisation_seed(seed),
        "units": dict(UNITS),
        "effects": effects,
        "practice_effect_in_sd_of_year_mean": _divided(practice, mean_sd),
        "practice_effect_in_true_sd": _divided(practice, parameters.true_sd),
        "mediation": {s: _mediation(pupils, s, effects[s]) for s in SUBJECTS},
        "reliability": _reliability(parameters),
        "practice_slope": parameters.practice_slope,
        "icc": {name: dict(parameters.icc)[name] for name in UNITS},
        "n_schools": len(schools),
        "n_treated_schools": int(schools["treated"].sum()),
        "n_pairs": int(schools["block"].nunique()),
        "n_teachers": _counts(teachers.groupby("year").size()),
        "n_newcomers": _counts(teachers.groupby("year")["newcomer"].sum()),
        "n_pupils": _counts(pupils.groupby("year").size()),
        "n_sheets": _counts(held.groupby("year").size()),
        "n_analysed": {
            "practice": _counts(held.groupby("year")["staff"].nunique()),
            "knowledge": _counts(teachers.groupby("year")["returned"].sum()),
            **{s: _counts((pupils[f"{s}_status"] == "valid").groupby(pupils["year"]).sum())
               for s in SUBJECTS},
        },
    }  # fmt: skip


def _gain(frame: pd.DataFrame, outcome: str, unit: float) -> dict[str, float]:
    gain = (frame[f"{outcome}_treated"] - frame[f"{outcome}_untreated"]) / unit
    return _numbers(gain.groupby(frame["year"]).mean())


def _mediation(
    pupils: pd.DataFrame, subject: str, total: Mapping[str, float]
) -> dict[str, dict[str, float | None]]:
    through = _numbers(pupils.groupby("year")[f"{subject}_through_practice"].mean())
    return {
        year: {
            "total": total[year],
            "through_practice": through[year],
            "direct": round(total[year] - through[year], DIGITS),
            "share": round(through[year] / total[year], DIGITS) if total[year] else None,
        }
        for year in total
    }


def _reliability(parameters: Parameters) -> dict[str, Any]:
    variance = parameters.practice_sd**2
    return {
        "single_sheet": parameters.shares["teacher"],
        "year_mean": parameters.reliability,
        "occasions": len(parameters.occasions),
        "raters": parameters.raters_per_lesson,
        "variance": {facet: variance * share for facet, share in parameters.observation_variance},
    }


def _divided(values: Mapping[str, float], unit: float) -> dict[str, float]:
    return {year: round(value / unit, DIGITS) for year, value in values.items()}


def _numbers(values: pd.Series) -> dict[str, float]:
    return {str(year): round(float(value), DIGITS) for year, value in values.items()}


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(year): int(value) for year, value in values.items()}
