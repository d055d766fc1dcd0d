"""The classes of a lottery's teachers: which pupils each has, and what they score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.random_streams import stream
from schooltrial.simulate.school_randomised.parameters import SUBJECTS
from schooltrial.simulate.teacher_led_learning.teaching_staff import classes_of
from schooltrial.simulate.within_school_lottery.parameters import LotteryParameters
from schooltrial.simulate.within_school_lottery.teachers import STRATA


def taught_pupils(
    parameters: LotteryParameters,
    pupils: pd.DataFrame,
    teachers: pd.DataFrame,
    years: pd.DataFrame,
    seed: int,
) -> pd.DataFrame:
    """Return the pupils with their teacher, and scores with what the teacher adds.

    Parameters
    ----------
    parameters : LotteryParameters
        Effects and scales.
    pupils : pandas.DataFrame
        One row per pupil and year, as ``trial.complete_data`` returns them for
        ``parameters.pupil_population``.
    teachers, years : pandas.DataFrame
        As ``teachers.teaching_staff`` returns them.
    seed : int
        Seed of the study; pupils are dealt to the classes of their grade by a stream per year.

    Returns
    -------
    pandas.DataFrame
        ``pupils`` with ``teacher`` (row of ``teachers``), ``other_teacher`` (of the second school
        inside the year, or −1), ``offered``, ``stratum`` and, for each subject,
        ``<subject>_not_offered`` and ``<subject>_offered`` (points, within the limits of the
        scale) and the realised ``<subject>`` (whole points).
    """
    staff = years[years["in_post"]].join(teachers[["school", "grade", "post"]], on="teacher")
    # Classes of a grade stand side by side, as they are dealt to in turn.
    staff = staff.sort_values(["year", "school", "grade", "post"], ignore_index=True)
    holder = staff["teacher"].to_numpy()
    lots = [
        stream(seed, "classes", int(str(year))).random((len(rows), 2))
        for year, rows in pupils.groupby("year", sort=True)
    ]
    # The pupils come by year, so that the lots are in the order of the rows.
    lot = np.concatenate(lots)
    # There are no treated schools here: what was drawn for them goes.
    taught = pupils.drop(columns=["treated", "block", *(f"{s}_treated" for s in SUBJECTS)])
    taught["teacher"] = holder[classes_of(staff, pupils, "school", lot[:, 0])]
    two = (pupils["other_school"] >= 0).to_numpy()
    second = classes_of(staff, pupils[two], "other_school", lot[two, 1])
    taught["other_teacher"] = -1
    taught.loc[two, "other_teacher"] = holder[second]
    person = teachers.loc[taught["teacher"]].reset_index(drop=True)
    taught["offered"] = person["offered"].to_numpy()
    taught["stratum"] = person["stratum"].to_numpy()
    for subject in SUBJECTS:
        taught = _scored(parameters, taught, person, subject)
    return taught


def _scored(
    parameters: LotteryParameters, taught: pd.DataFrame, person: pd.DataFrame, subject: str
) -> pd.DataFrame:
    """Add both potential scores of a subject and the realised one."""
    sd = dict(parameters.score_sd)[subject]
    added = sd * np.sqrt(parameters.class_share) * person["value_added"].to_numpy()
    effect = taught["year"].map({y: parameters.effect(subject, y) for y in parameters.years})
    times = taught["stratum"].map({STRATA[1]: 1.0, STRATA[2]: parameters.always_taker_gain})
    gain = sd * effect.to_numpy() * times.fillna(0.0).to_numpy(dtype=float)
    without = taught[f"{subject}_untreated"].to_numpy() + added
    for arm in ("not_offered", "offered"):
        score = without + gain * person[f"took_up_{arm}"].to_numpy()
        taught[f"{subject}_{arm}"] = np.clip(score, *parameters.score_range)
    realised = np.where(
        taught["offered"], taught[f"{subject}_offered"], taught[f"{subject}_not_offered"]
    )
    taught[subject] = np.rint(realised).astype(int)
    return taught.drop(columns=f"{subject}_untreated")
