"""A synthetic trial in which teachers are randomised within schools, its truth known.

There are more applicants than places, so the places of a school are drawn among its applicants. Not
all who win take the certificate up, and a few who lose get one elsewhere. Teachers answer a survey
and stay in the school or leave it; the pupils of their classes are tested. Who did not apply
teaches and is surveyed all the same, and is in no group.
"""

from __future__ import annotations

import pandas as pd

from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.school_randomised.trial import complete_data as untaught_data
from schooltrial.simulate.within_school_lottery.classes import taught_pupils
from schooltrial.simulate.within_school_lottery.files import lottery_files
from schooltrial.simulate.within_school_lottery.parameters import LotteryParameters
from schooltrial.simulate.within_school_lottery.teachers import posts, teaching_staff
from schooltrial.simulate.within_school_lottery.truth import lottery_truth


def simulate(parameters: LotteryParameters, seed: int) -> SimulatedTrial:
    """Return a synthetic lottery; the same parameters and seed give the same frames.

    Parameters
    ----------
    parameters : LotteryParameters
        The simulation section of the protocol.
    seed : int
        Seed of the study. Every step and year draws from a stream of its own.

    Returns
    -------
    SimulatedTrial
        Truth as ``lottery_truth`` documents it, and ``faults``. Complete data: ``schools``;
        ``teachers`` and ``teacher_years`` as ``teachers.teaching_staff`` returns them, the
        latter with ``<outcome>_status``; ``pupils`` as
        ``classes.taught_pupils`` returns them.
    """
    complete = complete_data(parameters, seed)
    files = lottery_files(
        parameters,
        complete["schools"],
        complete["teachers"],
        complete["teacher_years"],
        complete["pupils"],
        seed,
    )
    complete |= {"pupils": files.pupils, "teacher_years": files.years}
    truth = lottery_truth(parameters, seed, complete["teachers"], files.years, files.pupils)
    truth["faults"] = files.faults
    # Which schools a trial of schools would have treated means nothing here.
    complete["schools"] = complete["schools"].drop(columns=["treated", "arm", "block"])
    return SimulatedTrial(files.files, files.encodings, truth, complete, files.delimiters)


def complete_data(parameters: LotteryParameters, seed: int) -> dict[str, pd.DataFrame]:
    """Return schools, teachers, their years, and pupils with potential outcomes, before any mess.

    The pupils are those of any trial, as they would score without what their teachers add.
    """
    schools, pupils = untaught_data(parameters.pupil_population, seed)
    places = posts(parameters, schools)
    teachers, years = teaching_staff(parameters, schools, places, seed)
    taught = taught_pupils(parameters, pupils, teachers, years, seed)
    return {"schools": schools, "teachers": teachers, "teacher_years": years, "pupils": taught}
