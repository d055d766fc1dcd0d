r"""A synthetic trial of teacher-led learning: schools drawn, teachers observed, pupils tested.

Pupils come from the model of ``school_randomised``. In SD of pupils within grade and year, the
untreated score of pupil i, taught by teacher k of school j in year t, is

    z_ikjt = √(1−c−b²)·x_ijt + b·p_kt + √c·w_kt,

with x_ijt the score of ``school_randomised`` (variance one, its ICC set so that z has the ICC
asked for), p_kt the teacher's true practice (variance one, schools included), w_kt what else lies
between classes; so z has variance one. A treated school adds θ_t·d_k to p_kt and δ_t to z directly,
with d_k one, or ``newcomer_share`` for who came later: the total effect is δ_t + b·θ_t·d_k, of
which b·θ_t·d_k comes through practice. True practice is seen only through
``classroom_observations``.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.base import faults
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.school_randomised import trial as school_randomised
from schooltrial.simulate.school_randomised.files import randomisation_seed, raw_files
from schooltrial.simulate.school_randomised.parameters import SUBJECTS
from schooltrial.simulate.teacher_led_learning.classroom_observations import simulate_observations
from schooltrial.simulate.teacher_led_learning.files import (
    exposure_log,
    link_rosters,
    teacher_files,
)
from schooltrial.simulate.teacher_led_learning.parameters import Parameters
from schooltrial.simulate.teacher_led_learning.teaching_staff import classes_of, simulate_staff
from schooltrial.simulate.teacher_led_learning.truth import truth_of

Floats = NDArray[np.float64]


def simulate(parameters: Parameters, seed: int) -> SimulatedTrial:
    """Return a synthetic trial; the same parameters and seed give the same frames.

    Parameters
    ----------
    parameters : Parameters
        The simulation section of the protocol.
    seed : int
        Seed of the study. Every step and year draws from a stream of its own.

    Returns
    -------
    SimulatedTrial
        Truth: see ``truth.truth_of``. Files: ``schools.csv``, ``assignment_list.csv``,
        ``programme_log.csv``, ``observations_<district>.csv``, and for each year
        ``roster_<year>.csv`` (with ``teacher_id``), ``scores_<year>.csv``, ``staff_<year>.csv`` and
        ``survey_<year>.csv``. Complete data: ``schools``, ``pupils`` (as of ``school_randomised``,
        with ``staff``, the row of the teacher in ``teachers``, and ``<subject>_through_practice``,
        SD), ``teachers`` (a row per teacher and year, see ``complete_data``) and ``observations``
        (a row per planned sheet, see ``classroom_observations``).
    """
    schools, teachers, pupils = complete_data(parameters, seed)
    sheets = simulate_observations(parameters, schools, teachers, seed)
    plain = dataclasses.replace(parameters, encodings=(), renamed_columns=())
    raw = raw_files(plain, schools, pupils, seed)
    of_teachers = teacher_files(parameters, teachers, sheets, seed)
    files = raw.files | of_teachers.files
    planted = raw.faults + of_teachers.faults
    planted += link_rosters(parameters, files, teachers, pupils, seed)
    exposed, codes = exposure_log(parameters, schools, seed)
    log = pd.concat([files["programme_log.csv"], exposed])
    order = ["month", "school_code", "leader_id", "component"]
    files["programme_log.csv"] = log.sort_values(order, ignore_index=True)
    planted += faults.rename_columns(parameters.renamed_columns, files)
    encodings, found = faults.encode(parameters.encodings, files)
    complete = {
        "schools": schools,
        "pupils": raw.pupils,
        "teachers": teachers,
        "observations": of_teachers.sheets,
    }
    truth = truth_of(parameters, seed, complete)
    truth |= {"exposed_control_schools": codes, "faults": planted + found}
    return SimulatedTrial(files, encodings, truth, complete, of_teachers.delimiters)


def complete_data(
    parameters: Parameters, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return schools, teachers and pupils with both potential outcomes, before any mess.

    The rows of teachers are those of ``teaching_staff`` with ``treated``, ``dose`` (the share of
    the effect that the teacher has or would have), potential ``<outcome>_untreated`` and
    ``<outcome>_treated`` and the realised ``<outcome>`` for ``practice`` (true, rubric points) and
    ``knowledge`` (points), ``knowledge_score`` (within the survey's limits, two decimals) and
    ``returned``, whether the survey came back.
    """
    schools, pupils = school_randomised.complete_data(_without_classes(parameters), seed)
    teachers = simulate_staff(parameters, schools, seed)
    pupils = _taught(parameters, teachers, pupils, seed)
    untreated = {s: _untreated(parameters, teachers, pupils, s, seed) for s in SUBJECTS}
    schools = _paired(parameters, schools, pupils, untreated["maths"], seed)
    treated = schools["treated"].to_numpy()
    teachers = _teachers(parameters, teachers, treated, seed)
    pupils["treated"] = treated[pupils["school"]]
    pupils["block"] = schools["block"].to_numpy(dtype=object)[pupils["school"]]
    for subject in SUBJECTS:
        _add_outcome(parameters, teachers, pupils, subject, untreated[subject])
    return schools, teachers, pupils


