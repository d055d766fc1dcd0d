r"""Lessons seen by raters, and what of their scores is practice.

In rubric points, the score of teacher k on occasion o by rater r in a year is

    y_kor = μ_k + σ·(√v_o·a_ko + √v_r·s_r + √v_e·e_kor),

with μ_k the true practice, σ the SD of a single score, and a, s, e of variance one: the lesson, the
rater's severity, the rest. The raters of a teacher are the same on all n_o occasions of a year, n_r
of them, drawn from the district's pool. So the mean of all sheets has the reliability

    v_t / (v_t + v_o/n_o + v_r/n_r + v_e/(n_o·n_r)),

the generalisability coefficient of a design with raters crossed with the lessons of a teacher and
drawn anew for each teacher (Brennan 2001, Generalizability Theory).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.teacher_led_learning.parameters import Parameters

LESSONS = ("Fractions", "Poetry", "Maps", "La poésie", "Plants", "À la carte: word problems")


def simulate_observations(
    parameters: Parameters, schools: pd.DataFrame, staff: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return one row per planned sheet: teacher and year, occasion and rater.

    Parameters
    ----------
    parameters : Parameters
        Occasions, raters, shares of variance and rates of absence.
    schools : pandas.DataFrame
        One row per school, with ``district``.
    staff : pandas.DataFrame
        One row per teacher and year, with ``school``, ``year`` and realised ``practice`` (points).
    seed : int
        Seed of the study; each year and district has its own streams.

    Returns
    -------
    pandas.DataFrame
        ``staff`` (row of it), ``district``, ``year``, ``occasion`` (0, 1, …), ``rater`` (code),
        ``observed_on``, ``lesson``, ``error`` (score less true practice, before rounding and the
        limits of the rubric, points), ``score`` (two decimals) and ``status``: ``held``, ``missed``
        (the occasion) or ``absent`` (this rater).
    """
    district = schools["district"].to_numpy(dtype=object)[staff["school"]]
    frames = []
    for year, rows in staff.groupby("year", sort=True):
        for name in sorted(set(district)):
            chosen = rows[district[rows.index.to_numpy()] == name]
            frames.append(_sheets(parameters, chosen, str(name), int(str(year)), seed))
    return pd.concat(frames, ignore_index=True)


def rater_codes(parameters: Parameters, district: str) -> list[str]:
    """Return the codes of a district's raters: its name's first letters and a number."""
    # Two letters and more, as districts may begin alike.
    stems = {name: name[:3].upper() for name, _, _ in parameters.blocks}
    if len(set(stems.values())) < len(stems):
        stems = {name: name.upper().replace(" ", "") for name in stems}
    return [f"{stems[district]}{k + 1:02d}" for k in range(parameters.raters_per_district)]


def _sheets(
    parameters: Parameters, staff: pd.DataFrame, district: str, year: int, seed: int
) -> pd.DataFrame:
    n, occasions, raters = len(staff), len(parameters.occasions), parameters.raters_per_lesson
    rng = stream(seed, "observations", district, year)
    severity = stream(seed, "raters", district).standard_normal(parameters.raters_per_district)
    # The first few of a random order of the pool, for each teacher.
    team = np.argsort(rng.random((n, parameters.raters_per_district)), axis=1)[:, :raters]
    shape = (n, occasions, raters)
    part = {facet: np.sqrt(share) for facet, share in parameters.shares.items()}
    lesson = rng.standard_normal((n, occasions, 1))
    rest = rng.standard_normal(shape)
    error = parameters.practice_sd * (
        part["occasion"] * lesson
        + part["rater"] * severity[team][:, None, :]
        + part["residual"] * rest
    )
    missed = rng.random((n, occasions, 1)) < parameters.missed_occasion_rate
    absent = rng.random(shape) < parameters.absent_rater_rate
    score = staff["practice"].to_numpy()[:, None, None] + error
    codes = np.array(rater_codes(parameters, district), dtype=object)
    topic = np.array(LESSONS, dtype=object)[rng.integers(0, len(LESSONS), (n, occasions, 1))]
    days = _days(parameters, year, rng.integers(0, 30, (n, occasions, 1)))
    return pd.DataFrame({
        "staff": np.repeat(staff.index.to_numpy(), occasions * raters),
        "district": district,
        "year": year,
        "occasion": np.tile(np.repeat(np.arange(occasions), raters), n),
        "rater": _flat(codes[team][:, None, :], shape),
        "observed_on": _flat(days, shape),
        "lesson": _flat(topic, shape),
        "error": error.ravel(),
        "score": np.round(np.clip(score, *parameters.practice_range), 2).ravel(),
        "status": _flat(np.where(missed, "missed", np.where(absent, "absent", "held")), shape),
    })  # fmt: skip


def _flat(values: NDArray[np.object_] | NDArray[np.str_], shape: tuple[int, ...]) -> list[object]:
    return list(np.broadcast_to(values, shape).ravel())


def _days(parameters: Parameters, year: int, later: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the dates of lessons, so many days after the occasion's first."""
    starts = [
        np.datetime64(f"{year - 1 if int(day[:2]) >= 8 else year}-{day}")
        for _, day in parameters.occasions
    ]
    dates = np.array(starts)[None, :, None] + later.astype("timedelta64[D]")
    return np.asarray(dates.astype(str).astype(object))
