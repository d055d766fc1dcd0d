"""Who teaches which class in which year, and how each teaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.school_randomised.parameters import LEVEL_GRADES
from schooltrial.simulate.teacher_led_learning.parameters import Parameters

Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


LONGEST_CAREER = 75
"""Years of experience that nobody exceeds on arrival; the log-normal has no end of its own."""


ID_RANGE = 39_899
"""Teachers' numbers lie from 100 to 100 + this, so that a quarter begins with a zero."""


def posts(parameters: Parameters, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the classes of every school: one row each, ``school`` (row of ``schools``), ``grade``.

    A grade has as many classes as its size fills, and one at least, in all years.
    """
    classes = np.rint(schools["size"].to_numpy() / 3 / parameters.class_size)
    classes = np.maximum(1, classes).astype(np.int64)
    rows = [
        (school, grade)
        for school, level in enumerate(schools["level"])
        for grade in LEVEL_GRADES[str(level)]
        for _ in range(classes[school])
    ]
    return pd.DataFrame(rows, columns=["school", "grade"])


def simulate_staff(parameters: Parameters, schools: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row per year and class, in that order, with its teacher.

    Parameters
    ----------
    parameters : Parameters
        Rates, correlations and shares.
    schools : pandas.DataFrame
        One row per school: ``level``, ``size`` and ``school_code``.
    seed : int
        Seed of the study; each year has its own streams.

    Returns
    -------
    pandas.DataFrame
        ``year``, ``school``, ``school_code``, ``grade``, ``teacher`` (0, 1, … by order of arrival),
        ``teacher_id``, ``first_year`` (of the study with this teacher), ``since`` (year in which
        the teacher came to the school), ``newcomer`` (came after the first programme year had
        begun), ``experience`` (years), and ``practice_z`` and ``knowledge_z``: true practice and
        surveyed knowledge without the programme, in their SDs, of variance one.

    Raises
    ------
    ValueError
        If there are more teachers than numbers to call them by.
    """
    places = posts(parameters, schools)
    holder = np.arange(len(places))
    lasting = _arrivals(parameters, len(places), parameters.years[0], seed)
    frames = []
    for year in parameters.years:
        if year != parameters.years[0]:
            leaves = stream(seed, "teachers leave", year).random(len(places))
            new = np.flatnonzero(leaves < parameters.teacher_leaver_rate)
            holder = holder.copy()
            holder[new] = len(lasting) + np.arange(len(new))
            arrived = _arrivals(parameters, len(new), year, seed)
            lasting = pd.concat([lasting, arrived], ignore_index=True)
        frame = places.assign(year=year, teacher=holder)
        frames.append(_year(parameters, schools, frame, lasting.loc[holder], year, seed))
    if len(lasting) > ID_RANGE:
        raise ValueError(
            f"The trial has {len(lasting)} teachers over the years, but numbers for {ID_RANGE} "
            "only; take fewer schools or a larger class_size."
        )
    staff = pd.concat(frames, ignore_index=True)
    staff["teacher_id"] = [f"{number:05d}" for number in _numbers(staff["teacher"].to_numpy())]
    staff["school_code"] = schools["school_code"].to_numpy(dtype=object)[staff["school"]]
    staff["newcomer"] = staff["first_year"] > parameters.years_during[0]
    return staff


def _numbers(order: Ints) -> Ints:
    """Return distinct numbers that do not show who came first."""
    # 7919 has no factor in common with the range, so no two teachers share a number.
    return np.asarray(100 + (order * 7919 + 1047) % ID_RANGE)


def _arrivals(parameters: Parameters, n: int, year: int, seed: int) -> pd.DataFrame:
    """Return what lasts of the teachers who come in a year."""
    rng = stream(seed, "teachers", year)
    normals = rng.standard_normal((n, 3))
    link = parameters.experience_correlation
    practice = link * normals[:, 0] + np.sqrt(1 - link**2) * normals[:, 1]
    experience = np.rint(np.exp(1.9 + 0.8 * normals[:, 0])).astype(int)
    experience = np.minimum(experience, LONGEST_CAREER)
    # Those of the first year came in any year of their experience.
    tenure = rng.integers(0, experience + 1) if year == parameters.years[0] else 0
    return pd.DataFrame({
        "first_year": year,
        "since": year - tenure,
        "first_experience": experience,
        "practice": practice,
        "knowledge": _linked(parameters, practice, normals[:, 2]),
    })  # fmt: skip


def _linked(parameters: Parameters, practice: Floats, own: Floats) -> Floats:
    link = parameters.knowledge_practice_correlation
    return np.asarray(link * practice + np.sqrt(1 - link**2) * own)


def _year(
    parameters: Parameters,
    schools: pd.DataFrame,
    frame: pd.DataFrame,
    lasting: pd.DataFrame,
    year: int,
    seed: int,
) -> pd.DataFrame:
    """Return the rows of one year, with practice and knowledge as they are without programme."""
    for name in ("first_year", "since"):
        frame[name] = lasting[name].to_numpy()
    experience = lasting["first_experience"] + year - lasting["first_year"]
    frame["experience"] = experience.to_numpy()
    always = stream(seed, "schools' teaching").standard_normal((len(schools), 2))
    now = stream(seed, "schools' teaching", year).standard_normal((len(schools), 2))
    own = stream(seed, "teaching", year).standard_normal((len(frame), 2))
    own[:, 1] = _linked(parameters, own[:, 0], own[:, 1])
    school = frame["school"].to_numpy()
    for column, outcome in enumerate(("practice", "knowledge")):
        icc = dict(parameters.icc)[outcome]
        stable = getattr(parameters, f"{outcome}_stability")
        between = _mix(always[:, column], now[:, column], stable)[school]
        within = _mix(lasting[outcome].to_numpy(), own[:, column], stable)
        frame[f"{outcome}_z"] = np.sqrt(icc) * between + np.sqrt(1 - icc) * within
    return frame


def _mix(lasting: Floats, fleeting: Floats, stable: float) -> Floats:
    return np.asarray(np.sqrt(stable) * lasting + np.sqrt(1 - stable) * fleeting)


def classes_of(staff: pd.DataFrame, pupils: pd.DataFrame, where: str, lot: Floats) -> Ints:
    """Return the row of ``staff`` that teaches each pupil: classes of a grade are alike in size.

    Parameters
    ----------
    staff : pandas.DataFrame
        As ``teaching_staff`` returns it.
    pupils : pandas.DataFrame
        ``year``, ``grade`` and the column ``where``, the school.
    where : str
        ``school``, or ``other_school`` for the second school of those who change in the year.
    lot : array
        One uniform number per pupil; their order makes the classes.
    """
    key: Any = ["year", "school", "grade"]
    classes = staff.groupby(key).size()
    first = staff.reset_index().groupby(key)["index"].min()
    cells = pd.DataFrame({
        "year": pupils["year"].to_numpy(),
        "school": pupils[where].to_numpy(),
        "grade": pupils["grade"].to_numpy(),
        "lot": lot,
    })  # fmt: skip
    place = cells.sort_values("lot", kind="stable").groupby(key).cumcount().sort_index()
    index = pd.MultiIndex.from_frame(cells[key])
    start = first.reindex(index).to_numpy(dtype=np.int64)
    return np.asarray(start + place.to_numpy() % classes.reindex(index).to_numpy(dtype=np.int64))