def _without_classes(parameters: Parameters) -> Parameters:
    """Return parameters of the pupils as they are before classes and treatment add theirs."""
    icc = dict(parameters.icc)
    from_practice = parameters.practice_slope**2 * icc["practice"]
    rest = {s: (icc[s] - from_practice) / parameters.rest_share for s in SUBJECTS}
    none = tuple((str(year), 0.0) for year in parameters.years)
    told = dict(parameters.effects)
    return dataclasses.replace(
        parameters,
        icc=tuple((icc | rest).items()),
        effects=tuple((name, told[name] if name == "attendance" else none) for name in told),
    )


def _taught(
    parameters: Parameters, staff: pd.DataFrame, pupils: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return pupils with the row of their teacher, ``staff``, and ``other_staff`` (or −1)."""
    pupils = pupils.copy()
    lot = np.empty(len(pupils))
    for year, rows in pupils.groupby("year", sort=True):
        lot[rows.index] = stream(seed, "classes", int(str(year))).random(len(rows))
    pupils["staff"] = classes_of(staff, pupils, "school", lot)
    pupils["other_staff"] = -1
    two = (pupils["other_school"] >= 0).to_numpy()
    if two.any():
        other = classes_of(staff, pupils[two], "other_school", lot[two])
        pupils.loc[two, "other_staff"] = other
    pupils["teacher_id"] = staff["teacher_id"].to_numpy(dtype=object)[pupils["staff"]]
    return pupils


def _untreated(
    parameters: Parameters, staff: pd.DataFrame, pupils: pd.DataFrame, subject: str, seed: int
) -> Floats:
    """Return scores without the programme, in SD within grade and ordinary year."""
    mean, sd = _scale(parameters, pupils, subject)
    base = (pupils[f"{subject}_untreated"].to_numpy() - mean) / sd
    other = np.empty(len(staff))
    for year, rows in staff.groupby("year", sort=True):
        rng = stream(seed, "classes of pupils", subject, int(str(year)))
        other[rows.index] = rng.standard_normal(len(rows))
    of_class = parameters.practice_slope * staff["practice_z"].to_numpy()
    of_class = of_class + np.sqrt(parameters.class_share) * other
    return np.asarray(np.sqrt(parameters.rest_share) * base + of_class[pupils["staff"]])


def _scale(parameters: Parameters, pupils: pd.DataFrame, subject: str) -> tuple[Floats, float]:
    """Return each pupil's mean of grade and year, and the SD, in scale points."""
    means = {int(key): value for key, value in dict(parameters.score_mean)[subject]}
    sd = dict(parameters.score_sd)[subject]
    shift = {int(key): value for key, value in parameters.year_shift}
    moved = pupils["year"].map(shift).fillna(0.0).to_numpy(dtype=float)
    return pupils["grade"].map(means).to_numpy(dtype=float) + sd * moved, sd


def _paired(
    parameters: Parameters, schools: pd.DataFrame, pupils: pd.DataFrame, maths: Floats, seed: int
) -> pd.DataFrame:
    """Return schools in pairs of like mean in maths of the last year before, one of each treated.

    Pairs lie within district and level; ``block`` names them, ``maths_baseline`` is the mean, SD.
    """
    last = (pupils["year"] == parameters.years_before[-1]).to_numpy()
    mean = pd.Series(maths[last]).groupby(pupils["school"].to_numpy()[last]).mean()
    schools = schools.assign(maths_baseline=mean.reindex(range(len(schools))).fillna(0.0))
    rank = schools.groupby("block")["maths_baseline"].rank(method="first").astype(int)
    # The level is told only where a district has both.
    levels = schools.groupby("district")["level"].transform("nunique")
    stem = np.where(levels > 1, schools["block"], schools["district"])
    schools["block"] = [f"{s} pair {(r + 1) // 2:02d}" for s, r in zip(stem, rank, strict=True)]
    chosen = school_randomised.assign(schools, randomisation_seed(seed))
    schools["treated"] = chosen
    schools["arm"] = np.where(chosen, "T", "C")
    return schools


def _teachers(
    parameters: Parameters, staff: pd.DataFrame, treated: NDArray[np.bool_], seed: int
) -> pd.DataFrame:
    """Return the staff with potential and realised practice and knowledge, and their survey."""
    staff = staff.copy()
    staff["treated"] = treated[staff["school"]]
    staff["dose"] = np.where(staff["newcomer"], parameters.newcomer_share, 1.0)
    years = {
        "practice": {year: parameters.practice_effect(year) for year in parameters.years},
        "knowledge": {year: parameters.effect("knowledge", year) for year in parameters.years},
    }
    points = {
        "practice": (parameters.practice_mean, parameters.true_sd),
        "knowledge": (parameters.knowledge_mean, parameters.knowledge_sd),
    }
    for outcome, (mean, sd) in points.items():
        z = staff[f"{outcome}_z"].to_numpy()
        gain = staff["year"].map(years[outcome]).to_numpy() * staff["dose"].to_numpy()
        staff[f"{outcome}_untreated"] = mean + sd * z
        staff[f"{outcome}_treated"] = mean + sd * (z + gain)
        staff[outcome] = np.where(
            staff["treated"], staff[f"{outcome}_treated"], staff[f"{outcome}_untreated"]
        )
    staff["knowledge_score"] = staff["knowledge"].clip(*parameters.knowledge_range).round(2)
    lots = np.empty(len(staff))
    for year, rows in staff.groupby("year", sort=True):
        lots[rows.index] = stream(seed, "surveys returned", int(str(year))).random(len(rows))
    staff["returned"] = lots >= parameters.unreturned_survey_rate
    return staff


def _add_outcome(
    parameters: Parameters,
    teachers: pd.DataFrame,
    pupils: pd.DataFrame,
    subject: str,
    z: Floats,
) -> None:
    """Add potential and realised scores of a subject to the pupils, in place."""
    year = pupils["year"]
    practice = {y: parameters.practice_slope * parameters.practice_effect(y)
                for y in parameters.years}  # fmt: skip
    direct = {y: parameters.effect(subject, y) - practice[y] for y in parameters.years}
    dose = teachers["dose"].to_numpy()[pupils["staff"]]
    through = year.map(practice).to_numpy() * dose
    mean, sd = _scale(parameters, pupils, subject)
    pupils[f"{subject}_through_practice"] = through
    pupils[f"{subject}_untreated"] = mean + sd * z
    pupils[f"{subject}_treated"] = mean + sd * (z + year.map(direct).to_numpy() + through)
    realised = np.where(
        pupils["treated"], pupils[f"{subject}_treated"], pupils[f"{subject}_untreated"]
    )
    pupils[subject] = np.clip(np.rint(realised), *parameters.score_range).astype(int)
